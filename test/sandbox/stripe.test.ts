import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { serveSandbox } from '../../src/sandbox/serve.ts'
import { DAY, HOUR, refusal, START, world } from './stripe/client.ts'

describe('access to Stripe', () => {
  it('takes the key as bearer or as basic user, and refuses without it', async () => {
    const { raw } = world()
    const basic = `Basic ${Buffer.from('sk_test_sandbox:').toString('base64')}`
    expect((await raw('/v1/account', { headers: { authorization: basic } })).status).toBe(200)
    const refused = await raw('/v1/account', { headers: { authorization: 'Bearer sk_test_wrong' } })
    expect(refused.status).toBe(401)
    expect(await refused.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
  })

  it('says which request and which version it answered', async () => {
    const reply = await world().raw('/v1/account', { headers: { 'stripe-version': '2024-06-20' } })
    expect(reply.headers.get('request-id')).toMatch(/^req_\w{14}$/)
    expect(reply.headers.get('stripe-version')).toBe('2024-06-20')
  })

  it('answers 429 with rate_limit beyond 25 requests in a second, and counts them', async () => {
    const { raw, limiter, advance } = world({ requestsPerSecond: 25 })
    const statuses: number[] = []
    for (let i = 0; i < 26; i += 1) statuses.push((await raw('/v1/account')).status)
    expect(statuses.filter((status) => status === 429)).toHaveLength(1)
    expect(limiter.refused).toBe(1)
    advance(1_000)
    expect((await raw('/v1/account')).status).toBe(200)
  })

  it('does not know unknown paths', async () => {
    expect((await world().raw('/v1/nothing')).status).toBe(404)
  })
})

describe('parameters', () => {
  it('are refused by name when unknown', async () => {
    const { raw } = world()
    const reply = await raw('/v1/customers', { body: 'name=A&address[planet]=Mars' })
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({
      error: { code: 'parameter_unknown', param: 'address[planet]' },
    })
  })

  it('are refused when missing, malformed, or beyond the limit', async () => {
    const { stripe, raw } = world()
    const missing = await (await raw('/v1/invoices', { body: 'auto_advance=false' })).json()
    expect(missing).toMatchObject({ error: { code: 'parameter_missing', param: 'customer' } })
    expect(await refusal(stripe.customers.create({ email: 'no at sign' }))).toMatchObject({
      status: 400,
      code: 'email_invalid',
      param: 'email',
    })
    expect(await refusal(stripe.customers.create({ phone: '1'.repeat(21) }))).toMatchObject({
      param: 'phone',
    })
    expect(await refusal(stripe.customers.list({ limit: 101 }))).toMatchObject({
      code: 'parameter_invalid_integer',
      param: 'limit',
    })
  })

  it('refuse an impossible expansion before anything happens', async () => {
    const { stripe, admin } = world()
    expect(await refusal(stripe.customers.create({ name: 'A', expand: ['nothing'] }))).toMatchObject({
      status: 400,
    })
    expect(admin.customers()).toEqual([])
  })
})

describe('customers', () => {
  it('are created, changed field by field, and cleared with an empty string', async () => {
    const { stripe } = world()
    const created = await stripe.customers.create({
      email: 'ada@example.com',
      name: 'Ada',
      phone: '+4930123',
      address: { line1: 'Street 1', city: 'Berlin', country: 'DE' },
      metadata: { hub: '1', old: 'x' },
      preferred_locales: ['de', 'en'],
    })
    expect(created).toMatchObject({
      object: 'customer',
      created: START / 1000,
      livemode: false,
      currency: null,
    })
    const updated = await stripe.customers.update(created.id, {
      phone: '',
      metadata: { old: '', fresh: 'y' },
    })
    expect(updated).toMatchObject({
      id: created.id,
      name: 'Ada',
      phone: null,
      address: { line1: 'Street 1', line2: null, country: 'DE' },
      metadata: { hub: '1', fresh: 'y' },
      preferred_locales: ['de', 'en'],
    })
    expect((await stripe.customers.update(created.id, { metadata: '' })).metadata).toEqual({})
  })

  it('come back as a stub once deleted, and leave the list', async () => {
    const { stripe } = world()
    const { id } = await stripe.customers.create({ email: 'gone@example.com' })
    expect(await stripe.customers.del(id)).toMatchObject({ id, deleted: true })
    expect(await stripe.customers.retrieve(id)).toEqual({ id, object: 'customer', deleted: true })
    expect((await stripe.customers.list()).data).toEqual([])
    expect(await refusal(stripe.customers.update(id, { name: 'x' }))).toMatchObject({
      status: 404,
      code: 'resource_missing',
    })
  })

  it('are listed newest first, filtered by exact email and by time', async () => {
    const { stripe, advance } = world()
    const first = await stripe.customers.create({ email: 'Ada@example.com' })
    advance(10_000)
    const second = await stripe.customers.create({ email: 'ada@example.com' })
    expect((await stripe.customers.list()).data.map(({ id }) => id)).toEqual([second.id, first.id])
    expect((await stripe.customers.list({ email: 'Ada@example.com' })).data.map(({ id }) => id)).toEqual([
      first.id,
    ])
    expect(
      (await stripe.customers.list({ created: { gte: first.created + 1 } })).data.map(({ id }) => id),
    ).toEqual([second.id])
    expect(
      (await stripe.customers.list({ created: { lt: second.created } })).data.map(({ id }) => id),
    ).toEqual([first.id])
  })

  it('page to the end both ways, even when the page’s last customer was deleted meanwhile', async () => {
    const { stripe, admin } = world()
    const ids = admin
      .seed(Array.from({ length: 250 }, (_, i) => ({ name: `C${i}` })))
      .map(({ id }) => id)
      .reverse()
    const forwards = await stripe.customers.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 })
    expect(forwards.map(({ id }) => id)).toEqual(ids)
    const [newest = '', second = ''] = ids
    expect(
      (await stripe.customers.list({ ending_before: ids[3] ?? '', limit: 2 })).data.map(({ id }) => id),
    ).toEqual(ids.slice(1, 3))
    admin.deleteCustomer(second)
    expect((await stripe.customers.list({ starting_after: second, limit: 1 })).data[0]?.id).toBe(ids[2])
    expect((await stripe.customers.list({ starting_after: newest, limit: 1 })).data[0]?.id).toBe(ids[2])
  })

  it('are found by search only after the index has followed', async () => {
    const { stripe, state, advance } = world()
    state.switches.searchLagMs = 60_000
    const { id } = await stripe.customers.create({ email: 'ada@example.com', metadata: { hub: '42' } })
    const query = "metadata['hub']:'42' AND email:'ada@example.com'"
    expect((await stripe.customers.search({ query })).data).toEqual([])
    advance(60_000)
    expect((await stripe.customers.search({ query })).data.map((customer) => customer.id)).toEqual([id])
    expect((await stripe.customers.search({ query: "-email:'ada@example.com'" })).data).toEqual([])
    expect(await refusal(stripe.customers.search({ query: 'nonsense' }))).toMatchObject({
      status: 400,
      param: 'query',
    })
  })

  it('number a hundred thousand without slowing a page down', async () => {
    const { stripe, admin } = world()
    const seeded = admin.seed(
      Array.from({ length: 100_000 }, (_, i) => ({ email: `c${i}@example.com`, name: `C${i}` })),
    )
    const middle = seeded[50_000]?.id ?? ''
    const startedMs = performance.now()
    for (let i = 0; i < 50; i += 1) await stripe.customers.list({ limit: 100, starting_after: middle })
    expect((await stripe.customers.list({ email: 'c7@example.com' })).data).toHaveLength(1)
    expect(performance.now() - startedMs).toBeLessThan(2_000)
  })
})

