import type { HarmfulChange } from '../core/guard.ts'
import type { Query } from '../store/database.ts'
import { beginRun, endRun, noteRun, type Counts, type RunKind } from '../store/runs.ts'
import { endAllowance, type Side } from '../store/streams.ts'
import { HARMLESS, openGate, type Judged } from './guard.ts'
import { reportHeld, settleIn } from './held.ts'
import type { Hub, Target } from './hub.ts'

/** The guard stopped a page before it was written. `seen`: the links of the objects it showed. */
export class HeldError extends Error {
  readonly seen: readonly number[]
  constructor(message: string, seen: readonly number[] = []) {
    super(message)
    this.seen = seen
  }
}

/** One pass of a stream: what it counted, what harm it did so far. Written down at its first change. */
export type RunLog = {
  /** The run's id; makes its row at the first call. */
  id(): Promise<number>
  count(counts: Counts): void
  readonly counts: Counts
  /** It compares the stream with its remote, page by page; else it meets single objects. */
  readonly compares: boolean
  /** The guard has stopped it: it goes on only to list what else it would do. */
  readonly isStopped: () => boolean
  /** Something was held. */
  readonly isHeld: () => boolean
  /** Says which harmful changes may be written. */
  judge(side: Side, q: Query, changes: readonly HarmfulChange[]): Promise<Judged>
  /** Counts harm that nobody was asked about, in the transaction that does it. */
  spend(side: Side, q: Query, changes: readonly HarmfulChange[]): Promise<void>
  /** Lists changes for a person to decide about. `stops`: nothing more is written by this run. */
  hold(side: Side, q: Query, changes: readonly HarmfulChange[], stops: boolean): Promise<void>
  /** It has met every object of the stream. */
  complete(): void
  end(problem: string | null): Promise<void>
}

/** `counts` may be given from outside, for who wants to read them afterwards. */
export function openRun(
  hub: Hub,
  target: Target | null,
  kind: RunKind,
  counts: Record<string, number> = {},
  about: { readonly by?: string; readonly undoes?: number } = {},
): RunLog {
  let id: Promise<number> | null = null
  let isStopped = false
  let isComplete = false
  const compares = kind === 'observe' || kind === 'sweep'
  const startedAt = hub.clock.now()
  const gate = target === null ? null : openGate(hub, target, compares, startedAt)
  const isHeld = () => gate !== null && gate.heldSides.size > 0
  return {
    counts,
    compares,
    isStopped: () => isStopped,
    isHeld,
    id() {
      id ??= beginRun(hub.preview ? hub.session.q : hub.db.beside, target?.id ?? null, kind, startedAt, about)
      return id
    },
    count(more) {
      for (const [name, n] of Object.entries(more)) if (n !== 0) counts[name] = (counts[name] ?? 0) + n
    },
    judge: async (side, q, changes) => (gate === null ? HARMLESS : gate.judge(side, q, changes)),
    async spend(side, q, changes) {
      await gate?.spend(side, q, changes)
    },
    async hold(side, q, changes, stops) {
      isStopped ||= stops
      await gate?.hold(side, q, changes)
    },
    complete() {
      isComplete = true
    },
    async end(problem) {
      if (target !== null && !hub.preview) {
        if (problem === null)
          for (const side of gate?.allowances ?? []) await endAllowance(hub.session.q, target.id, side)
        if (isComplete && problem === null) await settleIn(hub, target, startedAt)
        else if (gate?.heldSides.has('in') === true) await reportHeld(hub, hub.session.q, target, 'in')
      }
      if (id === null) return
      await endRun(
        hub.session.q,
        await id,
        isStopped ? 'held' : problem === null ? 'done' : 'failed',
        counts,
        problem,
        hub.clock.now(),
      )
    },
  }
}

/** Does the work of a run, and ends it, however that ends. That the guard has stopped it is no problem. */
export async function ending<T>(run: RunLog, work: () => Promise<T>): Promise<T> {
  let problem: string | null = null
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof HeldError)) problem = error instanceof Error ? error.message : String(error)
    throw error
  } finally {
    await run.end(problem)
  }
}

export async function saveCounts(hub: Hub, run: RunLog): Promise<void> {
  await noteRun(hub.session.q, await run.id(), run.counts)
}
