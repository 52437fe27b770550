import type Stripe from 'stripe'
import { unreachable } from '../../core/json.ts'
import type { Cursor, Io, Observation, Page, RemoteId } from '../connector.ts'
import { stripeFor } from './client.ts'
import { positionOf, type ListingPosition } from './cursor.ts'
import { newestEvent, pullEvents } from './events.ts'
import { sightOf, split, type Feed } from './feed.ts'
import { isGone, listed, PAGE } from './paging.ts'
import { parse, placeWire } from './wire.ts'

/** One page: https://docs.stripe.com/api/pagination, https://docs.stripe.com/api/events/list. */
export async function pull(feed: Feed, io: Io, from: Cursor | null): Promise<Page> {
  const client = stripeFor(io)
  if (from === null) {
    const place = await newestEvent(feed, client)
    return pullListing(feed, client, null, { from: place, readAt: io.now() })
  }
  const position = positionOf(from)
  switch (position.kind) {
    case 'listing':
      return pullListing(feed, client, position.after, position)
    case 'events':
      return pullEvents(feed, client, position, io.now())
    default:
      return unreachable(position)
  }
}

/**
 * The named objects as they are now. One that cannot be read is left out: no observation of it is possible, and the
 * next page of events or listing reports it.
 */
export async function fetchNow(
  feed: Feed,
  io: Io,
  ids: readonly RemoteId[],
): Promise<readonly Observation[]> {
  const client = stripeFor(io)
  const sightings = await Promise.all([...new Set(ids)].map((id) => sightOf(feed, client, id)))
  return split(sightings).observations
}

async function pullListing(
  feed: Feed,
  client: Stripe,
  after: ListingPosition['after'] | null,
  start: Pick<ListingPosition, 'from' | 'readAt'>,
): Promise<Page> {
  const page = await listAfter(feed, client, after)
  const sightings = await Promise.all(page.data.map((raw) => feed.sight(client, raw)))
  const last = page.has_more ? parse(placeWire, page.data.at(-1)) : null
  const { from, readAt } = start
  return last === null
    ? {
        ...split(sightings),
        cursor: { kind: 'events', from, readAt, at: null },
        more: false,
        listed: 'everything',
      }
    : { ...split(sightings), cursor: { kind: 'listing', after: last, from, readAt }, more: true }
}

/** Newest first. Where the last object of the page before is gone, the listing goes on by its time. */
async function listAfter(feed: Feed, client: Stripe, after: ListingPosition['after'] | null) {
  if (after === null) return listed(feed.list(client, { limit: PAGE }))
  try {
    return await listed(feed.list(client, { limit: PAGE, starting_after: after.id }))
  } catch (error) {
    if (!isGone(error)) throw error
    return listed(feed.list(client, { limit: PAGE, created: { lte: after.created } }))
  }
}