describe('invoices', () => {
  it('go from draft over finalised to paid', async () => {
    const { stripe } = world()
    const customer = await stripe.customers.create({
      name: 'Ada',
      email: 'ada@example.com',
      invoice_prefix: 'ADA',
    })
    const draft = await stripe.invoices.create({
      customer: customer.id,
      collection_method: 'send_invoice',
      days_until_due: 30,
      metadata: { deal: '9' },
    })
    expect(draft).toMatchObject({
      status: 'draft',
      number: null,
      total: 0,
      currency: 'usd',
      auto_advance: false,
      parent: null,
      customer: customer.id,
    })
    const filled = await stripe.invoices.addLines(draft.id, {
      lines: [
        { amount: 1_500, description: 'Setup', metadata: { sku: 's' } },
        { price_data: { currency: 'usd', unit_amount: 250, product_data: { name: 'Seat' } }, quantity: 3 },
      ],
    })
    expect(filled).toMatchObject({ total: 2_250, amount_due: 2_250, amount_remaining: 2_250, amount_paid: 0 })
    expect(filled.lines.data.map((line) => [line.amount, line.description, line.quantity])).toEqual([
      [1_500, 'Setup', 1],
      [750, 'Seat', 3],
    ])
    const open = await stripe.invoices.finalizeInvoice(draft.id)
    expect(open).toMatchObject({
      id: draft.id,
      status: 'open',
      number: 'ADA-0001',
      due_date: START / 1000 + 30 * 86_400,
      metadata: { deal: '9' },
    })
    expect(open.hosted_invoice_url).toContain('https://invoice.stripe.com/')
    const paid = await stripe.invoices.pay(draft.id, {
      paid_out_of_band: true,
      expand: ['payments', 'customer'],
    })
    expect(paid).toMatchObject({
      status: 'paid',
      amount_paid: 2_250,
      amount_remaining: 0,
      customer: { id: customer.id, currency: 'usd' },
    })
    expect(paid.payments?.data[0]).toMatchObject({
      status: 'paid',
      amount_paid: 2_250,
      payment: { type: 'payment_record' },
    })
    expect(paid).not.toHaveProperty('paid')
    expect(paid).not.toHaveProperty('charge')
  })

  it('leave pending items out unless asked to include them', async () => {
    const { stripe } = world()
    const { id: customer } = await stripe.customers.create()
    const item = await stripe.invoiceItems.create({
      customer,
      amount: 700,
      currency: 'eur',
      description: 'Work',
    })
    expect(item).toMatchObject({ amount: 700, currency: 'eur', invoice: null })
    expect(item.quantity_decimal.toString()).toBe('1')
    const empty = await stripe.invoices.create({ customer })
    expect(empty).toMatchObject({ total: 0, currency: 'eur' })
    const full = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' })
    expect(full.total).toBe(700)
    expect((await stripe.invoiceItems.retrieve(item.id)).invoice).toBe(full.id)
    const none = stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include_and_require' })
    expect(await refusal(none)).toMatchObject({ code: 'invoice_no_customer_line_items' })
    expect(await stripe.invoices.finalizeInvoice(empty.id)).toMatchObject({ status: 'paid', total: 0 })
  })

  it('show the customer live while drafts and as they were once finalised', async () => {
    const { stripe, admin } = world()
    const { id: customer } = await stripe.customers.create({ name: 'Old', email: 'old@example.com' })
    const { id } = await stripe.invoices.create({ customer })
    await stripe.invoices.addLines(id, { lines: [{ amount: 100 }] })
    admin.editCustomer('old@example.com', { name: 'Newer' })
    expect((await stripe.invoices.retrieve(id)).customer_name).toBe('Newer')
    await stripe.invoices.finalizeInvoice(id)
    admin.editCustomer(customer, { name: 'Newest' })
    expect((await stripe.invoices.retrieve(id)).customer_name).toBe('Newer')
    admin.deleteCustomer(customer)
    expect((await stripe.invoices.retrieve(id, { expand: ['customer'] })).customer).toEqual({
      id: customer,
      object: 'customer',
      deleted: true,
    })
  })

  it('are edited and deleted only as drafts; afterwards voided', async () => {
    const { stripe } = world()
    const { id: customer } = await stripe.customers.create()
    const { id } = await stripe.invoices.create({ customer })
    const spare = await stripe.invoices.create({ customer })
    await stripe.invoices.addLines(id, { lines: [{ amount: 100 }] })
    await stripe.invoices.finalizeInvoice(id)
    expect(await refusal(stripe.invoices.addLines(id, { lines: [{ amount: 1 }] }))).toMatchObject({
      code: 'invoice_not_editable',
    })
    expect(await refusal(stripe.invoices.update(id, { description: 'x' }))).toMatchObject({
      code: 'invoice_not_editable',
    })
    expect((await stripe.invoices.update(id, { metadata: { a: 'b' } })).metadata).toEqual({ a: 'b' })
    expect(await refusal(stripe.invoices.del(id))).toMatchObject({ status: 400 })
    expect(await stripe.invoices.del(spare.id)).toMatchObject({ id: spare.id, deleted: true })
    expect(await refusal(stripe.invoices.retrieve(spare.id))).toMatchObject({ status: 404 })
    expect(await stripe.invoices.markUncollectible(id)).toMatchObject({ status: 'uncollectible' })
    expect(await stripe.invoices.voidInvoice(id)).toMatchObject({ status: 'void' })
    expect(await refusal(stripe.invoices.pay(id))).toMatchObject({ status: 400 })
    expect((await stripe.invoices.list({ status: 'void' })).data).toHaveLength(1)
  })

  it('take all lines of a batch or none', async () => {
    const { stripe } = world()
    const { id: customer } = await stripe.customers.create()
    const { id } = await stripe.invoices.create({ customer, currency: 'usd' })
    const lines = [{ amount: 100 }, { price_data: { currency: 'eur', unit_amount: 5, product: 'prod_1' } }]
    expect(await refusal(stripe.invoices.addLines(id, { lines }))).toMatchObject({
      param: 'lines[1][currency]',
    })
    expect((await stripe.invoices.retrieve(id)).lines.data).toEqual([])
    expect((await stripe.invoiceItems.list({ customer })).data).toEqual([])
  })

  it('page their lines beyond the ten inside', async () => {
    const { stripe } = world()
    const { id: customer } = await stripe.customers.create()
    const { id } = await stripe.invoices.create({ customer })
    const lines = Array.from({ length: 23 }, (_, i) => ({ amount: i + 1 }))
    const invoice = await stripe.invoices.addLines(id, { lines })
    expect(invoice.lines).toMatchObject({ has_more: true, data: { length: 10 } })
    const all = await stripe.invoices.listLineItems(id, { limit: 10 }).autoPagingToArray({ limit: 100 })
    expect(all.map(({ amount }) => amount)).toEqual(lines.map(({ amount }) => amount))
    const removed = await stripe.invoices.removeLines(id, {
      lines: [{ id: all[0]?.id ?? '', behavior: 'delete' }],
    })
    expect(removed.total).toBe((23 * 24) / 2 - 1)
  })

  it('finalise by themselves about an hour later with auto_advance', async () => {
    const { stripe, advance } = world()
    const { id: customer } = await stripe.customers.create()
    const draft = await stripe.invoices.create({
      customer,
      auto_advance: true,
      collection_method: 'send_invoice',
      days_until_due: 7,
    })
    expect(draft.automatically_finalizes_at).toBe(START / 1000 + 3_600)
    await stripe.invoices.addLines(draft.id, { lines: [{ amount: 100 }] })
    advance(HOUR - 1_000)
    expect((await stripe.invoices.retrieve(draft.id)).status).toBe('draft')
    advance(1_000)
    expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({
      status: 'open',
      automatically_finalizes_at: null,
    })
    expect((await stripe.events.list({ type: 'invoice.sent' })).data).toHaveLength(1)
  })

  it('are charged to a payment method, which may decline', async () => {
    const { stripe } = world()
    const { id: customer } = await stripe.customers.create()
    const { id } = await stripe.invoices.create({ customer })
    await stripe.invoices.addLines(id, { lines: [{ amount: 100 }] })
    await stripe.invoices.finalizeInvoice(id)
    expect(await refusal(stripe.invoices.pay(id))).toMatchObject({ status: 400 })
    const declined = stripe.invoices.pay(id, { payment_method: 'pm_card_chargeDeclined' })
    expect(await refusal(declined)).toMatchObject({ status: 402, type: 'card_error', code: 'card_declined' })
    const paid = await stripe.invoices.pay(id, { payment_method: 'pm_card_visa' })
    expect(paid).toMatchObject({ status: 'paid', attempted: true, attempt_count: 2 })
  })

  it('keep to the currency’s own units, and to one currency while something is open', async () => {
    const { stripe } = world()
    const { id: customer } = await stripe.customers.create()
    const item = (amount: number, currency: string) =>
      stripe.invoiceItems.create({ customer, amount, currency })
    expect(await refusal(item(150, 'isk'))).toMatchObject({ param: 'amount' })
    expect(await refusal(item(1_005, 'kwd'))).toMatchObject({ param: 'amount' })
    expect(await refusal(item(1, 'zzz'))).toMatchObject({ param: 'currency' })
    expect((await item(501, 'jpy')).amount).toBe(501)
    expect(await refusal(item(501, 'eur'))).toMatchObject({ param: 'currency' })
  })
})

