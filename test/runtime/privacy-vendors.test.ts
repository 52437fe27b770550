import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { followHints, syncAll } from '../../src/runtime/cycle.ts'
import type { Target } from '../../src/runtime/hub.ts'
import { eraseRecord } from '../../src/runtime/privacy/erase.ts'
import { finishErasure, finishErasures } from '../../src/runtime/privacy/finish.ts'
import { pushStream } from '../../src/runtime/push.ts'
import { rebaseLinks } from '../../src/store/link-work.ts'
import { demandLinks } from '../../src/store/links.ts'
import { reviveLinks } from '../../src/store/run-changes.ts'
import { storeEvent } from '../../src/store/webhook-events.ts'
import { addressHash } from '../../src/connectors/mailchimp/member.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, made } from './merge.support.ts'
import { tracesLeft } from './privacy.support.ts'

const TRACES = ['Varnhagen', 'Quintessa', 'quin@varnhagen.example', '4930901820']
const CREATE = 'POST /v1/customers'
const isDelete = (request: string) => request.startsWith('DELETE /v1/customers/')
let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

async function person(): Promise<number> {
  const id = await made(world.hub, 'contact', {
    givenName: 'Quintessa',
    familyName: 'Varnhagen',
    emails: ['quin@varnhagen.example'],
    phones: ['+4930901820'],
  })
  await demandLinks(world.db.sql, customers().id, [id])
  return id
}
function customers(): Target {
  const target = world.hub.targets.find((one) => one.label === 'stripe/customers')
  if (target === undefined) throw new Error('no customers')
  return target
}
async function erase(id: number): Promise<number> {
  const erased = await eraseRecord(world.hub, { id, by: 'user:ann' })
  if (erased.kind === 'refused' || erased.erasure === null) throw new Error(JSON.stringify(erased))
  return erased.erasure
}
async function remotes(): Promise<readonly { state: string; remoteId: string | null; attempts: number }[]> {
  const [row] = await world.db.sql<
    { remotes: { state: string; remoteId: string | null; problem: string | null; attempts: number }[] }[]
  >`select remotes from erasures`
  return row?.remotes ?? []
}
const linksNow = () => world.db.sql`select state, remote_id, observed, base::text as base from links`

describe('a vendor that does not erase', () => {
  test('because it is down: it is asked again until it has', async () => {
    const id = await person()
    await pushStream(world.hub, customers())
    const erasure = await erase(id)
    world.stripe.faults.plan = ({ method }) => (method === 'DELETE' ? { kind: 'status', status: 503 } : null)
    await finishErasures(world.hub)
    expect(await remotes()).toMatchObject([{ state: 'failed', attempts: 1, remoteId: expect.any(String) }])
    await finishErasures(world.hub)
    expect(await remotes()).toMatchObject([{ state: 'failed', attempts: 2 }])
    world.stripe.faults.plan = null
    expect(await finishErasure(world.hub, erasure)).toMatchObject({
      remotes: [{ state: 'done', remoteId: null, problem: null, attempts: 3 }],
    })
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
  })

  test('because it refuses: its words stay, but for the address in them', async () => {
    const id = await person()
    await pushStream(world.hub, customers())
    await erase(id)
    const message = 'quin@varnhagen.example is under a legal hold'
    world.stripe.faults.plan = ({ method }) =>
      method === 'DELETE'
        ? {
            kind: 'status',
            status: 400,
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ error: { type: 'invalid_request_error', message } }),
          }
        : null
    await finishErasures(world.hub)
    expect(await remotes()).toMatchObject([
      { state: 'failed', problem: expect.stringContaining('is under a legal hold') },
    ])
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
  })

  test('because its answer was lost: what is gone is done', async () => {
    const id = await person()
    await pushStream(world.hub, customers())
    await erase(id)
    world.stripe.faults.plan = ({ method }) => (method === 'DELETE' ? { kind: 'timeout-after-commit' } : null)
    await finishErasures(world.hub)
    world.stripe.faults.plan = null
    await finishErasures(world.hub)
    expect(await remotes()).toMatchObject([{ state: 'done', remoteId: null }])
  })

  test('one that never can holds up nobody who was erased later', async () => {
    await world.db.sql`
      insert into erasures (record_id, records, kind, by, at, counts, remotes)
      select 900000 + n, array[900000 + n], 'contact', 'user:ann', ${world.clock.now}, '{}',
        '[{"stream":"gone/stream","remoteId":"x","state":"failed","problem":"no","attempts":1}]'
      from generate_series(1, 120) n`
    const id = await person()
    await pushStream(world.hub, customers())
    const erasure = await erase(id)
    await finishErasures(world.hub)
    const [row] = await world.db.sql`select remotes from erasures where id = ${erasure}`
    expect(row?.['remotes']).toMatchObject([{ state: 'done' }])
  })
})

