import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import iconv from 'iconv-lite'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dedupe, type DedupeRequest, type DedupeResult } from '../../../src/runtime/dedupe/dedupe.ts'
import { DedupeInputError } from '../../../src/runtime/dedupe/input-error.ts'
import { seeded } from '../../../src/sandbox/seeded.ts'
import { openDatabase, type Database } from '../../../src/store/database.ts'
import { madePeople, PEOPLE_COLUMNS } from '../../bench/identity/made-people.ts'
import { accuracyOf } from '../../bench/identity/truth.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

let database: TestDatabase
let db: Database
let folder: string
let stopping: AbortController
beforeAll(async () => {
  database = await testDatabase()
  db = openDatabase(database.url)
  folder = await mkdtemp(path.join(os.tmpdir(), 'concord-dedupe-'))
})
beforeEach(() => {
  stopping = new AbortController()
})
afterAll(async () => {
  await db.close()
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

const file = (name: string): string => path.join(folder, name)
const request = (name: string, more: Partial<DedupeRequest> = {}): DedupeRequest => ({
  file: file(name),
  subject: 'person',
  columns: null,
  idColumn: null,
  threshold: 0.8,
  encoding: null,
  out: file('out.csv'),
  pairs: file('pairs.csv'),
  ...more,
})
const run = (asked: DedupeRequest): Promise<DedupeResult> =>
  dedupe({ sql: db.sql, stopping: stopping.signal, progress: () => undefined }, asked)
async function dedupeText(text: string | Buffer, more: Partial<DedupeRequest> = {}): Promise<DedupeResult> {
  await writeFile(file('in.csv'), text)
  return run(request('in.csv', more))
}
const written = async (name: string): Promise<Record<string, string>[]> =>
  parse(await readFile(file(name)), { columns: true })
const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof DedupeInputError)) throw new Error(`not refused: ${String(error)}`)
  return `${error.message}. ${error.fix}`
}
const leftovers = async (): Promise<number> =>
  (await db.sql`select from pg_class where relname like 'dedupe%' and relkind = 'r'`).length

const TWICE =
  'id,First Name,Last Name,Date of birth,Town\n' +
  'a,Ann,Szczepanski,1970-01-31,Leeds\nb,Tom,Okafor,1981-12-01,York\nc,Anne,Szczepański,31/01/1970,Leeds\n'

