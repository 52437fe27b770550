import { mint, seconds, type StripeState } from './state.ts'
import type { StripeEvent, Wire } from './types.ts'
import { enqueueWebhooks } from './webhooks.ts'

/** https://docs.stripe.com/api/events: reachable for 30 days. */
const RETENTION_SECONDS = 30 * 24 * 60 * 60

/** The payload is a copy of the object as it is now, at the account's version of now. */
export function emit(state: StripeState, type: string, object: Wire, previous?: Wire): StripeEvent {
  const event = state.events.put({
    id: mint(state, 'evt', 24),
    object: 'event',
    api_version: state.apiVersion,
    created: seconds(state),
    data: previous === undefined ? { object } : { object, previous_attributes: previous },
    livemode: false,
    request: { id: state.cause?.requestId ?? null, idempotency_key: state.cause?.idempotencyKey ?? null },
    type,
  })
  enqueueWebhooks(state, event)
  return event
}

/** Emits `type` unless nothing changed. */
export function emitChange(state: StripeState, type: string, before: Wire, after: Wire): void {
  const previous = differences(before, after)
  if (Object.keys(previous).length > 0) emit(state, type, after, previous)
}

export function oldestReachable(state: StripeState): number {
  return seconds(state) - RETENTION_SECONDS
}

export function eventWire(state: StripeState, event: StripeEvent): Wire {
  return { ...event, pending_webhooks: state.undelivered.get(event.id)?.size ?? 0 }
}

function differences(before: Wire, after: Wire): Wire {
  const changed = Object.keys(after).filter((key) => !same(before[key], after[key]))
  return Object.fromEntries(changed.map((key) => [key, narrowed(before[key], after[key])]))
}

// Of a hash only the changed keys are told (a new key as null), as the vendor does for metadata.
function narrowed(before: unknown, after: unknown): unknown {
  if (!isHash(before) || !isHash(after)) return before ?? null
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  const changed = [...keys].filter((key) => !same(before[key], after[key]))
  return Object.fromEntries(changed.map((key) => [key, before[key] ?? null]))
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}

function isHash(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
