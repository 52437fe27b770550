import { same, type Instant } from '../core/json.ts'
import {
  failureOf,
  type BadRow,
  type Cursor,
  type Io,
  type Observation,
  type Page,
} from '../connectors/connector.ts'
import { closeItems, forgetQuarantined, quarantined, type BadPlace } from '../store/inbox.ts'
import { noteRun } from '../store/runs.ts'
import { linkedAfter, unresolvedLinks } from '../store/links.ts'
import {
  HEARTBEAT_MS,
  markSweep,
  markSynced,
  noteChecked,
  noteProblem,
  readStream,
  saveCursor,
  type StreamRow,
} from '../store/streams.ts'
import { absorb, type Absorbed, type AbsorbOptions } from './absorb.ts'
import { mayWrite } from './approval.ts'
import { openBitmap, type Bitmap } from './bitmap.ts'
import type { Hub, Target } from './hub.ts'
import { NOTHING_AHEAD, readAhead, type ReadAhead } from './page.ts'
import { lastSeenOf } from './link-lookup.ts'
import { followLateMerges } from './merge/late.ts'
import { replan } from './plan/replan.ts'
import { resolveRefs } from './refs.ts'
import { HeldError, openRun, type RunLog } from './run.ts'
import { openComparison, type Compared, type Comparison } from './reconcile.ts'
import { SupersededError } from './superseded.ts'
import { reportRows, unreadableKey } from './unreadable.ts'

const VANISHED_BATCH = 500
const UNRESOLVED_BATCH = 500
/** A listing may be replaced while it is read; one that always is gives up until the next cycle. */
const RESTARTS = 3

export type Observed = {
  readonly seen: number
  readonly held: boolean
  /** It may not write before its plan was approved; nothing was read. */
  readonly waits: boolean
  readonly woken: ReadonlySet<string>
  /** Where everything was listed. */
  readonly compared?: Compared
}

/**
 * One pass over a stream: from its cursor, or over everything (`sweep`). Each page is committed with its cursor; the
 * next one is fetched meanwhile. Throws a `VendorError` where the vendor cannot be read; what was committed stays.
 */
export async function observeStream(
  hub: Hub,
  target: Target,
  mode: 'changes' | 'sweep',
  counts: Record<string, number> = {},
): Promise<Observed> {
  if (!(await mayWrite(hub, target))) return { seen: 0, held: false, waits: true, woken: new Set() }
  const row = await readStream(hub.session.q, target.id)
  const run = openRun(hub, target, mode === 'sweep' ? 'sweep' : 'observe', counts)
  const woken = new Set<string>()
  let problem: string | null = null
  let seen = 0
  let compared: Compared | null = null
  try {
    const io = await hub.io(target.stream.connection)
    await resolveLate(hub, target, run, woken)
    for (const name of await followLateMerges(hub, target, run)) woken.add(name)
    const listsAnew = await replan(hub, target, run, woken)
    const from = mode === 'sweep' || row.needsSweep || listsAnew ? null : row.cursor
    const about = { ...row, isSweep: mode === 'sweep' }
    const pulled = await pullAll(hub, target, io, from, about, run, woken)
    seen = pulled.seen
    compared = pulled.compared
    await reportBad(hub, target, run)
    if (row.checkedAt === null || hub.clock.now() - row.checkedAt > HEARTBEAT_MS || row.problem !== null) {
      await noteChecked(hub.session.q, target.id, hub.clock.now())
    }
    return { seen, held: run.isHeld(), waits: false, woken, ...(compared === null ? {} : { compared }) }
  } catch (error) {
    if (error instanceof HeldError) return { seen, held: true, waits: false, woken }
    problem = error instanceof Error ? error.message : String(error)
    // The new configuration goes on from the cursor: the stream has no problem.
    if (!hub.preview && !(error instanceof SupersededError)) await noteProblem(hub.db.sql, target.id, problem)
    throw error
  } finally {
    await run.end(problem)
  }
}

