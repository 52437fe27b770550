import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ANN, BEN, codeOf, graph, mail } from './client.ts'

describe('limits', () => {
  test('four at once in one mailbox, whatever goes on in another', async () => {
    const { get, call, token, refused, switches } = graph()
    const gate = Promise.withResolvers<void>()
    switches.gate = async () => gate.promise
    const paths = Array.from({ length: 6 }, () => get('/v1.0/me/messages'))
    const other = call('GET', '/v1.0/me/messages', { token: token(BEN) })
    const [first, second] = await Promise.all(paths.slice(4))
    expect([first?.status, second?.status]).toEqual([429, 429])
    expect(codeOf(first?.body ?? {})).toBe('ApplicationThrottled')
    expect(first?.response.headers.get('retry-after')).toBe('1')
    gate.resolve()
    expect((await Promise.all(paths.slice(0, 4))).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect((await other).status).toBe(200)
    expect(refused()).toBe(2)
    switches.gate = null
    expect((await get('/v1.0/me/messages')).status).toBe(200)
  })

  test('so many in ten minutes, then 503 by switch, then again', async () => {
    const limits = { permits: 3, windowMs: 600_000, concurrent: 4 }
    const { get, clock } = graph({ limits, switches: { throttleStatus: 503 } })
    for (let i = 0; i < 3; i++) expect((await get('/v1.0/me/messages')).status).toBe(200)
    const over = await get('/v1.0/me/messages')
    expect([over.status, over.response.headers.get('retry-after')]).toEqual([503, '600'])
    expect((await get('/v1.0/me')).status).toBe(200)
    clock.now += 600_000
    expect((await get('/v1.0/me/messages')).status).toBe(200)
  })
})

describe('a batch', () => {
  const answers = z.object({
    responses: z.array(z.object({ id: z.string(), status: z.number(), body: z.unknown().optional() })),
  })
  const ask = (id: string, url: string, more: object = {}) => ({ id, method: 'GET', url, ...more })

  test('has a status for each, and the whole is 200', async () => {
    const { call, people } = graph()
    const [message] = people.deliver(ANN, mail())
    const requests = [
      ask('1', `/me/messages/${message?.ids.immutable}?$select=subject`, {
        headers: { prefer: 'IdType="ImmutableId"' },
      }),
      ask('2', '/me/messages/nothing'),
      ask('3', 'me/mailFolders/inbox', { dependsOn: ['2'] }),
      ask('4', '/me/mailFolders/inbox', { dependsOn: ['1'] }),
      { ...ask('5', '/me/contacts'), method: 'POST', body: { givenName: 'Eve' } },
      ask('6', `/me/messages/${message?.ids.immutable}/$value`),
    ]
    const { status, body } = await call('POST', '/v1.0/$batch', { body: { requests } })
    expect(status).toBe(200)
    const found = new Map(answers.parse(body).responses.map((one) => [one.id, one]))
    expect(['1', '2', '3', '4', '5', '6'].map((id) => found.get(id)?.status)).toEqual([
      200, 404, 424, 200, 201, 200,
    ])
    expect(found.get('1')?.body).toMatchObject({ id: message?.ids.immutable })
    expect(Buffer.from(z.string().parse(found.get('6')?.body), 'base64').toString()).toContain(
      '\r\nSubject: ',
    )
  })

  test('its links lead where the batch went', async () => {
    const { call, people, get } = graph()
    for (let i = 0; i < 12; i++) people.deliver(ANN, mail())
    const requests = [ask('1', "/me/mailFolders('inbox')/messages/delta")]
    const { body } = await call('POST', '/v1.0/$batch', { body: { requests } })
    const [one] = answers.parse(body).responses
    const link = z.object({ '@odata.nextLink': z.string() }).parse(one?.body)['@odata.nextLink']
    expect((await get(link)).body['value']).toHaveLength(2)
  })

  test('each counts by itself', async () => {
    const { call, refused } = graph({ limits: { permits: 5, windowMs: 600_000, concurrent: 4 } })
    const requests = Array.from({ length: 8 }, (_, i) => ask(`${i}`, '/me/messages'))
    const { status, body } = await call('POST', '/v1.0/$batch', { body: { requests } })
    expect(status).toBe(200)
    const statuses = answers.parse(body).responses.map((one) => one.status)
    expect(statuses.filter((one) => one === 429)).toHaveLength(3)
    expect(refused()).toBe(3)
  })

  test.each([
    ['21 requests', Array.from({ length: 21 }, (_, i) => ask(`${i}`, '/me'))],
    ['an id twice', [ask('1', '/me'), ask('1', '/me')]],
    ['a later dependency', [ask('1', '/me', { dependsOn: ['2'] }), ask('2', '/me')]],
  ])('is refused with %s', async (_what, requests) => {
    expect((await graph().call('POST', '/v1.0/$batch', { body: { requests } })).status).toBe(400)
  })

  test('needs a token', async () => {
    const { call } = graph()
    expect((await call('POST', '/v1.0/$batch', { body: { requests: [] }, token: 'x' })).status).toBe(401)
  })
})
