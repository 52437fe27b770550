import type { Instant } from '../core/json.ts'
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
): Promise<number> {
  const [run] = await q<{ id: number }[]>`
    insert into runs (stream_id, kind, state, started_at) values (${streamId}, ${kind}, 'running', ${at}) returning id`
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
  readonly stream: string | null
  readonly kind: RunKind
  readonly state: 'running' | 'done' | 'failed' | 'held'
  readonly startedAt: Instant
  readonly endedAt: Instant | null
  readonly counts: Counts
  readonly problem: string | null
}

export async function listRuns(q: Query, limit: number, connection?: string): Promise<readonly Run[]> {
  return q<Run[]>`
    select r.id, s.connection || '/' || s.name as stream, r.kind, r.state, r.started_at as "startedAt",
      r.ended_at as "endedAt", r.counts, r.problem
    from runs r left join streams s on s.id = r.stream_id
    where ${connection ?? null}::text is null or s.connection = ${connection ?? null}
    order by r.id desc limit ${limit}`
}
