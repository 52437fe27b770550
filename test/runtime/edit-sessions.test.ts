import { expect, test } from 'vitest'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { openWorld } from '../support/world.ts'

/** Each edit once asked for a second session, for its run, while it held the first: the pool ran dry for ever. */
test('more edits at once than the pool has sessions all end', async () => {
  const world = await openWorld()
  const many = Array.from({ length: 40 }, (_, i) => i)
  const made = await Promise.all(
    many.map((i) => createRecord(world.hub, 'contact', { emails: [`p${i}@example.com`] }, 'api:test')),
  )
  const ids = made.flatMap((result) => (result.kind === 'saved' ? [result.record.id] : []))
  expect(ids).toHaveLength(many.length)
  const edited = await Promise.all(
    ids.map((id) => editRecord(world.hub, 'contact', id, { jobTitle: 'Engineer' }, 'api:test')),
  )
  expect(edited.map((result) => result.kind)).toEqual(many.map(() => 'saved'))
  const runs = await world.db.sql`select state, counts, count(*) as n from runs group by 1, 2 order by 2`
  expect(runs).toEqual([
    { state: 'done', counts: { created: 1 }, n: 40 },
    { state: 'done', counts: { updated: 1 }, n: 40 },
  ])
  await world.close()
})
