import type { Instant, JsonObject } from '../core/json.ts'
import type { RecordId } from '../core/model.ts'
import { jsonText, rows, type Query } from './database.ts'

/** `running`: it is being worked out. `failed`: that did not come to its end. */
export type PlanState = 'running' | 'open' | 'approved' | 'rejected' | 'failed'
export const PLAN_OPS = [
  'create',
  'link',
  'update',
  'archive',
  'consent',
  'conflict',
  'unreadable',
  'filtered',
] as const
export type PlanOp = (typeof PLAN_OPS)[number]
export type PlanSide = 'hub' | 'remote'

export type PlanRow = {
  readonly id: number
  readonly connections: readonly string[]
  readonly state: PlanState
  /** By label: the fingerprint of mapping, filters, policies and account that it was made with. */
  readonly shapes: Readonly<Record<string, string>>
  readonly summary: JsonObject
  readonly by: string
  readonly createdAt: Instant
  readonly decidedBy: string | null
  readonly decidedAt: Instant | null
}

/** One thing a sync would do. */
export type PlanLine = {
  readonly streamId: number
  readonly side: PlanSide
  readonly op: PlanOp
  /** Null for a record that does not exist yet. */
  readonly recordId: RecordId | null
  readonly remoteId: string | null
  /** Names the record for people. */
  readonly title: string
  /** By field, or by place at the remote: {before, after, rule}. */
  readonly changes: JsonObject
  /** What the guard counts it as. */
  readonly harm: 'deletes' | 'blanks' | 'optIns' | null
  readonly why: string | null
}
export type StoredLine = PlanLine & { readonly n: number; readonly stream: string }

const COLUMNS = `id, connections, state, shapes, summary, by, created_at as "createdAt", decided_by as "decidedBy",
  decided_at as "decidedAt"`

export async function openPlan(
  q: Query,
  plan: Pick<PlanRow, 'connections' | 'shapes' | 'by'>,
  at: Instant,
): Promise<number> {
  const [row] = await q<{ id: number }[]>`
    insert into plans (connections, state, shapes, summary, by, created_at)
    values (${[...plan.connections]}, 'running', ${jsonText(plan.shapes)}::text::jsonb, '{}', ${plan.by}, ${at})
    returning id`
  if (row === undefined) throw new Error('insert returned no row')
  return row.id
}

/** Adds lines numbered from `from` on. */
export async function addLines(
  q: Query,
  planId: number,
  from: number,
  lines: readonly PlanLine[],
): Promise<void> {
  if (lines.length === 0) return
  await q`
    insert into plan_lines (plan_id, n, stream_id, side, op, record_id, remote_id, title, changes, harm, why)
    select ${planId}, n, "streamId", side, op, "recordId", "remoteId", title, changes, harm, why
    from jsonb_to_recordset(${rows(lines.map((line, i) => ({ ...line, n: from + i })))}::text::jsonb)
      as r(n int, "streamId" int, side text, op text, "recordId" bigint, "remoteId" text, title text, changes json,
        harm text, why text)`
}

export async function endPlan(
  q: Query,
  id: number,
  state: 'open' | 'failed',
  summary: JsonObject,
): Promise<void> {
  await q`
    update plans set state = ${state}, summary = ${jsonText(summary)}::text::jsonb
    where id = ${id} and state = 'running'`
}

export async function readPlan(q: Query, id: number): Promise<PlanRow | undefined> {
  const [row] = await q<PlanRow[]>`select ${q.unsafe(COLUMNS)} from plans where id = ${id}`
  return row
}

/** The plan, locked: whoever else decides about it waits, and then sees what was decided. */
export async function lockPlan(q: Query, id: number): Promise<PlanRow | undefined> {
  const [row] = await q<PlanRow[]>`select ${q.unsafe(COLUMNS)} from plans where id = ${id} for update`
  return row
}

export async function listPlans(q: Query, limit: number, before: number | null): Promise<readonly PlanRow[]> {
  return q<PlanRow[]>`
    select ${q.unsafe(COLUMNS)} from plans where ${before}::bigint is null or id < ${before}
    order by id desc limit ${limit}`
}

export async function decidePlan(
  q: Query,
  id: number,
  state: 'approved' | 'rejected',
  by: string,
  at: Instant,
): Promise<void> {
  await q`
    update plans set state = ${state}, decided_by = ${by}, decided_at = ${at} where id = ${id} and state = 'open'`
}

export type LineFilter = {
  readonly streamId?: number | undefined
  readonly side?: PlanSide | undefined
  readonly op?: PlanOp | undefined
}

/** A page of a plan's lines in the order they came about, after number `after`. */
export async function planLines(
  q: Query,
  planId: number,
  { streamId, side, op }: LineFilter,
  after: number,
  limit: number,
): Promise<readonly StoredLine[]> {
  return q<StoredLine[]>`
    select l.n, l.stream_id as "streamId", s.connection || '/' || s.name as stream, l.side, l.op,
      l.record_id as "recordId", l.remote_id as "remoteId", l.title, l.changes, l.harm, l.why
    from plan_lines l join streams s on s.id = l.stream_id
    where l.plan_id = ${planId} and l.n > ${after}
      and (${streamId ?? null}::int is null or l.stream_id = ${streamId ?? null})
      and (${side ?? null}::text is null or l.side = ${side ?? null})
      and (${op ?? null}::text is null or l.op = ${op ?? null})
    order by l.n limit ${limit}`
}

/** The first lines of every kind, for a glance. */
export async function sampleLines(q: Query, planId: number, each: number): Promise<readonly StoredLine[]> {
  return q<StoredLine[]>`
    select n, "streamId", stream, side, op, "recordId", "remoteId", title, changes, harm, why from (
      select l.n, l.stream_id as "streamId", s.connection || '/' || s.name as stream, l.side, l.op,
        l.record_id as "recordId", l.remote_id as "remoteId", l.title, l.changes, l.harm, l.why,
        row_number() over (partition by l.stream_id, l.side, l.op order by l.n) as nth
      from plan_lines l join streams s on s.id = l.stream_id where l.plan_id = ${planId}
    ) ranked where nth <= ${each} order by "streamId", side, op, n`
}

/** Of the plans of each set of connections, only the newest keep their lines; those that died underway end. */
export async function forgetLines(q: Query, kept: number, deadBefore: Instant): Promise<void> {
  await q`update plans set state = 'failed' where state = 'running' and created_at < ${deadBefore}`
  await q`
    delete from plan_lines l using (
      select id, row_number() over (partition by connections order by id desc) as nth from plans
    ) p
    where l.plan_id = p.id and p.nth > ${kept}`
}
