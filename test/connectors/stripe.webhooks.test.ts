import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import type { Receipt } from '../../src/connectors/connector.ts'
import { stripe } from '../../src/connectors/stripe/index.ts'
import { receive } from '../../src/connectors/stripe/webhooks.ts'
import type { SignedWebhook } from '../../src/sandbox/stripe/index.ts'
import { T0, world } from './stripe.support.ts'

const URL_ = 'https://hub.test/webhooks/stripe'
const SECRET = 'whsec_one'
const subscribe = stripe.webhooks?.subscribe ?? (() => expect.fail())

function deliver(webhook: Pick<SignedWebhook, 'headers' | 'body'>, secret: string, now = T0): Receipt {
  const { headers, body } = webhook
  return receive(
    { method: 'POST', url: URL_, headers: new Headers(headers), body: new TextEncoder().encode(body) },
    secret,
    now,
  )
}

function signed(payload: object | string, secret = SECRET, seconds = T0 / 1000) {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const header = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: seconds })
  return { headers: { 'stripe-signature': header }, body }
}

const event = (object: object, type = 'customer.updated') => ({
  id: 'evt_1',
  object: 'event',
  type,
  data: { object },
})
const customer = event({ object: 'customer', id: 'cus_1' })

describe('receiving', () => {
  it.each([
    [customer, [{ resource: 'customers', id: 'cus_1' }]],
    [event({ object: 'invoice', id: 'in_1' }, 'invoice.paid'), [{ resource: 'invoices', id: 'in_1' }]],
    [
      event({ object: 'invoice_payment', id: 'inpay_1', invoice: 'in_2' }, 'invoice_payment.paid'),
      [{ resource: 'invoices', id: 'in_2' }],
    ],
    [event({ object: 'invoice' }, 'invoice.upcoming'), []],
    [event({ object: 'subscription', id: 'sub_1' }, 'customer.subscription.updated'), []],
    [event({ object: 'balance' }, 'balance.available'), []],
  ])('reads what %j is about', (payload, hints) => {
    expect(deliver(signed(payload), SECRET)).toEqual({ kind: 'hints', eventId: 'evt_1', hints, status: 200 })
  })

  it.each([
    [{ id: 'cus_1', type: 'customer', url: '/v1/customers/cus_1' }, [{ resource: 'customers', id: 'cus_1' }]],
    [{ id: 'in_1', type: 'invoice', url: '/v1/invoices/in_1' }, [{ resource: 'invoices', id: 'in_1' }]],
    [{ id: 'mtr_1', type: 'billing.meter' }, []],
    [null, []],
    [undefined, []],
  ])('takes thin payloads as hints, about %j', (related_object, hints) => {
    const thin = { id: 'evt_2', object: 'v2.core.event', type: 'v1.customer.updated', related_object }
    expect(deliver(signed(thin), SECRET)).toEqual({ kind: 'hints', eventId: 'evt_2', hints, status: 200 })
  })

  it('verifies the bytes as they came', () => {
    const webhook = signed(JSON.stringify(customer, null, 2))
    expect(deliver(webhook, SECRET).kind).toBe('hints')
    expect(deliver({ ...webhook, body: JSON.stringify(customer) }, SECRET)).toMatchObject({
      kind: 'refused',
      status: 400,
    })
  })

  it.each([
    ['a wrong secret', signed(customer, 'whsec_other'), SECRET],
    ['no secret', signed(customer), ''],
    ['no header', { headers: {}, body: '{}' }, SECRET],
    ['a header that is none', { headers: { 'stripe-signature': 'hello' }, body: '{}' }, SECRET],
    ['a time that is none', { headers: { 'stripe-signature': 't=x,v1=00' }, body: '{}' }, SECRET],
    ['no body', signed(''), SECRET],
    ['a body that is not JSON', signed('hello'), SECRET],
    ['a body that is not an event', signed({ id: 'evt_1', object: 'elephant' }), SECRET],
  ])('refuses %s', (_, webhook, secret) => {
    expect(deliver(webhook, secret)).toMatchObject({ kind: 'refused', reason: expect.any(String) })
  })

  it('refuses what is more than five minutes old, or from the future', () => {
    const at = (seconds: number) => deliver(signed(customer, SECRET, T0 / 1000 + seconds), SECRET).kind
    expect([-301, -300, 0, 300, 301].map(at)).toEqual(['refused', 'hints', 'hints', 'hints', 'refused'])
  })

  it('counts the time the signature stands for, where several are named', () => {
    const future = signed(customer, SECRET, T0 / 1000 + 9000)
    const header = `t=${T0 / 1000},${future.headers['stripe-signature']}`
    expect(deliver({ headers: { 'stripe-signature': header }, body: future.body }, SECRET).kind).toBe(
      'refused',
    )
  })
})

describe('a subscription', () => {
  it('has its secret, the events of both resources and the API version of the SDK', async () => {
    const { vendor, io } = world()
    const { secret, renewBefore } = await subscribe(io, URL_, null)
    expect({ secret, renewBefore }).toEqual({ secret: expect.stringMatching(/^whsec_/), renewBefore: null })
    const [endpoint] = [...vendor.state.webhookEndpoints.all()]
    expect(endpoint).toMatchObject({ url: URL_, api_version: '2026-10-28.endive' })
    expect(endpoint?.enabled_events).toEqual(expect.arrayContaining(['customer.deleted', 'invoice.paid']))
  })

  it('replaces its own at a second time, and leaves others alone', async () => {
    const { vendor, io } = world()
    vendor.admin.addWebhookEndpoint({ url: 'https://elsewhere.test/', enabled_events: ['*'] })
    await subscribe(io, URL_, null)
    await subscribe(io, URL_, null)
    const urls = [...vendor.state.webhookEndpoints.all()].map(({ url }) => url)
    expect(urls).toEqual(['https://elsewhere.test/', URL_])
  })

  it('is heard, while its secret is being replaced too', async () => {
    const { vendor, io } = world()
    const { secret } = await subscribe(io, URL_, null)
    const [endpoint] = [...vendor.state.webhookEndpoints.all()]
    const fresh = vendor.rotateSecret(endpoint?.id ?? '')
    const made = vendor.admin.createCustomer({ email: 'ada@example.com' })
    const receipts: Receipt[] = []
    await vendor.flushWebhooks(async (webhook) => {
      receipts.push(deliver(webhook, secret ?? ''), deliver(webhook, fresh))
      return true
    })
    const hints = [{ resource: 'customers', id: made.id }]
    expect(receipts).toMatchObject([{ hints }, { hints }])
  })

  it('reads a thin delivery of the vendor', async () => {
    const { vendor } = world()
    const { secret } = vendor.admin.addWebhookEndpoint({ url: URL_, enabled_events: ['*'], payload: 'thin' })
    const made = vendor.admin.createCustomer({})
    await vendor.flushWebhooks(async (webhook) => {
      expect(deliver(webhook, secret)).toMatchObject({ hints: [{ resource: 'customers', id: made.id }] })
      return true
    })
    expect.assertions(1)
  })
})
