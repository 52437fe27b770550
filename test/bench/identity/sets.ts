import { createWriteStream, existsSync } from 'node:fs'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { seeded } from '../../../src/sandbox/seeded.ts'
import { COMPANY_COLUMNS, madeCompanies } from './made-companies.ts'
import { madePeople, PEOPLE_COLUMNS } from './made-people.ts'
import { SHAPES } from './made-shapes.ts'
import type { Chance } from './vocabulary.ts'

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

const HISTORICAL =
  'given_name=first_name,surname=surname,dob=dob,city=birth_place,postcode=postcode,job_title=occupation'

type Made = {
  readonly name: string
  readonly rows: number
  /** How many of a hundred come again. */
  readonly duplicates: number
  readonly seed: number
  /** Other than those of all the generator makes: `attribute=column,…`. */
  readonly columns?: string
}
type Maker = 'person' | 'company' | 'whole names' | keyof typeof SHAPES
const MADE: readonly (Made & { readonly as: Maker })[] = [
  { name: 'made contacts', as: 'person', rows: 5_000, duplicates: 25, seed: 3 },
  { name: 'made contacts, unseen seed', as: 'person', rows: 10_000, duplicates: 15, seed: 1_001 },
  { name: 'made, many duplicates', as: 'person', rows: 2_000, duplicates: 90, seed: 5 },
  { name: 'made, no duplicates', as: 'person', rows: 3_000, duplicates: 0, seed: 4 },
  { name: 'made, 20 rows', as: 'person', rows: 20, duplicates: 40, seed: 8 },
  { name: 'made companies', as: 'company', rows: 3_000, duplicates: 30, seed: 6 },
  { name: 'made companies, unseen seed', as: 'company', rows: 5_000, duplicates: 15, seed: 1_002 },
  { name: 'made, 50 rows', as: 'person', rows: 50, duplicates: 40, seed: 18 },
  { name: 'made, 150 rows', as: 'person', rows: 150, duplicates: 40, seed: 28 },
  { name: 'heavy errors, up to 6 a person', as: 'heavy', rows: 5_000, duplicates: 75, seed: 31 },
  { name: 'heavy errors, up to 11 a person', as: 'heaviest', rows: 5_000, duplicates: 75, seed: 32 },
  { name: 'historical', as: 'historical', rows: 5_000, duplicates: 95, seed: 33 },
  {
    name: 'only name and address',
    as: 'person',
    rows: 5_000,
    duplicates: 25,
    seed: 34,
    columns: 'postcode=zip,surname=last_name,city=city,address_1=address_1,given_name=first_name,state=state',
  },
  {
    name: 'only name and birth date',
    as: 'person',
    rows: 5_000,
    duplicates: 25,
    seed: 35,
    columns: 'dob=date_of_birth,surname=last_name,given_name=first_name',
  },
  {
    name: 'only email and name',
    as: 'person',
    rows: 5_000,
    duplicates: 25,
    seed: 36,
    columns: 'email=email,surname=last_name,given_name=first_name',
  },
  {
    name: 'whole names, email, phone, city',
    as: 'whole names',
    rows: 5_000,
    duplicates: 25,
    seed: 37,
    columns: 'full_name=full_name,email=email,phone=phone,city=city',
  },
  {
    name: 'companies, name and address',
    as: 'company',
    rows: 5_000,
    duplicates: 30,
    seed: 38,
    columns: 'company=name,address_1=street,city=city,state=state,postcode=postal_code',
  },
]

/** Larger ones, for `--scale`. */
export const LARGE: readonly (Made & { readonly as: Maker })[] = [
  { name: 'historical, 50,000', as: 'historical', rows: 50_000, duplicates: 95, seed: 41 },
  { name: 'made contacts, 20,000', as: 'person', rows: 20_000, duplicates: 15, seed: 9 },
  { name: 'made contacts, 200,000', as: 'person', rows: 200_000, duplicates: 15, seed: 9 },
]

/** Sets made here, with what is hard about real ones (made-people.ts, made-companies.ts). */
export async function madeSets(folder: string): Promise<readonly IdentitySet[]> {
  const sets: IdentitySet[] = []
  for (const made of MADE) sets.push(await madeSet(folder, made, made.as))
  return sets
}

/** What a maker makes: its columns, what each holds, and rows. */
function makerOf(as: Maker, { rows, duplicates }: Made, chance: Chance) {
  switch (as) {
    case 'person':
      return { header: PEOPLE_COLUMNS, columns: PEOPLE, rows: madePeople(rows, duplicates, chance) }
    case 'company':
      return { header: COMPANY_COLUMNS, columns: COMPANIES, rows: madeCompanies(rows, duplicates, chance) }
    case 'whole names':
      return {
        header: ['truth', 'full_name', ...PEOPLE_COLUMNS.slice(3)],
        columns: PEOPLE,
        rows: withWholeNames(madePeople(rows, duplicates, chance), chance),
      }
    case 'heavy':
    case 'heaviest':
      return { header: SHAPES[as].columns, columns: FEBRL, rows: SHAPES[as].rows(rows, chance) }
    case 'historical':
      return { header: SHAPES[as].columns, columns: HISTORICAL, rows: SHAPES[as].rows(rows, chance) }
  }
}

/** One cell for the name, in either order. */
function* withWholeNames(people: Iterable<Readonly<Record<string, string>>>, chance: Chance) {
  for (const { first_name: given = '', last_name: family = '', ...rest } of people) {
    const isTurned = chance() < 0.2 && given !== '' && family !== ''
    yield { ...rest, full_name: isTurned ? `${family}, ${given}` : `${given} ${family}`.trim() }
  }
}

export async function madeSet(folder: string, made: Made, as: Maker): Promise<IdentitySet> {
  const file = path.join(folder, `${made.name.replaceAll(/\W+/g, '-')}.csv`)
  const maker = makerOf(as, made, seeded(made.seed))
  const header: readonly string[] = maker.header
  const rows: Iterable<Readonly<Record<string, string>>> = maker.rows
  const stream = createWriteStream(file)
  stream.write(stringify([[...header]]))
  const truths: string[] = []
  for (const row of rows) {
    truths.push(row['truth'] ?? '')
    if (!stream.write(stringify([header.map((column) => row[column] ?? '')]))) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
  return {
    name: made.name,
    file,
    as: as === 'company' ? 'company' : 'person',
    columns: made.columns ?? maker.columns,
    truths,
    published: '',
  }
}
