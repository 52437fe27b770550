import {
  type CreateWrite,
  type Cursor,
  type Fetch,
  type Io,
  type Observation,
  type Outcome,
  VendorError,
} from '../../src/connectors/connector.ts'
import type { BadRow } from '../../src/connectors/connector.ts'
import type { Mail, MailAsk, MailPage, Sighting } from '../../src/connectors/mail.ts'
import { classify } from '../../src/connectors/outlook/classify.ts'
import { outlook } from '../../src/connectors/outlook/index.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Mailbox } from '../../src/core/mail/message.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createGraphSandbox, type GraphSandbox, type Switches } from '../../src/sandbox/graph/index.ts'
import { type Letter, letter, person } from '../../src/sandbox/mail/letter.ts'
import { seeded } from '../../src/sandbox/seeded.ts'

export const T0 = Date.parse('2026-03-01T09:00:00Z')
export const MINUTE = 60_000
export const ANNA = 'anna@contoso.example'
export const BEN = 'ben@contoso.example'
const BASE = 'http://127.0.0.1:4012'

export type Sent = {
  readonly method: string
  readonly path: string
  readonly prefer: string
  readonly ifMatch: string | null
  readonly priority: string
  readonly body: string
}
export type World = {
  readonly vendor: GraphSandbox
  readonly clock: { now: number }
  /** Anna's own connection. */
  readonly io: Io
  /** The application's, over these mailboxes. */
  readonly app: (mailboxes: readonly string[], settings?: JsonObject) => Io
  readonly sent: Sent[]
  mailbox(): Promise<Mailbox>
}

export function world(
  options: {
    switches?: Partial<Switches>
    seed?: number
    deliver?: typeof fetch
    settings?: JsonObject
  } = {},
): World {
  const clock = { now: T0 }
  const vendor = createGraphSandbox({
    now: () => clock.now,
    random: seeded(options.seed ?? 5),
    users: [ANNA, BEN],
    limits: { permits: 1_000_000, windowMs: 600_000, concurrent: 1_000 },
    tokenSeconds: 10_000_000,
    ...(options.switches === undefined ? {} : { switches: options.switches }),
    deliver: options.deliver ?? (() => Promise.reject(new Error('nobody listens'))),
  })
  const sent: Sent[] = []
  const ioFor = (token: string, settings: JsonObject): Io => {
    const io: Io = {
      fetch: told(token, sandboxFetch(vendor.app), sent, () => clock.now),
      now: () => clock.now,
      secrets: {},
      settings: { tenant: 'contoso.example', baseUrl: BASE, ...settings },
      as: () => io,
      token: async () => token,
    }
    return io
  }
  const io = ioFor(vendor.token(ANNA), options.settings ?? {})
  return {
    vendor,
    clock,
    io,
    sent,
    app: (mailboxes, settings = {}) => ioFor(vendor.token(), { mailboxes, ...settings }),
    async mailbox() {
      const [first] = await mail.mailboxes(io)
      if (first === undefined) throw new Error('no mailbox')
      return first
    },
  }
}

/** What the runtime's fetch promises: it adds the token, and resolves for 2xx only. */
function told(token: string, inner: typeof fetch, sent: Sent[], now: () => number): Fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    request.headers.set('authorization', `Bearer ${token}`)
    const { pathname, search } = new URL(request.url)
    const { method, headers } = request
    sent.push({
      method,
      path: decodeURIComponent(pathname + search),
      prefer: headers.get('prefer') ?? '',
      ifMatch: headers.get('if-match'),
      priority: init?.priority ?? 'auto',
      body: await request.clone().text(),
    })
    const reply = await inner(request)
    if (reply.ok) return reply
    const text = await reply.text()
    const seen = { status: reply.status, headers: reply.headers, body: text, method, url: request.url }
    throw new VendorError(classify(seen, now()))
  }
}

