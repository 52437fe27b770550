import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import type { Hub, Target } from '../../src/runtime/hub.ts'
import { eraseRecord } from '../../src/runtime/privacy/erase.ts'
import { exportPerson } from '../../src/runtime/privacy/export.ts'
import { finishErasures } from '../../src/runtime/privacy/finish.ts'
import { enforceRetention, plannedRetention } from '../../src/runtime/privacy/retention.ts'
import { pushStream } from '../../src/runtime/push.ts'
import { undoableRun } from '../../src/runtime/undo/undoable.ts'
import { demandLinks } from '../../src/store/links.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, made } from './merge.support.ts'
import { tracesLeft } from './privacy.support.ts'

const TRACES = ['Varnhagen', 'Quintessa', 'quin@varnhagen.example', '4930901820']
let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

const person = (): Promise<number> =>
  made(world.hub, 'contact', {
    givenName: 'Quintessa',
    familyName: 'Varnhagen',
    emails: ['quin@varnhagen.example'],
    phones: ['+4930901820'],
  })

function customers(hub: Hub): Target {
  const target = hub.targets.find((one) => one.label === 'stripe/customers')
  if (target === undefined) throw new Error('no customers')
  return target
}

/** The stream, with `before` and `after` each call that sends. */
function slowed(target: Target, before: () => Promise<void>, after: () => Promise<void>): Target {
  const { push } = target
  if (push === null) throw new Error('it does not send')
  return {
    ...target,
    push: {
      ...push,
      async send(io, writes) {
        await before()
        const outcomes = await push.send(io, writes)
        await after()
        return outcomes
      },
    },
  }
}
const nothing = async () => undefined
const erase = async (id: number) => void (await eraseRecord(world.hub, { id, by: 'user:ann' }))

describe('an erasure in the middle of a push', () => {
  test('of a create: what it made is erased too, and nothing comes back', async () => {
    const { hub } = world
    const id = await person()
    await demandLinks(world.db.sql, customers(hub).id, [id])
    await pushStream(
      hub,
      slowed(customers(hub), nothing, () => erase(id)),
    )
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
    await finishErasures(hub)
    const [row] = await world.db.sql<
      { remotes: { stream: string; state: string }[] }[]
    >`select remotes from erasures`
    expect(row?.remotes).toMatchObject([{ stream: 'stripe/customers', state: 'done', remoteId: null }])
    expect(world.sent.some((one) => one.startsWith('DELETE /v1/customers/'))).toBe(true)
    await syncAll(hub, ['stripe', 'mailchimp'], 'sweep')
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
  })

  test('of an update: the answer writes nobody back', async () => {
    const { hub } = world
    const id = await person()
    await demandLinks(world.db.sql, customers(hub).id, [id])
    await pushStream(hub, customers(hub))
    await edit(hub, 'contact', id, { givenName: 'Quintessa Maria' })
    await pushStream(
      hub,
      slowed(customers(hub), () => erase(id), nothing),
    )
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
  })

  test('of a deal that names them: what is on its way keeps no name', async () => {
    const { hub, db } = world
    const id = await person()
    const deal = await made(hub, 'deal', { name: 'Kitchen of Quintessa Varnhagen', contact: id })
    await db.sql`
      insert into outbox (stream_id, link_id, record_id, key, op, remote_id, body, sent, pushed, wake, state, created_at, tried_at, attempts)
      values (${customers(hub).id}, 1, ${deal}, 'k', 'update', 'd1', '{"name":"Kitchen of Quintessa Varnhagen"}',
        '{"name":"Kitchen of Quintessa Varnhagen"}', '["name"]', 1, 'uncertain', ${world.clock.now}, ${world.clock.now}, 1)`
    await erase(id)
    expect(await tracesLeft(db, TRACES)).toEqual([])
  })

  test('that died before the vendor was asked: it is asked later', async () => {
    const { hub } = world
    const id = await person()
    await demandLinks(world.db.sql, customers(hub).id, [id])
    await pushStream(hub, customers(hub))
    await erase(id)
    const again = await world.restarted()
    await finishErasures(again)
    await finishErasures(again)
    expect(world.sent.filter((one) => one.startsWith('DELETE /v1/customers/'))).toHaveLength(1)
  })
})

test('an erasure during a sweep: the page starts over, and leaves the person out', async () => {
  const { hub } = world
  world.mailchimp.admin.subscribe('quin@varnhagen.example', { FNAME: 'Quintessa', LNAME: 'Varnhagen' })
  await syncAll(hub, ['mailchimp'], 'changes')
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  const id = row?.id ?? 0
  world.mailchimp.admin.editProfile('quin@varnhagen.example', { FNAME: 'Quintessa Maria' })
  await Promise.all([syncAll(hub, ['mailchimp'], 'sweep'), erase(id)])
  await syncAll(hub, ['mailchimp'], 'sweep')
  expect(await tracesLeft(world.db, TRACES)).toEqual([])
})

test('no undo brings an erased person back', async () => {
  const { hub } = world
  const id = await person()
  await erase(id)
  const [run] = await world.db.sql<{ id: number }[]>`select id from runs where kind = 'erase'`
  expect(await undoableRun(hub, run?.id ?? 0)).toMatchObject({ kind: 'refused', code: 'never' })
})

