import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Hub } from '../../src/runtime/hub.ts'
import { enforceRetention, plannedRetention } from '../../src/runtime/privacy/retention.ts'
import { ensureHistoryPartitions } from '../../src/store/history.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, made } from './merge.support.ts'

const DAY_MS = 86_400_000
let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

const keeping = (days: number): Hub => {
  const { configuration } = world.hub
  const retention = { ...configuration.retention, historyMs: days * DAY_MS }
  return { ...world.hub, configuration: { ...configuration, retention } }
}
const historyOf = (id: number) =>
  world.db.sql<{ at: number; version: number }[]>`
    select at, version from history where record_id = ${id} order by id`

/** A contact that was made in March and edited in July. */
async function aged(): Promise<number> {
  await ensureHistoryPartitions(world.db.sql, world.clock.now)
  const id = await made(world.hub, 'contact', { givenName: 'Ada' })
  world.clock.now = Date.parse('2026-07-15T00:00:00Z')
  await ensureHistoryPartitions(world.db.sql, world.clock.now)
  await edit(world.hub, 'contact', id, { givenName: 'Ada M.' })
  return id
}

test('months of the history that are old go whole, and the others stay', async () => {
  const id = await aged()
  expect(await historyOf(id)).toHaveLength(2)
  expect(await plannedRetention(keeping(60))).toMatchObject({
    months: ['history_2026_03', 'history_2026_04'],
  })
  expect(await historyOf(id)).toHaveLength(2)
  expect(await enforceRetention(keeping(60))).toMatchObject({
    months: ['history_2026_03', 'history_2026_04'],
  })
  expect(await historyOf(id)).toMatchObject([{ at: Date.parse('2026-07-15T00:00:00Z') }])
  expect(await world.db.sql`select to_regclass('history_2026_03') as name`).toEqual([{ name: null }])
  expect(await enforceRetention(keeping(60))).toMatchObject({ months: [] })
  const [contact] = await world.db.sql`select given_name from contacts where id = ${id}`
  expect(contact).toEqual({ given_name: 'Ada M.' })
})

test('a month that has not ended, or of which a day is kept, stays', async () => {
  await aged()
  // 106 days before 15 July is 31 March: of March one day is within.
  expect(await plannedRetention(keeping(106))).toMatchObject({ months: [] })
  expect(await plannedRetention(keeping(104))).toMatchObject({ months: ['history_2026_03'] })
})

test('a month that somebody reads is left to the next housekeeping, and holds nobody up', async () => {
  const id = await aged()
  const reading = Promise.withResolvers<void>()
  const read = Promise.withResolvers<void>()
  const reader = world.db.beside.begin(async (tx) => {
    await tx`select count(*) from history`
    read.resolve()
    await reading.promise
  })
  await read.promise
  const [counts] = await Promise.all([
    enforceRetention(keeping(60)),
    edit(world.hub, 'contact', id, { givenName: 'Ada Maria' }),
  ])
  expect(counts.months).toEqual([])
  expect(await historyOf(id)).toHaveLength(3)
  reading.resolve()
  await reader
  expect((await enforceRetention(keeping(60))).months).toHaveLength(2)
}, 30_000)

test('more items than one statement takes go in one night, and what is open or young stays', async () => {
  const { sql } = world.db
  const item = (from: number, to: number, state: string, at: number) => sql`
    insert into inbox (kind, key, title, fix, detail, state, created_at, updated_at)
    select 'alarm', 'k' || n, '', '', '{}', ${state}, ${at}, ${at} from generate_series(${from}::int, ${to}::int) n`
  const old = world.clock.now - 40 * DAY_MS
  await item(1, 1200, 'done', old)
  await item(1201, 1201, 'open', old)
  await item(1202, 1202, 'done', world.clock.now)
  const { configuration } = world.hub
  const retention = { ...configuration.retention, closedInboxMs: 30 * DAY_MS }
  const hub: Hub = { ...world.hub, configuration: { ...configuration, retention } }
  expect(await enforceRetention(hub)).toMatchObject({ inbox: 1200 })
  expect(await sql`select key from inbox order by id`).toEqual([{ key: 'k1201' }, { key: 'k1202' }])
})
