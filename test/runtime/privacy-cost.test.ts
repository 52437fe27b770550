import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { eraseRecord } from '../../src/runtime/privacy/erase.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'
import { made } from './merge.support.ts'

let world: World
afterEach(() => world.close())

/** Statements of a pass over strangers: all, and those that ask for nothing but whether anybody was erased. */
async function statementsOf(
  names: readonly string[],
): Promise<{ readonly all: number; readonly asking: number }> {
  const rows = names.map((name) =>
    COLUMNS.contacts.map(
      (column) => ({ id: name, email: `${name}@x.example`, first_name: name })[column] ?? '',
    ),
  )
  world.export('contacts', [COLUMNS.contacts, ...rows])
  const count = { all: 0, asking: 0 }
  world.db.sql.options.debug = (_connection, query) => {
    count.all++
    if (query.trim().startsWith('select exists (select from tombstones)')) count.asking++
  }
  await syncAll(world.hub, ['csv'], 'sweep')
  world.db.sql.options.debug = () => undefined
  return count
}
const people = (from: string, count: number) => Array.from({ length: count }, (_, i) => `${from}${i}`)

test('a page of strangers asks nothing more than it did without erasures, however many they are', async () => {
  world = await openWorld({ connections: ['csv'] })
  await statementsOf(['warm'])
  const few = await statementsOf(['warm', ...people('a', 3)])
  expect(few.asking).toBe(0)
  const many = await statementsOf(['warm', ...people('a', 3), ...people('b', 200)])
  expect(many).toEqual(few)
  const id = await made(world.hub, 'contact', { emails: ['quin@x.example'] })
  await eraseRecord(world.hub, { id, by: 'user:ann' })
  const now = await statementsOf(['warm', ...people('a', 3), ...people('b', 200), ...people('c', 3)])
  expect(now.asking).toBe(0)
  // The digests, and the opt-outs.
  expect(now.all - few.all).toBe(2)
})
