import { addHarm, NO_HARM, type Harm } from '../../core/guard.ts'
import type { HubRecord } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { addLines, type PlanLine, type PlanOp } from '../../store/plans.ts'
import type { Side } from '../../store/streams.ts'

const CHUNK = 500

/** What of one stream came about while a plan was worked out. */
export type Tally = {
  read: number
  /** By side and operation. */
  readonly hub: Record<string, number>
  readonly remote: Record<string, number>
  /** What was left out, by reason. */
  readonly reasons: Record<string, number>
  /** What the guard counts, by side. */
  readonly harm: Record<Side, Harm>
  /** Sides on which the guard would hold it. */
  readonly held: Set<Side>
}

/** Takes down what a sync would do, while it is worked out. Memory does not grow with the number of lines. */
export type Planning = {
  /** Forgets what was drafted since the last `keep`: its page starts over. */
  restart(): void
  draft(lines: readonly PlanLine[]): void
  /** The page went through: what was drafted counts. */
  keep(): Promise<void>
  seen(streamId: number, count: number): void
  /** What the guard counts of a page; `isHeld`: it would stop it here. */
  guarded(streamId: number, side: Side, harm: Harm, isHeld: boolean): void
  /** The id of a record that exists outside of the plan; null for one that the plan made. */
  known(record: HubRecord): number | null
  /** Whose pass runs: what rules make of it is told there. */
  current: number
  end(): Promise<void>
  tally(streamId: number): Tally
}

/** `q` runs beside the transaction that is rolled back. `lastRecord`: ids above it are of records that the plan made. */
export function openPlanning(q: Query, planId: number, lastRecord: number): Planning {
  const tallies = new Map<number, Tally>()
  let drafted: PlanLine[] = []
  let judged: Judged[] = []
  let waiting: PlanLine[] = []
  let written = 0
  const tally = (streamId: number): Tally => {
    const known = tallies.get(streamId)
    if (known !== undefined) return known
    const made: Tally = {
      read: 0,
      hub: { create: 0, link: 0, update: 0, archive: 0, conflict: 0, unreadable: 0, filtered: 0 },
      remote: { create: 0, update: 0, consent: 0, archive: 0, filtered: 0 },
      reasons: {},
      harm: { in: NO_HARM, out: NO_HARM },
      held: new Set(),
    }
    tallies.set(streamId, made)
    return made
  }
  const write = async (least: number) => {
    while (waiting.length >= least && waiting.length > 0) {
      const chunk = waiting.slice(0, CHUNK)
      waiting = waiting.slice(CHUNK)
      await addLines(q, planId, written + 1, chunk)
      written += chunk.length
    }
  }
  return {
    current: 0,
    restart() {
      drafted = []
      judged = []
    },
    draft(lines) {
      for (const line of lines) drafted.push(line)
    },
    async keep() {
      for (const line of drafted) count(tally(line.streamId), line)
      for (const { streamId, side, harm, isHeld } of judged) {
        const { harm: sum, held } = tally(streamId)
        sum[side] = addHarm(sum[side], harm)
        if (isHeld) held.add(side)
      }
      waiting = [...waiting, ...drafted]
      drafted = []
      judged = []
      await write(CHUNK)
    },
    seen(streamId, n) {
      tally(streamId).read += n
    },
    guarded(streamId, side, harm, isHeld) {
      judged.push({ streamId, side, harm, isHeld })
    },
    known: ({ id }) => (id > lastRecord ? null : id),
    end: () => write(1),
    tally,
  }
}

type Judged = {
  readonly streamId: number
  readonly side: Side
  readonly harm: Harm
  readonly isHeld: boolean
}

function count(tally: Tally, { side, op, why }: PlanLine): void {
  const counts = side === 'hub' ? tally.hub : tally.remote
  counts[op] = (counts[op] ?? 0) + 1
  if (op === ('filtered' satisfies PlanOp)) tally.reasons[why ?? ''] = (tally.reasons[why ?? ''] ?? 0) + 1
}
