import type { Instant } from '../core/json.ts'
import { rows, type Query } from './database.ts'

export type StoredHint = { readonly resource: string; readonly id: string }
export type StoredEvent = { readonly eventId: string; readonly hints: readonly StoredHint[] }

/** Stores a delivery once; false: it was known. */
export async function storeEvent(
  q: Query,
  connection: string,
  eventId: string,
  hints: readonly StoredHint[],
  at: Instant,
): Promise<boolean> {
  const stored = await q`
    insert into webhook_events (connection, event_id, hints, received_at)
    values (${connection}, ${eventId}, ${rows(hints)}::text::jsonb, ${at}) on conflict do nothing returning 1`
  return stored.length === 1
}

export async function waitingEvents(
  q: Query,
  connection: string,
  limit: number,
): Promise<readonly StoredEvent[]> {
  return q<StoredEvent[]>`
    select event_id as "eventId", hints from webhook_events
    where connection = ${connection} and processed_at is null order by received_at limit ${limit}`
}

export async function markProcessed(
  q: Query,
  connection: string,
  eventIds: readonly string[],
  at: Instant,
): Promise<void> {
  if (eventIds.length === 0) return
  await q`
    update webhook_events set processed_at = ${at}
    where connection = ${connection} and event_id = any(${[...eventIds]})`
}

/** Deliveries are kept this long to recognise repeats. */
export async function forgetEvents(q: Query, before: Instant): Promise<void> {
  await q`delete from webhook_events where processed_at < ${before}`
}