// Learning takes seconds of a core, which other tests may hold.
describe('dedupe', { timeout: 120_000 }, () => {
  it('tells the columns from the header, and writes row, line, id, cluster and score', async () => {
    const result = await dedupeText(TWICE, { idColumn: 'id' })
    expect(result).toMatchObject({ rows: 3, groups: 1, duplicates: 1, largest: 2, blank: 0 })
    expect(result.columns.map(({ trait }) => trait)).toEqual(['givenName', 'familyName', 'birthDate', 'city'])
    const rows = await written('out.csv')
    expect(rows.map(({ row, line, id, cluster }) => [row, line, id, cluster])).toEqual([
      ['1', '2', 'a', '1'],
      ['3', '4', 'c', '1'],
    ])
    for (const { score } of rows) expect(Number(score)).toBeGreaterThan(0.8)
    const [pair] = await written('pairs.csv')
    expect(pair).toMatchObject({ row_a: '1', row_b: '3' })
    expect(pair?.['evidence']).toContain('same birth date')
    expect(await leftovers()).toBe(0)
  })

  it('takes columns by any usual name of an attribute, and several for one list', async () => {
    await dedupeText('g;f;m1;m2\nAnn;Okafor;ann@x.org;\nAnn;Okafor;;ANN@x.org\n', {
      columns: 'first_name=g, LAST_NAME = f,email=m1,e-mail=m2',
    })
    expect(await written('out.csv')).toHaveLength(2)
  })

  it('reads a byte order mark, Windows-1252 and UTF-16', async () => {
    for (const encoding of ['utf8', 'windows-1252', 'utf16']) {
      const text = 'first_name,last_name,dob\nZoë,Müller,1970-01-31\nZoe,Muller,1970-01-31\n'
      const result = await dedupeText(iconv.encode(text, encoding, { addBOM: encoding !== 'windows-1252' }))
      expect({ encoding, groups: result.groups }).toEqual({ encoding, groups: 1 })
    }
  })

  it('takes an encoding by any of its names, and says which there are', async () => {
    const text = 'given_name,surname,email\nJürgen,Müller,jm@example.com\nJürgen,Müller,jm@example.com\n'
    for (const [name, encoding] of [
      ['UTF-16LE', 'utf16le'],
      ['latin1', 'latin1'],
      ['ISO-8859-15', 'iso-8859-15'],
    ] as const) {
      const { groups } = await dedupeText(iconv.encode(text, encoding), { encoding: name })
      expect({ name, groups }).toEqual({ name, groups: 1 })
    }
    expect(await refusal(dedupeText(text, { encoding: 'klingon' }))).toBe(
      '--encoding is "klingon". Use UTF-8, UTF-16LE, UTF-16BE, Windows-125x or ISO-8859-x, or leave it out.',
    )
  })

  it('says which lines cannot be read and goes on', async () => {
    const result = await dedupeText(
      'first_name,last_name,dob\nAnn,Okafor,1970-01-31\nT"om,"x"y,1\n"Ann",Okafor,1970-01-31\n',
    )
    expect(result.bad.count).toBe(1)
    expect(result.bad.samples[0]?.line).toBe(3)
    expect((await written('out.csv')).map(({ row, line }) => [row, line])).toEqual([
      ['1', '2'],
      ['3', '4'],
    ])
  })

  it('leaves out rows that say nothing', async () => {
    const result = await dedupeText('first_name,last_name\n,\nN/A,unknown\n,\n')
    expect(result).toMatchObject({ rows: 3, blank: 3, groups: 0 })
  })

  it('has nothing to say of a header alone', async () => {
    expect(await dedupeText('first_name,last_name\n')).toMatchObject({ rows: 0, groups: 0 })
    expect(await written('out.csv')).toEqual([])
  })

  it.each<[string, string, Partial<DedupeRequest>, RegExp]>([
    ['an empty file', '', {}, /is empty.*header/],
    ['no header', ' , \nAnn,Lee\n', {}, /no header/],
    ['a header that says nothing', 'a,b\n1,2\n', {}, /No column could be told.*--columns/],
    ['an unknown attribute', TWICE, { columns: 'sirname=Last Name' }, /"sirname".*Did you mean surname\?/],
    [
      'an unknown column',
      TWICE,
      { columns: 'surname=Last Nam' },
      /no column "Last Nam".*Did you mean "Last Name"\?/,
    ],
    ['an unknown id', TWICE, { idColumn: 'nr' }, /no column "nr".*Its header: id, First Name/],
    [
      'an attribute given twice',
      TWICE,
      { columns: 'surname=Last Name,last_name=Town' },
      /names last_name twice/,
    ],
    [
      'a column that is there twice',
      'name,name\nAnn Lee,x\n',
      { columns: 'full_name=name' },
      /"name" 2 times/,
    ],
    ['a spreadsheet', 'PK\u0003\u0004xxxx', {}, /spreadsheet/],
  ])('refuses %s', async (_, text, more, message) => {
    expect(await refusal(dedupeText(text, more))).toMatch(message)
  })

  it('refuses a folder, and says of a missing file what the system says', async () => {
    await expect(run(request('missing.csv'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(run({ ...request('x'), file: folder })).rejects.toThrow(/not a file|EISDIR/)
  })

  it('finds the same groups in whatever order the rows stand', async () => {
    const rows = [...madePeople(400, 40, seeded(31))].map((row) =>
      PEOPLE_COLUMNS.map((column) => row[column]),
    )
    const groupsOf = async (ordered: readonly (readonly string[])[]): Promise<ReadonlySet<string>> => {
      const numbered = ordered.map((row) => [...row])
      await dedupeText(stringify([[...PEOPLE_COLUMNS], ...numbered]))
      const clusters = new Map<string, string[]>()
      for (const { row, cluster } of await written('out.csv')) {
        const own = clusters.get(cluster ?? '') ?? []
        clusters.set(cluster ?? '', [...own, JSON.stringify(ordered[Number(row) - 1])])
      }
      return new Set([...clusters.values()].map((members) => members.toSorted().join('\n')))
    }
    const chance = seeded(5)
    const shuffled = rows.map((row) => ({ row, at: chance() })).toSorted((a, b) => a.at - b.at)
    const [one, two] = [await groupsOf(rows), await groupsOf(shuffled.map(({ row }) => row))]
    const same = [...one].filter((group) => two.has(group)).length
    // Chance takes other random pairs in another order, so the figures differ in the last digits.
    expect(same).toBeGreaterThan(one.size * 0.97)
  })

  it('is right about people who share families, firms and phones', async () => {
    const rows = [...madePeople(1_000, 25, seeded(77))]
    await dedupeText(
      stringify([[...PEOPLE_COLUMNS], ...rows.map((row) => PEOPLE_COLUMNS.map((column) => row[column]))]),
    )
    const clusters = new Map(
      (await written('out.csv')).map((row) => [Number(row['row']), row['cluster'] ?? '']),
    )
    const { precision, recall } = accuracyOf(
      rows.map(({ truth }) => truth),
      clusters,
    )
    expect(precision).toBeGreaterThan(0.97)
    expect(recall).toBeGreaterThan(0.8)
  })

  it('leaves nothing behind when it is stopped or fails', async () => {
    const rows = [...madePeople(4_500, 20, seeded(3))].map((row) =>
      PEOPLE_COLUMNS.map((column) => row[column]),
    )
    await writeFile(file('long.csv'), stringify([[...PEOPLE_COLUMNS], ...rows]))
    const stopped = dedupe(
      {
        sql: db.sql,
        stopping: stopping.signal,
        progress: (event) => event.kind === 'read' && stopping.abort(),
      },
      request('long.csv'),
    )
    await expect(stopped).rejects.toThrow(/abort/i)
    stopping = new AbortController()
    expect(await leftovers()).toBe(0)
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([])
    expect((await run(request('long.csv'))).rows).toBe(4_500)
  })

  it.each(['out', 'pairs'] as const)('refuses where %s cannot be written, before it reads', async (which) => {
    await writeFile(file('few.csv'), 'first_name,last_name\nAnn,Lee\n')
    let read = 0
    const refused = async (to: string) =>
      refusal(
        dedupe(
          { sql: db.sql, stopping: stopping.signal, progress: () => read++ },
          request('few.csv', { [which]: to }),
        ),
      )
    expect(await refused(path.join(folder, 'no', 'such', 'out.csv'))).toMatch(/cannot be written.*ENOENT/)
    expect(await refused(folder)).toMatch(/cannot be written: it is a folder/)
    expect(read).toBe(0)
    expect(await leftovers()).toBe(0)
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('leaves what was there before until it is done', async () => {
    await writeFile(file('out.csv'), 'of last week')
    await writeFile(file('few.csv'), 'first_name,last_name\nAnn,Lee\nAnn,Lee\n')
    const failing = dedupe(
      { sql: db.sql, stopping: AbortSignal.abort(), progress: () => undefined },
      request('few.csv'),
    )
    await expect(failing).rejects.toThrow(/abort/i)
    expect(await readFile(file('out.csv'), 'utf8')).toBe('of last week')
  })

  it('writes the same bytes for the same file', async () => {
    const rows = [...madePeople(800, 20, seeded(5))].map((row) => PEOPLE_COLUMNS.map((column) => row[column]))
    await writeFile(file('same.csv'), stringify([[...PEOPLE_COLUMNS], ...rows]))
    await run(request('same.csv', { out: file('one.csv'), pairs: file('one-pairs.csv') }))
    await run(request('same.csv', { out: file('two.csv'), pairs: file('two-pairs.csv') }))
    expect(await readFile(file('one.csv'))).toEqual(await readFile(file('two.csv')))
    expect(await readFile(file('one-pairs.csv'))).toEqual(await readFile(file('two-pairs.csv')))
  })

  it('compares the few rows of a small file even where they share no key', async () => {
    const result = await dedupeText(
      'first_name,last_name,street,city\nScott,Thomas,193 Mill Court,Eastview\nScott,Thkmas,193 Mlil Ct,Easstview\n',
    )
    expect(result).toMatchObject({ compared: 1, groups: 1 })
  })

  it('tells a pair once, also where it shares nothing but keys that many share', async () => {
    const result = await dedupeText(
      `first_name,last_name,dob\n${'Ann,Okafor,1970-01-31\n'.repeat(60)}${'Tom,Lee,1981-12-01\n'.repeat(3)}`,
    )
    const pairs = (await written('pairs.csv')).map((pair) => `${pair['row_a']} ${pair['row_b']}`)
    expect(pairs.length).toBeGreaterThan(400)
    expect(new Set(pairs).size).toBe(pairs.length)
    expect(result.matches).toBe(pairs.length)
    expect(result.groups).toBe(2)
  })

  it('says that the disk is full, instead of ending the process', async () => {
    await writeFile(file('few.csv'), 'first_name,last_name\nAnn,Lee\nAnn,Lee\n')
    await expect(run(request('few.csv', { pairs: '/dev/full' }))).rejects.toThrow(/ENOSPC/)
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('writes over neither the file it reads nor its own other file', async () => {
    const text = 'first_name,last_name\nAnn,Lee\nAnn,Lee\n'
    await writeFile(file('few.csv'), text)
    await symlink(file('few.csv'), file('link.csv'))
    const refused = (more: Partial<DedupeRequest>) => refusal(run(request('few.csv', more)))
    expect(await refused({ out: file('few.csv') })).toMatch(/few\.csv is the file that is read.*another/)
    expect(await refused({ pairs: file('link.csv') })).toMatch(/link\.csv is the file that is read/)
    expect(await refused({ out: file('new.csv'), pairs: path.join(folder, '.', 'new.csv') })).toMatch(
      /--out and --pairs name one file/,
    )
    expect(await readFile(file('few.csv'), 'utf8')).toBe(text)
  })
})
