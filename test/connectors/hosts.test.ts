import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { failureOf, type Connector } from '../../src/connectors/connector.ts'
import { mailchimp } from '../../src/connectors/mailchimp/index.ts'
import { stripe } from '../../src/connectors/stripe/index.ts'
import { openClient } from '../../src/runtime/client/client.ts'
import { systemClock } from '../../src/runtime/clock.ts'

/** The real hosts, caught before anything leaves this machine: sandboxes are reached by another base URL. */
const seen: { readonly url: string; readonly authorization: string | null }[] = []
const server = setupServer(
  http.all('*', ({ request }) => {
    seen.push({ url: request.url, authorization: request.headers.get('authorization') })
    return HttpResponse.json({ error: { type: 'invalid_request_error', message: 'no' } }, { status: 401 })
  }),
)
beforeAll(() => server.listen())
afterEach(() => {
  seen.length = 0
})
afterAll(() => server.close())

const io = (connector: Connector, secrets: Readonly<Record<string, string>>, settings = {}) =>
  openClient({
    connector,
    connection: connector.id,
    secrets,
    settings,
    transport: fetch,
    clock: systemClock,
    random: Math.random,
    log: () => undefined,
    pauseUntil: async () => undefined,
  }).io

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => failureOf(error)?.kind,
  )

test('Mailchimp is reached in the datacentre that its key names, with the key', async () => {
  expect(await refusal(mailchimp.check(io(mailchimp, { apiKey: 'abc-us7' }, { list: 'l1' })))).toBe('auth')
  expect(seen[0]?.url).toMatch(/^https:\/\/us7\.api\.mailchimp\.com\/3\.0\//)
  const authorization = seen[0]?.authorization ?? ''
  const key = authorization.startsWith('Basic ')
    ? Buffer.from(authorization.slice(6), 'base64').toString()
    : authorization
  expect(key).toContain('abc-us7')
})

test('Stripe is reached at its own host, with the key', async () => {
  expect(await refusal(stripe.check(io(stripe, { apiKey: 'sk_test_hosts' })))).toBe('auth')
  expect(seen[0]).toMatchObject({
    url: 'https://api.stripe.com/v1/account',
    authorization: 'Bearer sk_test_hosts',
  })
})
