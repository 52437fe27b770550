import type { RecordId, Source } from '../../core/model.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import type { Query } from '../../store/database.ts'
import { wakePush } from '../../store/wake.ts'
import { following } from '../changes.ts'
import type { Hub } from '../hub.ts'
import { mergeRecords, mergeWithin } from '../merge/merge.ts'
import { unmergeRecord, unmergeWithin } from '../merge/unmerge.ts'
import { withRaces } from '../races.ts'

type Turn = {
  readonly id: number
  readonly kind: MergedKind
  readonly what: 'unmerge' | 'merge'
  readonly survivor: RecordId
  readonly loser: RecordId
}

/** A merge or unmerge that the run made, and that its undo takes back. */
export type MergeUndo = Omit<Turn, 'id'> & {
  /** Why it is not taken back; null: it is, as far as anybody can say beforehand. */
  readonly refused: string | null
}

const PAGE = 200
/** Each of these is tried out; of more, only those that nobody took back already are counted. */
const TRIED = 50

/** What of a run's merges and unmerges stands, latest first: a later merge may rest on an earlier one. */
async function turnsOf(q: Query, run: number, before: number): Promise<readonly Turn[]> {
  return q<Turn[]>`
    select id, kind, case when run_id = ${run} and state = 'merged' then 'unmerge' else 'merge' end as what,
      survivor_id as survivor, loser_id as loser
    from merges
    where id < ${before}::bigint and (run_id = ${run} and state = 'merged' or undone_run_id = ${run} and not exists (
      select from merges m where m.loser_id = merges.loser_id and m.state = 'merged'))
    order by id desc limit ${PAGE}`
}

const ruleOf = (run: number) => `undo of run ${run}`

export async function planMerges(hub: Hub, run: number, by: Source): Promise<readonly MergeUndo[]> {
  const turns = await turnsOf(hub.db.sql, run, Number.MAX_SAFE_INTEGER)
  const planned: MergeUndo[] = []
  for (const [i, { kind, what, survivor, loser }] of turns.entries()) {
    const result =
      i >= TRIED
        ? null
        : what === 'unmerge'
          ? await unmergeRecord(hub, { kind, loser, by, dryRun: true })
          : await mergeRecords(hub, { kind, survivor, losers: [loser], by, rule: ruleOf(run), dryRun: true })
    planned.push({ kind, what, survivor, loser, refused: result?.kind === 'refused' ? result.message : null })
  }
  return planned
}

/** Takes a run's merges and unmerges back, each in a transaction of its own. Those taken back already are left out. */
export async function undoMerges(
  hub: Hub,
  run: number,
  work: { readonly undoRun: number; readonly by: Source },
): Promise<{ readonly count: number; readonly refused: number; readonly woken: ReadonlySet<string> }> {
  const woken = new Set<string>()
  let [count, refused] = [0, 0]
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const turns = await turnsOf(hub.db.sql, run, before)
    const last = turns.at(-1)
    if (last === undefined) return { count, refused, woken }
    before = last.id
    for (const turn of turns) {
      const done = await withRaces(hub, () => turnBack(hub, run, work, turn))
      if (done === null) refused++
      else count++
      for (const name of done ?? []) woken.add(name)
    }
  }
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
