import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { retryAfter } from '../../../src/core/alerts.ts'
import { watchAlarms } from '../../../src/runtime/alarms/watch.ts'
import {
  alarms,
  channelStatus,
  freshSecret,
  secretFault,
  setSecret,
  testChannels,
} from '../../../src/runtime/alerts/channels.ts'
import { sendAlerts } from '../../../src/runtime/alerts/send.ts'
import { forgetDeliveries } from '../../../src/store/alert-deliveries.ts'
import { clearAlarm, raiseAlarm } from '../../../src/store/alarms.ts'
import { setConnectionState } from '../../../src/store/connections.ts'
import { openWorld, type World } from '../../support/world.ts'
import { openReceiver, type Received } from './receiver.ts'

type Receiver = Awaited<ReturnType<typeof openReceiver>>
const SECRET = freshSecret()
const ALARM = { key: 'drift:1', kind: 'drift', title: 'csv/contacts differs', fix: 'Look at it.' } as const
let world: World
let ops: Receiver
let audit: Receiver

beforeEach(async () => {
  ops = await openReceiver()
  audit = await openReceiver()
  const text = `alerts:
  remindAfter: 24h
  webhooks:
    - { name: ops, url: "${ops.url}", allowPrivate: true }
    - { name: audit, url: "${audit.url}", allowPrivate: true, events: [raised], kinds: [connection_refused, channel_gone] }`
  world = await openWorld({
    connections: ['mailchimp'],
    configure: (name, was) => (name === 'alerts.yaml' ? text : was),
  })
  world.clock.now = Date.now()
  await setSecret(world.hub, 'ops', SECRET)
  await setSecret(world.hub, 'audit', SECRET)
})
afterEach(async () => {
  await world.close()
  await Promise.all([ops.close(), audit.close()])
})

const raise = () => raiseAlarm(world.db.sql, ALARM, world.clock.now)
const clear = () => clearAlarm(world.db.sql, ALARM.key, world.clock.now)
const read = (received: readonly Received[]) =>
  received.map(({ body, headers }) => {
    const checked = new Webhook(SECRET).verify(body, {
      'webhook-id': String(headers['webhook-id']),
      'webhook-timestamp': String(headers['webhook-timestamp']),
      'webhook-signature': String(headers['webhook-signature']),
    })
    return checked as { type: string; data: { key: string; kind: string; since: string } }
  })
const types = (receiver: Receiver) => read(receiver.received).map(({ type }) => type)

