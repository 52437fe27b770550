import type { Instant } from '../../core/json.ts'
import { failureOf, type RemoteId } from '../connector.ts'
import { ask as askGmail } from './client.ts'
import { FROM_START, type State, type Sweep, type Walk } from './cursor.ts'
import type { Desk, Step } from './desk.ts'
import { FLAG_LABELS } from './labels.ts'
import { type Found, readAll } from './read.ts'
import { listWire } from './wire.ts'

/** Ids a listing brings (5 units), and messages a page reads (20 units each): a crash reads 25 again at most. */
const LISTED = 100
const READS = 25
/** Listings one page goes through when it finds nothing that must be read. */
const LISTINGS = 10
const DAY_MS = 86_400_000

/** A backfill whose beginning was moved: back is listed anew, and forward too where a day or more can be left out. */
export function restarted(backfill: State['backfill'], since: Instant | null): State['backfill'] {
  const { since: covered, walk } = backfill
  const earlier = covered !== null && (since === null || since < covered)
  const later = walk !== null && since !== null && (covered === null || since >= covered + DAY_MS)
  return earlier || later ? { since, listed: 0, total: null, walk: FROM_START } : backfill
}

/** Labels to be read again first: one of them may say that a message must not be here. */
export async function goOn(desk: Desk, state: State): Promise<Step> {
  const { backfill } = state
  const [sweep, ...later] = state.sweeps
  if (sweep !== undefined) {
    // A label that was deleted since has no messages, and cannot be listed by.
    const isThere =
      FLAG_LABELS.includes(sweep.label) || Object.hasOwn(await desk.labels.digests(), sweep.label)
    if (!isThere) return { sightings: [], bad: [], state: { ...state, sweeps: later } }
    const next = (page: string | null) => list(desk, page, backfill.since, sweep)
    const step = await walkOn(sweep, next, sweepFilter(desk, sweep))
    const rest = isOver(step.walk) ? [] : [{ ...sweep, ...step.walk }]
    return { ...(await read(desk, step.reads)), state: { ...state, sweeps: [...rest, ...later] } }
  }
  if (backfill.walk === null) return { sightings: [], bad: [], state }
  const step = await walkOn(backfill.walk, (page) => list(desk, page, backfill.since, null), unknownOf(desk))
  const listed = (step.restarted ? 0 : backfill.listed) + step.listed
  const total = backfill.total ?? step.estimate
  const walk = isOver(step.walk) ? null : step.walk
  return {
    ...(await read(desk, step.reads)),
    state: { ...state, backfill: { ...backfill, listed, total, walk } },
  }
}

type Pick = (ids: readonly RemoteId[]) => Promise<readonly RemoteId[]>

function unknownOf(desk: Desk): Pick {
  return async (ids) => {
    const known = await desk.ask.known(ids)
    return ids.filter((id) => !known.has(id))
  }
}

function sweepFilter(desk: Desk, sweep: Sweep): Pick {
  return async (ids) => {
    if (sweep.again === 'all') return ids
    const known = await desk.ask.known(ids)
    return ids.filter((id) => known.has(id))
  }
}

function isOver(walk: Walk): boolean {
  return walk.ended && walk.ids.length === 0
}

function read(desk: Desk, ids: readonly RemoteId[]): Promise<Found> {
  return readAll(desk.client, desk.mailbox, desk.labels, ids)
}

type Listing = {
  readonly ids: readonly RemoteId[]
  readonly next: string | null
  readonly estimate: number | null
}
type Walked = {
  readonly walk: Walk
  readonly reads: readonly RemoteId[]
  readonly listed: number
  readonly estimate: number | null
  readonly restarted: boolean
}

/** The next few ids to read. Lists on where none is left, and from the start where the place in it was forgotten. */
async function walkOn(
  from: Walk,
  next: (page: string | null) => Promise<Listing | 'forgotten'>,
  pick: Pick,
): Promise<Walked> {
  let { page, ended, ids } = from
  let listed = 0
  let estimate: number | null = null
  let restarted = false
  for (let n = 0; ids.length === 0 && !ended && n < LISTINGS; n++) {
    const listing = await next(page)
    if (listing === 'forgotten') {
      page = null
      listed = 0
      restarted = true
      continue
    }
    estimate ??= listing.estimate
    listed += listing.ids.length
    ids = [...(await pick(listing.ids))]
    page = listing.next
    ended = listing.next === null
  }
  return {
    walk: { page, ended, ids: ids.slice(READS) },
    reads: ids.slice(0, READS),
    listed,
    estimate,
    restarted,
  }
}

/** Newest first, as Gmail lists them: https://developers.google.com/workspace/gmail/api/guides/list-messages */
async function list(
  desk: Desk,
  page: string | null,
  since: Instant | null,
  sweep: Sweep | null,
): Promise<Listing | 'forgotten'> {
  const query = queryOf(since, sweep === null)
  const call = desk.client.users.messages.list({
    userId: desk.mailbox.address,
    maxResults: LISTED,
    ...(query === '' ? {} : { q: query }),
    ...(page === null ? {} : { pageToken: page }),
    ...(sweep === null ? {} : { labelIds: [sweep.label], includeSpamTrash: true }),
  })
  try {
    const reply = await askGmail('messages.list', call, listWire)
    const ids = (reply.messages ?? []).map(({ id }) => id)
    return { ids, next: reply.nextPageToken, estimate: reply.resultSizeEstimate ?? null }
  } catch (error) {
    if (page !== null && failureOf(error)?.kind === 'rejected') return 'forgotten'
    throw error
  }
}

/**
 * Drafts and chats are no mail. Days are those of the Pacific time zone, seconds are exact, and `after` leaves out what
 * it names: https://developers.google.com/workspace/gmail/api/guides/filtering
 */
function queryOf(since: Instant | null, withoutDrafts: boolean): string {
  const after = since === null ? [] : [`after:${Math.floor(since / 1000) - 1}`]
  return [...(withoutDrafts ? ['-in:drafts', '-in:chats'] : []), ...after].join(' ')
}