async function pullAll(
  hub: Hub,
  target: Target,
  io: Io,
  from: Cursor | null,
  row: StreamRow & { readonly isSweep: boolean },
  run: RunLog,
  woken: Set<string>,
): Promise<{ readonly seen: number; readonly compared: Compared | null }> {
  const { cursor: stored, firstSyncedAt } = row
  let listing = from === null ? await openListing(hub, target, row) : null
  let startedAt = hub.clock.now()
  let saved = stored
  let restarts = 0
  let seen = 0
  let next = pull(target, io, from)
  for (;;) {
    let page: Prepared
    try {
      page = await next
    } catch (error) {
      if (failureOf(error)?.kind !== 'cursor-expired' || restarts++ >= RESTARTS) throw error
      hub.log.warn({ stream: target.label }, 'the vendor forgot the cursor: everything is listed again')
      listing = await openListing(hub, target, row)
      startedAt = hub.clock.now()
      next = pull(target, io, null)
      continue
    }
    const { cursor, more, bad, ahead } = page
    const goOn = more && !hub.stopping.aborted
    let isAsked = false
    const askForNext = (strangers = 0) => {
      if (goOn && !isAsked) next = pull(target, io, cursor, strangers > page.observations.length / 2)
      isAsked = true
    }
    await listing?.comparison?.meet(page.observations)
    const absorbed = await take(hub, target, page.observations, run, {
      bad: bad.map(toPlace),
      ahead,
      // Fetched and read while the database writes this page.
      meanwhile: askForNext,
      also: async (tx, changed) => {
        if (changed && !hub.preview) await noteRun(tx, await run.id(), run.counts)
        if (!more && firstSyncedAt === null) await markSynced(tx, target.id, hub.clock.now())
        if (!changed && (more || same(saved, cursor))) return
        await saveCursor(tx, target.id, cursor, hub.clock.now())
        saved = cursor
      },
    })
    askForNext()
    for (const name of absorbed.woken) woken.add(name)
    seen += page.observations.length
    if (listing !== null) {
      const isNew = absorbed.seen.filter((id) => !listing?.seen.has(id)).length
      note(listing, absorbed.seen, bad)
      listing.comparison?.took(page.observations, { linked: absorbed.seen.length, isNew }, bad)
    }
    hub.progress({ kind: 'observed', target, seen, total: page.total ?? null })
    if (goOn) continue
    if (!more && listing !== null) await forgetPlaces(hub, target, startedAt)
    const isWhole = !more && page.listed === 'everything'
    // Where an object cannot even be named, a listing never says that it was everything.
    if (!more && !isWhole && listing !== null) listing.complete = false
    if (isWhole) await finishListing(hub, target, io, listing, run, woken)
    if (!more && listing !== null) run.complete()
    const compared = more ? null : await listing?.comparison?.end(listing.complete, run)
    return { seen, compared: compared ?? null }
  }
}

/** Takes a page in; once the guard has stopped the run, it only lists what else would be done. */
async function take(
  hub: Hub,
  target: Target,
  observations: readonly Observation[],
  run: RunLog,
  options: AbsorbOptions = {},
): Promise<Absorbed> {
  try {
    return await absorb(hub, target, observations, run, options)
  } catch (error) {
    if (!(error instanceof HeldError)) throw error
    return { changed: false, seen: error.seen, woken: new Set() }
  }
}

/** Rows that showed no id and that a pass over everything has not met again, in a file that was replaced, are gone. */
async function forgetPlaces(hub: Hub, target: Target, before: Instant): Promise<void> {
  if (!(await forgetQuarantined(hub.session.q, target.id, before))) return
  const { count } = await quarantined(hub.session.q, target.id, 1)
  if (count > 0) return
  const key = unreadableKey(target.id)
  await closeItems(hub.session.q, [key], 'everything can be read', hub.clock.now())
}

type Prepared = Page & { readonly ahead: ReadAhead }

/** `isNew`: the page is expected to hold objects that nobody knows, which are read at once. */
function pull(target: Target, io: Io, from: Cursor | null, isNew = false): Promise<Prepared> {
  const page = target.resource
    .pull(io, from)
    .then((read) => ({ ...read, ahead: isNew ? readAhead(target, read.observations) : NOTHING_AHEAD }))
  // A rejection before the page is asked for must not count as unhandled; it is thrown when it is awaited.
  page.catch(() => undefined)
  return page
}