/** An `Io` whose vendor answers what the test says. */
export function answering(answer: (request: Request) => Response, settings: JsonObject = {}): Io {
  const io: Io = {
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const reply = answer(request)
      if (reply.ok) return reply
      const { status, headers } = reply
      const seen = { status, headers, body: await reply.text(), method: request.method, url: request.url }
      throw new VendorError(classify(seen, T0))
    },
    now: () => T0,
    secrets: {},
    settings: { baseUrl: BASE, ...settings },
    as: () => io,
    token: async () => '',
  }
  return io
}

function mailOf(): Mail {
  if (outlook.mail === undefined) throw new Error('The connector has no mail')
  return outlook.mail
}
export const mail = mailOf()

/** A mailbox as the hub reads it: page by page, each cursor through JSON, what it knows from the pages alone. */
export class Reader {
  readonly seen = new Map<string, Sighting>()
  readonly bad: BadRow[] = []
  readonly pages: MailPage[] = []
  cursor: Cursor | null = null
  since: number | null = null
  readonly #io: Io
  readonly #mailbox: Mailbox

  constructor(io: Io, mailbox: Mailbox) {
    this.#io = io
    this.#mailbox = mailbox
  }

  async page(want: MailAsk['want']): Promise<MailPage> {
    const page = await mail.pull(this.#io, this.#mailbox, this.cursor, {
      want,
      since: this.since,
      known: async (ids) => new Set(ids.filter((id) => this.seen.has(id))),
    })
    for (const sighting of page.sightings) this.seen.set(sighting.id, sighting)
    this.bad.push(...page.bad)
    this.pages.push(page)
    this.cursor = JSON.parse(JSON.stringify(page.cursor)) as Cursor
    return page
  }

  /** Live pages until caught up. */
  async live(): Promise<MailPage> {
    for (let n = 0; n < 1_000; n++) {
      const page = await this.page('live')
      if (!page.more) return page
    }
    throw new Error('`more` is still true after 1,000 pages')
  }

  /** As the hub does: live before each page of the backfill, until there is none. */
  async everything(): Promise<void> {
    for (let n = 0; n < 1_000; n++) {
      const { backfill } = await this.live()
      if (backfill.kind === 'done') return
      await this.page('backfill')
    }
    throw new Error('the backfill is not done after 1,000 pages')
  }

  /** What became of each message: where it is, or that it is gone. */
  places(): Record<string, string> {
    return Object.fromEntries([...this.seen].map(([id, one]) => [id, placeOf(one)]))
  }

  message(id: string): Sighting & { readonly kind: 'message' } {
    const one = this.seen.get(id)
    if (one?.kind !== 'message') throw new Error(`${id} is ${one?.kind ?? 'not there'}`)
    return one
  }
}

export function placeOf(one: Sighting): string {
  return one.kind === 'gone' ? 'gone' : (one.sighted.labels?.join(', ') ?? 'nowhere')
}

let letters = 0

export function fromCustomer(fields: Partial<Letter> = {}): Letter {
  const n = ++letters
  return letter({
    from: person('carla@customer.example', 'Carla Cruz'),
    to: [person(ANNA, 'Anna')],
    subject: `Question ${n}`,
    text: `How much is it?\n\n-- \nCarla`,
    date: T0 - n * MINUTE,
    messageId: `q${n}@customer.example`,
    ...fields,
  })
}

export function toCustomer(fields: Partial<Letter> = {}): Letter {
  return fromCustomer({
    from: person(ANNA, 'Anna'),
    to: [person('carla@customer.example', 'Carla Cruz')],
    ...fields,
  })
}

export function creation(recordId: number, body: JsonObject): CreateWrite {
  return { op: 'create', key: `key-${recordId}`, recordId, body, consent: 'unknown' }
}

export function appliedOf(outcome: Outcome | undefined): Observation & { kind: 'present' } {
  if (outcome?.kind !== 'applied' || outcome.observation.kind !== 'present')
    throw new Error(`not applied: ${JSON.stringify(outcome)}`)
  return outcome.observation
}