describe('events', () => {
  it('tell what changed, who caused it, and stay as they were', async () => {
    const { stripe, state, admin, advance } = world()
    const { id } = await stripe.customers.create({ name: 'One' }, { idempotencyKey: 'k1' })
    state.apiVersion = '2026-11-30.endive'
    advance(1_000)
    admin.editCustomer(id, { name: 'Two' })
    const { data } = await stripe.events.list({ types: ['customer.created', 'customer.updated'] })
    expect(data.map(({ type, api_version }) => [type, api_version])).toEqual([
      ['customer.updated', '2026-11-30.endive'],
      ['customer.created', '2026-10-28.endive'],
    ])
    expect(data[0]).toMatchObject({
      request: { id: null },
      data: { object: { name: 'Two' }, previous_attributes: { name: 'One' } },
    })
    expect(data[1]).toMatchObject({ request: { idempotency_key: 'k1' }, data: { object: { name: 'One' } } })
    expect((await stripe.events.list({ created: { gte: START / 1000 + 1 } })).data).toHaveLength(1)
  })

  it('reach back thirty days', async () => {
    const { stripe, admin, advance } = world()
    admin.createCustomer({ name: 'Old' })
    const [event] = (await stripe.events.list()).data
    advance(30 * DAY)
    expect((await stripe.events.list()).data).toHaveLength(1)
    advance(1_000)
    expect((await stripe.events.list()).data).toEqual([])
    expect(await refusal(stripe.events.retrieve(event?.id ?? ''))).toMatchObject({ status: 404 })
  })
})

