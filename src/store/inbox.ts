import type { Instant, JsonObject } from '../core/json.ts'
import type { RecordId } from '../core/model.ts'
import { numbers, texts } from './columns.ts'
import { rows, type Query } from './database.ts'

export type InboxKind =
  | 'duplicate'
  | 'conflict'
  | 'mass_change'
  | 'rejected_write'
  | 'uncertain_outcome'
  | 'missing_data'
  | 'unknown_value'
  | 'unreadable'
  | 'changed_after_invoice'
  | 'connection'
  | 'alarm'

export type NewItem = {
  readonly kind: InboxKind
  /** Names the cause: while an item with this key is open, the cause coming back only counts it up. */
  readonly key: string
  readonly title: string
  readonly fix: string
  readonly detail: JsonObject
  readonly streamId: number | null
  readonly recordId: RecordId | null
}

export type InboxItem = NewItem & {
  readonly id: number
  readonly state: 'open' | 'done'
  readonly seen: number
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly resolution: string | null
}

/** Opens items, or counts up those already open. The later of two with one key wins. */
export async function openItems(q: Query, items: readonly NewItem[], at: Instant): Promise<void> {
  if (items.length === 0) return
  const latest = [...new Map(items.map((item) => [item.key, item])).values()]
  await q`
    insert into inbox (kind, key, title, fix, detail, stream_id, record_id, created_at, updated_at)
    select kind, key, title, fix, detail, "streamId", "recordId", ${at}, ${at}
    from jsonb_to_recordset(${rows(latest)}::text::jsonb) as r(kind text, key text, title text, fix text, detail jsonb,
      "streamId" int, "recordId" bigint)
    on conflict (key) where state = 'open' do update set title = excluded.title, fix = excluded.fix,
      detail = excluded.detail, updated_at = excluded.updated_at, seen = inbox.seen + 1`
}

/** Closes open items by key: their cause is gone. Returns how many were open. */
export async function closeItems(
  q: Query,
  keys: readonly string[],
  resolution: string,
  at: Instant,
): Promise<number> {
  if (keys.length === 0) return 0
  const closed = await q`
    update inbox set state = 'done', resolution = ${resolution}, updated_at = ${at}
    where state = 'open' and key = any(${[...keys]})`
  return closed.count
}

/** Closes what asks whether one of these records is another one; `why` says what became of the record. */
export async function closeDuplicatesOf(
  q: Query,
  gone: readonly { readonly id: RecordId; readonly why: string }[],
  at: Instant,
): Promise<void> {
  if (gone.length === 0) return
  const ids = numbers(gone.map((one) => one.id))
  const given = q`unnest(${ids}::bigint[], ${texts(gone.map((one) => one.why))}::text[]) as g(id, why)`
  // Each half finds its index.
  await q`
    update inbox i set state = 'done', resolution = g.why, updated_at = ${at}
    from (
      select i.id, g.why from ${given} join inbox i on i.record_id = g.id and i.kind = 'duplicate' and i.state = 'open'
      union all
      select i.id, g.why from ${given}
      join inbox i on (i.detail->'records'->>1)::bigint = g.id and i.kind = 'duplicate' and i.state = 'open'
    ) g
    where i.id = g.id and i.state = 'open'`
}

/** Which of the keys have an open item. */
export async function openKeys(q: Query, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set()
  const found = await q<
    { key: string }[]
  >`select key from inbox where state = 'open' and key = any(${[...keys]})`
  return new Set(found.map((row) => row.key))
}

const COLUMNS = `id, kind, key, title, fix, detail, stream_id as "streamId", record_id as "recordId", state, seen,
  created_at as "createdAt", updated_at as "updatedAt", resolution`

export async function listItems(
  q: Query,
  filter: {
    readonly state: 'open' | 'done' | 'all'
    readonly kind?: string
    readonly recordId?: RecordId
    readonly limit: number
  },
): Promise<readonly InboxItem[]> {
  return q<InboxItem[]>`
    select ${q.unsafe(COLUMNS)} from inbox
    where (${filter.state} = 'all' or state = ${filter.state})
      and (${filter.kind ?? null}::text is null or kind = ${filter.kind ?? null})
      and (${filter.recordId ?? null}::bigint is null or record_id = ${filter.recordId ?? null})
    order by updated_at desc, id desc limit ${filter.limit}`
}

export async function readItem(q: Query, id: number): Promise<InboxItem | undefined> {
  const [item] = await q<InboxItem[]>`select ${q.unsafe(COLUMNS)} from inbox where id = ${id}`
  return item
}

/** True where this call closed it; false where somebody else had, or it does not exist. */
export async function resolveItem(q: Query, id: number, resolution: string, at: Instant): Promise<boolean> {
  const done = await q`
    update inbox set state = 'done', resolution = ${resolution}, updated_at = ${at}
    where id = ${id} and state = 'open' returning id`
  return done.length === 1
}

export async function openCounts(q: Query): Promise<Readonly<Record<string, number>>> {
  const found = await q<{ kind: string; count: number }[]>`
    select kind, count(*) as count from inbox where state = 'open' group by kind order by kind`
  return Object.fromEntries(found.map((row) => [row.kind, row.count]))
}

export type BadPlace = {
  readonly place: string
  readonly remoteId: string | null
  readonly problem: string
  readonly raw: string
}

/** Keeps rows and values that could not be read, by where they stand; at most 1,000 characters of each. */
export async function quarantine(
  q: Query,
  streamId: number,
  bad: readonly BadPlace[],
  at: Instant,
): Promise<void> {
  if (bad.length === 0) return
  const latest = [...new Map(bad.map((b) => [b.place, { ...b, raw: b.raw.slice(0, 1000) }])).values()]
  await q`
    insert into quarantine (stream_id, place, remote_id, problem, raw, seen_at)
    select ${streamId}, place, "remoteId", problem, raw, ${at}
    from jsonb_to_recordset(${rows(latest)}::text::jsonb) as r(place text, "remoteId" text, problem text, raw text)
    on conflict (stream_id, place) do update set problem = excluded.problem, raw = excluded.raw,
      remote_id = excluded.remote_id, seen_at = excluded.seen_at`
}

/** Forgets the problems of objects that could be read since. */
export async function release(q: Query, streamId: number, remoteIds: readonly string[]): Promise<void> {
  if (remoteIds.length === 0) return
  await q`delete from quarantine where stream_id = ${streamId} and remote_id = any(${[...remoteIds]})`
}

/** Forgets places without an id that were last met before `at`; false where there were none. */
export async function forgetQuarantined(q: Query, streamId: number, at: Instant): Promise<boolean> {
  const gone = await q`
    delete from quarantine where stream_id = ${streamId} and remote_id is null and seen_at < ${at} returning 1`
  return gone.length > 0
}

export async function quarantined(
  q: Query,
  streamId: number,
  limit: number,
): Promise<{ readonly count: number; readonly samples: readonly BadPlace[] }> {
  const samples = await q<BadPlace[]>`
    select place, remote_id as "remoteId", problem, raw from quarantine
    where stream_id = ${streamId} order by seen_at desc, place limit ${limit}`
  const [total] = await q<
    { count: number }[]
  >`select count(*) as count from quarantine where stream_id = ${streamId}`
  return { count: total?.count ?? 0, samples }
}
