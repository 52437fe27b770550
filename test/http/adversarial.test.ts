import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerOf, openApi, type Api } from './support.ts'

let api: Api
beforeAll(async () => {
  api = await openApi({ connections: [] })
  await api.call('POST', '/api/contacts', { givenName: 'Ada', emails: ['ada@example.com'] })
})
afterAll(() => api.close())

/** Every route below /api, with 1 for its id. */
const routes = () =>
  [
    ...new Set(
      api.app.routes
        .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/'))
        .map(({ method, path }) => `${method} ${path}`),
    ),
  ].map((route) => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path: path.replace(/:id\{[^/]*\}(?=\/|$)/, '1').replace(/:place\{[^}]*\}/, 'contacts') }
  })

test('every route asks for a token', async () => {
  expect(routes().length).toBeGreaterThan(60)
  for (const { method, path } of routes()) {
    const answer = await answerOf(await api.app.request(path, { method }))
    expect([method, path, answer.status]).toEqual([method, path, 401])
  }
})

test('no parameter makes a route fail: numbers out of range, NUL, names that nobody knows', async () => {
  const parameters = [
    ...['before', 'after', 'below', 'record', 'limit', 'past'].map((name) => `${name}=9007199254740991`),
    ...['kind', 'stream', 'connection', 'assignee', 'email', 'domain', 'id'].flatMap((name) => [
      `${name}=%00`,
      `${name}=nope`,
    ]),
    'field=%00',
    'field=nope',
    'is=stale&owner=%00',
    'is=stale&source=%00',
    'lacking=%00',
    'unknown=nope',
    'before=999999999999999-1',
    'before=-999999999999999-1',
    'after=deletes:999999999999999',
  ]
  for (const { path } of routes().filter(({ method }) => method === 'GET'))
    for (const parameter of parameters) {
      const { status } = await api.call('GET', `${path}?${parameter}`)
      expect([path, parameter, status < 500]).toEqual([path, parameter, true])
    }
})

test.each([
  ['/api/contacts/1/explain?field=jobtitle', 'A contact has no field "jobtitle"'],
  ['/api/inbox?kind=duplicates', 'kind must be one of duplicate, conflict,'],
  ['/api/inbox?assignee=%00', 'assignee has a character that no text has'],
  ['/api/runs?connection=nobody', 'connection is "nobody", which is not known'],
  ['/api/reconciliations?connection=nobody', 'connection is "nobody", which is not known'],
])('%s is refused in words', async (path, detail) => {
  expect((await api.call('GET', path)).body).toMatchObject({
    status: 400,
    detail: expect.stringContaining(detail),
  })
})

test.each([
  [
    '/api/inbox/bulk',
    { action: 'merge', filter: { kind: 'duplicates' } },
    422,
    'filter.kind: kind must be one of',
  ],
  ['/api/inbox/bulk', { action: 'resolve', filter: { kind: 'conflict' } }, 422, 'Say which side stands'],
  ['/api/inbox/bulk', { action: 'dismiss', filter: { assignee: 'a\0b' } }, 422, 'must be one line of text'],
  ['/api/plans', {}, 409, 'No connection was added yet'],
])('%s refuses %j in words', async (path, body, status, detail) => {
  expect((await api.call('POST', path, body)).body).toMatchObject({
    status,
    detail: expect.stringContaining(detail),
  })
})
