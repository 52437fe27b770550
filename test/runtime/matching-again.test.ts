import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { nestedSession } from '../../src/runtime/hub.ts'
import { perform } from '../../src/runtime/inbox/perform.ts'
import { likelyPairs, rescan } from '../../src/runtime/matching/list.ts'
import { matchWaiting } from '../../src/runtime/matching/step.ts'
import { eraseRecord, type EraseResult } from '../../src/runtime/privacy/erase.ts'
import { listItems } from '../../src/store/inbox.ts'
import { openWorld, type World } from '../support/world.ts'

let opened: World | undefined
afterEach(async () => {
  await opened?.close()
  opened = undefined
})

async function make(w: World, fields: Readonly<Record<string, Json>>): Promise<number> {
  const made = await createRecord(w.hub, 'contact', fields, 'api:test')
  if (made.kind !== 'saved') throw new Error(JSON.stringify(made))
  return made.record.id
}
const JANE = { givenName: 'Jane', familyName: 'Smithson', phones: ['+12125550147'], companyName: 'Acme' }
const twice = async (w: World) => [
  await make(w, { ...JANE, emails: ['jane@acme-tools.com'] }),
  await make(w, { ...JANE, emails: ['jsmithson@acme-tools.com'] }),
]
const asked = (w: World) => listItems(w.db.sql, { state: 'open', kind: 'duplicate', limit: 10 })

test('compared anew by other weights, a pair has its new probability, and is asked about no second time', async () => {
  const w = (opened = await openWorld())
  await twice(w)
  await matchWaiting(w.hub)
  const [item] = await asked(w)
  const [before] = await likelyPairs(w.hub, 'contact', { limit: 1 })
  await perform(w.hub, item?.id ?? 0, 'dismiss', {}, 'user:ann')
  // As an earlier model left it: another figure, and what weighed most stood first.
  await w.db.sql`update match_pairs set probability = 0.8123, asked = true,
    evidence = (select string_agg(p, '; ' order by p desc) from unnest(string_to_array(evidence, '; ')) p)`
  await rescan(w.hub, 'contact')
  await matchWaiting(w.hub)
  expect(before?.probability).toBeGreaterThan(0.9)
  expect(await likelyPairs(w.hub, 'contact', { limit: 1 })).toEqual([before])
  expect(await asked(w)).toEqual([])
})

test('an open question has the probability that counts now', async () => {
  const w = (opened = await openWorld())
  await twice(w)
  await matchWaiting(w.hub)
  await w.db.sql`update match_pairs set probability = 0.8123`
  await w.db.sql`update inbox set detail = jsonb_set(detail, '{probability}', '0.8123')`
  await rescan(w.hub, 'contact')
  await matchWaiting(w.hub)
  const [item] = await asked(w)
  expect(Number(item?.detail['probability'])).toBeGreaterThan(0.9)
})

test('who is archived while a step compares with them is not asked about', async () => {
  const w = (opened = await openWorld())
  const one = await make(w, { ...JANE, emails: ['jane@acme-tools.com'] })
  await matchWaiting(w.hub)
  await make(w, { ...JANE, emails: ['jsmithson@acme-tools.com'] })
  await w.db.beside.begin(async (tx) => {
    await matchWaiting({ ...w.hub, session: nestedSession(tx) })
    // The step has read both, and nobody sees yet what it found.
    await editRecord(w.hub, 'contact', one, {}, 'user:ann', { archived: true })
  })
  await matchWaiting(w.hub)
  expect(await asked(w)).toEqual([])
  expect(await likelyPairs(w.hub, 'contact', { limit: 10 })).toEqual([])
  expect(await w.db.sql`select * from match_keys where record_id = ${one}`).toEqual([])
})

test('an erasure waits for the step that has read the person: it would ask about them by name afterwards', async () => {
  const w = (opened = await openWorld())
  const one = await make(w, { ...JANE, emails: ['jane@acme-tools.com'] })
  await matchWaiting(w.hub)
  await make(w, { ...JANE, givenName: 'J.', emails: ['jsmithson@acme-tools.com'] })
  let erasing: Promise<EraseResult> | undefined
  await w.db.beside.begin(async (tx) => {
    await matchWaiting({ ...w.hub, session: nestedSession(tx) })
    erasing = eraseRecord(w.hub, { id: one, by: 'user:ann' })
    await Promise.race([erasing, setTimeout(500)])
  })
  expect(await erasing).toMatchObject({ kind: 'erased' })
  const items = await w.db.sql<{ title: string }[]>`select title from inbox`
  expect(items.filter((item) => item.title.includes('Jane'))).toEqual([])
  expect(await likelyPairs(w.hub, 'contact', { limit: 10 })).toEqual([])
})

test('another job title is another reason: an open question says so', async () => {
  const w = (opened = await openWorld())
  const [one = 0, two = 0] = await twice(w)
  await matchWaiting(w.hub)
  for (const id of [one, two]) await editRecord(w.hub, 'contact', id, { jobTitle: 'Buyer' }, 'user:ann')
  await matchWaiting(w.hub)
  expect((await asked(w))[0]?.title).toContain('same job title')
})
