import { z } from 'zod'
import { type BadRow, type Cursor, type Io, type Observation, type Page, VendorError } from '../connector.ts'
import { type Instant, unreachable } from '../../core/json.ts'
import { type Place, PLACE, readScan, type Scan, startOf } from './scan.ts'
import { type Target, targetOf } from './settings.ts'

/**
 * A full listing reads three scans: the archived contacts (which the vendor lists only when asked), all others, and
 * then those that were archived meanwhile, so that moving between the two lists hides nobody. A contact that changes
 * on the way moves to the end of its scan and is read again.
 *
 * Afterwards `changes` reads what changed since the listing began. Permanent deletes are never listed: they are what
 * the next full listing lacks.
 */
const CURSOR = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('listing'),
    /** Null before the first reply. */
    startedAt: z.number().nullable(),
    total: z.number(),
    /** Somebody may have been skipped: the listing is then no proof that anybody is gone. */
    holes: z.boolean(),
    scan: z.enum(['archived', 'others', 'archived meanwhile']),
    at: PLACE,
  }),
  z.object({ kind: z.literal('changes'), since: z.number() }),
  z.object({
    kind: z.literal('changing'),
    since: z.number(),
    startedAt: z.number().nullable(),
    /** Contacts read so far, and whether one of them is later than `since`. */
    read: z.number(),
    newer: z.boolean(),
    scan: z.enum(['archived', 'others']),
    at: PLACE,
  }),
])
type State = z.infer<typeof CURSOR>

/**
 * The vendor's times have whole seconds, and a row may show up later than its time says: what changed shortly before
 * is read again. Equal versions cost nothing.
 */
const OVERLAP_MS = 120_000
/** More rows than this in the overlap and the cursor moves on, rather than reading them at every cycle. */
const REREAD_MAX = 100
/** A cycle of changes is one page up to here, so that a quiet cycle ends where it began. */
const ENOUGH = 500

const FROM_START: State = {
  kind: 'listing',
  startedAt: null,
  total: 0,
  holes: false,
  scan: 'archived',
  at: startOf({ status: 'archived', since: null }),
}

export async function pull(io: Io, from: Cursor | null): Promise<Page> {
  const target = targetOf(io)
  let state = from === null ? FROM_START : stateOf(from)
  const observations = new Map<string, Observation>()
  const bad: BadRow[] = []
  for (;;) {
    const step = await advance(io, target, state)
    for (const observation of step.observations) observations.set(observation.id, observation)
    bad.push(...step.bad)
    state = step.next
    const found = observations.size + bad.length
    if (state.kind === 'changes' || found >= (state.kind === 'listing' ? 1 : ENOUGH)) {
      const listed = step.listed ? { listed: 'everything' as const } : {}
      const total = step.total === null ? {} : { total: step.total }
      const more = state.kind !== 'changes'
      return { observations: [...observations.values()], bad, cursor: state, more, ...listed, ...total }
    }
  }
}

function stateOf(from: Cursor): State {
  const parsed = CURSOR.safeParse(from)
  if (parsed.success) return parsed.data
  throw new VendorError({ kind: 'cursor-expired', message: 'The cursor is not one of these listings.' })
}

type Step = {
  readonly observations: readonly Observation[]
  readonly bad: readonly BadRow[]
  readonly next: State
  readonly listed: boolean
  readonly total: number | null
}

/** One request. */
async function advance(io: Io, target: Target, state: State): Promise<Step> {
  switch (state.kind) {
    case 'changes': {
      const at = startOf({ status: 'archived', since: state.since - OVERLAP_MS })
      const fresh = { startedAt: null, read: 0, newer: false, scan: 'archived' as const, at }
      return advance(io, target, { kind: 'changing', since: state.since, ...fresh })
    }
    case 'listing':
      return list(io, target, state)
    case 'changing':
      return change(io, target, state)
    default:
      return unreachable(state)
  }
}

async function list(io: Io, target: Target, state: State & { kind: 'listing' }): Promise<Step> {
  const scan = listingScan(state.scan, state.startedAt)
  const read = await readScan(io, target, scan, state.at)
  const startedAt = state.startedAt ?? read.askedAt
  const begins = state.at.from === null && state.at.offset === 0
  const total = state.total + (begins ? read.total : 0)
  const step = { ...read, listed: false, total: state.scan === 'archived' ? null : total }
  const holes = state.holes || read.hole
  if (read.next !== null) {
    return { ...step, next: { ...state, startedAt, total, holes, at: read.next } }
  }
  if (state.scan === 'archived meanwhile') {
    return { ...step, next: { kind: 'changes', since: startedAt }, listed: !holes }
  }
  const after = state.scan === 'archived' ? 'others' : 'archived meanwhile'
  const at = startOf(listingScan(after, startedAt))
  return { ...step, next: { kind: 'listing', startedAt, total, holes, scan: after, at } }
}

function listingScan(name: (State & { kind: 'listing' })['scan'], startedAt: Instant | null): Scan {
  switch (name) {
    case 'archived':
      return { status: 'archived', since: null }
    case 'others':
      return { status: null, since: null }
    case 'archived meanwhile':
      return { status: 'archived', since: startedAt === null ? null : startedAt - OVERLAP_MS }
    default:
      return unreachable(name)
  }
}

async function change(io: Io, target: Target, state: State & { kind: 'changing' }): Promise<Step> {
  const { since } = state
  const status = state.scan === 'archived' ? 'archived' : null
  const page = await readScan(io, target, { status, since: since - OVERLAP_MS }, state.at)
  const startedAt = state.startedAt ?? page.askedAt
  const read = state.read + page.observations.length
  const newer = state.newer || page.observations.some((seen) => isLater(seen, since))
  const step = { ...page, listed: false, total: null }
  const next = (scan: 'archived' | 'others', at: Place): State => {
    return { kind: 'changing', since, startedAt, read, newer, scan, at }
  }
  if (page.next !== null) return { ...step, next: next(state.scan, page.next) }
  if (state.scan === 'archived') {
    return { ...step, next: next('others', startOf({ status: null, since: since - OVERLAP_MS })) }
  }
  // A cycle that saw nothing new keeps its cursor, so that it writes nothing. Looking back further is never wrong.
  const moves = newer || read > REREAD_MAX
  return { ...step, next: { kind: 'changes', since: moves ? Math.max(since, startedAt) : since } }
}

function isLater(seen: Observation, since: Instant): boolean {
  return seen.kind === 'present' && seen.modifiedAt !== null && seen.modifiedAt > since
}
