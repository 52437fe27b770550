import { type Io, VendorError } from '../../src/connectors/connector.ts'
import { gmail } from '../../src/connectors/gmail/index.ts'
import type { MailPage, Sighting } from '../../src/connectors/mail.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Mailbox } from '../../src/core/mail/message.ts'
import { type Reader, readerOf } from './reader.ts'

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

export type Hub = Reader

export const hubOf = (io: Io, mailbox: Mailbox): Hub => readerOf(mail, io, mailbox)

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
