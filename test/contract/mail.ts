import type { Hono } from 'hono'
import type { Connector, Io } from '../../src/connectors/connector.ts'
import type { Mail, MailPage } from '../../src/connectors/mail.ts'
import type { Instant, JsonObject } from '../../src/core/json.ts'
import type { Mailbox } from '../../src/core/mail/message.ts'
import { openClient } from '../../src/runtime/client/client.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { type Letter, letter, person } from '../../src/sandbox/mail/letter.ts'
import { sentOf, type Sent } from './record.ts'

/** A request with what the sandbox answered; `body` is null where that is no JSON. */
export type Exchange = Sent & { readonly reply: { readonly status: number; readonly body: unknown } }

/** What a connector reaches a sandbox with; every exchange is added to `sent`. */
export function ioTo(
  app: Hono,
  of: {
    readonly connector: Connector
    readonly secrets: Readonly<Record<string, string>>
    readonly settings: JsonObject
  },
  clock: { now: Instant },
  sent: Exchange[],
): Io {
  const reach = sandboxFetch(app)
  return openClient({
    ...of,
    connection: of.connector.id,
    transport: async (input, init) => {
      const request = new Request(input, init)
      const one = await sentOf(request)
      const response = await reach(request)
      const isJson = response.headers.get('content-type')?.includes('json') ?? false
      const body: unknown = isJson ? await response.clone().json() : null
      sent.push({ ...one, reply: { status: response.status, body } })
      return response
    },
    clock: { now: () => clock.now, sleep: async (ms) => void (clock.now += Math.ceil(ms)) },
    random: () => 0.5,
    log: () => undefined,
    pauseUntil: async () => {},
  }).io
}

/** Reads as the hub does: page by page, cursors as JSON. */
export function reader(mail: Mail, mailbox: Mailbox) {
  const known = new Set<string>()
  let cursor: JsonObject | null = null
  return {
    mailbox,
    known,
    async read(io: Io, want: 'live' | 'backfill', since: Instant | null): Promise<void> {
      for (let pages = 0; pages < 300; pages += 1) {
        const page: MailPage = await mail.pull(io, mailbox, cursor, {
          want,
          since,
          known: async (ids) => new Set(ids.filter((id) => known.has(id))),
        })
        if (page.bad.length > 0) throw new Error(`Unreadable: ${JSON.stringify(page.bad)}`)
        for (const { id } of page.sightings) known.add(id)
        cursor = JSON.parse(JSON.stringify(page.cursor)) as JsonObject
        if (!page.more) return
      }
      throw new Error(`${want} does not come to an end`)
    },
  }
}

/** When the scenarios begin. */
export const START = Date.UTC(2026, 10, 22, 9)
export const DAY = 86_400_000

/** Letter `i` was written `i` seconds before. */
export const stamp = (i: number) => ({ date: START - i * 1000, messageId: `m${i}@client.example` })

export const offerTo = (address: string, i: number, more: Partial<Letter> = {}): Letter =>
  letter({
    ...stamp(i),
    from: person('eve@client.example', 'Eve'),
    to: [person(address)],
    subject: `Offer ${i}`,
    text: 'Hello',
    ...more,
  })
