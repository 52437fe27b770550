import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord } from '../../src/runtime/edit.ts'
import { nestedSession } from '../../src/runtime/hub.ts'
import { matchWaiting } from '../../src/runtime/matching/step.ts'
import { makePlan } from '../../src/runtime/plan/make.ts'
import { listItems } from '../../src/store/inbox.ts'
import { lockMatching } from '../../src/store/matching.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'
import { FakeMailbox, openMailWorld, type MailWorld } from './mail.support.ts'

let mailWorld: MailWorld | undefined
let world: World | undefined
afterEach(async () => {
  await mailWorld?.close()
  await world?.close()
  mailWorld = undefined
  world = undefined
})

test('a newcomer made from mail is compared with the others like any other', async () => {
  const box = new FakeMailbox('rep@ours.example')
  mailWorld = await openMailWorld([box], {}, [])
  const jane = await mailWorld.contact('jane.smithson@acme-tools.com', {
    givenName: 'Jane',
    familyName: 'Smithson',
    companyName: 'Acme Tools',
  })
  box.send({ to: ['Jane Smithson <jsmithson@acme-tools.com>'] })
  await syncAll(mailWorld.hub, ['mail'], 'changes')
  const items = await listItems(mailWorld.db.sql, { state: 'open', kind: 'duplicate', limit: 10 })
  expect(items).toMatchObject([
    { recordId: jane, title: expect.stringContaining('<jsmithson@acme-tools.com> may be') },
  ])
})

test('a plan asks about the duplicates that a sync would find, and leaves no trace of them', async () => {
  world = await openWorld()
  const row = (id: string, email: string) => [id, email, 'Jane', 'Smithson', '', '', 'Acme Tools', '', '']
  world.export('contacts', [
    COLUMNS.contacts,
    row('c1', 'jane.smithson@acme-tools.com'),
    row('c2', 'jsmithson@acme-tools.com'),
  ])
  const made = await makePlan(world.hub, ['csv'], 'user:ann')
  expect(made.summary.questions).toMatchObject({ duplicate: 1 })
  for (const table of ['match_queue', 'match_keys', 'match_pairs', 'inbox', 'merges', 'runs'])
    expect(await world.db.sql`select * from ${world.db.sql(table)}`).toEqual([])
  await syncAll(world.hub, ['csv'], 'changes')
  expect(await listItems(world.db.sql, { state: 'open', kind: 'duplicate', limit: 10 })).toHaveLength(1)
})

test('while somebody makes a plan, nobody waits to compare records', async () => {
  world = await openWorld()
  const { hub, db } = world
  await createRecord(hub, 'contact', { givenName: 'Jane', familyName: 'Smithson' }, 'api:test')
  await db.sql.begin(async (tx) => {
    await matchWaiting({ ...hub, session: nestedSession(tx), preview: true })
    expect(await tx`select record_id from match_queue`).toEqual([])
    const free = await db.beside.begin((other) => lockMatching(other, 'contact', false))
    expect(free).toBe(true)
  })
})
