import type { Instant, Json, JsonObject } from '../core/json.ts'
import type { RecordId, RecordKind, Source } from '../core/model.ts'
import { lines, numbers, texts } from './columns.ts'
import type { Query } from './database.ts'

export type HistoryRow = {
  readonly recordId: RecordId
  readonly kind: RecordKind
  readonly op: 'create' | 'update' | 'archive' | 'restore' | 'keep'
  readonly version: number
  readonly source: Source
  /**
   * By field: {before, after, rule, lost?: {source, value}, was?: whose word `before` was, says?: whose word `after`
   * is, where not the writer's}; a creation holds the values themselves. `keep` records an edit elsewhere that did not
   * stand.
   */
  readonly changes: JsonObject
}

/** Appends one row a change, in the transaction that makes the change. */
export async function appendHistory(
  q: Query,
  entries: readonly HistoryRow[],
  run: number | null,
  at: Instant,
): Promise<void> {
  if (entries.length === 0) return
  await q`
    insert into history (at, record_id, kind, op, version, run_id, source, changes)
    select ${at}, id, kind, op, version, ${run}, source, changes::json
    from unnest(${numbers(entries.map((e) => e.recordId))}::bigint[], ${texts(entries.map((e) => e.kind))}::text[],
      ${texts(entries.map((e) => e.op))}::text[], ${numbers(entries.map((e) => e.version))}::int[],
      ${texts(entries.map((e) => e.source))}::text[],
      string_to_array(${lines(entries.map((e) => e.changes))}, E'\n', 'null')) as r(id, kind, op, version, source, changes)`
}

export type HistoryEntry = {
  readonly at: Instant
  readonly op: string
  readonly version: number
  readonly runId: number | null
  readonly source: Source
  readonly changes: Readonly<Record<string, Json>>
}

/** What happened to a record, latest first. */
export async function historyOf(q: Query, id: RecordId, limit = 200): Promise<readonly HistoryEntry[]> {
  return q<HistoryEntry[]>`
    select at, op, version, run_id as "runId", source, changes from history
    where record_id = ${id} order by at desc, id desc limit ${limit}`
}

/** Makes the partitions of the month of `at` and of the next one. */
export async function ensureHistoryPartitions(q: Query, at: Instant): Promise<void> {
  await q`select concord_history_partition(${at}::timestamptz), concord_history_partition(${at}::timestamptz + interval '1 month')`
}
