import { stripe } from '../../src/connectors/stripe/index.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { serveSandbox } from '../../src/sandbox/serve.ts'
import { createStripeSandbox, type StripeSandbox } from '../../src/sandbox/stripe/index.ts'
import { createInvoice, deleteInvoice, updateInvoice } from '../../src/sandbox/stripe/invoices.ts'
import { signatureHeader } from '../../src/sandbox/stripe/webhooks.ts'
import type { Bench, ResourceStand, WebhookStand } from './bench.ts'
import { seeded } from '../../src/sandbox/seeded.ts'

const T0 = Date.parse('2026-03-01T09:00:00Z')
const DAY = 24 * 3_600_000
const KEY = 'sk_test_c0nf0rmance'
const HOOK = 'https://hub.example/webhooks/stripe'

export const stripeBench: Bench = {
  name: 'stripe',
  resources: ['customers', 'invoices'],
  mapping: 'stripe.yaml',
  async open({ served }) {
    const clock = { now: T0 }
    const now = served ? () => Date.now() : () => clock.now
    const limit = served ? {} : { requestsPerSecond: 100_000 }
    const vendor = createStripeSandbox({ now, random: seeded(11), apiKey: KEY, ...limit })
    const server = served ? await serveSandbox(vendor.app) : null
    const settings = { baseUrl: server?.url ?? 'http://127.0.0.1:4011' }
    return {
      connector: () => stripe,
      secrets: { apiKey: KEY },
      settings,
      transport: served ? fetch : sandboxFetch(vendor.app),
      ...(served ? {} : { clock }),
      badSecrets: [{ apiKey: 'sk_test_wr0ngwr0ng' }, { apiKey: '' }, {}],
      badSettings: [
        { field: 'baseUrl', settings: { baseUrl: 'http://vendor.example' } },
        { field: 'baseUrl', settings: { baseUrl: 'nowhere' } },
      ],
      faults: vendor.faults,
      refused: () => vendor.limiter.refused,
      webhooks: webhookStand(vendor, now),
      resources: {
        customers: { ...customers(vendor), expire: () => void (clock.now += 31 * DAY) },
        invoices: { ...invoices(vendor), expire: () => void (clock.now += 31 * DAY) },
      },
      close: async () => server?.close(),
    }
  },
}

function customers({ admin, app }: StripeSandbox): ResourceStand {
  let made = 0
  let edits = 0
  const fields = (n: number) => ({
    email: `new${n}@example.com`,
    name: `Name ${n}`,
    phone: `+49 30 ${1000 + n}`,
    address: { line1: `${n} Main St`, city: 'Berlin', country: 'DE' },
    metadata: { job_title: `Title ${n}` },
  })
  const add = (name: string) => admin.createCustomer({ email: `person${++made}@example.com`, name }).id
  return {
    // https://docs.stripe.com/api/pagination
    pageMax: 100,
    threePages: 250,
    seed: (count) => Array.from({ length: count }, (_, i) => add(`Person ${i}`)),
    count: () => admin.customers().length,
    edit: {
      path: 'description',
      act: (id) => void admin.editCustomer(id, { description: `Edited ${++edits}` }),
    },
    remove: (id) => admin.deleteCustomer(id),
    plant: add,
    unknownIds: ['cus_nobody', '../x', 'a?b#c'],
    push: {
      body: fields,
      update: { path: 'name', patch: (n) => ({ name: `Updated ${n}` }) },
      clear: { path: 'phone', patch: { phone: null } },
      bad: { body: { ...fields(1), email: 'not an address' }, field: 'email' },
      text: { path: 'name', body: (n, name) => ({ email: `text${n}@example.com`, name }) },
      removeOurs: (id) => admin.deleteCustomer(id),
      conditional: true,
      unmapped: {
        fill(id) {
          const address = { line1: 'Theirs 1', city: 'Bonn' }
          const theirs = {
            balance: 500,
            tax_exempt: 'exempt',
            metadata: { theirs: 'yes' },
            preferred_locales: ['de'],
          }
          admin.editCustomer(id, { ...theirs, address, shipping: { name: 'Theirs', address } })
        },
        async whole(id) {
          const headers = { authorization: `Bearer ${KEY}` }
          return (await app.request(`/v1/customers/${id}`, { headers })).json()
        },
      },
    },
    consent: {
      optedOut: () =>
        admin.createCustomer({ email: 'out@example.com', name: 'Out', metadata: { email_opt_out: 'true' } })
          .id,
      state(id) {
        const said = admin.customers().find((customer) => customer.id === id)?.metadata['email_opt_out']
        return said === 'true' ? 'out' : said === 'false' ? 'in' : 'unasked'
      },
      patch: { in: { metadata: { email_opt_out: 'false' } }, out: { metadata: { email_opt_out: 'true' } } },
    },
  }
}

function invoices({ admin, state }: StripeSandbox): ResourceStand {
  const customer = admin.createCustomer({ email: 'payer@example.com', name: 'Payer' }).id
  let edits = 0
  const draft = (description: string) =>
    createInvoice(state, { customer, description, collection_method: 'send_invoice', days_until_due: 30 }).id
  const order = (n: number) => ({
    customer,
    currency: 'usd',
    days_until_due: 30,
    description: `Order ${n}`,
    metadata: { concord_deal: String(n) },
    lines: [
      { description: 'Widget', quantity: 2, unit_amount: 1000 + n },
      { description: 'Hours', quantity: 1.5, unit_amount: 9000 },
    ],
  })
  return {
    pageMax: 100,
    threePages: 250,
    seed: (count) => Array.from({ length: count }, (_, i) => draft(`Draft ${i}`)),
    count: () => admin.invoices().length,
    edit: {
      path: 'description',
      act: (id) => void updateInvoice(state, id, { description: `Edited ${++edits}` }),
    },
    remove: (id) => void deleteInvoice(state, id),
    plant: draft,
    unknownIds: ['in_nobody', '../x', 'a?b#c'],
    push: {
      body: order,
      bad: { body: { ...order(1), lines: [] }, field: 'lines' },
      text: { path: 'description', body: (n, description) => ({ ...order(n), description }) },
      conditional: true,
    },
  }
}

function webhookStand(vendor: StripeSandbox, now: () => number): WebhookStand {
  const post = (url: string, body: string, headers: Readonly<Record<string, string>>) => ({
    method: 'POST',
    url,
    headers: new Headers(headers),
    body: new TextEncoder().encode(body),
  })
  return {
    url: HOOK,
    secret: null,
    signs: true,
    deliveries: () =>
      vendor.pendingWebhooks.splice(0).flatMap((delivery) => {
        const signed = vendor.signWebhook(delivery)
        return signed === null ? [] : [post(signed.url, signed.body, signed.headers)]
      }),
    sign: (body, secret, at) => post(HOOK, body, { 'stripe-signature': signatureHeader(body, [secret], at) }),
    unknown: JSON.stringify({
      id: 'evt_unknown',
      object: 'event',
      type: 'gadget.exploded',
      created: Math.floor(now() / 1000),
      data: { object: { id: 'gad_1', object: 'gadget' } },
    }),
    subscriptions: () => [...vendor.state.webhookEndpoints.all()].filter(({ url }) => url === HOOK).length,
  }
}
