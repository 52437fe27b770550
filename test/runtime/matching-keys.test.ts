import { afterEach, expect, test } from 'vitest'
import { MATCHED_KINDS } from '../../src/core/duplicates.ts'
import { blockingKeys, familyOf, KEY_FAMILIES } from '../../src/core/match/keys.ts'
import { prepare } from '../core/match/prepare.ts'
import { subjectOf, traitsOf } from '../../src/core/match/traits.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord } from '../../src/runtime/edit.ts'
import { EXAMPLES, reviewKeys } from '../../src/runtime/matching/review-keys.ts'
import { matchWaiting } from '../../src/runtime/matching/step.ts'
import { listItems } from '../../src/store/inbox.ts'
import { openWorld, type World } from '../support/world.ts'

let opened: World | undefined
afterEach(async () => {
  await opened?.close()
  opened = undefined
})

async function make(w: World, surname: string, email: string): Promise<number> {
  const fields = { givenName: 'Jane', familyName: surname, phones: ['+12125550147'], emails: [email] }
  const made = await createRecord(w.hub, 'contact', fields, 'api:test')
  if (made.kind !== 'saved') throw new Error(JSON.stringify(made))
  return made.record.id
}
const asked = async (w: World) =>
  (await listItems(w.db.sql, { state: 'open', kind: 'duplicate', limit: 10 })).map((item) => item.key)
const waiting = async (w: World) =>
  (await w.db.sql<{ id: number }[]>`select record_id as id from match_queue order by 1`).map((row) => row.id)

/** As a Concord that made other keys of whoever has this id left the hub. */
async function keysOfOld(w: World, id: number): Promise<void> {
  await w.db.sql`update match_keys set key = key + 1 where record_id = ${id}`
  await w.db.sql`update finding_rules set fingerprint = 'of an older Concord' where id = 3`
}

test('after an upgrade that makes other keys, who is found by the old ones is compared anew, and nobody else', async () => {
  const w = (opened = await openWorld())
  const jane = await make(w, 'Smithson', 'jane@acme-tools.com')
  await make(w, 'Okonkwo', 'o@elsewhere.com')
  await matchWaiting(w.hub)
  await reviewKeys(w.hub)
  await keysOfOld(w, jane)
  const before = await w.db.sql`select key from match_keys where record_id = ${jane} order by 1`

  expect(await reviewKeys(w.hub)).toBe(1)
  expect(await waiting(w)).toEqual([jane])
  await matchWaiting(w.hub)
  const other = await make(w, 'Smithson', 'jsmithson@acme-tools.com')
  await matchWaiting(w.hub)
  expect(await asked(w)).toContain(`duplicate:${jane}:${other}`)
  expect(await w.db.sql`select key from match_keys where record_id = ${jane} order by 1`).not.toEqual(before)
  expect(await reviewKeys(w.hub)).toBe(0)
})

test('a sync takes the new keys up by itself', async () => {
  const w = (opened = await openWorld())
  const jane = await make(w, 'Smithson', 'jane@acme-tools.com')
  await syncAll(w.hub, [], 'changes')
  const keys = await w.db.sql`select * from match_keys order by 1, 2`
  await keysOfOld(w, jane)
  await syncAll(w.hub, [], 'changes')
  expect(await w.db.sql`select * from match_keys order by 1, 2`).toEqual(keys)
})

test('stopped in the middle, it begins anew', async () => {
  const w = (opened = await openWorld())
  const jane = await make(w, 'Smithson', 'jane@acme-tools.com')
  await matchWaiting(w.hub)
  await reviewKeys(w.hub)
  await keysOfOld(w, jane)
  expect(await reviewKeys({ ...w.hub, stopping: AbortSignal.abort() })).toBe(0)
  expect(await reviewKeys(w.hub)).toBe(1)
})

test('the examples have a key of every family', () => {
  const keys = MATCHED_KINDS.flatMap((kind) =>
    EXAMPLES[kind].flatMap((fields) => blockingKeys(prepare(subjectOf(kind), traitsOf(kind, fields)))),
  )
  // Nobody makes a key of family g today.
  const families = Object.keys(KEY_FAMILIES).filter((family) => family !== 'g')
  expect([...new Set<string>(keys.map(familyOf))]).toEqual(expect.arrayContaining(families))
})
