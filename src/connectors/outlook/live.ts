import type { Instant } from '../../core/json.ts'
import { failureOf, type Io } from '../connector.ts'
import type { MailPage } from '../mail.ts'
import { arrivals } from './arrivals.ts'
import { beginCycle, restarted, without } from './open.ts'
import { isWaiting, type State } from './cursor.ts'
import { askDelta, CONCURRENT, gently } from './graph.ts'
import { type Place, type Read, readIds, readItems } from './read.ts'

const PAGE = 50
/** Removed messages looked at in one step. */
const LOOKED_AT = 20

/** A pass that was left for so long began before what somebody now waits for: it begins again. */
const BROKEN_OFF_MS = 60_000

/** While there is a backfill, all folders are asked this often, and else at every pass. */
const WHOLE_EVERY_MS = 60_000

/** What a step brought. `more`: the pass over the mailbox goes on. */
export type Step = Pick<MailPage, 'sightings' | 'bad'> & { readonly state: State; readonly more: boolean }

/**
 * One step of a pass over what changed: recent mail where some folder is still being listed, then the folders that are
 * caught up, four at once, and at last those messages that a folder reported as removed. With immutable ids a moved
 * message keeps its id, and its new folder may tell of it before, later or never: only the message itself says whether
 * it is gone, once all folders have spoken.
 */
export async function live(io: Io, home: string, from: State): Promise<Step> {
  const now = io.now()
  const { cycle: begun, ...rest } = await passOf(io, home, from, now)
  if (begun === null) return { sightings: [], bad: [], state: from, more: false }
  const cycle = { ...begun, steppedAt: now }
  const state = { ...rest, cycle }
  if (cycle.recent && state.recent !== null) {
    const { recent, ...read } = await arrivals(io, home, state, state.recent)
    return stepped({
      ...read,
      state: { ...state, recent, cycle: { ...cycle, recent: recent.next !== null } },
    })
  }
  if (cycle.left.length > 0) return stepped(await changes(io, home, state))
  const [first, later] = [cycle.missing.slice(0, LOOKED_AT), cycle.missing.slice(LOOKED_AT)]
  const read = await readIds(
    { io, home, folders: state.folders, low: false },
    first.map(({ id }) => id),
  )
  return stepped({ ...read, state: { ...state, cycle: { ...cycle, missing: later } } })
}

/** The pass that is under way, or a new one. */
async function passOf(io: Io, home: string, from: State, now: Instant): Promise<State> {
  const { cycle, recent, readAt } = from
  if (cycle !== null && now - cycle.steppedAt <= BROKEN_OFF_MS) return from
  // Before each page of a backfill: what is new is in the recent mail of all folders.
  const isShort = cycle === null && recent !== null && isWaiting(from) && now - readAt < WHOLE_EVERY_MS
  return isShort
    ? { ...from, cycle: { startedAt: readAt, steppedAt: now, recent: true, left: [], missing: [] } }
    : beginCycle(io, home, from)
}

function stepped({ sightings, bad, state }: Omit<Step, 'more'>): Step {
  const { cycle } = state
  const isOver = cycle === null || (!cycle.recent && cycle.left.length === 0 && cycle.missing.length === 0)
  if (!isOver) return { sightings, bad, state, more: true }
  return {
    sightings,
    bad,
    state: { ...state, cycle: null, readAt: cycle?.startedAt ?? state.readAt },
    more: false,
  }
}

async function changes(io: Io, home: string, state: State): Promise<Omit<Step, 'more'>> {
  const next = (state.cycle?.left ?? []).slice(0, CONCURRENT)
  const answers = await Promise.all(next.map(async (id) => ({ id, answer: await changesOf(io, state, id) })))
  const place: Place = { io, home, folders: state.folders, low: false }
  const bad: Read['bad'][number][] = []
  const sightings: Read['sightings'][number][] = []
  let after = state
  for (const { id, answer } of answers) {
    after = moved(after, id, answer)
    if (typeof answer === 'string') continue
    const read = await readItems(place, answer.value)
    sightings.push(...read.sightings)
    bad.push(...read.bad)
    after = marked(after, id, read)
  }
  return { sightings, bad, state: after }
}

type Delta = Awaited<ReturnType<typeof askDelta>>

/** A page of what changed in a folder; or that its token, or it itself, is no longer there. */
async function changesOf(io: Io, { walks }: State, id: string): Promise<Delta | 'expired' | 'missing'> {
  const walk = walks[id]
  if (walk?.at !== 'changes') return 'missing'
  try {
    return await gently((pageSize) => askDelta(io, { method: 'GET', to: walk.link, pageSize }), PAGE)
  } catch (error) {
    const kind = failureOf(error)?.kind
    if (kind === 'cursor-expired') return 'expired'
    if (kind === 'missing') return 'missing'
    throw error
  }
}

function moved(state: State, id: string, answer: Delta | 'expired' | 'missing'): State {
  const { cycle } = state
  if (cycle === null) return state
  const done = { ...state, cycle: { ...cycle, left: cycle.left.filter((other) => other !== id) } }
  if (answer === 'expired') return restarted(done, id)
  if (answer === 'missing') return without(done, id)
  const walk = { at: 'changes', link: answer.link, listed: state.walks[id]?.listed ?? 0 } as const
  return { ...(answer.next === null ? done : state), walks: { ...state.walks, [id]: walk } }
}

/**
 * Remembers what was removed, and takes back what another folder has by now. Ids never read before as well: a message
 * may come and be moved on between two passes.
 */
function marked(state: State, folder: string, read: Read): State {
  const { cycle } = state
  if (cycle === null) return state
  const here = new Set(read.sightings.map(({ id }) => id))
  const kept = cycle.missing.filter(({ id, from }) => from === folder || !here.has(id))
  const seen = new Set(kept.map(({ id }) => id))
  const added = read.removed.filter((id) => !seen.has(id)).map((id) => ({ id, from: folder }))
  return { ...state, cycle: { ...cycle, missing: [...kept, ...added] } }
}
