import { afterEach, beforeEach, expect, it } from 'vitest'
import { syncConnection } from '../../src/runtime/cycle.ts'
import { inboxItems, recentRuns } from '../../src/runtime/status.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld({ connections: ['csv'] })
})
afterEach(() => world.close())

it('counts rows that are no objects at all, beside values that cannot be read', async () => {
  world.export('contacts', [
    COLUMNS.contacts,
    ['1', 'ada@example.com', 'Ada', 'Lovelace', 'nonsense', '', '', '', ''],
    ['2', 'short'],
  ])
  await syncConnection(world.hub, 'csv', 'changes')
  expect(await recentRuns(world.hub, 1)).toMatchObject([{ counts: { created: 1, unreadable: 2 } }])
})

it('tells a person of a file in which nothing can be read', async () => {
  world.export('contacts', [COLUMNS.contacts, ['1', 'short'], ['2', 'short too']])
  await syncConnection(world.hub, 'csv', 'changes')
  expect(await inboxItems(world.hub, { state: 'open', limit: 10 })).toMatchObject([
    { kind: 'unreadable', detail: { count: 2 } },
  ])
})

it('forgets a bad row whose file was replaced, once everything was read again', async () => {
  world.export('contacts', [COLUMNS.contacts, ['', 'short']])
  await syncConnection(world.hub, 'csv', 'changes')
  expect(await inboxItems(world.hub, { state: 'open', limit: 10 })).toHaveLength(1)
  world.clock.now += 60_000
  await syncConnection(world.hub, 'csv', 'sweep')
  expect(await inboxItems(world.hub, { state: 'open', limit: 10 })).toHaveLength(1)

  world.export('contacts', [COLUMNS.contacts, ['1', 'ada@example.com', 'Ada', '', '', '', '', '', '']])
  world.clock.now += 60_000
  await syncConnection(world.hub, 'csv', 'changes')
  await syncConnection(world.hub, 'csv', 'sweep')
  expect(await inboxItems(world.hub, { state: 'open', limit: 10 })).toEqual([])
})
