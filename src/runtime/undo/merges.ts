import type { Source } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { countMergesOf, mergesMadeBy, mergesUndoneBy, type RunMerge } from '../../store/run-merges.ts'
import { wakePush } from '../../store/wake.ts'
import { following } from '../changes.ts'
import type { Hub } from '../hub.ts'
import { mergeRecords, mergeWithin } from '../merge/merge.ts'
import { unmergeRecord, unmergeWithin } from '../merge/unmerge.ts'
import { withRaces } from '../races.ts'

type Turn = RunMerge & { readonly what: 'unmerge' | 'merge' }

/** A merge or unmerge that the run made, and that its undo takes back. */
export type MergeUndo = Omit<Turn, 'id'> & {
  /** Why it is not taken back; null: it is, as far as anybody can say beforehand. */
  readonly refused: string | null
}

const PAGE = 200
/** Each of these is tried out; the others are only counted. */
const TRIED = 50

/** What of a run's merges and unmerges stands. Undone in this order, an undo of the undo goes the way back in its own. */
async function* turnsOf(q: Query, run: number): AsyncGenerator<Turn> {
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const made = await mergesMadeBy(q, run, before, PAGE)
    for (const one of made) yield { ...one, what: 'unmerge' }
    before = made.at(-1)?.id ?? 0
    if (before === 0) break
  }
  for (let after = 0; ; ) {
    const undone = await mergesUndoneBy(q, run, after, PAGE)
    for (const one of undone) yield { ...one, what: 'merge' }
    const last = undone.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

const ruleOf = (run: number) => `undo of run ${run}`

export async function planMerges(
  hub: Hub,
  run: number,
  by: Source,
): Promise<{ readonly merges: readonly MergeUndo[]; readonly moreMerges: number }> {
  const merges: MergeUndo[] = []
  for await (const { kind, what, survivor, loser } of turnsOf(hub.db.sql, run)) {
    const result =
      what === 'unmerge'
        ? await unmergeRecord(hub, { kind, loser, by, dryRun: true })
        : await mergeRecords(hub, { kind, survivor, losers: [loser], by, rule: ruleOf(run), dryRun: true })
    merges.push({ kind, what, survivor, loser, refused: result.kind === 'refused' ? result.message : null })
    if (merges.length === TRIED) break
  }
  const all = merges.length < TRIED ? merges.length : await countMergesOf(hub.db.sql, run)
  return { merges, moreMerges: all - merges.length }
}

/** Takes a run's merges and unmerges back, each in a transaction of its own. Those taken back already are left out. */
export async function undoMerges(
  hub: Hub,
  run: number,
  work: { readonly undoRun: number; readonly by: Source },
): Promise<{ readonly count: number; readonly refused: number; readonly woken: ReadonlySet<string> }> {
  const woken = new Set<string>()
  let [count, refused] = [0, 0]
  for await (const turn of turnsOf(hub.db.sql, run)) {
    const done = await withRaces(hub, () => turnBack(hub, run, work, turn))
    if (done === null) refused++
    else count++
    for (const name of done ?? []) woken.add(name)
  }
  return { count, refused, woken }
}

/** Null where it is refused: the plan has said why. */
async function turnBack(
  hub: Hub,
  run: number,
  { undoRun, by }: { readonly undoRun: number; readonly by: Source },
  { kind, what, survivor, loser }: Turn,
): Promise<ReadonlySet<string> | null> {
  return hub.session.begin(async (tx) => {
    const within = following(hub, tx, undoRun, 'always')
    const { result, woken } =
      what === 'unmerge'
        ? await unmergeWithin(within, { kind, loser, by })
        : await mergeWithin(within, { kind, survivor, losers: [loser], by, rule: ruleOf(run) })
    if (result.kind === 'refused') return null
    await wakePush(tx, woken)
    return woken
  })
}
