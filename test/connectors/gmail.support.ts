import { type Io, VendorError } from '../../src/connectors/connector.ts'
import { gmail } from '../../src/connectors/gmail/index.ts'
import type { MailAsk, MailPage, Sighting } from '../../src/connectors/mail.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Mailbox } from '../../src/core/mail/message.ts'

export const T0 = Date.parse('2026-06-01T09:00:00Z')
export const MINUTE = 60_000
export const DAY = 24 * 60 * MINUTE

export type Sent = {
  readonly method: string
  /** Path and query, decoded. */
  readonly path: string
  readonly user: string | null
  readonly priority: string | null
  readonly units: number
  readonly key: string
}

export type Wire = {
  readonly answer: (request: Request, user: string | null) => Response | Promise<Response>
  readonly settings?: JsonObject
  readonly now?: () => number
}

/** What the runtime's fetch promises: it resolves for 2xx only, adds the token of `user`, and never sends twice here. */
export function ioOver(wire: Wire, sent: Sent[] = [], user: string | null = null): Io {
  const now = wire.now ?? (() => T0)
  const fetch: Io['fetch'] = async (input, init) => {
    const request = new Request(input, init)
    const { method } = request
    const url = new URL(request.url)
    const metered = gmail.meter?.({ method, url, user }) ?? { key: '', units: 0 }
    const path = decodeURIComponent(url.pathname + url.search)
    sent.push({ method, path, user, priority: init?.priority ?? null, ...metered })
    let response: Response
    try {
      response = await wire.answer(request, user)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new VendorError({ kind: 'unavailable', committed: 'no', message }, { cause: error })
    }
    if (response.ok) return response
    const { status, headers } = response
    const body = await response.text()
    throw new VendorError(gmail.classify({ status, headers, body, method, url: request.url }, now()))
  }
  return {
    fetch,
    now,
    secrets: {},
    settings: wire.settings ?? {},
    as: (other) => ioOver(wire, sent, other),
    token: () => Promise.reject(new Error('no token is asked for')),
  }
}

export const mail = (() => {
  if (gmail.mail === undefined) throw new Error('no mail')
  return gmail.mail
})()

/** What a hub does with pages, as far as the connector can tell: it keeps cursors and knows what it read. */
export type Hub = {
  readonly read: Map<string, Sighting>
  readonly bad: Map<string, string>
  readonly pages: MailPage[]
  cursor: JsonObject | null
  since: number | null
  /** Ids that the hub says it need not read again. */
  knows: (id: string) => boolean
  page(want: MailAsk['want']): Promise<MailPage>
  /** Pages until nothing more of it waits. */
  drain(want: MailAsk['want'], most?: number): Promise<readonly MailPage[]>
}

export function hubOf(io: Io, mailbox: Mailbox): Hub {
  const hub: Hub = {
    read: new Map(),
    bad: new Map(),
    pages: [],
    cursor: null,
    since: null,
    knows: (id) => hub.read.has(id) || hub.bad.has(id),
    async page(want) {
      const page = await mail.pull(io, mailbox, hub.cursor, {
        want,
        since: hub.since,
        known: async (ids) => new Set(ids.filter((id) => hub.knows(id))),
      })
      for (const sighting of page.sightings) hub.read.set(sighting.id, sighting)
      for (const { id, problem } of page.bad) hub.bad.set(id ?? '', problem)
      // A cursor is kept as JSON.
      hub.cursor = JSON.parse(JSON.stringify(page.cursor)) as JsonObject
      hub.pages.push(page)
      return page
    },
    async drain(want, most = 500) {
      const pages: MailPage[] = []
      for (;;) {
        const page = await hub.page(want)
        pages.push(page)
        if (!page.more) return pages
        if (pages.length >= most) throw new Error(`${want} does not come to an end`)
      }
    },
  }
  return hub
}

export function mailboxAt(address: string): Mailbox {
  return { id: address, address, addresses: [address] }
}

export const idsIn = (pages: readonly MailPage[]): string[] =>
  pages.flatMap(({ sightings }) => sightings.map(({ id }) => id))

export function messageOf(sighting: Sighting | undefined): (Sighting & { kind: 'message' })['sighted'] {
  if (sighting?.kind !== 'message') throw new Error(`no message: ${JSON.stringify(sighting)}`)
  return sighting.sighted
}

export const units = (sent: readonly Sent[]): number => sent.reduce((sum, one) => sum + one.units, 0)
export const reads = (sent: readonly Sent[]): string[] =>
  sent.flatMap(({ path }) => /\/messages\/([^/?]+)\?/.exec(path)?.[1] ?? [])