/** What a listing from the very start has shown so far. */
type Listing = {
  readonly seen: Bitmap
  readonly excused: Set<string>
  complete: boolean
  /** Null where it is not a full comparison. */
  readonly comparison: Comparison | null
}
const MOST_EXCUSED = 10_000

async function openListing(
  hub: Hub,
  target: Target,
  { cursor, needsSweep, held, isSweep }: StreamRow & { readonly isSweep: boolean },
): Promise<Listing> {
  const first = cursor === null
  // A listing that stands in for a pass over the changes says nothing of what was missed.
  const isComparison = !hub.preview && (isSweep || first)
  const told = isSweep && !first && !needsSweep && !held
  const comparison = isComparison ? await openComparison(hub, target, { first, told }) : null
  return { seen: openBitmap(), excused: new Set(), complete: true, comparison }
}

/** An object that could not be read is not gone; where it cannot even be named, nothing can be said to be gone. */
function note(listing: Listing, seen: readonly number[], bad: readonly BadRow[]): void {
  for (const id of seen) listing.seen.add(id)
  for (const row of bad) {
    if (row.id === null || listing.excused.size >= MOST_EXCUSED) listing.complete = false
    else listing.excused.add(row.id)
  }
}

/** What a complete listing did not show is asked for by id, and taken out only where the vendor says it is gone. */
async function finishListing(
  hub: Hub,
  target: Target,
  io: Io,
  listing: Listing | null,
  run: RunLog,
  woken: Set<string>,
): Promise<void> {
  // A listing taken up in the middle proves nothing about its first part.
  if (listing === null) return markSweep(hub.session.q, target.id, true)
  if (listing.complete) await takeOutVanished(hub, target, io, listing, run, woken)
  await markSweep(hub.session.q, target.id, false)
}

async function takeOutVanished(
  hub: Hub,
  target: Target,
  io: Io,
  listing: Listing,
  run: RunLog,
  woken: Set<string>,
): Promise<void> {
  for (let after = 0; ; ) {
    const links = await linkedAfter(hub.session.q, target.id, after, 5_000)
    const last = links.at(-1)
    if (last === undefined) return
    after = last.id
    const missing = links.filter((l) => !listing.seen.has(l.id) && !listing.excused.has(l.remoteId))
    for (let i = 0; i < missing.length; i += VANISHED_BATCH) {
      const ids = missing.slice(i, i + VANISHED_BATCH).map((l) => l.remoteId)
      const found = await target.resource.fetch(io, ids)
      listing.comparison?.vanish(found)
      const absorbed = await take(hub, target, found, run)
      for (const name of absorbed.woken) woken.add(name)
    }
  }
}

/** Objects that named a record nobody knew then: planned again from what was last seen, once it is known. */
async function resolveLate(hub: Hub, target: Target, run: RunLog, woken: Set<string>): Promise<void> {
  const links = await unresolvedLinks(hub.session.q, target.id, UNRESOLVED_BATCH)
  if (links.length === 0) return
  const bodies = links.map((l) => l.observed ?? {})
  const refs = await resolveRefs(hub, hub.session.q, target, bodies, [])
  const ready = lastSeenOf(
    links.filter((l) =>
      target.stream.remoteRefs(l.observed ?? {}).every((ref) => refs.toId(ref) !== undefined),
    ),
  )
  if (ready.length === 0) return
  const absorbed = await take(hub, target, ready, run, { force: true })
  for (const name of absorbed.woken) woken.add(name)
}

function toPlace(bad: BadRow): BadPlace {
  return { place: bad.where, remoteId: bad.id, problem: bad.problem, raw: bad.raw }
}

/** Sums up what could not be read, where the pass may have changed that. */
async function reportBad(hub: Hub, target: Target, run: RunLog): Promise<void> {
  const { counts } = run
  const touched = (counts['unreadable'] ?? 0) + (counts['created'] ?? 0) + (counts['updated'] ?? 0)
  if (touched === 0 && Object.keys(counts).length === 0) return
  await reportRows(hub, target)
}
