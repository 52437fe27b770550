import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { eraseRecord } from '../../src/runtime/privacy/erase.ts'
import { exportPerson } from '../../src/runtime/privacy/export.ts'
import { enforceRetention } from '../../src/runtime/privacy/retention.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { FakeMailbox, openMailWorld, T0, type MailWorld } from './mail.support.ts'
import { tracesLeft } from './privacy.support.ts'

let world: MailWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})
const TRACES = ['Varnhagen', 'Quintessa', 'quin@varnhagen.example']
const QUIN = 'Quintessa Varnhagen <quin@varnhagen.example>'
const text = 'Dear Quintessa,\n\nVarnhagen called.\nQuintessa Varnhagen\nquin@varnhagen.example'

async function filled(box: FakeMailbox): Promise<MailWorld> {
  world = await openMailWorld([box])
  await world.contact('quin@varnhagen.example', { givenName: 'Quintessa', familyName: 'Varnhagen' })
  await world.contact('bo@other.example', { givenName: 'Bo', familyName: 'Other' })
  box.receive({ from: QUIN, subject: 'Only Quintessa', text })
  box.receive({ from: QUIN, cc: ['bo@other.example'], subject: 'Both, says Varnhagen', text })
  box.receive({ from: 'bo@other.example', subject: 'Bo alone', text: 'Nothing of anybody' })
  await syncAll(world.hub, ['mail'], 'changes')
  return world
}
async function erase({ hub, db }: MailWorld): Promise<void> {
  const [row] = await db.sql<{ id: number }[]>`select id from contacts where family_name = 'Varnhagen'`
  await eraseRecord(hub, { id: row?.id ?? 0, by: 'user:ann' })
}

test('mail with nobody else is gone, of other mail only the person is, and neither comes again', async () => {
  const box = new FakeMailbox('rep@ours.example')
  const w = await filled(box)
  expect((await tracesLeft(w.db, TRACES)).length).toBeGreaterThan(5)
  await erase(w)
  expect(await tracesLeft(w.db, TRACES)).toEqual([])
  const states = await w.db.sql<{ state: string; subject: string | null }[]>`
    select state, subject from messages order by id`
  expect(states.map((one) => `${one.state} ${one.subject ?? ''}`).toSorted()).toEqual([
    'kept Bo alone',
    'kept Both, says [erased]',
    'removed ',
  ])
  await w.db.sql`update sightings set recheck = true`
  box.receive({ from: QUIN, subject: 'Once more', text })
  box.send({ to: ['quin@varnhagen.example', 'bo@other.example'], subject: 'To Quintessa and Bo', text })
  await syncAll(w.hub, ['mail'], 'changes')
  expect(await tracesLeft(w.db, TRACES)).toEqual([])
  const [people] = await w.db.sql<
    { count: number }[]
  >`select count(*) as count from contacts where archived_at is null`
  expect(people?.count).toBe(1)
})

test('the export has mail that was sent to another form of the address', async () => {
  const w = await filled(new FakeMailbox('rep@ours.example'))
  await w.db.sql`
    update message_participants set address = 'quin+news@varnhagen.example', plain = address, contact_id = null
    where address = 'quin@varnhagen.example'`
  const [row] = await w.db.sql<{ id: number }[]>`select id from contacts where family_name = 'Varnhagen'`
  const pieces = await exportPerson(w.hub, row?.id ?? 0)
  if (pieces === null) throw new Error('nothing')
  let told = ''
  for await (const piece of pieces) told += piece
  const { parts }: { parts: { name: string; rows: { subject: string }[] }[] } = JSON.parse(told)
  const messages = parts.find((part) => part.name === 'messages')?.rows ?? []
  expect(messages.map(({ subject }) => subject)).toEqual(['Only Quintessa', 'Both, says Varnhagen'])
})

test('texts of old mail are taken, and are not read in again', async () => {
  const w = await filled(new FakeMailbox('rep@ours.example'))
  const day = 86_400_000
  const { retention } = w.hub.configuration
  const strict: Hub = {
    ...w.hub,
    configuration: { ...w.hub.configuration, retention: { ...retention, mailBodiesMs: 30 * day } },
  }
  w.clock.now = T0 + 40 * day
  expect((await enforceRetention(strict)).mail).toBe(3)
  await w.db.sql`update sightings set recheck = true`
  await syncAll(strict, ['mail'], 'changes')
  const kept = await w.db.sql<{ subject: string; text: string | null }[]>`select subject, text from messages`
  expect(kept.map((one) => one.text)).toEqual([null, null, null])
  expect(kept.map((one) => one.subject)).toContain('Bo alone')
})
