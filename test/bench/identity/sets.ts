import { createWriteStream, existsSync } from 'node:fs'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { seeded } from '../../../src/sandbox/seeded.ts'
import { COMPANY_COLUMNS, madeCompanies } from './made-companies.ts'
import { madePeople, PEOPLE_COLUMNS } from './made-people.ts'

export type IdentitySet = {
  readonly name: string
  readonly file: string
  readonly as: 'person' | 'company'
  readonly columns: string
  /** The truth of each row, in order. */
  readonly truths: readonly string[]
  /** What others state, with their source. */
  readonly published: string
}

const FEBRL =
  'given_name=given_name,surname=surname,street_number=street_number,address_1=address_1,address_2=address_2,' +
  'suburb=suburb,postcode=postcode,state=state,date_of_birth=date_of_birth'
const FEBRL_PUBLISHED =
  'Splink and others 0.96-0.999; recordlinkage 0.87-0.88; exact name and birth date 0.45'
const PUBLIC = [
  { name: 'febrl1', columns: FEBRL, truth: 'rec_id', published: FEBRL_PUBLISHED },
  { name: 'febrl2', columns: FEBRL, truth: 'rec_id', published: FEBRL_PUBLISHED },
  {
    name: 'fake_1000',
    columns: 'given_name=first_name,surname=surname,dob=dob,city=city,email=email',
    truth: 'cluster',
    published: 'Splink 0.90 (precision 1.00, recall 0.82); exact name and birth date 0.66',
  },
] as const

/** `rec-12-dup-0` is record 12, once more. */
const truthOf = (cell: string): string => /^rec-(\d+)-/.exec(cell)?.[1] ?? cell

/** The public sets of a folder; those that are missing are named. */
export async function publicSets(
  folder: string,
): Promise<{ readonly sets: readonly IdentitySet[]; readonly missing: readonly string[] }> {
  const sets: IdentitySet[] = []
  const missing: string[] = []
  for (const { name, columns, truth, published } of PUBLIC) {
    const file = path.join(folder, `${name}.csv`)
    if (!existsSync(file)) missing.push(file)
    else {
      const rows: Record<string, string>[] = parse(await readFile(file), { columns: true, bom: true })
      const truths = rows.map((row) => truthOf(row[truth] ?? ''))
      sets.push({ name, file, as: 'person', columns, truths, published })
    }
  }
  return { sets, missing }
}

const PEOPLE =
  'given_name=first_name,surname=last_name,email=email,phone=phone,company=company,address_1=address_1,city=city,' +
  'state=state,postcode=zip,dob=date_of_birth'
const COMPANIES =
  'company=name,domain=website,phone=phone,address_1=street,city=city,state=state,postcode=postal_code'

type Made = {
  readonly name: string
  readonly rows: number
  readonly duplicates: number
  readonly seed: number
}
const MADE: readonly (Made & { readonly as: 'person' | 'company' })[] = [
  { name: 'made contacts', as: 'person', rows: 5_000, duplicates: 25, seed: 3 },
  { name: 'made contacts, unseen seed', as: 'person', rows: 10_000, duplicates: 15, seed: 1_001 },
  { name: 'made, many duplicates', as: 'person', rows: 2_000, duplicates: 90, seed: 5 },
  { name: 'made, no duplicates', as: 'person', rows: 3_000, duplicates: 0, seed: 4 },
  { name: 'made, 20 rows', as: 'person', rows: 20, duplicates: 40, seed: 8 },
  { name: 'made companies', as: 'company', rows: 3_000, duplicates: 30, seed: 6 },
  { name: 'made companies, unseen seed', as: 'company', rows: 5_000, duplicates: 15, seed: 1_002 },
]

/** Sets made here, with what is hard about real ones (made-people.ts, made-companies.ts). */
export async function madeSets(folder: string): Promise<readonly IdentitySet[]> {
  const sets: IdentitySet[] = []
  for (const made of MADE) sets.push(await madeSet(folder, made, made.as))
  return sets
}

export async function madeSet(folder: string, made: Made, as: 'person' | 'company'): Promise<IdentitySet> {
  const file = path.join(folder, `${made.name.replaceAll(/\W+/g, '-')}.csv`)
  const chance = seeded(made.seed)
  const header: readonly string[] = as === 'person' ? PEOPLE_COLUMNS : COMPANY_COLUMNS
  const rows: Iterable<Readonly<Record<string, string>>> =
    as === 'person'
      ? madePeople(made.rows, made.duplicates, chance)
      : madeCompanies(made.rows, made.duplicates, chance)
  const stream = createWriteStream(file)
  stream.write(stringify([[...header]]))
  const truths: string[] = []
  for (const row of rows) {
    truths.push(row['truth'] ?? '')
    if (!stream.write(stringify([header.map((column) => row[column] ?? '')]))) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
  return { name: made.name, file, as, columns: as === 'person' ? PEOPLE : COMPANIES, truths, published: '' }
}
