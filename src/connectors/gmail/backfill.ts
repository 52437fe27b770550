import type { Instant } from '../../core/json.ts'
import { failureOf, type RemoteId } from '../connector.ts'
import { ask as askGmail } from './client.ts'
import { FROM_START, type State, type Sweep, type Walk } from './cursor.ts'
import type { Desk, Step } from './desk.ts'
import { doubted } from './doubts.ts'
import { FLAG_LABELS } from './labels.ts'
import { readAll } from './read.ts'
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
export async function goOn(desk: Desk, from: State): Promise<Step> {
  let state = from
  let listings = LISTINGS
  for (let [sweep] = state.sweeps; sweep !== undefined; [sweep] = state.sweeps) {
    const step = await sweepOn(desk, sweep, state.backfill.since, listings)
    listings -= step.listings
    const rest = isOver(step.walk) ? [] : [{ ...sweep, ...step.walk }]
    state = { ...state, sweeps: [...rest, ...state.sweeps.slice(1)] }
    if (step.reads.length > 0 || listings <= 0) return read(desk, step.reads, state)
  }
  const { backfill } = state
  if (backfill.walk === null) return { sightings: [], bad: [], state }
  const next = (page: string | null) => list(desk, page, backfill.since, null)
  const step = await walkOn(backfill.walk, next, unknownOf(desk), listings)
  const listed = (step.restarted ? 0 : backfill.listed) + step.listed
  const total = backfill.total ?? step.estimate
  const walk = isOver(step.walk) ? null : step.walk
  return read(desk, step.reads, { ...state, backfill: { ...backfill, listed, total, walk } })
}

/** A label that was deleted since has no messages, and cannot be listed by. */
async function sweepOn(desk: Desk, sweep: Sweep, since: Instant | null, listings: number): Promise<Walked> {
  const isThere = FLAG_LABELS.includes(sweep.label) || Object.hasOwn(await desk.labels.digests(), sweep.label)
  const from = isThere ? sweep : { page: null, ended: true, ids: sweep.ids }
  return walkOn(from, (page) => list(desk, page, since, sweep), sweepFilter(desk, sweep), listings)
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

async function read(desk: Desk, ids: readonly RemoteId[], state: State): Promise<Step> {
  const found = await readAll(desk.client, desk.mailbox, desk.labels, ids)
  return { ...found, state: doubted(state, ids, found, desk.now()) }
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
  readonly listings: number
  readonly estimate: number | null
  readonly restarted: boolean
}

/** The next few ids to read. Lists on where none is left, and from the start where the place in it was forgotten. */
async function walkOn(
  from: Walk,
  next: (page: string | null) => Promise<Listing | 'forgotten'>,
  pick: Pick,
  most: number,
): Promise<Walked> {
  let { page, ended, ids } = from
  let listed = 0
  let estimate: number | null = null
  let restarted = false
  let listings = 0
  for (; ids.length === 0 && !ended && listings < most; listings++) {
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
    listings,
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
