import type Stripe from 'stripe'
import { unreachable, type JsonObject } from '../../core/json.ts'
import {
  failureOf,
  outcomeOf,
  type CreateWrite,
  type Io,
  type Observation,
  type Outcome,
  type RemoteId,
  type Write,
} from '../connector.ts'
import { stripeFor } from './client.ts'
import { customerChange, customerParams, madeFor } from './customer-body.ts'
import { customerFeed } from './customer-feed.ts'
import { observe, observeAnswer } from './feed.ts'
import { everyRow, PAGE } from './paging.ts'
import { unfit } from './sending.ts'
import { sendable } from '../vendor-words.ts'

/**
 * Stripe cannot archive a customer, and deleting one cancels what it pays for: an archived record's customer is kept
 * and marked `metadata.concord_archived`.
 */
export async function sendToCustomer(client: Stripe, write: Write): Promise<Outcome> {
  switch (write.op) {
    case 'create':
      return create(client, write)
    case 'update':
      return update(client, write, write.patch, write.version)
    case 'consent':
      return update(client, write, write.patch, null)
    case 'archive':
      return update(client, write, { metadata: { concord_archived: 'true' } }, write.version)
    default:
      return unreachable(write)
  }
}

async function create(client: Stripe, write: CreateWrite): Promise<Outcome> {
  const read = customerChange.safeParse(write.body)
  if (!read.success) return unfit(read.error)
  const params = customerParams(read.data, {})
  const metadata = { ...read.data.metadata, concord_record: String(write.recordId) }
  const made = await client.customers.create({ ...params, metadata }, { idempotencyKey: write.key })
  return applied(client, made)
}

/** Stripe has no conditional writes, so the object is read just before: what changed since is not written over. */
async function update(
  client: Stripe,
  { id, key }: { readonly id: RemoteId; readonly key: string },
  patch: JsonObject,
  version: string | null,
): Promise<Outcome> {
  const read = customerChange.safeParse(patch)
  if (!read.success) return unfit(read.error)
  const now = await observe(customerFeed, client, id)
  if (now.kind === 'absent' || (version !== null && now.version !== version)) return { kind: 'stale' }
  const params = customerParams(read.data, now.body)
  return applied(client, await client.customers.update(id, params, { idempotencyKey: key }))
}

/**
 * Deletes customers for good. Their subscriptions end at once; their invoices and payments stay, as the law asks.
 * https://docs.stripe.com/api/customers/delete
 */
export async function eraseCustomers(io: Io, ids: readonly RemoteId[]): Promise<readonly Outcome[]> {
  const client = stripeFor(io)
  const ends = await Promise.allSettled(ids.map((id) => client.customers.del(id)))
  return ends.map((end, i): Outcome => {
    const gone: Outcome = { kind: 'applied', observation: { kind: 'absent', id: ids[i] ?? '' } }
    if (end.status === 'fulfilled' || failureOf(end.reason)?.kind === 'missing') return gone
    return outcomeOf(end.reason)
  })
}

async function applied(client: Stripe, answer: unknown): Promise<Outcome> {
  return { kind: 'applied', observation: await observeAnswer(customerFeed, client, answer) }
}

/** How far back a customer without an email is looked for: long after any outbox has asked. */
const LOOK_BACK_SECONDS = 30 * 24 * 60 * 60

/**
 * By listing, which shows a customer at once; search lags by up to an hour
 * (https://docs.stripe.com/search#data-freshness). With an email the list is short: its filter is exact, and
 * distinguishes case as the create did. Without one, the customers of the last 30 days are looked through once.
 */
export async function findCustomers(
  io: Io,
  given: readonly CreateWrite[],
): Promise<readonly (Observation | null)[]> {
  const client = stripeFor(io)
  const creates = given.map((create) => sendable(create))
  const since = Math.floor(io.now() / 1000) - LOOK_BACK_SECONDS
  const nameless = creates.filter((create) => emailOf(create) === null)
  const [recent, ...byEmail] = await Promise.all([
    search(client, nameless, { created: { gte: since } }),
    ...creates.map(async (create) => {
      const email = emailOf(create)
      return email === null ? new Map<string, Observation>() : search(client, [create], { email })
    }),
  ])
  return creates.map((create, i) => {
    const record = String(create.recordId)
    return byEmail[i]?.get(record) ?? recent.get(record) ?? null
  })
}

/** By record id. Where there are several, the oldest: every look finds the same one. */
async function search(
  client: Stripe,
  creates: readonly CreateWrite[],
  filter: Stripe.CustomerListParams,
): Promise<Map<string, Observation>> {
  const found = new Map<string, Observation>()
  if (creates.length === 0) return found
  const wanted = new Set(creates.map((create) => String(create.recordId)))
  const rows = everyRow((after) => client.customers.list({ ...filter, limit: PAGE, ...after }))
  for await (const raw of rows) {
    const record = madeFor(raw)?.record ?? null
    if (record === null || !wanted.has(record)) continue
    const sighting = await customerFeed.sight(client, raw)
    if (sighting.kind === 'seen') found.set(record, sighting.observation)
  }
  return found
}

function emailOf(create: CreateWrite): string | null {
  const email = create.body['email']
  return typeof email === 'string' && email !== '' ? email : null
}
