import { afterEach, beforeEach, expect, test } from 'vitest'
import { syncConnection } from '../../src/runtime/cycle.ts'
import { clearAlarm, raiseAlarm } from '../../src/store/alarms.ts'
import { openApi, type Api } from './support.ts'

let api: Api
beforeEach(async () => {
  api = await openApi({ connections: ['mailchimp'] })
})
afterEach(() => api.close())

test('alarms that last and, where asked for, those that are over', async () => {
  const { db, clock } = api.world
  for (const key of ['drift:1', 'drift:2'])
    await raiseAlarm(db.sql, { key, kind: 'drift', title: `${key} differs`, fix: 'Look.' }, clock.now)
  await clearAlarm(db.sql, 'drift:1', clock.now + 60_000)
  const now = await api.call('GET', '/api/alarms')
  expect(now.body).toMatchObject({
    items: [{ key: 'drift:2', kind: 'drift', since: '2026-03-02T09:00:00.000Z', recoveredAt: null }],
    past: [],
  })
  const all = await api.call('GET', '/api/alarms?past=10')
  expect(all.body['past']).toMatchObject([{ key: 'drift:1', recoveredAt: '2026-03-02T09:01:00.000Z' }])
  expect((await api.call('GET', '/api/alarms?past=many')).status).toBe(400)
  expect((await api.call('GET', '/api/alarms/channels')).body).toEqual({ items: [] })
})

test('full comparisons, page by page', async () => {
  const { world } = api
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  for (let i = 0; i < 3; i++) {
    await syncConnection(world.hub, 'mailchimp', 'sweep')
    world.clock.now += 3_600_000
  }
  const first = await api.call('GET', '/api/reconciliations?limit=2')
  expect(first.body['items']).toMatchObject([
    { stream: 'mailchimp/members', source: 1, hub: 1, found: 0, left: [] },
    { source: 1, hub: 1 },
  ])
  const rest = await api.call('GET', `/api/reconciliations?limit=2&before=${String(first.body['next'])}`)
  expect(rest.body).toMatchObject({
    items: [{ source: 1, hub: 0, drift: { in: { first: true } } }],
    next: null,
  })
  expect((await api.call('GET', '/api/reconciliations?connection=nobody')).status).toBe(400)
  expect((await api.call('GET', '/api/reconciliations?conection=mailchimp')).status).toBe(400)
})