describe('webhooks', () => {
  const url = 'https://hub.example.com/webhooks/stripe'

  it('are signed over their raw bytes, and the secret is told only once', async () => {
    const { stripe, admin, flushWebhooks, advance } = world()
    const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ['customer.created'] })
    expect((await stripe.webhookEndpoints.retrieve(endpoint.id)).secret).toBeUndefined()
    const customer = admin.createCustomer({ name: 'Zoë' })
    admin.editCustomer(customer.id, { name: 'Zoe' })
    advance(HOUR)
    const received: Stripe.Event[] = []
    await flushWebhooks(async ({ body, headers }) => {
      const at = START + HOUR
      received.push(
        stripe.webhooks.constructEvent(
          Buffer.from(body),
          headers['stripe-signature'] ?? '',
          endpoint.secret ?? '',
          300,
          undefined,
          at,
        ),
      )
      return true
    })
    expect(received).toMatchObject([
      { type: 'customer.created', data: { object: { id: customer.id, name: 'Zoë' } } },
    ])
  })

  it('carry a signature for the old and the new secret while it is rotated', async () => {
    const { stripe, admin, pendingWebhooks, signWebhook, rotateSecret, advance } = world()
    const old = admin.addWebhookEndpoint({ url, enabled_events: ['*'] })
    const fresh = rotateSecret(old.id)
    admin.createCustomer({})
    const [delivery] = pendingWebhooks
    if (delivery === undefined) throw new Error('nothing to deliver')
    const header = () => signWebhook(delivery)?.headers['stripe-signature'] ?? ''
    for (const secret of [old.secret, fresh])
      expect(
        stripe.webhooks.constructEvent(delivery.body, header(), secret, 300, undefined, START).type,
      ).toBe('customer.created')
    expect(header().match(/v1=/g)).toHaveLength(2)
    advance(DAY)
    expect(header().match(/v1=/g)).toHaveLength(1)
  })

  it('come again when they failed, three times in all, and the event stays marked undelivered', async () => {
    const { stripe, admin, pendingWebhooks, flushWebhooks } = world()
    admin.addWebhookEndpoint({ url, enabled_events: ['*'] })
    admin.createCustomer({})
    let calls = 0
    const failing = async () => {
      calls += 1
      return false
    }
    for (let i = 0; i < 5; i += 1) await flushWebhooks(failing)
    expect(calls).toBe(3)
    expect(pendingWebhooks).toEqual([])
    const missed = await stripe.events.list({ delivery_success: false })
    expect(missed.data).toMatchObject([{ type: 'customer.created', pending_webhooks: 1 }])
  })

  it('may be thin: then constructEvent throws and the notification leads to the object', async () => {
    const { stripe, admin, pendingWebhooks, signWebhook } = world()
    const { secret } = admin.addWebhookEndpoint({ url, enabled_events: ['*'], payload: 'thin' })
    const customer = admin.createCustomer({ name: 'Ada' })
    const signed = pendingWebhooks[0] && signWebhook(pendingWebhooks[0])
    if (!signed) throw new Error('nothing to deliver')
    const header = signed.headers['stripe-signature'] ?? ''
    expect(() => stripe.webhooks.constructEvent(signed.body, header, secret, 300, undefined, START)).toThrow(
      /thin/,
    )
    const notification = stripe.parseEventNotification(signed.body, header, secret, 300, undefined, START)
    expect(notification.type).toBe('v1.customer.created')
    expect(notification).toMatchObject({
      related_object: { id: customer.id, url: `/v1/customers/${customer.id}` },
    })
  })

  it('are delivered at once when asked to', async () => {
    const { admin, autoDeliver } = world()
    admin.addWebhookEndpoint({ url, enabled_events: ['*'] })
    const arrived = Promise.withResolvers<string>()
    const stop = autoDeliver(async (input) => {
      arrived.resolve(new Request(input).url)
      return new Response('ok')
    })
    admin.createCustomer({})
    expect(await arrived.promise).toBe(url)
    stop()
  })
})

