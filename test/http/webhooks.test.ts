import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { followHints, syncAll } from '../../src/runtime/cycle.ts'
import { REFUSALS } from '../../src/runtime/webhooks.ts'
import { mergeSecrets } from '../../src/store/connections.ts'
import { answerOf, openApi, type Answer, type Api } from './support.ts'

const SECRET = 'whsec_for_tests_only'
const HOOK = 'mailchimp-url-secret'

let api: Api
beforeEach(async () => {
  api = await openApi()
  const { sql } = api.world.db
  await mergeSecrets(sql, api.world.hub.vault, 'stripe', { webhookSecret: SECRET })
  await mergeSecrets(sql, api.world.hub.vault, 'mailchimp', { webhookSecret: HOOK })
})
afterEach(async () => {
  await api.close()
})

async function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  return answerOf(await api.app.request(path, { method: 'POST', body, headers }))
}

/** As Stripe signs: https://docs.stripe.com/webhooks#verify-manually */
function signed(body: string, at = api.world.clock.now, secret = SECRET): Record<string, string> {
  const t = Math.floor(at / 1000)
  const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')
  return { 'content-type': 'application/json', 'stripe-signature': `t=${t},v1=${v1}` }
}

const snapshot = (id: string, customer: string): string =>
  JSON.stringify({
    id,
    object: 'event',
    type: 'customer.updated',
    data: { object: { id: customer, object: 'customer' } },
  })

const thin = (id: string, customer: string): string =>
  JSON.stringify({
    id,
    object: 'v2.core.event',
    type: 'v1.customer.updated',
    related_object: { id: customer, type: 'customer' },
  })

const form = (email: string, type = 'unsubscribe'): string =>
  new URLSearchParams({
    type,
    fired_at: '2026-03-02 09:00:00',
    'data[email]': email,
    'data[list_id]': 'x',
  }).toString()

const events = () =>
  api.world.db
    .sql`select connection, event_id, hints, processed_at is not null as done from webhook_events order by received_at`
const jobs = () => api.world.db.sql`select key from graphile_worker.jobs where task_identifier = 'hints'`
const inbox = () => api.world.db.sql`select kind, key, state, title, fix from inbox`

describe('a delivery from Stripe', () => {
  test('with a good signature is stored once, wakes its connection once, and calls nobody', async () => {
    const body = snapshot('evt_1', 'cus_1')
    for (let i = 0; i < 3; i++) {
      expect(await post('/webhooks/stripe', body, signed(body))).toMatchObject({ status: 200, text: '' })
    }
    const hints = [{ resource: 'customers', id: 'cus_1' }]
    expect(await events()).toEqual([{ connection: 'stripe', event_id: 'evt_1', hints, done: false }])
    expect(await jobs()).toEqual([{ key: 'hints:stripe' }])
    expect(api.world.sent).toEqual([])
  })

  test.each([
    ['a wrong signature', (body: string) => signed(body, undefined, 'whsec_other')],
    ['another body than was signed', () => signed('{}')],
    ['no signature', () => ({})],
    ['an old timestamp', (body: string) => signed(body, api.world.clock.now - 301_000)],
    ['a timestamp of the future', (body: string) => signed(body, api.world.clock.now + 301_000)],
    ['a good signature over what is no event', null],
  ])('with %s is refused, logged and not stored', async (_, headers) => {
    const body = headers === null ? '<html>' : snapshot('evt_1', 'cus_1')
    const { status, body: told } = await post('/webhooks/stripe', body, (headers ?? signed)(body))
    expect(status).toBe(400)
    expect(told['detail']).not.toBe('')
    expect([await events(), await jobs()]).toEqual([[], []])
    const line = api.logged.find((text) => text.includes('webhook refused'))
    expect(line).toContain('"connection":"stripe"')
    expect(line).toContain('"reason":')
    expect(api.logged.join('')).not.toContain(SECRET)
  })

  test('with a thin payload leads to the customer as it is now', async () => {
    const { world } = api
    const customer = world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Lovelace' })
    await syncAll(world.hub, ['csv', 'mailchimp', 'stripe'], 'changes')
    world.stripe.admin.editCustomer(customer.id, { phone: '+442079460018' })
    const body = thin('evt_thin', customer.id)
    expect((await post('/webhooks/stripe', body, signed(body))).status).toBe(200)
    expect((await followHints(world.hub, 'stripe')).problem).toBeNull()
    const found = await api.call('GET', '/api/contacts?email=ada@example.com')
    expect(found.body['items']).toMatchObject([{ fields: { phones: ['+442079460018'] } }])
    expect(await events()).toMatchObject([{ event_id: 'evt_thin', done: true }])
  })

  test('signed by the sandbox itself is understood', async () => {
    const { stripe, db, hub } = api.world
    const endpoint = stripe.admin.addWebhookEndpoint({
      url: 'http://127.0.0.1:4000/webhooks/stripe',
      enabled_events: ['*'],
    })
    await mergeSecrets(db.sql, hub.vault, 'stripe', { webhookSecret: endpoint.secret })
    const customer = stripe.admin.createCustomer({ email: 'ada@example.com' })
    const delivered = await stripe.flushWebhooks(async ({ url, headers, body }) => {
      return (await post(new URL(url).pathname, body, headers)).status === 200
    })
    expect(delivered).toBe(1)
    expect(await events()).toMatchObject([{ hints: [{ resource: 'customers', id: customer.id }] }])
  })

  test('is refused while the connection has no secret, also when signed with the empty one', async () => {
    await mergeSecrets(api.world.db.sql, api.world.hub.vault, 'stripe', { webhookSecret: '' })
    const body = snapshot('evt_1', 'cus_1')
    const t = Math.floor(api.world.clock.now / 1000)
    const v1 = createHmac('sha256', '').update(`${t}.${body}`).digest('hex')
    const answer = await post('/webhooks/stripe', body, { 'stripe-signature': `t=${t},v1=${v1}` })
    expect([answer.status, answer.body['detail']]).toEqual([
      400,
      'stripe has no webhook secret to verify with.',
    ])
    expect(await events()).toEqual([])
  })
})

