import { afterEach, beforeEach, expect, test } from 'vitest'
import { openApi, type Api } from './support.ts'

let api: Api
beforeEach(async () => {
  api = await openApi({
    connections: ['mailchimp'],
    configure: (name, text) =>
      name === 'hub.yaml' ? text.replace('approvals: none', 'approvals: ask') : text,
  })
  for (const i of [1, 2, 3]) api.world.mailchimp.admin.subscribe(`p${i}@example.com`, { FNAME: `P${i}` })
})
afterEach(() => api.close())

async function made(): Promise<string> {
  const begun = await api.call('POST', '/api/plans', {})
  expect(begun.status).toBe(202)
  const url = begun.headers.get('location') ?? ''
  for (;;) {
    const { body } = await api.call('GET', url)
    if (body['state'] !== 'running') return url
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('a plan is made, read page by page, and approved once', async () => {
  const url = await made()
  expect((await api.call('GET', url)).body).toMatchObject({
    state: 'open',
    connections: ['mailchimp'],
    by: 'api:crm-import',
    covers: ['mailchimp/members'],
    streams: [{ stream: 'mailchimp/members', waits: true, hub: { create: 3 } }],
  })
  const lines: unknown[] = []
  for (let next: unknown = `${url}/lines?limit=2&op=create`; typeof next === 'string'; ) {
    const { body } = await api.call('GET', next)
    lines.push(...(body['items'] as unknown[]))
    next = body['next']
  }
  expect(lines).toHaveLength(3)
  expect((await api.call('GET', '/api/plans?limit=1')).body).toMatchObject({
    items: [{ id: 1 }],
    next: '/api/plans?before=1&limit=1',
  })
  const both = await Promise.all([
    api.call('POST', `${url}/approve`),
    api.call('POST', `${url}/approve`, { streams: ['mailchimp/members'] }),
  ])
  expect(both.map((one) => one.status).toSorted((a, b) => a - b)).toEqual([200, 409])
  expect((await api.call('POST', `${url}/reject`)).status).toBe(409)
})

test('what cannot be is told, and changes nothing', async () => {
  expect((await api.call('POST', '/api/plans', { connections: ['nobody'] })).status).toBe(422)
  expect((await api.call('POST', '/api/plans', { connections: [] })).status).toBe(422)
  expect((await api.call('POST', '/api/plans', { connection: 'mailchimp' })).status).toBe(422)
  expect((await api.call('GET', '/api/plans/9')).status).toBe(404)
  expect((await api.call('POST', '/api/plans/9/approve')).status).toBe(404)
  const url = await made()
  expect((await api.call('GET', `${url}/lines?op=burn`)).status).toBe(400)
  expect((await api.call('GET', `${url}/lines?stream=nobody/none`)).body).toMatchObject({
    status: 400,
    detail: 'stream must be one that the plan covers: mailchimp/members.',
  })
  expect((await api.call('GET', `${url}/lines?after=9007199254740991`)).status).toBe(400)
  expect((await api.call('POST', `${url}/approve`, { streams: ['nobody/none'] })).status).toBe(409)
  expect((await api.call('POST', `${url}/reject`)).status).toBe(200)
  expect((await api.call('GET', url)).body).toMatchObject({ state: 'rejected', decidedBy: 'api:crm-import' })
})

test('a vendor that cannot be read ends a plan, which says so', async () => {
  api.world.mailchimp.faults.plan = () => ({ kind: 'status', status: 503 })
  const url = await made()
  expect((await api.call('GET', url)).body).toMatchObject({ state: 'failed', problem: expect.any(String) })
  expect((await api.call('POST', `${url}/approve`)).status).toBe(409)
})
