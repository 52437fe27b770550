import fc from 'fast-check'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import type { Fields } from '../../src/core/model.ts'
import { ERASED_ADDRESS, ERASED_TEXT, patternsOf, scrubberOf, tracesOf } from '../../src/core/privacy.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

let database: TestDatabase
let sql: postgres.Sql
beforeAll(async () => {
  database = await testDatabase()
  sql = postgres(database.url, { max: 1 })
})
afterAll(async () => {
  await sql.end()
  await database.drop()
})

const patterns = (address: string) => patternsOf(tracesOf([{ emails: [address] }]))

/** What PostgreSQL makes of texts, each without the address beside it. */
async function inDatabase(cases: readonly { readonly own: string; readonly text: string }[]) {
  const pairs = cases.map(({ own, text }) => ({ text, pattern: patterns(own).emails }))
  const found = await sql<{ text: string }[]>`
    select regexp_replace(text, pattern, ${ERASED_ADDRESS}, 'gi') as text
    from rows from (jsonb_to_recordset(${JSON.stringify(pairs)}::text::jsonb) as (text text, pattern text)) with ordinality
    order by ordinality`
  return found.map(({ text }) => text)
}

const inScript = (own: string, text: string): string => scrubberOf(patterns(own))(text)

test.each([
  ['ann.quin@x.co', 'ann.quin@x.co'],
  ['quin@x.co.uk', 'quin@x.co.uk'],
  ['quin@x.co-op.uk', 'quin@x.co-op.uk'],
  ["o'quin@x.co and news+quin@x.co", "o'quin@x.co and news+quin@x.co"],
  ['ask Quin@X.co.', 'ask ERASED.'],
  ['(quin@x.co), <quin@x.co>; mailto:quin@x.co?', '(ERASED), <ERASED>; mailto:ERASED?'],
  ["'quin@x.co' - quin@x.co - done", "'ERASED' - ERASED - done"],
  // In JSON a line break is a backslash and a letter.
  [JSON.stringify({ said: 'ask\nquin@x.co\n-quin@x.co' }), '{"said":"ask\\nERASED\\n-ERASED"}'],
  [JSON.stringify({ said: '\nann.quin@x.co' }), '{"said":"\\nann.quin@x.co"}'],
])('quin@x.co is taken out of %s', async (text, left) => {
  const wanted = left.replaceAll('ERASED', ERASED_ADDRESS)
  expect(inScript('quin@x.co', text)).toBe(wanted)
  expect(await inDatabase([{ own: 'quin@x.co', text }])).toEqual([wanted])
})

const words = (joints: readonly string[]) =>
  fc
    .array(fc.tuple(fc.constantFrom('quin', 'ann', 'q', 'x', 'Co', '1'), fc.constantFrom(...joints)), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => parts.map(([word, joint], i) => (i === 0 ? word : joint + word)).join(''))
const address = fc
  .tuple(words(['.', '_', '+', "'", '-']), words(['.', '-']), fc.constantFrom('co', 'co.uk', 'x'))
  .map(([local, domain, top]) => `${local}@${domain}.${top}`)
const between = fc.constantFrom(' ', ', ', '; ', '>, <', '\n', '. ', '" - "', '\t')

test("an address is taken out of texts, and others' that hold it or are held by it stay", async () => {
  const cases: { own: string; text: string; left: string }[] = []
  fc.assert(
    fc.property(
      address,
      fc.array(fc.tuple(fc.option(address), between), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (own, parts, isJson) => {
        const shown = (text: string) => (isJson ? JSON.stringify(text) : text)
        const text = shown(parts.map(([other, gap]) => `${other ?? own}${gap}`).join(''))
        const left = shown(
          parts
            .map(([other, gap]) => {
              const said = other ?? own
              return `${said.toLowerCase() === own.toLowerCase() ? ERASED_ADDRESS : said}${gap}`
            })
            .join(''),
        )
        cases.push({ own, text, left })
        expect(inScript(own, text)).toBe(left)
      },
    ),
    { numRuns: 500, seed: 7 },
  )
  expect(await inDatabase(cases)).toEqual(cases.map(({ left }) => left))
})

/** What the store makes of JSON, as it was written and as the database writes it. */
async function scrubJson(said: Fields, value: Json): Promise<unknown> {
  const { emails, strong, names } = patternsOf(tracesOf([said])).inJson
  const found = await sql<{ left: string }[]>`
    select regexp_replace(regexp_replace(regexp_replace(given, ${emails}, ${ERASED_ADDRESS}, 'gi'),
      ${strong}, ${ERASED_TEXT}, 'gi'), ${names}, ${ERASED_TEXT}, 'g') as left
    from (values (${JSON.stringify(value)}::text), (${JSON.stringify(value)}::text::jsonb::text)) as t(given)`
  const values = found.map(({ left }): unknown => JSON.parse(left))
  expect(values[1]).toEqual(values[0])
  return values[0]
}

test.each<readonly [Fields, Json, Json]>([
  // A surname that is also the name of a column.
  [
    { familyName: 'Price' },
    { Price: 'of Price', 'Unit Price': ['Price', { 'a "Price"': 'say "Price": 5, Price' }] },
    { Price: 'of [erased]', 'Unit Price': ['[erased]', { 'a "Price"': 'say "[erased]": 5, [erased]' }] },
  ],
  // Names as they are written where somebody filled in what a form gave.
  [
    { givenName: 'Null', familyName: 'False' },
    { false: false, list: [true, false, null], name: 'False', lower: 'false' },
    { false: false, list: [true, false, null], name: '[erased]', lower: '[erased]' },
  ],
  [
    { givenName: '12', familyName: '[]' },
    { n: [12, 1, 12.5, -12], none: [], s: '12', t: '[]' },
    { n: [12, 1, 12.5, -12], none: [], s: '[erased]', t: '[erased]' },
  ],
  [{ givenName: '2', familyName: '1' }, { n: [1, 2] }, { n: [1, 2] }],
  // A quotation mark too many.
  [
    { givenName: 'Bo', familyName: 'Quin"' },
    { a: 'Bo Quin', b: 'Bo Quin"' },
    { a: '[erased] Quin', b: '[erased]' },
  ],
  [
    { phones: ['+15550102030'] },
    { n: [5550102030, 5550102030], of: -5550102030, part: 1.555010203, s: ['5550102030', 'or, 5550102030.'] },
    { n: [5550102030, 5550102030], of: -5550102030, part: 1.555010203, s: ['[erased]', 'or, [erased].'] },
  ],
])('%j is taken out of the strings of JSON, and of nothing else: %j', async (said, value, left) => {
  expect(await scrubJson(said, value)).toEqual(left)
})
