import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import { lines, LINES } from '../../src/store/columns.ts'
import { jsonText } from '../../src/store/json-text.ts'
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

// One object of a vendor whose text was cut in the middle of a character must not refuse the whole page.
const CASES: readonly (readonly [given: Json, stored: Json])[] = [
  ['fox 🦊', 'fox 🦊'],
  ['half a fox \ud83e', 'half a fox \ufffd'],
  ['\udd8a the other half', '\ufffd the other half'],
  ['a NUL \u0000 inside', 'a NUL  inside'],
  ['the six characters \\u0000, written out', 'the six characters \\u0000, written out'],
  ['a path C:\\ud83e, written out', 'a path C:\\ud83e, written out'],
  [{ 'key \u0000': ['deep \ud83e', 1, null, true] }, { 'key ': ['deep \ufffd', 1, null, true] }],
]

it.each(CASES)('stores %j', async (given, stored) => {
  const [one] = await sql<{ value: Json }[]>`select ${jsonText(given)}::text::jsonb as value`
  expect(one?.value).toEqual(stored)
  const many = await sql.unsafe<{ value: Json }[]>(
    `select item::jsonb as value from unnest(${LINES('$1')}) as item`,
    [lines([given, 'beside it'])],
  )
  expect(many.map(({ value }) => value)).toEqual([stored, 'beside it'])
})
