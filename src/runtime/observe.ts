import { same, type Instant, type JsonObject } from '../core/json.ts'
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
  noteChecked,
  noteProblem,
  readStream,
  saveCursor,
} from '../store/streams.ts'
import { absorb } from './absorb.ts'
import { openBitmap, type Bitmap } from './bitmap.ts'
import type { Hub, Target } from './hub.ts'
import { NOTHING_AHEAD, readAhead, type ReadAhead } from './page.ts'
import { resolveRefs } from './refs.ts'
import { HeldError, openRun, type RunLog } from './run.ts'
import { reportUnreadable, unreadableKey } from './unreadable.ts'

const VANISHED_BATCH = 500
const UNRESOLVED_BATCH = 500
/** A listing may be replaced while it is read; one that always is gives up until the next cycle. */
const RESTARTS = 3

export type Observed = { readonly seen: number; readonly held: boolean; readonly woken: ReadonlySet<string> }

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
  const row = await readStream(hub.session.q, target.id)
  const run = openRun(hub, target, mode === 'sweep' ? 'sweep' : 'observe', counts)
  const woken = new Set<string>()
  let problem: string | null = null
  let seen = 0
  try {
    const io = await hub.io(target.stream.connection)
    await resolveLate(hub, target, run, woken)
    const from = mode === 'sweep' || row.needsSweep ? null : row.cursor
    seen = await pullAll(hub, target, io, from, row.cursor, run, woken)
    await reportBad(hub, target, run)
    if (row.checkedAt === null || hub.clock.now() - row.checkedAt > HEARTBEAT_MS || row.problem !== null) {
      await noteChecked(hub.session.q, target.id, hub.clock.now())
    }
    return { seen, held: false, woken }
  } catch (error) {
    if (error instanceof HeldError) return { seen, held: true, woken }
    problem = error instanceof Error ? error.message : String(error)
    if (!hub.preview) await noteProblem(hub.db.sql, target.id, problem)
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
  stored: JsonObject | null,
  run: RunLog,
  woken: Set<string>,
): Promise<number> {
  let listing: Listing | null =
    from === null ? { seen: openBitmap(), excused: new Set(), complete: true } : null
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
      listing = { seen: openBitmap(), excused: new Set(), complete: true }
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
    const absorbed = await absorb(hub, target, page.observations, run, {
      bad: bad.map(toPlace),
      ahead,
      // Fetched and read while the database writes this page.
      meanwhile: askForNext,
      also: async (tx, changed) => {
        if (changed && !hub.preview) await noteRun(tx, await run.id(), run.counts)
        if (!changed && (more || same(saved, cursor))) return
        await saveCursor(tx, target.id, cursor, hub.clock.now())
        saved = cursor
      },
    })
    askForNext()
    for (const name of absorbed.woken) woken.add(name)
    seen += page.observations.length
    if (listing !== null) note(listing, absorbed.seen, bad)
    hub.progress({ kind: 'observed', target, seen, total: page.total ?? null })
    if (goOn) continue
    if (!more && listing !== null) await forgetPlaces(hub, target, startedAt)
    if (!more && page.listed === 'everything') await finishListing(hub, target, io, listing, run, woken)
    return seen
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
type Listing = { readonly seen: Bitmap; readonly excused: Set<string>; complete: boolean }
const MOST_EXCUSED = 10_000

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
      const absorbed = await absorb(hub, target, await target.resource.fetch(io, ids), run)
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
  const ready = links.flatMap((l): Observation[] =>
    l.remoteId !== null &&
    l.observed !== null &&
    target.stream.remoteRefs(l.observed).every((ref) => refs.toId(ref) !== undefined)
      ? [{ kind: 'present', id: l.remoteId, version: l.version, modifiedAt: l.modifiedAt, body: l.observed }]
      : [],
  )
  if (ready.length === 0) return
  const absorbed = await absorb(hub, target, ready, run, { force: true })
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
  await reportUnreadable(hub, target, UNREADABLE)
}

const UNREADABLE = {
  one: 'row or value',
  many: 'rows or values',
  fix: 'Correct them at the source; they are read again when they change. Everything else went on.',
}
