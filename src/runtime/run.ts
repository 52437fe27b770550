import { addHarm, guard, NO_HARM, type Harm } from '../core/guard.ts'
import { closeItems, openItems } from '../store/inbox.ts'
import { population } from '../store/links.ts'
import { beginRun, endRun, noteRun, type Counts, type RunKind } from '../store/runs.ts'
import { holdStream, markSweep, readStream, type Side } from '../store/streams.ts'
import type { Hub, Target } from './hub.ts'

/** The guard stopped a page before it was written. */
export class HeldError extends Error {}

/** One pass of a stream: what it counted, what harm it did so far. Written down at its first change. */
export type RunLog = {
  /** The run's id; makes its row at the first call. */
  id(): Promise<number>
  count(counts: Counts): void
  readonly counts: Counts
  /** It compares the stream with its remote, page by page; else it meets single objects. */
  readonly compares: boolean
  /** Adds harm; throws `HeldError` where the run's total passes what the guard allows. */
  harm(more: Harm, samples: readonly string[]): Promise<void>
  end(problem: string | null): Promise<void>
}

/** `counts` may be given from outside, for who wants to read them afterwards. */
export function openRun(
  hub: Hub,
  target: Target | null,
  kind: RunKind,
  counts: Record<string, number> = {},
): RunLog {
  let id: Promise<number> | null = null
  let total = NO_HARM
  const side: Side = kind === 'push' ? 'out' : 'in'
  let held = false
  const startedAt = hub.clock.now()
  return {
    counts,
    compares: kind === 'observe' || kind === 'sweep',
    id() {
      id ??= beginRun(hub.db.beside, target?.id ?? null, kind, startedAt)
      return id
    },
    count(more) {
      for (const [name, n] of Object.entries(more)) if (n !== 0) counts[name] = (counts[name] ?? 0) + n
    },
    async harm(more, samples) {
      total = addHarm(total, more)
      if (target === null || (more.deletes === 0 && more.blanks === 0 && more.optIns === 0)) return
      const row = await readStream(hub.db.beside, target.id)
      const verdict = guard(total, await population(hub.db.beside, target.id), target.stream.guard)
      if (verdict.kind === 'pass') return
      if (row.approved?.side === side && total[verdict.what] <= row.approved[verdict.what]) return
      held = true
      await holdForApproval(hub, target, side, total, verdict, samples)
      throw new HeldError(`${target.label} would change too much at once`)
    },
    async end(problem) {
      // A few hinted objects that went through do not show that a held pass would.
      if (target !== null && !held && problem === null && kind !== 'hints') await letGo(hub, target, side)
      if (id === null) return
      await endRun(
        hub.session.q,
        await id,
        held ? 'held' : problem === null ? 'done' : 'failed',
        counts,
        problem,
        hub.clock.now(),
      )
    },
  }
}

export async function saveCounts(hub: Hub, run: RunLog): Promise<void> {
  await noteRun(hub.session.q, await run.id(), run.counts)
}

const WHAT = { deletes: 'remove', blanks: 'empty fields of', optIns: 'opt in' } as const
const massChangeKey = (target: Target, side: Side): string => `mass_change:${target.id}:${side}`

async function holdForApproval(
  hub: Hub,
  target: Target,
  side: Side,
  total: Harm,
  verdict: {
    readonly what: keyof Harm
    readonly count: number
    readonly allowed: number
    readonly population: number
  },
  samples: readonly string[],
): Promise<void> {
  if (hub.preview) return
  await holdStream(hub.db.beside, target.id, true, null)
  // Whatever was held is met again by comparing everything.
  if (side === 'in') await markSweep(hub.db.beside, target.id, true)
  await openItems(
    hub.db.beside,
    [
      {
        kind: 'mass_change',
        key: massChangeKey(target, side),
        title: `${target.label} would ${WHAT[verdict.what]} at least ${verdict.count} of ${verdict.population} records`,
        fix: `Nothing of it was written. If it is right, approve it (\`concord inbox approve ID\`); if not, correct the source: the next sync looks again. Up to ${verdict.allowed} are let through without asking.`,
        detail: {
          ...total,
          side,
          population: verdict.population,
          allowed: verdict.allowed,
          samples: samples.slice(0, 20),
        },
        streamId: target.id,
        recordId: null,
      },
    ],
    hub.clock.now(),
  )
}

/** A pass that went through uses up an approval, and closes an item whose cause is gone. */
async function letGo(hub: Hub, target: Target, side: Side): Promise<void> {
  const row = await readStream(hub.session.q, target.id)
  if (row.approved?.side !== side && !row.held) return
  const closed = await closeItems(
    hub.session.q,
    [massChangeKey(target, side)],
    'a later pass went through',
    hub.clock.now(),
  )
  if (closed > 0 || row.approved?.side === side) await holdStream(hub.session.q, target.id, false, null)
}
