import { SignJWT, UnsecuredJWT } from 'jose'
import type { RawRequest } from '../../src/connectors/connector.ts'
import { gmail } from '../../src/connectors/gmail/index.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createGmailSandbox, type GmailSandbox } from '../../src/sandbox/gmail/index.ts'
import { OidcKeys, rsaKey } from '../../src/sandbox/gmail/oidc.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import type { MailActs, MailBench, MailStand, MailWebhookStand } from './mail-bench.ts'

const T0 = Date.parse('2026-06-01T09:00:00Z')
const ANN = 'ann@acme.example'
const BOB = 'bob@acme.example'
const BASE = 'http://127.0.0.1:4014'
const HOOK = 'https://hub.example/webhooks/gmail'
const PUSHER = 'push@sandbox.iam.gserviceaccount.com'
const TOPIC = 'projects/p/topics/gmail'

/** A service account that acts for two users of a domain, whose mailboxes are pushed by Pub/Sub. */
export const gmailMailBench: MailBench = {
  name: 'gmail',
  async open() {
    const clock = { now: T0 }
    const tokenUrl = `${BASE}/token`
    const google = createGmailSandbox({
      now: () => clock.now,
      random: seeded(11),
      tokenUrl,
      mailboxes: [
        { address: ANN, name: 'Ann Lee', aliases: ['Sales@acme.example'], isAdmin: true },
        { address: BOB, name: 'Bob Ray' },
      ],
    })
    google.switches.emptyHistoryPages = true
    google.createTopic(TOPIC, { endpoint: HOOK, serviceAccount: PUSHER })
    const settings = {
      baseUrl: BASE,
      tokenUrl,
      mailboxes: [ANN, BOB],
      topic: TOPIC,
      pushServiceAccount: PUSHER,
      webhookUrl: HOOK,
    }
    return {
      connector: () => gmail,
      secrets: { serviceAccountKey: JSON.stringify(google.serviceAccount()) },
      settings,
      transport: sandboxFetch(google.app),
      clock,
      // Of a service account it does not know Google says what it says of an unknown user, which is a mailbox's own
      // failure.
      badSecrets: [{}, { serviceAccountKey: 'no JSON at all' }],
      badSettings: [
        { field: 'baseUrl', settings: { baseUrl: 'http://vendor.example' } },
        { field: 'mailboxes', settings: { mailboxes: [] } },
        { field: 'mailboxes', settings: { mailboxes: ['not an address'] } },
        { field: 'mailboxes', settings: { directoryAdmin: ANN } },
      ],
      faults: google.faults,
      address: ANN,
      other: BOB,
      nobody: {
        id: 'nobody@acme.example',
        address: 'nobody@acme.example',
        addresses: ['nobody@acme.example'],
      },
      // 25 reads of a backfill and 50 live ones; a page of 100 records of the history may tell of that many deletes.
      pageMax: 150,
      threePages: 60,
      unknownIds: ['18c0ffee18c0ffee', '18c0ffee18c0ffef'],
      ...owners(google),
      webhooks: pushes(google, clock, settings),
    }
  },
}

type Owners = MailActs & Pick<MailStand, 'expire'>

function owners({ people }: GmailSandbox): Owners {
  const first = (placed: readonly { readonly id: string }[]) => placed[0]?.id ?? ''
  return {
    deliver: async (mailbox, letter, at) =>
      first(await people.deliver(mailbox, letter, at === undefined ? {} : { at })),
    send: async (mailbox, letter) => first(await people.send(mailbox, letter)),
    draft: async (mailbox, letter) => (await people.makeDraft(mailbox, letter)).id,
    file(mailbox, id, name) {
      const labels = [...(people.mailbox(mailbox)?.labels.values() ?? [])]
      if (!labels.some((label) => label.name === name)) people.createLabel(mailbox, name)
      people.label(mailbox, id, name)
      people.archive(mailbox, id)
      return id
    },
    unfile(mailbox, id, name) {
      people.unlabel(mailbox, id, name)
      return id
    },
    rename(mailbox, id, name, to) {
      people.renameLabel(mailbox, name, to)
      return id
    },
    spam(mailbox, id) {
      people.spam(mailbox, id)
      return id
    },
    trash(mailbox, id) {
      people.trash(mailbox, id)
      return id
    },
    remove: (mailbox, id) => people.deleteForever(mailbox, id),
    unreadable: async (mailbox) => first(await people.deliver(mailbox, '\r\nWords without a header.')),
    expire: (mailbox) => people.expireHistory(mailbox),
    contents: (mailbox) => people.messages(mailbox).map(({ id, labels }) => [id, [...labels].toSorted()]),
  }
}

function pushes(google: GmailSandbox, clock: { now: number }, settings: JsonObject): MailWebhookStand {
  const keys = new OidcKeys()
  const claims = () => ({
    aud: HOOK,
    email: PUSHER,
    email_verified: true,
    iss: 'https://accounts.google.com',
    iat: Math.floor(clock.now / 1000),
    exp: Math.floor(clock.now / 1000) + 3600,
  })
  const header = { alg: 'RS256', kid: 'sandbox-key-0', typ: 'JWT' }
  return {
    url: HOOK,
    secret: null,
    keys: async () => {
      const reply = await sandboxFetch(google.app)(`${BASE}/oauth2/v3/certs`)
      return (await reply.json()) as JsonObject
    },
    async deliveries() {
      return (await google.deliveries()).map(({ url, headers, body }) => ({
        method: 'POST',
        url,
        headers: new Headers(headers),
        body: new TextEncoder().encode(body),
      }))
    },
    async forgeries(genuine) {
      const by = (token: string): RawRequest => ({
        ...genuine,
        headers: new Headers({ authorization: `Bearer ${token}` }),
      })
      const signed = (over: JsonObject, key = 0) =>
        new SignJWT({ ...claims(), ...over }).setProtectedHeader(header).sign(rsaKey(key))
      const now = clock.now
      return [
        { what: 'signed with a key of others', raw: by(await signed({}, 50)) },
        { what: 'not signed at all', raw: by(new UnsecuredJWT(claims()).encode()) },
        {
          what: 'of another service account',
          raw: by(await keys.pushToken({ audience: HOOK, email: 'x@y.example', now })),
        },
        {
          what: 'for another audience',
          raw: by(await keys.pushToken({ audience: `${HOOK}-2`, email: PUSHER, now })),
        },
        {
          what: 'expired',
          raw: by(await keys.pushToken({ audience: HOOK, email: PUSHER, now: now - 7_200_000 })),
        },
        { what: 'of another issuer', raw: by(await signed({ iss: 'https://accounts.example' })) },
        { what: 'with an address that is not verified', raw: by(await signed({ email_verified: false })) },
      ]
    },
    elsewhere: [
      { what: 'another hub', settings: { ...settings, webhookUrl: 'https://other.example/webhooks/gmail' } },
      {
        what: 'another sender',
        settings: { ...settings, pushServiceAccount: 'other@p.iam.gserviceaccount.com' },
      },
      { what: 'no sender at all', settings: { ...settings, pushServiceAccount: '' } },
    ],
    livesMs: 3_600_000,
  }
}
