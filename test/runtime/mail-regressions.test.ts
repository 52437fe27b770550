// What the simulation has found in mail, each by the seed that met it first.
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { openHub } from '../../src/runtime/open.ts'
import { letter, person } from '../../src/sandbox/mail/letter.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { saveConnection } from '../../src/store/connections.ts'
import { openDatabase } from '../../src/store/database.ts'
import { openVault } from '../../src/store/secrets.ts'
import { connectorsWith, simulated } from '../simulation/configuration.ts'
import { MAIL, type MailGround, openMailGround } from '../simulation/mail/mail-ground.ts'
import { ANN, CLEO } from '../simulation/mail/moods.ts'
import { testDatabase } from '../support/database.ts'

type MailWorld = { readonly hub: Hub; readonly mail: MailGround; readonly clock: { now: number } }
let close: (() => Promise<void>) | null = null
afterEach(async () => {
  await close?.()
  close = null
})

/** Two mail systems and a hub, through the real connectors. */
async function openWorld(): Promise<MailWorld> {
  const clock = { now: Date.parse('2026-03-02T09:00:00Z') }
  const mail = openMailGround(1, clock)
  const { url, drop } = await testDatabase()
  const db = openDatabase(url, 4)
  close = async () => {
    await db.close()
    await drop()
  }
  const vault = openVault(['a key that is only for tests'])
  for (const name of MAIL)
    await saveConnection(
      db.sql,
      vault,
      { name, connector: name, accountId: null, label: null, settings: mail.settings[name] },
      mail.secrets[name],
    )
  const hub = await openHub({
    db,
    vault,
    log: pino({ level: 'silent' }),
    connectors: connectorsWith(async () => undefined),
    configuration: simulated({ mood: 'usual', asks: false, mapping: 0, link: null }),
    transport: async (input, init) => {
      const request = new Request(input, init)
      const vendor = mail.hosts[new URL(request.url).origin]
      if (vendor === undefined) throw new Error(`nobody answers at ${request.url}`)
      return vendor.answer(request)
    },
    clock: { now: () => clock.now, sleep: async (ms) => void (clock.now += ms) },
    random: seeded(1),
  })
  return { hub, mail, clock }
}

const verdicts = ({ hub }: MailWorld) => hub.db.sql`select verdict, reason from sightings order by remote_id`

test('mail of a stranger in an inbox of Outlook is logged once the stranger is a contact (8)', async () => {
  const world = await openWorld()
  const { hub, mail, clock } = world
  mail.graph.people.deliver(
    CLEO,
    letter({
      from: person('zoe@customer.example'),
      to: [person(CLEO)],
      subject: 'A question',
      text: 'How much is it?',
      date: clock.now,
      messageId: 'q1@customer.example',
    }),
  )
  await syncAll(hub, MAIL, 'changes')
  expect(await verdicts(world)).toEqual([{ verdict: 'filtered', reason: 'stranger' }])

  await createRecord(hub, 'contact', { emails: ['zoe@customer.example'] }, 'api')
  clock.now += 60_000
  await syncAll(hub, MAIL, 'changes')
  expect(await verdicts(world)).toEqual([{ verdict: 'logged', reason: null }])
})

test('a message stays with who held the address, also when it is read again after the address has moved on (230)', async () => {
  const world = await openWorld()
  const { hub, mail, clock } = world
  const zoe = await createRecord(hub, 'contact', { emails: ['zoe@customer.example'] }, 'api')
  if (zoe.kind !== 'saved') throw new Error(zoe.kind)
  const [placed] = await mail.google.people.deliver(
    ANN,
    letter({
      from: person('zoe@customer.example'),
      to: [person(ANN)],
      subject: 'A question',
      text: 'How much is it?',
      date: clock.now,
      messageId: 'q2@customer.example',
    }),
  )
  await syncAll(hub, MAIL, 'changes')
  await editRecord(hub, 'contact', zoe.record.id, { emails: ['zoe@elsewhere.example'] }, 'api')
  const heir = await createRecord(hub, 'contact', { emails: ['zoe@customer.example'] }, 'api')
  if (heir.kind !== 'saved') throw new Error(heir.kind)

  mail.google.people.label(ANN, placed?.id ?? '', 'Deals')
  clock.now += 60_000
  await syncAll(hub, MAIL, 'changes')
  const holders = await hub.db.sql`select contact_id as id from message_participants where side = 'them'`
  expect(holders).toEqual([{ id: zoe.record.id }])
  const told = await hub.db.sql`select id from contacts where last_replied_at is not null`
  expect(told).toEqual([{ id: zoe.record.id }])
})
