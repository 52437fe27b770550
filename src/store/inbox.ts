import { isList, type Instant, type JsonObject } from '../core/json.ts'
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
  /** Whom it was given to. */
  readonly assignee: string | null
  /** It is not shown before then, unless its cause comes back greater. */
  readonly snoozedUntil: Instant | null
}

/** How many things an item sums up, where it says so. */
const size = (row: string) =>
  `coalesce(case when jsonb_typeof(${row}.detail->'count') = 'number' then (${row}.detail->>'count')::numeric end,
    case when ${row}.kind = 'mass_change' then (${row}.detail->>'deletes')::numeric + (${row}.detail->>'blanks')::numeric
      + (${row}.detail->>'optIns')::numeric end, 0)`

/** Opens items, or counts up those already open. The later of two with one key wins. What has grown is shown again. */
export async function openItems(q: Query, items: readonly NewItem[], at: Instant): Promise<void> {
  if (items.length === 0) return
  const latest = [...new Map(items.map((item) => [item.key, item])).values()]
  await q`
    insert into inbox (kind, key, title, fix, detail, stream_id, record_id, created_at, updated_at)
    select kind, key, title, fix, detail, "streamId", "recordId", ${at}, ${at}
    from jsonb_to_recordset(${rows(latest)}::text::jsonb) as r(kind text, key text, title text, fix text, detail jsonb,
      "streamId" int, "recordId" bigint)
    where kind <> 'duplicate' or not exists (
      select from kept_apart k where k.a = (detail->'records'->>0)::bigint and k.b = (detail->'records'->>1)::bigint)
    on conflict (key) where state = 'open' do update set title = excluded.title, fix = excluded.fix,
      detail = excluded.detail, updated_at = excluded.updated_at, seen = inbox.seen + 1,
      snoozed_until = case when ${q.unsafe(size('excluded'))} > ${q.unsafe(size('inbox'))} then null
        else inbox.snoozed_until end`
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

/** Closes what is about the links of a connection that was removed, or about what could not be read of it. */
export async function closeOfConnection(q: Query, connection: string, at: Instant): Promise<void> {
  await q`
    update inbox set state = 'done', resolution = ${`${connection} was removed`}, updated_at = ${at}
    where state = 'open' and stream_id in (select id from streams where connection = ${connection})
      and kind in ('conflict', 'mass_change', 'rejected_write', 'uncertain_outcome', 'unreadable')`
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

/** Closes what asks whether two records are one because of a key that one of them has lost. */
export async function closeUnshared(
  q: Query,
  lost: readonly { readonly key: { readonly value: string }; readonly id: RecordId }[],
  at: Instant,
): Promise<void> {
  if (lost.length === 0) return
  const given = q`unnest(${texts(lost.map((one) => one.key.value))}::text[], ${numbers(lost.map((one) => one.id))}::bigint[])
    as l(value, id)`
  await q`
    update inbox i set state = 'done', resolution = l.value || ' is on one of them only', updated_at = ${at}
    from (
      select i.id, l.value from ${given} join inbox i on i.record_id = l.id and i.kind = 'duplicate' and i.state = 'open'
        and i.detail->>'by' = l.value
      union all
      select i.id, l.value from ${given} join inbox i on (i.detail->'records'->>1)::bigint = l.id and i.kind = 'duplicate'
        and i.state = 'open' and i.detail->>'by' = l.value
    ) l
    where i.id = l.id and i.state = 'open'`
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
  created_at as "createdAt", updated_at as "updatedAt", resolution, assignee, snoozed_until as "snoozedUntil"`

/** Which items are meant. What is left out is not asked for. */
export type ItemFilter = {
  readonly state: 'open' | 'done' | 'all'
  readonly kind?: string
  readonly recordId?: RecordId
  readonly streamId?: number
  readonly assignee?: string
  /** `hidden` (those are not shown): open items that are snoozed at `now`. */
  readonly snoozed?: 'hidden' | 'only' | 'all'
  readonly now?: Instant
}

const matching = (q: Query, filter: ItemFilter) => {
  const {
    state,
    kind = null,
    recordId = null,
    streamId = null,
    assignee = null,
    snoozed = 'all',
    now = 0,
  } = filter
  return q`
    (${state} = 'all' or state = ${state})
      and (${kind}::text is null or kind = ${kind})
      and (${recordId}::bigint is null or record_id = ${recordId})
      and (${streamId}::int is null or stream_id = ${streamId})
      and (${assignee}::text is null or assignee = ${assignee})
      and (${snoozed} = 'all' or state = 'done'
        or coalesce(snoozed_until > ${now}::timestamptz, false) = (${snoozed} = 'only'))`
}

/** Items by the time they were last seen, latest first; with `below`, by falling id from there on. */
export async function listItems(
  q: Query,
  filter: ItemFilter & { readonly limit: number; readonly below?: number },
): Promise<readonly InboxItem[]> {
  const { below = null, limit } = filter
  return q<InboxItem[]>`
    select ${q.unsafe(COLUMNS)} from inbox
    where ${matching(q, filter)} and (${below}::bigint is null or id < ${below})
    order by ${below === null ? q`updated_at desc, id desc` : q`id desc`} limit ${limit}`
}

/** The ids of items, by rising id from `after` on. */
export async function itemIds(
  q: Query,
  filter: ItemFilter,
  after: number,
  limit: number,
): Promise<readonly number[]> {
  const found = await q<{ id: number }[]>`
    select id from inbox where ${matching(q, filter)} and id > ${after} order by id limit ${limit}`
  return found.map((row) => row.id)
}

/** Gives an open item to somebody, or to nobody. */
export async function assignItem(q: Query, id: number, assignee: string | null): Promise<boolean> {
  const given =
    await q`update inbox set assignee = ${assignee} where id = ${id} and state = 'open' returning id`
  return given.length === 1
}

/** Hides an open item until a time; null shows it again. */
export async function snoozeItem(q: Query, id: number, until: Instant | null): Promise<boolean> {
  const hidden = await q`
    update inbox set snoozed_until = ${until} where id = ${id} and state = 'open' returning id`
  return hidden.length === 1
}

/**
 * Closes an item with who did what, also where the cause had closed it in between. False where the cause has come back
 * since it was read: that is another thing than what was settled.
 */
export async function concludeItem(
  q: Query,
  { id, seen }: Pick<InboxItem, 'id' | 'seen'>,
  resolution: string,
  at: Instant,
): Promise<boolean> {
  const closed = await q`
    update inbox set state = 'done', resolution = ${resolution}, updated_at = ${at}
    where id = ${id} and (state = 'done' or seen = ${seen})`
  return closed.count === 1
}

export async function readItem(q: Query, id: number): Promise<InboxItem | undefined> {
  const [item] = await q<InboxItem[]>`select ${q.unsafe(COLUMNS)} from inbox where id = ${id}`
  return item
}

/** Open items by kind; those that are snoozed at `now` are left out. */
export async function openCounts(
  q: Query,
  now: Instant | null = null,
): Promise<Readonly<Record<string, number>>> {
  const found = await q<{ kind: string; count: number }[]>`
    select kind, count(*) as count from inbox
    where state = 'open' and (${now}::timestamptz is null or snoozed_until is null or snoozed_until <= ${now})
    group by kind order by kind`
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

/** The id of the newest item; 0 where there is none. */
export async function newestItem(q: Query): Promise<number> {
  const [row] = await q<{ id: number }[]>`select coalesce(max(id), 0) as id from inbox`
  return row?.id ?? 0
}

/** Items opened after another one: how many of each kind, and the first of them. */
export async function newItems(
  q: Query,
  after: number,
  limit: number,
): Promise<{
  readonly counts: Readonly<Record<string, number>>
  readonly samples: readonly { readonly kind: InboxKind; readonly title: string }[]
}> {
  const found = await q<{ kind: string; count: number }[]>`
    select kind, count(*) as count from inbox where state = 'open' and id > ${after} group by kind order by kind`
  const samples = await q<{ kind: InboxKind; title: string }[]>`
    select kind, title from inbox where state = 'open' and id > ${after} order by id limit ${limit}`
  return { counts: Object.fromEntries(found.map((row) => [row.kind, row.count])), samples: [...samples] }
}

/** Objects whose rows or values could not be read, by rising id. */
export async function quarantinedIds(
  q: Query,
  streamId: number,
  after: string,
  limit: number,
): Promise<readonly string[]> {
  const found = await q<{ id: string }[]>`
    select distinct remote_id as id from quarantine
    where stream_id = ${streamId} and remote_id > ${after} order by remote_id limit ${limit}`
  return found.map((row) => row.id)
}

/** The two records of a duplicate, the lower id first; null where an older item names them otherwise. */
export function duplicateRecords(item: Pick<InboxItem, 'detail'>): readonly [RecordId, RecordId] | null {
  const { records } = item.detail
  const [low, high] = isList(records) ? records : []
  return typeof low === 'number' && typeof high === 'number' ? [low, high] : null
}
