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

test('a held mass change is listed, approved once, and written at the next pass', async () => {
  const { world } = api
  const people = Array.from({ length: 100 }, (_, i) => i)
  world.export('contacts', [COLUMNS.contacts, ...people.map(row)])
  await syncConnection(world.hub, 'csv', 'changes')
  world.clock.now += 300_000
  const blanked = people.map((i) => row(i).map((cell, at) => (at === 5 ? '' : cell)))
  world.export('contacts', [COLUMNS.contacts, ...blanked])
  await syncConnection(world.hub, 'csv', 'changes')

  const { body } = await api.call('GET', '/api/inbox?state=open&limit=10')
  const [item] = body['items'] as { id: number; kind: string; createdAt: string }[]
  expect(item).toMatchObject({ kind: 'mass_change', createdAt: '2026-03-02T09:05:00.000Z' })
  const path = `/api/inbox/${item?.id}`
  const paged = (await api.call('GET', '/api/inbox?state=open&limit=1')).body
  expect(paged['next']).toBe(`/api/inbox?state=open&limit=1&below=${item?.id}`)
  expect((await api.call('GET', String(paged['next']))).body).toMatchObject({ items: [], next: null })
  expect((await api.call('POST', `${path}/retry`)).status).toBe(409)
  expect((await api.call('POST', `${path}/resolve`, { side: 'left' })).status).toBe(422)
  expect((await api.call('POST', `${path}/resolve`, { side: 'hub' })).status).toBe(409)
  const approved = await api.call('POST', `${path}/approve`)
  expect([approved.status, approved.body['message']]).toEqual([200, expect.stringContaining('csv/contacts')])
  const again = await api.call('POST', `${path}/approve`)
  expect([again.status, again.body['detail']]).toEqual([
    409,
    expect.stringContaining('approved by api:crm-import'),
  ])
  await syncConnection(world.hub, 'csv', 'sweep')
  expect(await world.db.sql`select count(job_title) as n from contacts`).toEqual([{ n: 0 }])
})

test('an item is dismissed, and unknown filters are refused', async () => {
  await api.world.db.sql`
    insert into inbox (kind, key, title, fix, detail, created_at, updated_at)
    values ('connection', 'k', 't', 'f', '{}', now(), now())`
  const { body } = await api.call('GET', '/api/inbox')
  const [item] = body['items'] as { id: number }[]
  expect((await api.call('POST', `/api/inbox/${item?.id}/dismiss`)).status).toBe(200)
  expect((await api.call('GET', '/api/inbox')).body['items']).toEqual([])
  expect((await api.call('GET', '/api/inbox?state=all')).body['items']).toHaveLength(1)
  expect((await api.call('GET', '/api/inbox?state=closed')).status).toBe(400)
})
