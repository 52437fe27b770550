import { afterEach, beforeEach, expect, test } from 'vitest'
import { syncConnection } from '../../src/runtime/cycle.ts'
import { COLUMNS } from '../support/exports.ts'
import { openApi, type Api } from './support.ts'

let api: Api
beforeEach(async () => {
  api = await openApi()
})
afterEach(async () => {
  await api.close()
})

const row = (i: number) => [`c${i}`, `p${i}@example.com`, `P${i}`, 'X', '', 'Engineer', '', '', '']
const people = Array.from({ length: 100 }, (_, i) => i)

async function heldItem(): Promise<string> {
  const { world } = api
  world.export('contacts', [COLUMNS.contacts, ...people.map(row)])
  await syncConnection(world.hub, 'csv', 'changes')
  world.clock.now += 300_000
  world.export('contacts', [
    COLUMNS.contacts,
    ...people.map((i) => row(i).map((cell, at) => (at === 5 ? '' : cell))),
  ])
  await syncConnection(world.hub, 'csv', 'changes')
  const { body } = await api.call('GET', '/api/inbox?kind=mass_change&stream=csv/contacts')
  const [item] = body['items'] as { id: number }[]
  return `/api/inbox/${item?.id}`
}

test('held changes are paged, approved in part, and rejected for the rest', async () => {
  const path = await heldItem()
  const shown = await api.call('GET', path)
  expect(shown.body).toMatchObject({
    what: expect.stringContaining('more records than the guard allows'),
    actions: [{ action: 'approve' }, { action: 'reject' }],
    assignee: null,
  })
  const records: number[] = []
  for (let after = ''; ; ) {
    const page = await api.call('GET', `${path}/held?limit=40${after}`)
    const changes = page.body['changes'] as { record: number; what: string; changes: object }[]
    expect(changes[0]).toMatchObject({
      what: 'blanks',
      changes: { jobTitle: { before: 'Engineer', after: null } },
    })
    records.push(...changes.map((change) => change.record))
    if (page.body['next'] === null) break
    after = `&after=${page.body['next'] as string}`
  }
  expect(new Set(records).size).toBe(100)
  const some = records.slice(0, 10)
  const part = await api.call('POST', `${path}/approve`, { records: some })
  expect([part.status, part.body['message']]).toEqual([
    200,
    expect.stringContaining('10 changes approved, 90 still wait'),
  ])
  expect((await api.call('POST', `${path}/approve`, { records: some, except: some })).status).toBe(422)
  expect((await api.call('POST', `${path}/approve`, { records: some })).status).toBe(409)
  expect((await api.call('POST', `${path}/reject`)).status).toBe(200)
  await syncConnection(api.world.hub, 'csv', 'sweep')
  expect(await api.world.db.sql`select count(job_title) as n from contacts`).toEqual([{ n: 90 }])
})

test('items are given to people, hidden, and settled many at a time', async () => {
  const path = await heldItem()
  expect((await api.call('POST', `${path}/assign`, { assignee: 'ann' })).status).toBe(200)
  expect((await api.call('POST', `${path}/assign`, { assignee: ' ' })).status).toBe(422)
  expect((await api.call('GET', '/api/inbox?assignee=ann')).body['items']).toHaveLength(1)
  expect((await api.call('POST', `${path}/snooze`, { until: 'soon' })).status).toBe(422)
  expect((await api.call('POST', `${path}/snooze`, { until: '2d' })).status).toBe(200)
  expect((await api.call('GET', '/api/inbox?kind=mass_change')).body['items']).toEqual([])
  expect((await api.call('GET', '/api/inbox?kind=mass_change&snoozed=only')).body['items']).toHaveLength(1)
  expect((await api.call('POST', `${path}/snooze`, { until: null })).status).toBe(200)

  const bulk = (body: Record<string, unknown>) => api.call('POST', '/api/inbox/bulk', JSON.stringify(body))
  expect((await bulk({ action: 'approve', filter: {} })).status).toBe(422)
  expect((await bulk({ action: 'explode', filter: { kind: 'mass_change' } })).status).toBe(422)
  expect((await bulk({ action: 'approve', filter: { stream: 'no/such' } })).status).toBe(422)
  const dry = await bulk({ action: 'approve', filter: { kind: 'mass_change' }, dryRun: true })
  expect(dry.body).toMatchObject({ matched: 1, done: 1, dryRun: true })
  const done = await bulk({ action: 'approve', filter: { stream: 'csv/contacts' } })
  expect(done.body).toMatchObject({ matched: 1, done: 1, refused: 0 })
})

test('what is not there, and what does not fit, is said', async () => {
  const path = await heldItem()
  expect((await api.call('GET', '/api/inbox/999')).status).toBe(404)
  expect((await api.call('GET', '/api/inbox?stream=no/such')).status).toBe(400)
  expect((await api.call('GET', `${path}/held?after=x`)).status).toBe(400)
  const wrong = await api.call('POST', `${path}/merge`, { survivor: 1 })
  expect([wrong.status, wrong.body['detail']]).toEqual([
    409,
    expect.stringContaining('What can be done: approve, reject'),
  ])
  expect((await api.call('POST', `${path}/approve`, { record: [1] })).status).toBe(422)
})
