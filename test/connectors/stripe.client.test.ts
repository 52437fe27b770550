import { describe, expect, it } from 'vitest'
import { failureOf, type Io } from '../../src/connectors/connector.ts'
import { stripeFor } from '../../src/connectors/stripe/client.ts'
import { stripe } from '../../src/connectors/stripe/index.ts'
import type { Json } from '../../src/core/json.ts'
import { creation, ioOver, pushOf, T0, world } from './stripe.support.ts'

const customer = creation(1, { email: 'ada@example.com' })

async function failure(work: () => Promise<unknown>) {
  const error = await work().then(
    () => null,
    (thrown: unknown) => thrown,
  )
  return failureOf(error)
}

describe('the SDK over our fetch', () => {
  it('lets a failure through as it was', async () => {
    const io = ioOver(() => Response.json({ error: { message: 'Expired' } }, { status: 401 }))
    expect(await failure(() => stripeFor(io).customers.list())).toEqual({
      kind: 'auth',
      message: expect.stringMatching(/^Expired. Copy a current/),
    })
  })

  it.each(['ECONNRESET', 'EPIPE'])('does not send again by itself after %s', async (code) => {
    let calls = 0
    const fetch: Io['fetch'] = async () => {
      calls += 1
      throw Object.assign(new Error('closed'), { code })
    }
    const io: Io = { ...ioOver(() => new Response()), fetch }
    await expect(stripeFor(io).customers.create({})).rejects.toThrow(/connection/)
    expect(calls).toBe(1)
  })

  it('does not send again after a 409 or a 500 that asks for it', async () => {
    let calls = 0
    const io = ioOver(() => {
      calls += 1
      return Response.json({}, { status: 500, headers: { 'stripe-should-retry': 'true' } })
    })
    expect(await failure(() => stripeFor(io).customers.create({}))).toMatchObject({ kind: 'unavailable' })
    expect(calls).toBe(1)
  })

  it.each([
    ['a page of HTML', '<!DOCTYPE html>'],
    ['half an answer', '{"id": "cus_'],
    ['nothing', ''],
    ['null', 'null'],
    ['an error under a 200', '{"error": {"message": "no"}}'],
  ])('calls %s with a 200 malformed, and a write then uncertain', async (_, text) => {
    const io = ioOver(() => new Response(text))
    expect(await failure(() => stripeFor(io).customers.list())).toMatchObject({
      kind: 'malformed',
      committed: 'no',
    })
    const push = pushOf(world().customers)
    expect(await push.send(io, [customer])).toMatchObject([{ kind: 'uncertain' }])
  })

  it('calls a write uncertain whose answer is JSON of another shape', async () => {
    const push = pushOf(world().customers)
    const io = ioOver(() => Response.json({ id: 'cus_1', object: 'elephant' }))
    expect(await push.send(io, [customer])).toMatchObject([{ kind: 'uncertain' }])
  })

  it('sends no telemetry, names its API version and the key it was given', async () => {
    const seen: Headers[] = []
    const io = ioOver((request) => {
      seen.push(request.headers)
      return Response.json(
        { object: 'list', data: [], has_more: false },
        { headers: { 'request-id': 'req_1' } },
      )
    })
    const client = stripeFor(io)
    await client.customers.list()
    await client.customers.list()
    expect(seen.map((headers) => headers.get('stripe-version'))).toEqual(Array(2).fill('2026-10-28.endive'))
    expect(seen.map((headers) => headers.get('x-stripe-client-telemetry'))).toEqual([null, null])
    expect(seen[0]?.get('authorization')).toBe('Bearer sk_test_sandbox')
  })

  it.each([
    [undefined, 'https://api.stripe.com/v1/customers'],
    ['http://127.0.0.1:4242', 'http://127.0.0.1:4242/v1/customers'],
    ['http://localhost:80', 'http://localhost/v1/customers'],
    ['http://[::1]:9', 'http://[::1]:9/v1/customers'],
    ['https://stripe.test:8443', 'https://stripe.test:8443/v1/customers'],
  ])('goes to %s', async (baseUrl, url) => {
    const urls: string[] = []
    const io = ioOver(
      (request) => {
        urls.push(request.url)
        return Response.json({ data: [], has_more: false })
      },
      () => T0,
      baseUrl === undefined ? {} : { baseUrl },
    )
    await stripeFor(io).customers.list()
    expect(urls).toEqual([url])
  })

  it.each<Json>([
    'http://stripe.test',
    'http://127.0.0.1.evil.test',
    'ftp://localhost',
    'https://a.test/b',
    7,
    '',
  ])('does not take the key to %j', async (baseUrl) => {
    const io = ioOver(
      () => Response.json({}),
      () => T0,
      { baseUrl },
    )
    expect(await failure(async () => stripeFor(io))).toMatchObject({ code: 'settings', field: 'baseUrl' })
  })

  it('asks for a key before anything else', async () => {
    const io = { ...ioOver(() => Response.json({})), secrets: {} }
    expect(await failure(() => stripe.check(io))).toMatchObject({ kind: 'auth' })
  })

  it('checks an account and says whether it is a real one', async () => {
    const { io } = world()
    expect(await stripe.check(io)).toEqual({ accountId: 'acct_1SandboxConcord0', label: 'Sandbox (test)' })
    const wrong = { ...io, secrets: { apiKey: 'sk_live_other' } }
    expect(await failure(() => stripe.check(wrong))).toMatchObject({ kind: 'auth' })
  })
})