describe('idempotency keys', () => {
  it('replay the first reply', async () => {
    const { raw, admin } = world()
    const create = () => raw('/v1/customers', { body: 'name=Once', key: 'k' })
    const [first, second] = [await create(), await create()]
    expect(await second.text()).toBe(await first.text())
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(second.headers.get('original-request')).toBe(first.headers.get('request-id'))
    expect(admin.customers()).toHaveLength(1)
  })

  it('replay a 500 that came after the commit, so the outcome must be looked up', async () => {
    const { stripe, state, admin } = world()
    const create = () => stripe.customers.create({ name: 'Once' }, { idempotencyKey: 'k' })
    state.switches.crash = () => 'after-commit'
    expect(await refusal(create())).toMatchObject({ status: 500, type: 'api_error' })
    state.switches.crash = null
    expect(await refusal(create())).toMatchObject({ status: 500 })
    expect(admin.customers()).toHaveLength(1)
  })

  it('refuse other parameters under the same key', async () => {
    const { stripe } = world()
    await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' })
    const other = stripe.customers.create({ name: 'B' }, { idempotencyKey: 'k' })
    expect(await refusal(other)).toMatchObject({ status: 400, type: 'idempotency_error' })
  })

  it('are not used up by what was refused before it ran', async () => {
    const { stripe, state, admin } = world()
    const options = { idempotencyKey: 'k' }
    await refusal(stripe.customers.create({ email: 'broken' }, options))
    state.switches.lockTimeout = () => 409
    expect(await refusal(stripe.customers.create({ name: 'A' }, options))).toMatchObject({
      status: 409,
      code: 'lock_timeout',
    })
    state.switches.lockTimeout = null
    expect((await stripe.customers.create({ email: 'whole@example.com' }, options)).email).toBe(
      'whole@example.com',
    )
    expect(admin.customers()).toHaveLength(1)
  })

  it('conflict while the first request is still running', async () => {
    const { raw, state } = world()
    const held = Promise.withResolvers<void>()
    state.switches.gate = () => held.promise
    const first = raw('/v1/customers', { body: 'name=A', key: 'k' })
    const second = await raw('/v1/customers', { body: 'name=A', key: 'k' })
    expect(second.status).toBe(409)
    expect(await second.json()).toMatchObject({ error: { code: 'idempotency_key_in_use' } })
    held.resolve()
    expect((await first).status).toBe(200)
  })

  it('are forgotten after a day: then the same request creates a second object', async () => {
    const { stripe, admin, advance } = world()
    await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' })
    advance(DAY)
    await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' })
    expect(admin.customers()).toHaveLength(2)
  })

  it('save the day when the reply is lost after the commit', async () => {
    const { stripe, faults, admin } = world()
    faults.plan = () => ({ kind: 'timeout-after-commit' })
    const create = () => stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' })
    await expect(create()).rejects.toThrow(/connection|time/i)
    faults.plan = null
    const found = await create()
    expect(admin.customers().map(({ id }) => id)).toEqual([found.id])
  })
})

describe('over real HTTP', () => {
  it('serves the SDK by host and port', async () => {
    const { app } = world()
    const served = await serveSandbox(app)
    const { hostname, port } = new URL(served.url)
    const stripe = new Stripe('sk_test_sandbox', {
      host: hostname,
      port: Number(port),
      protocol: 'http',
      maxNetworkRetries: 0,
    })
    const { id } = await stripe.customers.create({ name: 'Ada' })
    expect(await stripe.customers.retrieve(id)).toMatchObject({ id, name: 'Ada' })
    expect((await stripe.accounts.retrieveCurrent()).id).toMatch(/^acct_/)
    await served.close()
  })
})
