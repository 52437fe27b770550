import { createHash } from 'node:crypto'
import type Stripe from 'stripe'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { failureOf, VendorError, type BadRow, type Observation, type RemoteId } from '../connector.ts'
import { type SubjectWire } from './wire.ts'

/** One kind of Stripe object, as far as reading it goes. */
export type Feed = {
  /** Stripe's own word for it: `customer`. */
  readonly object: string
  /** The events after which it is fetched again; Stripe takes at most 20 types in one list. */
  readonly eventTypes: readonly Stripe.WebhookEndpointCreateParams.EnabledEvent[]
  /** The object an event is about; null where it is another kind's. */
  subject(of: SubjectWire): RemoteId | null
  list(client: Stripe, params: ListParams): Promise<unknown>
  retrieve(client: Stripe, id: RemoteId): Promise<unknown>
  /** The object as an observation; reads on where Stripe gave only a part of it. */
  sight(client: Stripe, raw: unknown): Promise<Sighting>
}
export type ListParams = { limit: number; starting_after?: string; created?: { lte: number } }
export type Sighting =
  | { readonly kind: 'seen'; readonly observation: Observation }
  | { readonly kind: 'bad'; readonly row: BadRow }

export async function sightOf(feed: Feed, client: Stripe, id: RemoteId): Promise<Sighting> {
  try {
    return await feed.sight(client, await feed.retrieve(client, id))
  } catch (error) {
    if (failureOf(error)?.kind !== 'missing') throw error
    return { kind: 'seen', observation: { kind: 'absent', id } }
  }
}

/** The object now; throws `malformed` where it cannot be read. */
export async function observe(feed: Feed, client: Stripe, id: RemoteId): Promise<Observation> {
  return seen(await sightOf(feed, client, id), 'no')
}

/** What a write was answered with: where that cannot be read, the write has still happened. */
export async function observeAnswer(feed: Feed, client: Stripe, raw: unknown): Promise<Observation> {
  return seen(await feed.sight(client, raw), 'unknown')
}

function seen(sighting: Sighting, committed: 'no' | 'unknown'): Observation {
  if (sighting.kind === 'seen') return sighting.observation
  throw new VendorError({
    kind: 'malformed',
    committed,
    message: `${sighting.row.where}: ${sighting.row.problem}`,
  })
}

/** Stripe gives neither versions nor times of edits: the version is a hash of the body we keep. */
export function present(id: RemoteId, body: JsonObject): Sighting {
  return {
    kind: 'seen',
    observation: { kind: 'present', id, version: hashOf(body), modifiedAt: null, body, ...madeFor(body) },
  }
}

/** The record we wrote into the metadata. A draft of ours is not done yet: the write that makes it goes on. */
function madeFor({ metadata, status }: JsonObject): { readonly madeFor?: number } {
  const record = isObject(metadata) ? Number(metadata['concord_record']) : Number.NaN
  return Number.isSafeInteger(record) && record > 0 && status !== 'draft' ? { madeFor: record } : {}
}

export function bad(feed: Pick<Feed, 'object'>, raw: unknown, problem: string): Sighting {
  const id = typeof raw === 'object' && raw !== null && 'id' in raw ? raw.id : undefined
  const known = typeof id === 'string' ? id : null
  return {
    kind: 'bad',
    row: { where: `${feed.object} ${known ?? '?'}`, id: known, problem, raw: JSON.stringify(raw) ?? '' },
  }
}

function hashOf(body: JsonObject): string {
  return createHash('sha256')
    .update(JSON.stringify(inOrder(body)))
    .digest('base64url')
    .slice(0, 22)
}

/** Metadata comes in any order, and the order means nothing. */
function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inOrder)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, inOrder(inner)]),
  )
}

export function split(sightings: readonly Sighting[]): {
  readonly observations: readonly Observation[]
  readonly bad: readonly BadRow[]
} {
  return {
    observations: sightings.flatMap((s) => (s.kind === 'seen' ? [s.observation] : [])),
    bad: sightings.flatMap((s) => (s.kind === 'bad' ? [s.row] : [])),
  }
}
