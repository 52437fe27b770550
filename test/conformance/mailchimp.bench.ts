import { createMailchimp } from '../../src/connectors/mailchimp/index.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createMailchimpSandbox, type MailchimpSandbox } from '../../src/sandbox/mailchimp/app.ts'
import { serveSandbox } from '../../src/sandbox/serve.ts'
import type { Bench, ConsentStand, ResourceStand, WebhookStand } from './bench.ts'
import { seeded } from '../../src/sandbox/seeded.ts'

const T0 = Date.parse('2026-03-01T09:00:00Z')
const KEY = 'c0nf0rmance-us1'
const HOOK = 'https://hub.example/webhooks/mailchimp'
const HOUR = 3_600_000

export const mailchimpBench: Bench = {
  name: 'mailchimp',
  resources: ['members'],
  mapping: 'mailchimp.yaml',
  async open({ served }) {
    const clock = { now: T0 }
    const now = served ? () => Date.now() : () => clock.now
    const vendor = createMailchimpSandbox({ now, random: seeded(7), apiKey: KEY })
    const server = served ? await serveSandbox(vendor.app) : null
    const baseUrl = server?.url ?? 'http://127.0.0.1:4010'
    const settings = { list: vendor.audience.id, baseUrl }
    return {
      connector: () =>
        served ? createMailchimp() : createMailchimp({ sleep: async (ms) => void (clock.now += ms) }),
      secrets: { apiKey: KEY },
      settings,
      transport: served ? fetch : sandboxFetch(vendor.app),
      ...(served ? {} : { clock }),
      badSecrets: [{ apiKey: 'wr0ngwr0ng-us1' }, { apiKey: '' }, {}],
      badSettings: [
        { field: 'list', settings: { baseUrl } },
        { field: 'list', settings: { baseUrl, list: 'nolist' } },
        { field: 'baseUrl', settings: { ...settings, baseUrl: 'ftp://vendor' } },
        { field: 'baseUrl', settings: { ...settings, baseUrl: 'http://vendor.example' } },
        { field: 'baseUrl', settings: { ...settings, baseUrl: 'nowhere' } },
      ],
      faults: vendor.faults,
      refused: () => vendor.connections.refused,
      webhooks: webhookStand(vendor),
      resources: { members: members(vendor, now) },
      close: async () => server?.close(),
    }
  },
}

function members(vendor: MailchimpSandbox, now: () => number): ResourceStand {
  const { admin, audience } = vendor
  let made = 0
  let edits = 0
  const emailOf = (id: string) => {
    const member = audience.membersByContactId.get(id)
    if (member === undefined) throw new Error(`no member ${id}`)
    return member.email
  }
  const idOf = (email: string) => admin.member(email)?.contactId ?? ''
  const seed = (mergeFields: Record<string, string>, at: number) => {
    const email = `person${++made}@example.com`
    admin.seed([{ email, mergeFields, changedAt: at }])
    return idOf(email)
  }
  const api = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
    const reply = await vendor.app.request(path, { ...init, headers })
    const answer: unknown = await reply.json()
    return answer
  }
  const pathOf = (id: string) => `/3.0/lists/${audience.id}/members/${id}`
  const body = (n: number) => ({
    email_address: `new${n}@example.com`,
    merge_fields: { FNAME: `First ${n}`, LNAME: `Last ${n}`, PHONE: `+49 30 ${1000 + n}` },
  })
  return {
    // https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination
    pageMax: 1_000,
    threePages: 2_100,
    // Imported: many in the same second.
    seed: (count) =>
      Array.from({ length: count }, (_, i) =>
        seed({ FNAME: `First ${i}`, LNAME: `Last ${i}` }, now() - 3 * HOUR + Math.floor(i / 300) * 1000),
      ),
    count: () => admin.members().length,
    edit: {
      path: 'merge_fields.FNAME',
      act: (id) => void admin.editProfile(emailOf(id), { FNAME: `Edited ${++edits}` }),
    },
    remove: (id) => admin.deletePermanently(emailOf(id)),
    plant(text) {
      const id = seed({}, now())
      // The vendor's own form takes 255 characters; whatever put more there, it must not stop the listing.
      audience.membersByContactId.get(id)?.mergeFields.set('FNAME', text)
      return id
    },
    unknownIds: ['0123456789abcdef0123456789abcdef', '../x', 'a?b#c'],
    push: {
      body,
      update: { path: 'merge_fields.LNAME', patch: (n) => ({ merge_fields: { LNAME: `Updated ${n}` } }) },
      clear: { path: 'merge_fields.PHONE', patch: { merge_fields: { PHONE: null } } },
      bad: { body: { ...body(1), email_address: 'not an address' }, field: 'email_address' },
      text: {
        path: 'merge_fields.FNAME',
        body: (n, text) => ({ email_address: `text${n}@example.com`, merge_fields: { FNAME: text } }),
      },
      removeOurs: (id) => admin.deletePermanently(emailOf(id)),
      conditional: false,
      unmapped: {
        async fill(id) {
          admin.setTag(emailOf(id), 'theirs', true)
          const theirs = {
            vip: true,
            language: 'de',
            email_type: 'text',
            merge_fields: { COMPANY: 'Theirs' },
          }
          await api(pathOf(id), { method: 'PATCH', body: JSON.stringify(theirs) })
        },
        whole: (id) => api(pathOf(id)),
      },
      volatile: ['last_changed', 'full_name'],
    },
    consent: consent(vendor, seed, now, emailOf),
  }
}

function consent(
  { admin }: MailchimpSandbox,
  seed: (mergeFields: Record<string, string>, at: number) => string,
  now: () => number,
  emailOf: (id: string) => string,
): ConsentStand {
  return {
    optedOut() {
      const id = seed({ FNAME: 'Opted', LNAME: 'Out' }, now() - HOUR)
      admin.unsubscribe(emailOf(id))
      return id
    },
    state(id) {
      const status = admin.member(emailOf(id))?.status
      return status === 'subscribed' ? 'in' : status === 'unsubscribed' ? 'out' : 'unasked'
    },
    patch: { in: { status: 'subscribed' }, out: { status: 'unsubscribed' } },
    again: (id) => ({ email_address: emailOf(id), merge_fields: { FNAME: 'Again' } }),
  }
}

function webhookStand(vendor: MailchimpSandbox): WebhookStand {
  const secret = 'the secret of this connection'
  const urlFor = (given: string) => `${HOOK}?secret=${encodeURIComponent(given)}`
  const post = (url: string, body: string, headers: Readonly<Record<string, string>> = {}) => ({
    method: 'POST',
    url,
    headers: new Headers(headers),
    body: new TextEncoder().encode(body),
  })
  return {
    url: urlFor(secret),
    secret,
    signs: false,
    deliveries: () =>
      vendor.pendingWebhooks.splice(0).map(({ url, body, headers }) => post(url, body, headers)),
    sign: (body, given) => post(urlFor(given), body),
    unknown: 'type=survey&data[email]=person1@example.com',
    handshake: { ...post(urlFor(secret), ''), method: 'GET' },
    subscriptions: () =>
      [...vendor.audience.webhooks.values()].filter(({ url }) => url === urlFor(secret)).length,
  }
}
