import { afterEach, beforeEach, expect, it } from 'vitest'
import { longestPause } from '../../../src/runtime/alarms/facts.ts'
import { watchAlarms } from '../../../src/runtime/alarms/watch.ts'
import { alarms } from '../../../src/runtime/alerts/channels.ts'
import { syncAll } from '../../../src/runtime/cycle.ts'
import { COLUMNS } from '../../support/exports.ts'
import { openWorld, type World } from '../../support/world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
let world: World
beforeEach(async () => {
  world = await openWorld({ connections: ['csv', 'mailchimp'] })
  // The database's own clock said when they were added.
  await world.db.sql`update connections set created_at = ${world.clock.now}`
})
afterEach(() => world.close())

async function current(): Promise<readonly string[]> {
  await watchAlarms(world.hub)
  return (await alarms(world.hub, 0)).current.map(({ kind, title }) => `${kind} ${title.split(' ')[0] ?? ''}`)
}

const person = (title: string) => ['c1', 'ada@example.com', 'Ada', 'Lovelace', '', title, '', '', '']
let edits = 0
async function edit(): Promise<void> {
  world.export('contacts', [COLUMNS.contacts, person(`title ${++edits}`)])
  await sync()
}
async function sync(): Promise<void> {
  for (const { problem } of await syncAll(world.hub, ['csv', 'mailchimp'], 'changes'))
    expect(problem).toBeNull()
}

it('tells of a stream that stopped, not of its weekends, and of its recovery', async () => {
  const office = [9, 13, 16]
  // T0 is a Monday, 09:00.
  const monday = world.clock.now - 9 * HOUR
  for (let day = 0; day < 19; day++) {
    if (day % 7 >= 5) continue
    for (const hour of office) {
      world.clock.now = monday + day * DAY + hour * HOUR
      await edit()
    }
  }
  for (const hours of [24, 48, 65]) {
    world.clock.now = monday + 18 * DAY + 16 * HOUR + hours * HOUR
    await sync()
    expect(await current()).toEqual([])
  }
  world.clock.now += 3 * DAY
  await sync()
  expect(await current()).toEqual(['stream_still csv/contacts'])
  await edit()
  expect(await current()).toEqual([])
}, 60_000)

it('tells of streams that nobody looks at any more', async () => {
  await edit()
  expect(await current()).toEqual([])
  world.clock.now += 2 * HOUR
  const late = await current()
  expect(late).toContain('stream_behind mailchimp/members')
  await sync()
  expect(await current()).toEqual([])
})

it('tells of a vendor that fails for half an hour', async () => {
  await edit()
  world.mailchimp.state.overloaded = true
  world.clock.now += 40 * 60_000
  await syncAll(world.hub, ['mailchimp'], 'changes')
  expect(await current()).toContain('stream_failing mailchimp/members')
  world.mailchimp.state.overloaded = false
  world.clock.now += 60 * 60_000
  await sync()
  expect(await current()).toEqual([])
})

it('tells of a held mass change, until it is settled', async () => {
  const people = Array.from({ length: 60 }, (_, i) => [
    `c${i}`,
    `p${i}@example.com`,
    'P',
    'X',
    '',
    'Engineer',
    '',
    '',
    '',
  ])
  world.export('contacts', [COLUMNS.contacts, ...people])
  await sync()
  world.export('contacts', [
    COLUMNS.contacts,
    ...people.map((row) => row.map((cell, i) => (i === 5 ? '' : cell))),
  ])
  world.clock.now += 60_000
  await syncAll(world.hub, ['csv'], 'changes')
  expect(await current()).toEqual(['held csv/contacts'])
  world.export('contacts', [COLUMNS.contacts, ...people])
  world.clock.now += 60_000
  await syncAll(world.hub, ['csv'], 'sweep')
  expect(await current()).toEqual([])
})

it('tells of writes that wait and of outcomes that stay unknown', async () => {
  await edit()
  await world.db.sql`
    insert into links (id, stream_id, record_id, state, wake, problem)
    select 999999, s.id, c.id, 'pending', 1, 'Mailchimp answered 500'
    from streams s, contacts c where s.connection = 'mailchimp' and s.name = 'members' limit 1`
  await world.db.sql`update contacts set updated_at = ${world.clock.now}`
  await world.db.sql`
    insert into outbox (stream_id, link_id, record_id, key, op, body, pushed, sent, wake, state, created_at, tried_at)
    select stream_id, id, record_id, 'k', 'create', '{}', '[]', '{}', 1, 'uncertain', ${world.clock.now}, ${world.clock.now}
    from links where id = 999999`
  expect(await current()).toEqual([])
  world.clock.now += 7 * HOUR
  await world.db.sql`update streams set checked_at = ${world.clock.now}`
  expect((await current()).toSorted()).toEqual(['outcome_unknown Nobody', 'writes_waiting 1'])
})

it('knows the longest pause of a schedule', () => {
  expect(longestPause('*/5 * * * *')).toBe(5 * 60_000)
  expect(longestPause('30 2 * * *')).toBe(DAY)
  expect(longestPause('0 9-17 * * 1-5')).toBe(64 * HOUR)
  expect(longestPause('0 0 1 * *')).toBe(31 * DAY)
  expect(longestPause('0 8 1 1 *')).toBe(366 * DAY)
  expect(longestPause('0,10 6,20 * * *')).toBe(13 * HOUR + 50 * 60_000)
  expect(longestPause('0 0 29 2 *')).toBe(Infinity)
})

it('knows the nights and weekends of a schedule that fires often by day: every evening was called late', () => {
  expect(longestPause('*/5 8-18 * * 1-5')).toBe(61 * HOUR + 5 * 60_000)
  expect(longestPause('* 8-18 * * *')).toBe(13 * HOUR + 60_000)
})

it('names nobody whom a vendor named', async () => {
  await edit()
  world.clock.now += HOUR
  const said = 'Merge of <ada@example.com> failed'
  await world.db.sql`update streams set problem = ${said} where name = 'members'`
  await world.db.sql`update connections set state = 'unauthorised', problem = ${said} where name = 'csv'`
  await watchAlarms(world.hub)
  const told = JSON.stringify(await world.db.sql`select payload from alert_deliveries`)
  expect(told).toContain('The last pass said: Merge of <an address> failed')
  expect(told).toContain('csv refuses its credentials: Merge of <an address> failed')
  expect(told).not.toContain('ada@example.com')
})
