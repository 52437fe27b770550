import { createWriteStream } from 'node:fs'
import { mkdir, utimes } from 'node:fs/promises'
import path from 'node:path'
import { once } from 'node:events'

const GIVEN =
  'Ada Grace Alan Edsger Barbara Donald Frances Niklaus Radia Dennis Zoë Łukasz Jürgen Chloé Mary-Ann'.split(
    ' ',
  )
const FAMILY =
  'Lovelace Hopper Turing Dijkstra Liskov Knuth Allen Wirth Perlman Ritchie Müller Østergaard Nuñez Kowalski'.split(
    ' ',
  )
const TITLES = 'Account manager|Head of sales|Engineer|CFO|Buyer, tools|Office manager|'.split('|')
const COMPANIES =
  'Analytical Engines|Harbour & Sons|Nordlicht GmbH|Acme, Inc.|Blue Ridge Dairy|Quantum Bakery'.split('|')
const CITIES: readonly (readonly [city: string, postalCode: string, country: string])[] = [
  ['Springfield', '62701', 'US'],
  ['Berlin', '10115', 'DE'],
  ['Leeds', 'LS1 4AP', 'GB'],
  ['Lyon', '69001', 'FR'],
  ['Portland', '97201', 'US'],
]

export const COLUMNS = [
  'id',
  'email',
  'first_name',
  'last_name',
  'phone',
  'job_title',
  'company',
  'street',
  'city',
  'postal_code',
  'country',
  'unsubscribed',
] as const

/** The n-th person of a company list: every email and phone number is a different one. */
function person(n: number): readonly string[] {
  const given = GIVEN[n % GIVEN.length] ?? ''
  const family = FAMILY[(n * 7) % FAMILY.length] ?? ''
  const [city, postalCode, country] = CITIES[n % CITIES.length] ?? ['', '', '']
  const phone = `(${212 + (n % 5)}) ${String(2_000_000 + n).replace(/^(\d{3})(\d{4})$/, '$1-$2')}`
  return [
    `c-${100_000 + n}`,
    `${given}.${family}.${n}@example.com`.normalize('NFD').replace(/[^\w.@+-]/g, ''),
    given,
    family,
    phone,
    TITLES[n % TITLES.length] ?? '',
    COMPANIES[(n * 3) % COMPANIES.length] ?? '',
    `${1 + (n % 900)} Long Acre`,
    city,
    postalCode,
    country,
    n % 40 === 0 ? 'true' : '',
  ]
}

/** Writes `contacts.csv` with so many people, last changed an hour ago, and returns its folder. */
export async function writePeople(folder: string, count: number): Promise<string> {
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, 'contacts.csv')
  const out = createWriteStream(file)
  out.write(`${COLUMNS.join(',')}\n`)
  for (let n = 0; n < count; n++) {
    const line = person(n).map((cell) => (/[",]/.test(cell) ? `"${cell}"` : cell))
    if (!out.write(`${line.join(',')}\n`)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
  const hourAgo = Date.now() / 1000 - 3_600
  await utimes(file, hourAgo, hourAgo)
  return folder
}
