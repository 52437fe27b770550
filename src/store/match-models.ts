import type { MatchedKind } from '../core/duplicates.ts'
import { isObject, type Instant, type Json, type JsonObject } from '../core/json.ts'
import type { RecordId } from '../core/model.ts'
import { jsonText, type Query } from './database.ts'
import { TABLE } from './records.ts'

export type StoredModel = {
  readonly model: JsonObject
  /** How many records there were when it was learned. */
  readonly records: number
  readonly trainedAt: Instant
}

export async function readModel(q: Query, kind: MatchedKind): Promise<StoredModel | null> {
  const [row] = await q<{ model: Json; records: number; trainedAt: Instant }[]>`
    select model, records, trained_at as "trainedAt" from match_models where kind = ${kind}`
  return row === undefined || !isObject(row.model) ? null : { ...row, model: row.model }
}

export async function saveModel(q: Query, kind: MatchedKind, stored: StoredModel): Promise<void> {
  await q`
    insert into match_models (kind, model, records, trained_at)
    values (${kind}, ${jsonText(stored.model)}::text::jsonb, ${stored.records}, ${stored.trainedAt})
    on conflict (kind) do update set model = excluded.model, records = excluded.records,
      trained_at = excluded.trained_at`
}

export async function countLive(q: Query, kind: MatchedKind): Promise<number> {
  const [row] = await q<{ count: number }[]>`
    select count(*) as count from ${q(TABLE[kind])} where archived_at is null`
  return row?.count ?? 0
}

/** Records of a kind from all over its table, about `count` of them: whole pages of it, picked at random. */
export async function sampleIds(
  q: Query,
  kind: MatchedKind,
  count: number,
  of: number,
  seed: number,
): Promise<readonly RecordId[]> {
  // A little more than needed: pages differ in how many records they hold.
  const percent = of === 0 ? 100 : Math.min(100, (110 * count) / of)
  const found = await q<{ id: RecordId }[]>`
    select id from ${q(TABLE[kind])} tablesample ${q.unsafe(percent > 5 ? 'bernoulli' : 'system')} (${percent}::float8)
      repeatable (${seed}::float8)
    where archived_at is null limit ${count}`
  return found.map((row) => row.id)
}

/** Counting stops here; what is above is known about well enough. */
const COUNTED = 2_000

/**
 * How many records of a kind there are: exactly where they are few, from the server's statistics where they are many.
 * And when the weights that count were learned; null: never.
 */
export async function sizeOf(
  q: Query,
  kind: MatchedKind,
): Promise<{ readonly records: number; readonly trainedAt: Instant | null }> {
  const [row] = await q<{ records: number; trainedAt: Instant | null }[]>`
    with counted as materialized (
      select count(*) as n from (select from ${q(TABLE[kind])} where archived_at is null limit ${COUNTED}) few
    )
    select case when n < ${COUNTED} then n else greatest(n, (
        select n_live_tup from pg_stat_user_tables where relid = ${TABLE[kind]}::regclass
      )) end as records,
      (select trained_at from match_models where kind = ${kind}) as "trainedAt"
    from counted`
  return row ?? { records: 0, trainedAt: null }
}
