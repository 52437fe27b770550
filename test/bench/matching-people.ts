import { seeded } from '../../src/sandbox/seeded.ts'
import type { Json } from '../../src/core/json.ts'

export type Made = Readonly<Record<string, Json>>

const GIVEN =
  'James/Jim Mary Robert/Bob Patricia/Pat John Jennifer/Jenny Michael/Mike Linda William/Bill Elizabeth/Liz David/Dave Barbara Richard/Rick Susan/Sue Joseph/Joe Jessica Thomas/Tom Sarah Charles Karen Christopher/Chris Lisa Daniel/Dan Nancy Matthew/Matt Betty Anthony/Tony Sandra Mark Ashley Donald Emily Steven/Steve Kimberly/Kim Andrew/Andy Margaret/Maggie Paul Donna Joshua/Josh Michelle Kenneth/Ken Carol Kevin Amanda Brian Melissa Timothy/Tim Deborah/Deb Ronald/Ron Stephanie Jason Rebecca/Becky Jeffrey/Jeff Sharon Ryan Laura Jacob Cynthia Zoë Łukasz Jürgen Chloé Søren Anaïs Joaquín Ingrid'.split(
    ' ',
  )
const SYLLABLES =
  'ba bel ber bran car chen cor dal den dor el fen fer gar gel hal har hol jan kel kim kov lan lar len lin lor mar mel mon nar nel nor os pal par pen per quin ral ren ros san sel ser sol tan tel ter tor val van ver vin wal wen wil yan zel'.split(
    ' ',
  )
const ENDS = 'son er man ley ton ski sen dorf well berg stein ez ini ov dale field wood ford'.split(' ')
const KINDS = 'Works Systems Foods Partners Analytics Labs Logistics Studios Supply Media Tools Design'.split(
  ' ',
)
const FREE = ['gmail.com', 'outlook.com', 'yahoo.com']
const CITIES = [
  ['Springfield', '627', 'US'],
  ['Portland', '972', 'US'],
  ['Boston', '021', 'US'],
  ['Denver', '802', 'US'],
  ['Chicago', '606', 'US'],
  ['Houston', '770', 'US'],
] as const

/**
 * People as a company's systems hold them, a page at a time: given names as common as they are, some hundred thousand
 * surnames of which few are common, firms with some colleagues each. One in twenty comes again, as people come again:
 * another address, a nickname, a typing error, without a phone. The same seed gives the same people.
 */
export function* people(count: number, seed: number): Generator<Made> {
  const random = seeded(seed)
  const below = (n: number) => Math.floor(random() * n)
  // Few are common, most are rare.
  const skewed = (n: number) => Math.floor(n * random() ** 3)
  const pick = <T>(list: readonly T[]): T | undefined => list[below(list.length)]
  const kept: Made[] = []
  for (let n = 0; n < count; n++) {
    const before = kept[below(kept.length)]
    if (random() < 0.05 && before !== undefined) {
      yield again(before, n, random)
      continue
    }
    const [given = '', nick = ''] = (GIVEN[skewed(GIVEN.length)] ?? '').split('/')
    const family = surname(skewed(200_000))
    const firmNumber = skewed(Math.ceil(count / 4))
    const firm = `${surname(firmNumber * 31 + 7)} ${KINDS[firmNumber % KINDS.length]}`
    const works = random() < 0.75
    const local = plain(random() < 0.5 ? `${given}.${family}` : `${given.slice(0, 1)}${family}${below(90)}`)
    const domain = works ? `${plain(firm)}.com` : (pick(FREE) ?? '')
    const [city, zip, country] = pick(CITIES) ?? ['', '', '']
    const one: Made = {
      givenName: random() < 0.1 && nick !== '' ? nick : given,
      familyName: family,
      emails: [`${local}.${n.toString(36)}@${domain}`],
      phones: random() < 0.7 ? [`+1${212 + below(700)}${2_000_000 + below(7_999_999)}`] : null,
      companyName: works ? firm : null,
      address:
        random() < 0.5
          ? {
              line1: `${1 + below(990)} ${surname(below(3_000))} Street`,
              city,
              postalCode: `${zip}${String(below(100)).padStart(2, '0')}`,
              country,
            }
          : null,
    }
    if (kept.length < 5_000) kept.push(one)
    else if (random() < 0.05) kept[below(kept.length)] = one
    yield one
  }
}

/** Somebody who is there already, under another address. */
function again(one: Made, n: number, random: () => number): Made {
  const { givenName, familyName } = one
  const given = typeof givenName === 'string' ? givenName : ''
  const nick = GIVEN.find((names) => names.startsWith(`${given}/`))?.split('/')[1]
  const family = typeof familyName === 'string' ? familyName : ''
  const at = 1 + Math.floor(random() * (family.length - 2))
  const slip = `${family.slice(0, at)}${family.slice(at + 1)}`
  return {
    ...one,
    givenName: random() < 0.3 ? (nick ?? `${given.slice(0, 1)}.`) : given,
    familyName: random() < 0.3 ? slip : family,
    emails: [`again.${n.toString(36)}@gmail.com`],
    phones: random() < 0.6 ? (one['phones'] ?? null) : null,
    address: random() < 0.5 ? (one['address'] ?? null) : null,
  }
}

function surname(n: number): string {
  const pick = (list: readonly string[], at: number) => list[at % list.length] ?? ''
  const size = SYLLABLES.length
  const middle = n < size * ENDS.length ? '' : pick(SYLLABLES, Math.floor(n / (size * ENDS.length)))
  const name = `${pick(SYLLABLES, n)}${middle}${pick(ENDS, Math.floor(n / size))}`
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
}

const plain = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/[^\w.]/g, '')
    .toLowerCase()
