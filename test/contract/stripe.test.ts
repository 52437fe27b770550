import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOf, send } from '../conformance/checks/writes.ts'
import { stripeBench } from '../conformance/stripe.bench.ts'
import { type Description, descriptionFile, named, readDescription } from './description.ts'
import { treeOf } from './form.ts'
import { part, record, type Sent } from './record.ts'
import { everything, wantAll } from './scenario.ts'
import { oneOfEach, refusals, serveDescription } from './steady.ts'
import { problemsOf } from './validate.ts'

const FILE = descriptionFile('stripe.json')

/** The description is of October 2025, a year older than the version that the SDK pins. Each with why it is right. */
const NEWER: readonly string[] = [
  // Decimal quantities came later: the SDK's InvoiceItemCreateParams has quantity_decimal.
  'POST /v1/invoiceitems: body.quantity_decimal: not described',
  'POST /v1/invoiceitems: body: must NOT have additional properties',
  // The SDK's own version, which webhooks are asked for in, is not yet among those it lists.
  'POST /v1/webhook_endpoints: body.api_version: must be equal to one of the allowed values, not "2026-10-28.endive"',
  // Kinds of events that the SDK's WebhookEndpointCreateParams.EnabledEvent lists and the description does not yet.
  'POST /v1/webhook_endpoints: body.enabled_events.9: must be equal to one of the allowed values, not "invoice.overdue"',
  'POST /v1/webhook_endpoints: body.enabled_events.14: must be equal to one of the allowed values, not "invoice.overpaid"',
  'POST /v1/webhook_endpoints: body.enabled_events.17: must be equal to one of the allowed values, not "invoice_payment.paid"',
]

describe.skipIf(FILE === null)('what is sent to Stripe (needs ../shared/specs/stripe.json)', () => {
  let description: Description = { paths: {} }
  let sent: Sent[] = []
  beforeAll(async () => {
    description = readDescription(FILE ?? '')
    const recording = await record(stripeBench)
    await everything(recording.rig('customers'))
    await everything(recording.rig('invoices'))
    await rest(recording)
    sent = recording.sent
    await recording.close()
  }, 60_000)

  it('covers every operation the connector knows', () => {
    expect([...new Set(sent.map((one) => named(description, one)))].toSorted()).toEqual([
      'DELETE /v1/webhook_endpoints/{webhook_endpoint}',
      'GET /v1/account',
      'GET /v1/customers',
      'GET /v1/customers/{customer}',
      'GET /v1/events',
      'GET /v1/invoices',
      'GET /v1/invoices/{invoice}',
      'GET /v1/invoices/{invoice}/lines',
      'GET /v1/webhook_endpoints',
      'POST /v1/customers',
      'POST /v1/customers/{customer}',
      'POST /v1/invoiceitems',
      'POST /v1/invoices',
      'POST /v1/invoices/{invoice}',
      'POST /v1/invoices/{invoice}/finalize',
      'POST /v1/webhook_endpoints',
    ])
  })

  it('is what Stripe describes', () => {
    const problems = new Set(sent.flatMap((one) => problemsOf(description, one)))
    expect([...problems].filter((problem) => !NEWER.includes(problem))).toEqual([])
    const silent = NEWER.filter((known) => !problems.has(known))
    expect(silent, 'an alarm that no longer sounds should leave the list').toEqual([])
  })

  describe('to a server made of the description', () => {
    let server: Awaited<ReturnType<typeof serveDescription>>
    beforeAll(async () => {
      server = await serveDescription(FILE ?? '', 'brackets')
    })
    afterAll(() => server.close())

    it('gives no reason for a 400 but what is newer', { timeout: 60_000 }, async () => {
      const each = oneOfEach(description, sent, ({ query, body }) => [
        ...Object.keys(treeOf(query)),
        ...Object.keys(treeOf(body)),
      ])
      // The server reads lists as `types[]=` alone; Stripe takes the SDK's `types[0]=` as well.
      const plain = each.map((one) => ({ ...one, query: one.query.replace(/\[\d+\](?==)/g, '[]') }))
      const newer = /quantity_decimal|body\.api_version/
      expect((await refusals(server, plain)).filter((refusal) => !newer.test(refusal))).toEqual([])
    })

    it('does for a request that is wrong', async () => {
      const [invoice] = sent.filter(({ method, path }) => method === 'POST' && path === '/v1/invoices')
      const wrong = { ...part(invoice), body: 'customer=cus_1&collection_method=by_hand' }
      expect(await server.refusal(wrong)).toContain('400')
    })
  })

  it.each<readonly [string, Partial<Sent>, RegExp]>([
    ['GET /v1/customers', { path: '/v1/client' }, /no such path/],
    ['GET /v1/customers', { path: '/v1/account', method: 'DELETE' }, /no such method/],
    ['GET /v1/customers', { query: 'limit=all' }, /query limit.*integer/],
    ['GET /v1/customers', { query: 'page=2' }, /query page: not described/],
    ['GET /v1/customers', { query: 'created[since]=12' }, /query created.since: not described/],
    ['GET /v1/events', { query: 'types=x&types[0][y]=customer.created' }, /query types/],
    ['POST /v1/customers', { body: 'mail=a@b.org' }, /body.mail: not described/],
    ['POST /v1/customers', { body: 'address[zip]=10115' }, /body.address.zip: not described/],
    [
      'POST /v1/customers',
      { contentType: 'application/json', body: '{}' },
      /described as application\/x-www/,
    ],
    [
      'POST /v1/invoices',
      { body: 'customer=cus_1&collection_method=by_hand' },
      /collection_method.*allowed values/,
    ],
    ['POST /v1/invoices', { body: 'customer=cus_1&days_until_due=soon' }, /days_until_due: must be integer/],
    ['POST /v1/webhook_endpoints', { body: 'enabled_events[0]=*' }, /required property 'url'/],
    [
      'POST /v1/webhook_endpoints',
      { body: 'url=https://x&enabled_events[0]=customer.moved' },
      /enabled_events.*allowed/,
    ],
  ])('would be found wrong: %s with %j', (like, wrong, problem) => {
    const good = part(sent.find((one) => named(description, one) === like))
    expect(problemsOf(description, { ...good, ...wrong }).join('\n')).toMatch(problem)
  })
})

/** What only some objects need: an invoice of more lines than one page shows, a draft that is changed. */
async function rest(recording: Awaited<ReturnType<typeof record>>): Promise<void> {
  const invoices = recording.rig('invoices')
  const long = createOf(invoices, 900)
  const lines = Array.from({ length: 25 }, (_, i) => ({
    description: `L${i}`,
    quantity: 1,
    unit_amount: 100,
  }))
  wantAll(await send(invoices, { ...long, body: { ...long.body, lines } }))
  const [draft = ''] = await invoices.at.seed(1)
  const [seen] = await invoices.resource.fetch(invoices.io, [draft])
  if (seen?.kind !== 'present') throw new Error('The draft is not there')
  const patch = { description: 'Changed', days_until_due: 14, metadata: { concord_deal: '1' } }
  const { id, version, body: observed } = seen
  wantAll(await send(invoices, { op: 'update', key: 'draft', id, version, patch, observed }))
  const customers = recording.rig('customers')
  const nameless = { ...createOf(customers, 901), body: { name: 'Nobody', preferred_locales: ['de', 'en'] } }
  wantAll(await send(customers, nameless))
  await customers.resource.push?.find(customers.io, [nameless])
}
