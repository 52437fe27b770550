import type { JsonObject } from '../../../src/core/json.ts'
import { sandboxFetch } from '../../../src/sandbox/faults.ts'
import { createGmailSandbox, type GmailSandbox } from '../../../src/sandbox/gmail/index.ts'
import { createGraphSandbox, type GraphSandbox } from '../../../src/sandbox/graph/index.ts'
import { openChance } from '../chance.ts'
import { signInTurn } from '../signatures.ts'
import { ANN, BOB, CLEO } from './moods.ts'

export const MAIL = ['gmail', 'outlook'] as const
export type MailName = (typeof MAIL)[number]

const GMAIL = 'http://127.0.0.1:4103'
const GRAPH = 'http://127.0.0.1:4104'
const TENANT = 'contoso.example'
const TOPIC = 'projects/ours/topics/gmail'
const PUSHER = 'push@ours.iam.gserviceaccount.com'
const HOOKS = 'https://hub.example.com/webhooks'
/** Labels and folders that everybody has; what they are called may change. */
export const SHELVES = ['Private', 'Projects', 'Deals'] as const
export type Shelf = (typeof SHELVES)[number]

/** A POST of a vendor on its way to the hub. */
export type Posted = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Two mail systems of one company: Ann and Bob at Google, Cleo at Microsoft. */
export type MailGround = {
  readonly google: GmailSandbox
  readonly graph: GraphSandbox
  /** Ids of labels and folders, by mailbox and by the name they had at first. */
  readonly shelves: ReadonlyMap<string, string>
  readonly hosts: Readonly<Record<string, { readonly name: MailName; readonly answer: typeof fetch }>>
  readonly settings: Readonly<Record<MailName, JsonObject>>
  readonly secrets: Readonly<Record<MailName, Readonly<Record<string, string>>>>
  readonly webhookSecret: string
  /** Requests that would change something in a mailbox. */
  readonly forbidden: string[]
  note(name: MailName, method: string, path: string): void
  /** Takes what the vendors have to tell now. */
  posts(): Promise<readonly (Posted & { readonly connection: MailName })[]>
  googleKeys(): Promise<JsonObject>
}

export function openMailGround(seed: number, clock: { now: number }): MailGround {
  signInTurn()
  const now = () => clock.now
  const google = createGmailSandbox({
    now,
    random: openChance(seed, 'google').next,
    mailboxes: [{ address: ANN }, { address: BOB }],
  })
  const posted: Posted[] = []
  const graph = createGraphSandbox({
    now,
    random: openChance(seed, 'microsoft').next,
    users: [CLEO],
    deliver: (input, init) => received(posted, new Request(input, init)),
  })
  google.createTopic(TOPIC, { endpoint: `${HOOKS}/gmail`, serviceAccount: PUSHER })
  const shelves = new Map<string, string>()
  for (const shelf of SHELVES) {
    for (const rep of [ANN, BOB]) shelves.set(`${rep} ${shelf}`, google.people.createLabel(rep, shelf))
    shelves.set(`${CLEO} ${shelf}`, graph.people.createFolder(CLEO, shelf).ids.immutable)
  }
  const { id: clientId, secret: clientSecret } = graph.application
  const forbidden: string[] = []
  return {
    google,
    graph,
    shelves,
    forbidden,
    webhookSecret: 'hook',
    hosts: {
      [GMAIL]: { name: 'gmail', answer: sandboxFetch(google.app) },
      [GRAPH]: { name: 'outlook', answer: sandboxFetch(graph.app) },
    },
    settings: {
      gmail: {
        baseUrl: GMAIL,
        tokenUrl: `${GMAIL}/token`,
        mailboxes: [ANN, BOB],
        topic: TOPIC,
        pushServiceAccount: PUSHER,
        pushAudience: `${HOOKS}/gmail`,
      },
      outlook: {
        baseUrl: GRAPH,
        tenant: TENANT,
        tokenUrl: `${GRAPH}/${TENANT}/oauth2/v2.0/token`,
        mailboxes: [CLEO],
        webhookUrl: `${HOOKS}/outlook`,
      },
    },
    secrets: {
      gmail: { serviceAccountKey: JSON.stringify(google.serviceAccount()) },
      outlook: { clientId, clientSecret, webhookSecret: 'hook' },
    },
    note(name, method, path) {
      if (!isReading(method, path)) forbidden.push(`${name} ${method} ${path}`)
    },
    async posts() {
      const fromGoogle = await google.deliveries()
      await graph.flushNotifications()
      return [
        ...fromGoogle.map(({ url, headers, body }) => ({ connection: 'gmail' as const, url, headers, body })),
        ...posted.splice(0).map((post) => ({ connection: 'outlook' as const, ...post })),
      ]
    },
    async googleKeys() {
      // The hub has had them for long: whatever the weather is now.
      const { plan } = google.faults
      google.faults.plan = null
      const reply = await google.app.request('/oauth2/v3/certs')
      google.faults.plan = plan
      // Served by the sandbox above.
      return (await reply.json()) as JsonObject
    },
  }
}

/** All that the hub may do to a mailbox: read, ask for tokens, and ask to be told of changes. */
const isReading = (method: string, path: string): boolean =>
  method === 'GET' || /\/token$|\/watch$|\/subscriptions(\/[^/]+)?$/.test(path)

/** The hub's end of Graph's notifications: it proves itself at once, and finds the rest in the post. */
async function received(posted: Posted[], request: Request): Promise<Response> {
  const token = new URL(request.url).searchParams.get('validationToken')
  if (token !== null) return new Response(token, { headers: { 'content-type': 'text/plain' } })
  posted.push({
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  })
  return new Response(null, { status: 202 })
}
