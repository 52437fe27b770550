import type { RecordId } from '../core/model.ts'
import type { MergedKind } from '../core/survivorship.ts'
import type { Query } from './database.ts'

/** A merge that a run made or took back. */
export type RunMerge = {
  readonly id: number
  readonly kind: MergedKind
  readonly survivor: RecordId
  readonly loser: RecordId
}

const COLUMNS = 'id, kind, survivor_id as survivor, loser_id as loser'
const MADE = (q: Query, run: number) => q`run_id = ${run} and state = 'merged'`
const UNDONE = (q: Query, run: number) => q`undone_run_id = ${run} and not exists (
  select from merges m where m.loser_id = merges.loser_id and m.state = 'merged')`

/** A page of the merges that a run made and that stand, latest first: a later one may rest on an earlier one. */
export async function mergesMadeBy(
  q: Query,
  run: number,
  before: number,
  limit: number,
): Promise<readonly RunMerge[]> {
  return q<RunMerge[]>`
    select ${q.unsafe(COLUMNS)} from merges where ${MADE(q, run)} and id < ${before}::bigint order by id desc limit ${limit}`
}

/** A page of the merges that a run took back and nobody has made again since, in the order in which they were made. */
export async function mergesUndoneBy(
  q: Query,
  run: number,
  after: number,
  limit: number,
): Promise<readonly RunMerge[]> {
  return q<RunMerge[]>`
    select ${q.unsafe(COLUMNS)} from merges where ${UNDONE(q, run)} and id > ${after}::bigint order by id limit ${limit}`
}

/** How many there are of both. */
export async function countMergesOf(q: Query, run: number): Promise<number> {
  const [found] = await q<{ count: number }[]>`
    select count(*) as count from merges where ${MADE(q, run)} or ${UNDONE(q, run)}`
  return found?.count ?? 0
}