describe('a delivery from Mailchimp', () => {
  test('with the secret in its address leads to the opt-out, and the secret is never logged', async () => {
    const { world } = api
    world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
    await syncAll(world.hub, ['csv', 'mailchimp', 'stripe'], 'changes')
    world.mailchimp.admin.unsubscribe('ada@example.com')
    const body = form('ada@example.com')
    for (let i = 0; i < 2; i++) {
      expect((await post(`/webhooks/mailchimp?secret=${HOOK}`, body)).status).toBe(200)
    }
    expect(await events()).toHaveLength(1)
    expect((await followHints(world.hub, 'mailchimp')).problem).toBeNull()
    const { body: found } = await api.call('GET', '/api/contacts?email=ada@example.com')
    expect(found['items']).toMatchObject([{ fields: { emailConsent: 'out' } }])
    expect(api.logged.join('')).not.toContain(HOOK)
  })

  test.each(['?secret=guess', '?secret=', ''])(
    'with %j for a secret is refused, never with 410',
    async (query) => {
      const answer = await post(`/webhooks/mailchimp${query}`, form('ada@example.com'))
      expect([answer.status, answer.body['detail']]).toEqual([
        401,
        'The secret in the URL is missing or wrong.',
      ])
      expect(await events()).toEqual([])
      expect(api.logged.join('')).not.toContain('guess')
    },
  )

  test('begins with a question by GET, which is answered without a secret', async () => {
    const response = await api.app.request('/webhooks/mailchimp')
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect((await api.app.request('/webhooks/mailchimp', { method: 'HEAD' })).status).toBe(200)
    expect(await events()).toEqual([])
  })

  test('of a kind that says nothing about members is kept, and wakes nobody', async () => {
    const answer = await post(`/webhooks/mailchimp?secret=${HOOK}`, form('ada@example.com', 'campaign'))
    expect(answer.status).toBe(200)
    expect(await jobs()).toEqual([])
  })
})

describe('deliveries to the wrong door', () => {
  test.each(['/webhooks/nobody', '/webhooks/csv', '/webhooks/', '/webhooks/stripe/more'])(
    '%s looks like any address with nothing behind it',
    async (path) => {
      const other = await post('/no/such/place', '{}')
      const answer = await post(path, '{}')
      expect([answer.status, answer.text]).toEqual([404, other.text])
    },
  )

  test('more than 1 MB is not read, whether its length is told or not', async () => {
    const body = 'x'.repeat(1_048_577)
    expect((await post('/webhooks/stripe', body)).status).toBe(413)
    expect((await post('/webhooks/stripe', body, { 'content-length': String(body.length) })).status).toBe(413)
  })
})

describe('deliveries refused in a row', () => {
  test('reach the inbox once there are too many, and leave it at the next good one', async () => {
    const body = snapshot('evt_1', 'cus_1')
    for (let i = 1; i < REFUSALS; i++) await post('/webhooks/stripe', body)
    expect(await inbox()).toEqual([])
    await post('/webhooks/stripe', body)
    expect(await inbox()).toMatchObject([
      {
        kind: 'connection',
        key: 'webhook_refused:stripe',
        state: 'open',
        title: '5 webhooks in a row for stripe were refused',
      },
    ])
    const listed = await api.call('GET', '/api/inbox')
    expect(listed.body['items']).toMatchObject([{ kind: 'connection', state: 'open' }])
    await post('/webhooks/stripe', body, signed(body))
    expect(await inbox()).toMatchObject([{ state: 'done' }])
  })

  test('are counted anew after a good one', async () => {
    const body = snapshot('evt_1', 'cus_1')
    for (let i = 1; i < REFUSALS * 3; i++) {
      await post('/webhooks/stripe', body, i % REFUSALS === 0 ? signed(body) : {})
    }
    expect(await inbox()).toEqual([])
  })
})
