import {
  VendorError,
  type CreateWrite,
  type Io,
  type Observation,
  type Outcome,
  type Page,
  type Resource,
} from '../../src/connectors/connector.ts'
import { classify } from '../../src/connectors/stripe/classify.ts'
import { stripe } from '../../src/connectors/stripe/index.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createStripeSandbox, type StripeSandbox } from '../../src/sandbox/stripe/index.ts'
import { seeded } from '../../src/sandbox/seeded.ts'

export const T0 = Date.parse('2026-03-01T09:00:00Z')
export const MINUTE = 60_000
export const DAY = 24 * 60 * MINUTE

export type Sent = {
  readonly method: string
  readonly path: string
  readonly key: string | null
  readonly form: Readonly<Record<string, string>>
}
export type World = {
  readonly vendor: StripeSandbox
  readonly io: Io
  readonly customers: Resource
  readonly invoices: Resource
  /** Every request that left, oldest first. */
  readonly sent: Sent[]
  readonly clock: { now: number }
}

/** The connector and a vendor in one process, with a clock of their own. */
export function world(): World {
  const clock = { now: T0 }
  const vendor = createStripeSandbox({
    now: () => clock.now,
    random: seeded(11),
    requestsPerSecond: 100_000,
  })
  const sent: Sent[] = []
  const toVendor = sandboxFetch(vendor.app)
  const io = ioOver(
    async (request) => {
      const { pathname, search } = new URL(request.url)
      sent.push({
        method: request.method,
        path: pathname + search,
        key: request.headers.get('idempotency-key'),
        form: Object.fromEntries(new URLSearchParams(await request.clone().text())),
      })
      return toVendor(request)
    },
    () => clock.now,
  )
  return { vendor, io, customers: resource('customers'), invoices: resource('invoices'), sent, clock }
}

function resource(name: string): Resource {
  const found = stripe.resources[name]
  if (found === undefined) throw new Error(`no resource ${name}`)
  return found
}

/** What the runtime's fetch promises: it resolves for 2xx only, and never sends twice here. */
export function ioOver(
  answer: (request: Request) => Response | Promise<Response>,
  now: () => number = () => T0,
  settings: JsonObject = {},
): Io {
  const fetch: Io['fetch'] = async (input, init) => {
    const request = new Request(input, init)
    const { method, url } = request
    let response: Response
    try {
      response = await answer(request)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const committed = method === 'GET' ? 'no' : 'unknown'
      throw new VendorError({ kind: 'unavailable', committed, message }, { cause: error })
    }
    if (response.ok) return response
    const { status, headers } = response
    throw new VendorError(classify({ status, headers, body: await response.text(), method, url }, now()))
  }
  const secrets = { apiKey: 'sk_test_sandbox' }
  const io: Io = { fetch, now, secrets, settings, as: () => io, token: async () => '' }
  return io
}

/** Pulls until caught up. */
export async function drain(resource: Resource, io: Io, from: Page['cursor'] | null = null): Promise<Page[]> {
  const pages: Page[] = []
  let cursor = from
  for (;;) {
    const page = await resource.pull(io, cursor)
    pages.push(page)
    cursor = page.cursor
    if (!page.more) return pages
  }
}

export const seenIn = (pages: readonly Page[]): Observation[] => pages.flatMap((page) => page.observations)
export const idsIn = (pages: readonly Page[]): string[] => seenIn(pages).map(({ id }) => id)
export function cursorOf(pages: readonly Page[]): Page['cursor'] {
  const last = pages.at(-1)
  if (last === undefined) throw new Error('no page')
  return last.cursor
}

export function bodyOf(observation: Observation | null | undefined): JsonObject {
  if (observation?.kind !== 'present') throw new Error(`not present: ${JSON.stringify(observation)}`)
  return observation.body
}
export function appliedOf(outcome: Outcome | undefined): Observation & { kind: 'present' } {
  if (outcome?.kind !== 'applied' || outcome.observation.kind !== 'present')
    throw new Error(`not applied: ${JSON.stringify(outcome)}`)
  return outcome.observation
}

export function creation(recordId: number, body: JsonObject, key = `key-${recordId}`): CreateWrite {
  return { op: 'create', key, recordId, body, consent: 'unknown' }
}

export function pushOf(resource: Resource) {
  if (resource.push === undefined) throw new Error('read only')
  return resource.push
}