describe('a create of which nobody knows, and a crash', () => {
  test('it was carried out: what it made is found and erased, and never made again', async () => {
    const id = await person()
    world.stripe.faults.plan = ({ method, path }) =>
      method === 'POST' && path === '/v1/customers' ? { kind: 'timeout-after-commit' } : null
    await pushStream(world.hub, customers())
    await erase(id)
    expect(await remotes()).toMatchObject([{ state: 'pending', remoteId: expect.stringMatching(/^create /) }])
    world.stripe.faults.plan = null
    const creates = world.sent.filter((one) => one === CREATE).length
    const again = await world.restarted()
    world.clock.now += 300_000
    await syncAll(again, ['stripe'], 'changes')
    await finishErasures(again)
    expect(await remotes()).toMatchObject([{ state: 'done', remoteId: null }])
    expect(world.sent.filter(isDelete)).toHaveLength(1)
    expect(world.sent.filter((one) => one === CREATE)).toHaveLength(creates)
    await syncAll(again, ['stripe'], 'sweep')
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
  })

  test('it never arrived: it is not sent again, and nothing is left of it', async () => {
    const id = await person()
    world.stripe.faults.plan = ({ method, path }) =>
      method === 'POST' && path === '/v1/customers' ? { kind: 'timeout-before' } : null
    await pushStream(world.hub, customers())
    await erase(id)
    expect(await remotes()).toMatchObject([{ state: 'pending', remoteId: expect.stringMatching(/^create /) }])
    world.stripe.faults.plan = null
    const creates = world.sent.filter((one) => one === CREATE).length
    const again = await world.restarted()
    world.clock.now += 60_000
    await syncAll(again, ['stripe'], 'changes')
    world.clock.now += 300_000
    await syncAll(again, ['stripe'], 'changes')
    await syncAll(again, ['stripe'], 'changes')
    expect(world.sent.filter((one) => one === CREATE)).toHaveLength(creates)
    expect(await remotes()).toEqual([])
    expect(await tracesLeft(world.db, TRACES)).toEqual([])
    const [link] = await linksNow()
    expect(link).toMatchObject({ state: 'gone', remote_id: null, observed: null })
  })
})

test('an object made for somebody erased stays out, though nothing else says whose it is', async () => {
  const id = await made(world.hub, 'contact', { jobTitle: 'Bookbinder' })
  await demandLinks(world.db.sql, customers().id, [id])
  await pushStream(world.hub, customers())
  await erase(id)
  expect(await remotes()).toMatchObject([{ state: 'pending', remoteId: expect.stringMatching(/^cus_/) }])
  await world.db.sql`delete from tombstones`
  await syncAll(world.hub, ['stripe'], 'sweep')
  const [row] = await world.db.sql<{ count: number }[]>`select count(*) as count from contacts`
  expect(row?.count).toBe(1)
})

test('nobody gives a link back what an erasure has taken from it', async () => {
  const id = await person()
  await pushStream(world.hub, customers())
  await edit(world.hub, 'contact', id, { jobTitle: 'friend of Varnhagen' })
  const [link] = await world.db.sql<{ id: number }[]>`select id from links where record_id = ${id}`
  await erase(id)
  const before = await linksNow()
  const value = 'Varnhagen'
  await rebaseLinks(world.db.sql, [{ id: link?.id ?? 0, base: { name: { hub: value, remote: value } } }])
  expect(await reviveLinks(world.db.sql, [link?.id ?? 0])).toEqual([])
  expect(await linksNow()).toEqual(before)
  expect(await tracesLeft(world.db, TRACES)).toEqual([])
})

test('a hint that comes after the erasure is followed, and not kept', async () => {
  const { hub } = world
  world.mailchimp.admin.subscribe('quin@varnhagen.example', { FNAME: 'Quintessa', LNAME: 'Varnhagen' })
  world.mailchimp.admin.subscribe('bo@other.example', { FNAME: 'Bo', LNAME: 'Other' })
  await syncAll(hub, ['mailchimp'], 'changes')
  const [row] = await world.db.sql<{ id: number }[]>`
    select id from contacts where email = 'quin@varnhagen.example'`
  await erase(row?.id ?? 0)
  const [quin, bo] = ['quin@varnhagen.example', 'bo@other.example'].map(addressHash)
  // Another connection's object may have the same id: its hint is another's.
  const same = [{ resource: 'customers', id: quin ?? '' }]
  await storeEvent(world.db.sql, 'stripe', 'same', same, world.clock.now)
  await storeEvent(
    world.db.sql,
    'mailchimp',
    'late',
    [quin, bo].map((id) => ({ resource: 'members', id: id ?? '' })),
    world.clock.now,
  )
  await followHints(hub, 'mailchimp')
  const events = await world.db.sql`
    select hints, processed_at is not null as done from webhook_events where connection = 'mailchimp'`
  const others = await world.db.sql`select hints from webhook_events where connection = 'stripe'`
  expect(others).toEqual([{ hints: same }])
  await world.db.sql`delete from webhook_events where connection = 'stripe'`
  expect(events).toEqual([{ hints: [{ resource: 'members', id: bo }], done: true }])
  expect(await tracesLeft(world.db, [...TRACES, quin ?? ''])).toEqual([])
})
