import type { RecordKind, Source } from '../../core/model.ts'
import type { SparedFor } from '../../core/undo.ts'
import { statementsOf } from '../../store/run-changes.ts'
import type { Run } from '../../store/runs.ts'
import type { Hub } from '../hub.ts'
import { peopleOptedIn } from './consent.ts'
import type { RemoteEffect, UndoLine } from './line.ts'
import { planMerges, type MergeUndo } from './merges.ts'
import { undoableRun, type Refused } from './undoable.ts'
import { undoLines } from './walk.ts'

export type SparedGroup = {
  readonly reason: SparedFor
  readonly count: number
  readonly samples: readonly {
    readonly kind: RecordKind
    readonly id: number
    readonly title: string
    readonly why: string
  }[]
}

/** What an undo would do, and everything it would not. */
export type UndoPlan = {
  readonly run: Run
  /** Records by what happens to them; `fields` of those that are only edited. */
  readonly counts: {
    readonly archive: number
    readonly restore: number
    readonly update: number
    readonly fields: number
    readonly untouched: number
  }
  readonly merges: readonly MergeUndo[]
  /** How many merges and unmerges there are beside those. */
  readonly moreMerges: number
  /** By stream, how many writes follow there. */
  readonly remotes: readonly {
    readonly stream: string
    readonly counts: Readonly<Partial<Record<RemoteEffect['what'], number>>>
    /** Why nothing is sent for some, in words, with how many. */
    readonly stays: readonly { readonly why: string; readonly count: number }[]
  }[]
  readonly spared: readonly SparedGroup[]
  /** People whom the run opted in: the undo opts them out. */
  readonly optOuts: number
  /** Opt-outs that the run brought, which stay. */
  readonly keptOptOuts: number
  readonly samples: readonly UndoLine[]
  /** An undo of this run was begun; it goes on where it stopped. */
  readonly begun: number | null
}

const SAMPLES = 10
const SPARED_SAMPLES = 5

async function drain(lines: AsyncIterable<UndoLine>): Promise<void> {
  for await (const _ of lines);
}

/** Works out what an undo would do, without writing anything. `read` is given every line, for a full list. */
export async function planUndo(
  hub: Hub,
  id: number,
  by: Source,
  read: (lines: AsyncIterable<UndoLine>) => Promise<unknown> = drain,
): Promise<{ readonly kind: 'plan'; readonly plan: UndoPlan } | Refused> {
  const found = await undoableRun(hub, id)
  if (found.kind === 'refused') return found
  const { run, begun } = found
  const tally = openTally()
  async function* counted(): AsyncGenerator<UndoLine> {
    for await (const line of undoLines(hub, { run, undoRun: begun?.id ?? null, by })) {
      tally.add(line)
      yield line
    }
  }
  await read(counted())
  const statements = await statementsOf(hub.db.sql, id)
  return {
    kind: 'plan',
    plan: {
      run,
      ...tally.result(),
      ...(await planMerges(hub, id, by)),
      optOuts: await peopleOptedIn(hub, id),
      keptOptOuts: statements['out'] ?? 0,
      begun: begun?.id ?? null,
    },
  }
}

type Tallied = Pick<UndoPlan, 'counts' | 'remotes' | 'spared' | 'samples'>

function openTally(): { add(line: UndoLine): void; result(): Tallied } {
  const counts = { archive: 0, restore: 0, update: 0, fields: 0, untouched: 0 }
  const remotes = new Map<string, Map<RemoteEffect['what'], number>>()
  const stays = new Map<string, Map<string, number>>()
  const spared = new Map<SparedFor, { count: number; samples: SparedGroup['samples'][number][] }>()
  const samples: UndoLine[] = []
  return {
    add(line) {
      if (line.op === 'none') counts.untouched++
      else {
        counts[line.op]++
        counts.fields += line.fields.length
        if (samples.length < SAMPLES) samples.push(line)
      }
      for (const { stream, what, why } of line.remotes) {
        const mine = remotes.get(stream) ?? new Map<RemoteEffect['what'], number>()
        remotes.set(stream, mine.set(what, (mine.get(what) ?? 0) + 1))
        if (why === null) continue
        // Which object it is stands in the full list.
        const plain = why.replace(/ object \S+ \(/, ' objects (')
        const reasons = stays.get(stream) ?? new Map<string, number>()
        stays.set(stream, reasons.set(plain, (reasons.get(plain) ?? 0) + 1))
      }
      for (const { reason, field, why, by } of line.spared) {
        const group = spared.get(reason) ?? { count: 0, samples: [] }
        spared.set(reason, group)
        group.count++
        const told = `${field === null ? '' : `${field}: `}${why}${by === null ? '' : ` by ${by}`}`
        if (group.samples.length < SPARED_SAMPLES)
          group.samples.push({ kind: line.kind, id: line.id, title: line.title, why: told })
      }
    },
    result: () => ({
      counts,
      samples,
      spared: [...spared].map(([reason, group]) => ({ reason, ...group })),
      remotes: [...remotes].map(([stream, mine]) => ({
        stream,
        counts: Object.fromEntries(mine),
        stays: [...(stays.get(stream) ?? [])].map(([why, count]) => ({ why, count })),
      })),
    }),
  }
}
