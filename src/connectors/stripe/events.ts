import type Stripe from 'stripe'
import type { Instant } from '../../core/json.ts'
import type { Page } from '../connector.ts'
import { expired, type EventsPosition, type Place } from './cursor.ts'
import { sightOf, split, type Feed } from './feed.ts'
import { isGone, listed, PAGE } from './paging.ts'
import { eventWire, parse, type EventWire } from './wire.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Events can be listed for 30 days: https://docs.stripe.com/api/events. */
const REACHABLE_MS = 29 * DAY_MS
/** An event this old no longer serves as a place: it may be gone at the next call. */
const PLACE_LIVES_MS = 25 * DAY_MS
/** How often an idle cursor is written, so that it does not grow old. */
const REFRESH_MS = DAY_MS
/** Events may appear out of order: younger ones are read again until everything around them has surely appeared. */
const SETTLE_MS = 60_000
/** How far the two clocks may be apart. */
const SKEW_SECONDS = 60 * 60

/** The newest event of a feed's types, to read on from; null where there is none. */
export async function newestEvent(feed: Feed, client: Stripe): Promise<Place | null> {
  const { events } = await eventsPage(client, { types: [...feed.eventTypes], limit: 1 })
  const newest = events.at(-1)
  return newest === undefined ? null : placeOf(newest)
}

/**
 * The objects that the next events are about, as they are now: payloads are frozen at the API version of their event,
 * and come unordered. The cursor of an idle feed stays equal.
 */
export async function pullEvents(
  feed: Feed,
  client: Stripe,
  position: EventsPosition,
  now: Instant,
): Promise<Page> {
  if (now - position.readAt > REACHABLE_MS) throw expired('The events since the last read are gone')
  const { events, more } = await nextEvents(feed, client, position, now)
  const ids = new Set(events.flatMap((event) => feed.subject(event.data.object) ?? []))
  const sightings = await Promise.all([...ids].map((id) => sightOf(feed, client, id)))
  return { ...split(sightings), cursor: advance(position, events, more, now), more }
}

function advance(position: EventsPosition, events: readonly EventWire[], more: boolean, now: Instant) {
  const newest = events.at(-1)
  // Past an event that may have younger neighbours coming, the place stays behind until the next cycle.
  const unbroken = position.at === null || position.at === position.from?.id
  const settled = unbroken ? events.findLast((event) => now - event.created * 1000 >= SETTLE_MS) : undefined
  const from = settled === undefined ? position.from : placeOf(settled)
  if (more && newest !== undefined) return { ...position, from, at: newest.id }
  const fresh = settled !== undefined || now - position.readAt >= REFRESH_MS
  return { ...position, from, at: null, readAt: fresh ? now : position.readAt }
}

/** Oldest first. */
type Batch = { readonly events: readonly EventWire[]; readonly more: boolean }

async function nextEvents(
  feed: Feed,
  client: Stripe,
  { at, from, readAt }: EventsPosition,
  now: Instant,
): Promise<Batch> {
  const types = [...feed.eventTypes]
  const usable = from !== null && now - from.created * 1000 < PLACE_LIVES_MS
  const before = at ?? (usable ? from.id : null)
  if (before === null) return oldestPage(client, types, Math.floor(readAt / 1000) - SKEW_SECONDS)
  try {
    return await eventsPage(client, { types, limit: PAGE, ending_before: before })
  } catch (error) {
    throw isGone(error) ? expired('The event to read on from is gone') : error
  }
}

/** Stripe lists newest first, and there is no event to read on from: walks back to the oldest page since then. */
async function oldestPage(client: Stripe, types: string[], sinceSeconds: number): Promise<Batch> {
  const params = { types, limit: PAGE, created: { gte: sinceSeconds } }
  let page = await eventsPage(client, params)
  let newer = false
  for (let oldest = page.events[0]; page.more && oldest !== undefined; oldest = page.events[0]) {
    page = await eventsPage(client, { ...params, starting_after: oldest.id })
    newer = true
  }
  return { events: page.events, more: newer }
}

async function eventsPage(client: Stripe, params: Stripe.EventListParams): Promise<Batch> {
  const page = await listed(client.events.list(params))
  return { events: page.data.map((raw) => parse(eventWire, raw)).toReversed(), more: page.has_more }
}

function placeOf({ id, created }: EventWire): Place {
  return { id, created }
}