describe('an alarm', () => {
  it('is told once when it is raised and once when it is over, signed so that the library takes it', async () => {
    expect([await raise(), await raise()]).toEqual([true, false])
    await sendAlerts(world.hub)
    await sendAlerts(world.hub)
    world.clock.now += 60_000
    expect([await clear(), await clear()]).toEqual([true, false])
    await sendAlerts(world.hub)
    expect(read(ops.received)).toMatchObject([
      { type: 'alarm.raised', data: { key: 'drift:1', kind: 'drift', title: ALARM.title, fix: ALARM.fix } },
      { type: 'alarm.recovered', data: { key: 'drift:1' } },
    ])
    expect(audit.received).toEqual([])
    const ids = ops.received.map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(2)
    expect(ids.every((id) => /^msg_[\w-]+$/.test(String(id)))).toBe(true)
  })

  it('that comes back is told again, as another message', async () => {
    await raise()
    await clear()
    world.clock.now += 1_000
    await raise()
    await sendAlerts(world.hub)
    expect(types(ops)).toEqual(['alarm.raised', 'alarm.recovered', 'alarm.raised'])
    expect(new Set(ops.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3)
  })

  it('stands in the inbox while it lasts', async () => {
    await raise()
    const items = () => world.db.sql`select kind, state, resolution from inbox where key = 'alarm:drift:1'`
    expect(await items()).toEqual([{ kind: 'alarm', state: 'open', resolution: null }])
    await clear()
    expect(await items()).toEqual([{ kind: 'alarm', state: 'done', resolution: 'its cause is gone' }])
  })

  it('is told after a crash between raising and sending, and after one in the middle of sending', async () => {
    await raise()
    const another = await world.restarted()
    // Taken by a process that died with it.
    await world.db.sql`
      insert into alert_deliveries (message_id, channel, payload, attempts, not_before)
      select message_id, 'ops', payload, 1, ${world.clock.now + 120_000} from alert_deliveries where channel = ''`
    await sendAlerts(another)
    expect(ops.received).toHaveLength(0)
    world.clock.now += 121_000
    await sendAlerts(another)
    expect(types(ops)).toEqual(['alarm.raised'])
  })

  it('is told once by two processes at the same time', async () => {
    const another = await world.restarted()
    for (let i = 0; i < 20; i++)
      await raiseAlarm(world.db.sql, { ...ALARM, key: `drift:${i}` }, world.clock.now)
    await Promise.all([world.hub, another, world.hub, another].map((hub) => sendAlerts(hub)))
    await sendAlerts(another)
    const keys = read(ops.received).map(({ data }) => data.key)
    expect(keys).toHaveLength(20)
    expect(new Set(keys).size).toBe(20)
  })
})

describe('a channel that fails', () => {
  it('is tried again later under the same id, in the order of the events', async () => {
    ops.answers(() => ({ status: 500 }))
    await raise()
    await sendAlerts(world.hub)
    await clear()
    await sendAlerts(world.hub)
    expect(ops.received).toHaveLength(1)
    ops.answers(() => ({ status: 200 }))
    world.clock.now += 10_000
    await sendAlerts(world.hub)
    expect(types(ops)).toEqual(['alarm.raised', 'alarm.raised', 'alarm.recovered'])
    const [first, second] = ops.received.map(({ headers }) => headers['webhook-id'])
    expect(second).toBe(first)
  })

  it('is given the time it asks for', async () => {
    ops.answers(() => ({ status: 429, headers: { 'retry-after': '3600' } }))
    await raise()
    await sendAlerts(world.hub)
    world.clock.now += 600_000
    await sendAlerts(world.hub)
    expect(ops.received).toHaveLength(1)
    world.clock.now += 3_000_001
    await sendAlerts(world.hub)
    expect(ops.received).toHaveLength(2)
  })

  it('is an alarm after three attempts, over with the next success, and is given up after three days', async () => {
    ops.answers(() => ({ status: 503 }))
    await raise()
    for (let i = 0; i < 3; i++) {
      await sendAlerts(world.hub)
      world.clock.now += 3_600_000
    }
    expect((await alarms(world.hub, 0)).current.map(({ kind }) => kind)).toEqual(['drift', 'channel_failing'])
    expect(await channelStatus(world.hub)).toMatchObject([
      { name: 'ops', state: 'failing', waiting: 1, problem: 'It answered 503.' },
      { name: 'audit', state: 'ready' },
    ])
    ops.answers(() => ({ status: 204 }))
    world.clock.now += 86_400_000
    await sendAlerts(world.hub)
    expect((await alarms(world.hub, 0)).current.map(({ kind }) => kind)).toEqual(['drift'])

    ops.answers(() => ({ status: 503 }))
    await clear()
    for (let i = 0; i < 12; i++) {
      await sendAlerts(world.hub)
      world.clock.now += 90_000_000
    }
    expect((await channelStatus(world.hub))[0]).toMatchObject({ waiting: 0, givenUp: 1 })
    const waits = Array.from({ length: 9 }, (_, i) => retryAfter(i + 1, 0) ?? 0)
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(3 * 86_400_000)
    expect(retryAfter(10, 0)).toBeNull()
  })

  it('is closed by 410, told elsewhere, and opened again by a test that reaches it', async () => {
    ops.answers(() => ({ status: 410 }))
    await raise()
    await sendAlerts(world.hub)
    await sendAlerts(world.hub)
    expect((await channelStatus(world.hub))[0]).toMatchObject({ name: 'ops', state: 'gone', givenUp: 1 })
    expect(read(audit.received)).toMatchObject([{ data: { kind: 'channel_gone' } }])
    await clear()
    await sendAlerts(world.hub)
    expect(ops.received).toHaveLength(1)

    const { channels } = world.hub.configuration.alerts
    expect((await testChannels(world.hub, channels.slice(0, 1)))[0]?.sent.kind).toBe('gone')
    ops.answers(() => ({ status: 204 }))
    expect(await testChannels(world.hub, channels.slice(0, 1))).toEqual([
      { channel: 'ops', sent: { kind: 'sent' } },
    ])
    expect((await channelStatus(world.hub))[0]).toMatchObject({ state: 'ready' })
  })

  it('without a secret says how to make one, and sends what waited once it is there', async () => {
    await world.db.sql`delete from alert_secrets where name = 'ops'`
    await raise()
    await sendAlerts(world.hub)
    expect((await channelStatus(world.hub))[0]).toMatchObject({ state: 'unset', waiting: 1 })
    await setSecret(world.hub, 'ops', SECRET)
    await sendAlerts(world.hub)
    expect(types(ops)).toEqual(['alarm.raised'])
  })

  it('that waits for a channel is forgotten in time once the channel was taken out, and not before', async () => {
    const { sql } = world.db
    const waiting = async () => (await sql`select id from alert_deliveries where channel = 'ops'`).length
    const { channels } = world.hub.configuration.alerts
    await sql`delete from alert_secrets where name = 'ops'`
    await raise()
    await sendAlerts(world.hub)
    const later = world.clock.now + 30 * 86_400_000
    await forgetDeliveries(sql, later, channels)
    expect(await waiting()).toBe(1)
    const others = channels.filter(({ name }) => name !== 'ops')
    await forgetDeliveries(sql, world.clock.now, others)
    expect(await waiting()).toBe(1)
    await forgetDeliveries(sql, later, others)
    expect(await waiting()).toBe(0)
  })
})

describe('the watch', () => {
  const kinds = async () => (await alarms(world.hub, 0)).current.map(({ kind }) => kind)

  it('tells of a refused connection and of its recovery, once each, whoever watches', async () => {
    const another = await world.restarted()
    await setConnectionState(world.db.sql, 'mailchimp', 'unauthorised', 'API key revoked')
    const watched = await Promise.all([world.hub, another, world.hub].map((hub) => watchAlarms(hub)))
    expect(watched.reduce((sum, { raised }) => sum + raised, 0)).toBe(1)
    await sendAlerts(world.hub)
    await setConnectionState(world.db.sql, 'mailchimp', 'ready', null)
    await watchAlarms(another)
    await watchAlarms(another)
    await sendAlerts(world.hub)
    expect(types(ops)).toEqual(['alarm.raised', 'alarm.recovered'])
    expect(types(audit)).toEqual(['alarm.raised'])
    expect(await kinds()).toEqual([])
    expect((await alarms(world.hub, 10)).past).toMatchObject([{ kind: 'connection_refused' }])
  })

  it('reminds of what lasts, once a day', async () => {
    await setConnectionState(world.db.sql, 'mailchimp', 'unauthorised', 'API key revoked')
    for (let hours = 0; hours <= 50; hours += 5) {
      await watchAlarms(world.hub)
      await sendAlerts(world.hub)
      world.clock.now += 5 * 3_600_000
    }
    expect(ops.received.map(({ body }) => /^{"data".*"type":"([\w.]+)"/.exec(body)?.[1] ?? body)).toEqual([
      'alarm.raised',
      'alarm.reminder',
      'alarm.reminder',
    ])
  })
})

describe('a secret', () => {
  it.each([
    ['whsec_', 'not "whsec_"'],
    ['secret', 'not "whsec_"'],
    ['whsec_c2hvcnQ=', '5 bytes'],
    [`whsec_${Buffer.alloc(65).toString('base64')}`, '65 bytes'],
  ])('%s is refused', (secret, said) => {
    expect(secretFault(secret)).toContain(said)
  })

  it('is made so that it is accepted, and kept encrypted', async () => {
    expect(secretFault(freshSecret())).toBeNull()
    const [row] = await world.db.sql<
      { sealed: Uint8Array }[]
    >`select sealed from alert_secrets where name = 'ops'`
    expect(Buffer.from(row?.sealed ?? []).toString('latin1')).not.toContain(SECRET.slice(6))
  })
})