test('the export is one JSON object with every part, and nothing once they were erased', async () => {
  const { hub } = world
  const id = await person()
  await made(hub, 'deal', { name: 'Kitchen', contact: id })
  const pieces = await exportPerson(hub, id)
  if (pieces === null) throw new Error('nothing')
  let text = ''
  for await (const piece of pieces) text += piece
  const told: unknown = JSON.parse(text)
  expect(told).toMatchObject({ contacts: [id], addresses: ['quin@varnhagen.example'] })
  expect(text).toContain('"Kitchen"')
  expect(text).toContain('"Varnhagen"')
  await erase(id)
  expect(await exportPerson(hub, id)).toBeNull()
})

test('the export has what waits for the staff, and not what is about others', async () => {
  const { hub } = world
  const { sql } = world.db
  const id = await person()
  const other = await made(hub, 'contact', { givenName: 'Bo', emails: ['bo@other.example'] })
  await demandLinks(sql, customers(hub).id, [id])
  await pushStream(hub, customers(hub))
  const stream = customers(hub).id
  const at = world.clock.now
  const [link] = await sql<
    { remoteId: string }[]
  >`select remote_id as "remoteId" from links where record_id = ${id} and stream_id = ${stream}`
  await sql`
    insert into held_changes (stream_id, side, what, record_id, title, changes, seen_at) values
      (${stream}, 'out', 'blanks', ${id}, 'held of her', '{}', ${at}),
      (${stream}, 'in', 'blanks', ${other}, 'held of Bo', '{}', ${at})`
  await sql`
    insert into findings (record_id, kind, what, field, source) values
      (${id}, 'contact', 'lacking', 'owner', 'csv'), (${other}, 'contact', 'lacking', 'jobTitle', 'csv')`
  await sql`
    insert into quarantine (stream_id, place, remote_id, problem, raw, seen_at) values
      (${stream}, 'row 1', null, 'no date', 'Quin@Varnhagen.example;31.2.', ${at}),
      (${stream}, 'row 2', ${link?.remoteId ?? null}, 'no number', 'raw of hers', ${at}),
      (${stream}, 'row 3', null, 'no date', 'bo@other.example;31.2.', ${at})`
  const item = (key: string, title: string, detail: string, record: number | null, kind = 'alarm') => sql`
    insert into inbox (kind, key, title, fix, detail, record_id, created_at, updated_at)
    values (${kind}, ${key}, ${title}, '', ${detail}::text::jsonb, ${record}, ${at}, ${at})`
  await item('a', 'names her: quintessa varnhagen', '{}', null)
  await item('b', 'a pair', JSON.stringify({ records: [String(other), String(id)] }), other, 'duplicate')
  await item('c', 'only Bo', '{}', other)
  const pieces = await exportPerson(hub, id)
  if (pieces === null) throw new Error('nothing')
  let text = ''
  for await (const piece of pieces) text += piece
  const told: { parts: { name: string; rows: unknown[] }[] } = JSON.parse(text)
  const of = (name: string) => told.parts.find((part) => part.name === name)?.rows
  expect(of('held')).toMatchObject([{ title: 'held of her', stream: 'stripe/customers' }])
  expect(of('findings')).toMatchObject([{ field: 'owner' }])
  expect(of('unreadable')).toMatchObject([{ place: 'row 1' }, { place: 'row 2' }])
  expect(of('inbox')).toMatchObject([{ title: expect.stringContaining('names her') }, { title: 'a pair' }])
})

describe('retention', () => {
  test('takes away nothing by default, and what is too old where it is told to', async () => {
    const { hub } = world
    const id = await person()
    await demandLinks(world.db.sql, customers(hub).id, [id])
    await pushStream(hub, customers(hub))
    await world.db.sql`
      insert into inbox (kind, key, title, fix, detail, state, created_at, updated_at)
      values ('alarm', 'old', 'old', '', '{}', 'done', ${world.clock.now}, ${world.clock.now})`
    await world.db.sql`select concord_history_partition(${world.clock.now}::timestamptz)`
    world.clock.now += 400 * 86_400_000
    expect(await plannedRetention(hub)).toEqual({ mail: 0, inbox: 0, writes: 0, months: [] })
    const day = 86_400_000
    const retention = {
      mailBodiesMs: 90 * day,
      historyMs: 90 * day,
      closedInboxMs: 90 * day,
      outboxBodiesMs: 90 * day,
    }
    const strict: Hub = { ...hub, configuration: { ...hub.configuration, retention } }
    const planned = await plannedRetention(strict)
    expect(planned).toMatchObject({ inbox: 1, writes: 1 })
    expect(await enforceRetention(strict)).toEqual(planned)
    expect(await plannedRetention(strict)).toEqual({ mail: 0, inbox: 0, writes: 0, months: [] })
    const [write] = await world.db.sql`select body, sent, state from outbox`
    expect(write).toMatchObject({ body: {}, sent: {}, state: 'applied' })
  })
})
