import type { Instant } from '../core/json.ts'
import type { Source } from '../core/model.ts'
import { jsonText, type Query } from './database.ts'

export type RunKind =
  | 'observe'
  | 'sweep'
  | 'push'
  | 'hints'
  | 'edit'
  | 'invoice'
  | 'mail'
  | 'merge'
  | 'unmerge'
  | 'undo'
  | 'erase'
export type Counts = Readonly<Record<string, number>>

/** A pass that changed nothing is not written down, so a run begins with its first change. */
export async function beginRun(
  q: Query,
  streamId: number | null,
  kind: RunKind,
  at: Instant,
  how: { readonly by?: Source; readonly undoes?: number } = {},
): Promise<number> {
  const [run] = await q<{ id: number }[]>`
    insert into runs (stream_id, kind, state, started_at, by, undoes)
    values (${streamId}, ${kind}, 'running', ${at}, ${how.by ?? null}, ${how.undoes ?? null}) returning id`
  if (run === undefined) throw new Error('insert returned no row')
  return run.id
}

export async function noteRun(q: Query, id: number, counts: Counts): Promise<void> {
  await q`update runs set counts = ${jsonText(counts)}::text::jsonb where id = ${id}`
}

export async function endRun(
  q: Query,
  id: number,
  state: 'done' | 'failed' | 'held',
  counts: Counts,
  problem: string | null,
  at: Instant,
): Promise<void> {
  await q`
    update runs set state = ${state}, counts = ${jsonText(counts)}::text::jsonb, problem = ${problem}, ended_at = ${at}
    where id = ${id}`
}

export type Run = {
  readonly id: number
  /** `connection/stream`; null where it belongs to none. */
  readonly stream: string | null
  readonly streamId: number | null
  readonly kind: RunKind
  readonly state: 'running' | 'done' | 'failed' | 'held'
  readonly startedAt: Instant
  readonly endedAt: Instant | null
  readonly counts: Counts
  readonly problem: string | null
  /** Who asked for it; null: a schedule. */
  readonly by: Source | null
  /** The run that this one takes back, and the one that takes this one back. */
  readonly undoes: number | null
  readonly undoneBy: number | null
}

const COLUMNS = `r.id, s.connection || '/' || s.name as stream, r.stream_id as "streamId", r.kind, r.state,
  r.started_at as "startedAt", r.ended_at as "endedAt", r.counts, r.problem, r.by, r.undoes,
  (select u.id from runs u where u.undoes = r.id) as "undoneBy"`

/** Latest first; `before` is where a page ended. */
export async function listRuns(
  q: Query,
  limit: number,
  connection?: string,
  before?: number,
): Promise<readonly Run[]> {
  return q<Run[]>`
    select ${q.unsafe(COLUMNS)} from runs r left join streams s on s.id = r.stream_id
    where (${connection ?? null}::text is null or s.connection = ${connection ?? null})
      and (${before ?? null}::bigint is null or r.id < ${before ?? null})
    order by r.id desc limit ${limit}`
}

export async function readRun(q: Query, id: number): Promise<Run | undefined> {
  const [run] = await q<Run[]>`
    select ${q.unsafe(COLUMNS)} from runs r left join streams s on s.id = r.stream_id where r.id = ${id}`
  return run
}

/** Takes a run up again that a dead process left, or that failed. */
export async function reopenRun(q: Query, id: number): Promise<void> {
  await q`update runs set state = 'running', ended_at = null, problem = null where id = ${id}`
}
