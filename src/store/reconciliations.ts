import type { Instant, JsonObject } from '../core/json.ts'
import type { Drift, Outward } from '../core/reconcile.ts'
import type { RecordKind } from '../core/model.ts'
import { texts } from './columns.ts'
import { jsonText, type Query } from './database.ts'
import { TABLE } from './records.ts'

export type Reconciliation = {
  readonly id: number
  readonly streamId: number
  readonly at: Instant
  /** Objects that the source listed; of a stream that only writes, records that should be there. */
  readonly source: number
  /** Objects the hub held before. */
  readonly hub: number
  readonly drift: Drift
  readonly runId: number | null
}

const COLUMNS = `id, stream_id as "streamId", at, source, hub, drift, run_id as "runId"`

export async function saveReconciliation(q: Query, row: Omit<Reconciliation, 'id'>): Promise<void> {
  await q`
    insert into reconciliations (stream_id, at, source, hub, drift, run_id)
    values (${row.streamId}, ${row.at}, ${row.source}, ${row.hub}, ${jsonText(row.drift)}::text::jsonb, ${row.runId})`
}

/** The last `each` of every named stream, newest first. */
export async function lastReconciliations(
  q: Query,
  streams: readonly number[],
  each: number,
): Promise<readonly Reconciliation[]> {
  if (streams.length === 0) return []
  return q<Reconciliation[]>`
    select ${q.unsafe(COLUMNS)} from unnest(${[...streams]}::int[]) as s(stream)
    cross join lateral (
      select * from reconciliations r where r.stream_id = s.stream order by at desc, id desc limit ${each}
    ) latest order by at desc, id desc`
}

/** Comparisons before `before` (an id, which rises with time), newest first. */
export async function listReconciliations(
  q: Query,
  filter: { readonly streams: readonly number[]; readonly before: number | null; readonly limit: number },
): Promise<readonly Reconciliation[]> {
  return q<Reconciliation[]>`
    select ${q.unsafe(COLUMNS)} from reconciliations
    where stream_id = any(${[...filter.streams]}::int[]) and (${filter.before}::bigint is null or id < ${filter.before})
    order by id desc limit ${filter.limit}`
}

export async function forgetReconciliations(q: Query, before: Instant): Promise<void> {
  await q`delete from reconciliations where at < ${before}`
}

/** How the records that should be at a stream's remote stand; `creates` where all of a kind should be. */
export async function countOutward(
  q: Query,
  stream: { readonly id: number; readonly record: RecordKind; readonly creates: boolean },
): Promise<Outward> {
  const [links] = await q<Omit<Outward, 'unlinked'>[]>`
    select count(*) filter (where wake > settled and state in ('pending', 'creating', 'linked') and not refused) as waiting,
      count(*) filter (where refused and asked) as rejected,
      count(*) filter (where refused and not asked) as frozen,
      count(*) filter (where state = 'filtered') as filtered,
      count(*) filter (where state = 'gone') as ended
    from (
      select state, wake, settled, state in ('pending', 'linked') and wake <= settled and problem is not null as refused,
        problem is not null and exists (
          select from inbox i where i.state = 'open' and i.kind = 'rejected_write' and i.key = any(array[
            'rejected:' || links.id || ':create', 'rejected:' || links.id || ':update',
            'rejected:' || links.id || ':archive', 'rejected:' || links.id || ':consent'])) as asked
      from links where stream_id = ${stream.id}
    ) l`
  const [unlinked] = stream.creates
    ? await q<{ count: number }[]>`
        select count(*) as count from ${q(TABLE[stream.record])} r
        where archived_at is null and not exists (
          select from links l where l.record_id = r.id and l.stream_id = ${stream.id})`
    : []
  const { waiting = 0, rejected = 0, frozen = 0, filtered = 0, ended = 0 } = links ?? {}
  return { waiting, rejected, frozen, filtered, ended, unlinked: unlinked?.count ?? 0 }
}

export type LastSeen = {
  readonly remoteId: string
  readonly state: string
  /** Its version says that nothing changed. */
  readonly isSame: boolean
  /** What was last seen of it; null where the version tells. */
  readonly observed: JsonObject | null
}

/** What was last seen of objects. Bodies are read only where there is no version to tell. */
export async function lastSeen(
  q: Query,
  streamId: number,
  objects: readonly { readonly id: string; readonly version: string | null }[],
): Promise<readonly LastSeen[]> {
  if (objects.length === 0) return []
  return q<LastSeen[]>`
    select l.remote_id as "remoteId", l.state, coalesce(l.version = o.version, false) as "isSame",
      case when o.version is null then l.observed end as observed
    from unnest(${texts(objects.map((o) => o.id))}::text[], ${texts(objects.map((o) => o.version))}::text[]) as o(id, version)
    join links l on l.stream_id = ${streamId} and l.remote_id = o.id`
}
