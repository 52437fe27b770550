import type { HarmfulChange } from '../core/guard.ts'
import type { Instant, JsonObject } from '../core/json.ts'
import type { RecordId, RecordKind, Source } from '../core/model.ts'
import type { PastChange } from '../core/undo.ts'
import { numbers } from './columns.ts'
import { rows, type Query } from './database.ts'
import { isCutLink } from './link-work.ts'

export type Touched = { readonly id: RecordId; readonly kind: RecordKind }

/** The records that a run changed, by rising id. Finds the run's rows by the block range it wrote them in. */
export async function touchedBy(
  q: Query,
  run: number,
  after: RecordId,
  limit: number,
): Promise<readonly Touched[]> {
  return q<Touched[]>`
    select record_id as id, min(kind) as kind from history
    where run_id = ${run} and op <> 'keep' and record_id > ${after}
    group by record_id order by record_id limit ${limit}`
}

/** How many rows of which kind and op a run wrote. */
export async function tallyOf(
  q: Query,
  run: number,
): Promise<readonly { readonly kind: RecordKind; readonly op: PastChange['op']; readonly count: number }[]> {
  return q<{ kind: RecordKind; op: PastChange['op']; count: number }[]>`
    select kind, op, count(*) as count from history where run_id = ${run} group by kind, op order by kind, op`
}

export type RunChange = {
  readonly id: number
  readonly at: Instant
  readonly recordId: RecordId
  readonly kind: RecordKind
  readonly op: PastChange['op']
  readonly source: Source
  readonly changes: JsonObject
}

/** A page of what a run wrote, in the order in which it did. */
export async function changesOf(
  q: Query,
  run: number,
  after: number,
  limit: number,
): Promise<readonly RunChange[]> {
  return q<RunChange[]>`
    select id, at, record_id as "recordId", kind, op, source, changes from history
    where run_id = ${run} and id > ${after} order by id limit ${limit}`
}

/** What happened to records from a moment on, with what each run takes back. */
export async function historySince(
  q: Query,
  ids: readonly RecordId[],
  from: Instant,
): Promise<ReadonlyMap<RecordId, readonly PastChange[]>> {
  if (ids.length === 0) return new Map()
  const found = await q<(PastChange & { recordId: RecordId })[]>`
    select h.record_id as "recordId", h.op, h.version, h.at, h.source, h.run_id as run, r.undoes, h.changes
    from history h left join runs r on r.id = h.run_id
    where h.record_id = any(${numbers(ids)}::bigint[]) and h.at >= ${from}
    order by h.record_id, h.version, h.id`
  return Map.groupBy(found, (row) => row.recordId)
}

/** Which of the records a run changed. */
export async function touchedAmong(
  q: Query,
  run: number,
  ids: readonly RecordId[],
): Promise<readonly Touched[]> {
  if (ids.length === 0) return []
  return q<Touched[]>`
    select distinct record_id as id, kind from history
    where record_id = any(${numbers(ids)}::bigint[]) and run_id = ${run} and op <> 'keep'`
}

/** What a run sent, by stream, op and outcome. */
export async function sentBy(
  q: Query,
  run: number,
): Promise<
  readonly { readonly stream: string; readonly op: string; readonly state: string; readonly count: number }[]
> {
  return q<{ stream: string; op: string; state: string; count: number }[]>`
    select s.connection || '/' || s.name as stream, o.op, o.state, count(*) as count
    from outbox o join streams s on s.id = o.stream_id where o.run_id = ${run} group by 1, 2, 3 order by 1, 2, 3`
}

/** The runs whose changes a run of writes carried out: those that changed its records last before it. */
export async function causesOf(
  q: Query,
  run: number,
  limit: number,
): Promise<readonly { readonly run: number; readonly kind: string; readonly records: number }[]> {
  return q<{ run: number; kind: string; records: number }[]>`
    select h.run_id as run, r.kind, count(distinct o.record_id) as records
    from outbox o
    cross join lateral (
      select run_id from history where record_id = o.record_id and at <= o.created_at and op <> 'keep'
      order by at desc, id desc limit 1
    ) h join runs r on r.id = h.run_id
    where o.run_id = ${run} group by 1, 2 order by 3 desc, 1 desc limit ${limit}`
}

/** Links whose object the hub archived at its remote, as the last write that went through says. */
export async function archivedByHub(q: Query, recordIds: readonly RecordId[]): Promise<readonly number[]> {
  if (recordIds.length === 0) return []
  const found = await q<{ id: number }[]>`
    select l.id from links l
    cross join lateral (
      select op from outbox o
      where o.record_id = l.record_id and o.link_id = l.id and o.state = 'applied' order by o.id desc limit 1
    ) last
    where l.record_id = any(${numbers(recordIds)}::bigint[]) and l.state in ('gone', 'linked')
      and last.op = 'archive' and not ${isCutLink(q)}`
  return found.map((row) => row.id)
}

/** Lets links stand for no object again, so that one is made at their remote. */
export async function reviveLinks(q: Query, ids: readonly number[]): Promise<readonly string[]> {
  if (ids.length === 0) return []
  const found = await q<{ connection: string }[]>`
    with revived as (
      update links l set state = 'pending', remote_id = null, observed = null, version = null, modified_at = null,
        base = '{}', consent = null, wake = l.wake + 1, not_before = null, attempts = 0, problem = null
      where l.id = any(${numbers(ids)}::bigint[]) and not ${isCutLink(q)} returning l.stream_id
    )
    select distinct s.connection from revived r join streams s on s.id = r.stream_id`
  return found.map((row) => row.connection)
}

/** Which links stand for an object that the hub made. */
export async function madeByHub(q: Query, recordIds: readonly RecordId[]): Promise<ReadonlySet<number>> {
  if (recordIds.length === 0) return new Set()
  const found = await q<{ id: number }[]>`
    select distinct link_id as id from outbox
    where record_id = any(${numbers(recordIds)}::bigint[]) and op = 'create' and state = 'applied'`
  return new Set(found.map((row) => row.id))
}

/** Links of many records. */
export async function linkIdsOf(q: Query, recordIds: readonly RecordId[]): Promise<readonly number[]> {
  if (recordIds.length === 0) return []
  const found = await q<{ id: number }[]>`
    select id from links where record_id = any(${numbers(recordIds)}::bigint[]) order by id`
  return found.map((row) => row.id)
}

/** Records that live on in another one, and by which run; by the record that was merged away. */
export async function mergedAway(
  q: Query,
  ids: readonly RecordId[],
): Promise<
  ReadonlyMap<
    RecordId,
    { readonly into: RecordId; readonly run: number; readonly by: Source; readonly at: Instant }
  >
> {
  if (ids.length === 0) return new Map()
  const found = await q<{ id: RecordId; into: RecordId; run: number; by: Source; at: Instant }[]>`
    select loser_id as id, survivor_id as into, run_id as run, by, at from merges
    where state = 'merged' and loser_id = any(${numbers(ids)}::bigint[])`
  return new Map(found.map(({ id, ...rest }) => [id, rest]))
}

export type Referrer = { readonly id: RecordId; readonly kind: RecordKind; readonly refers: RecordId }

/** One record each that refers to these contacts or companies, and that the run did not make itself. */
export async function referrersOf(
  q: Query,
  kind: RecordKind,
  ids: readonly RecordId[],
  run: number,
): Promise<ReadonlyMap<RecordId, Referrer>> {
  if (ids.length === 0 || (kind !== 'contact' && kind !== 'company')) return new Map()
  const column = q.unsafe(kind === 'contact' ? 'contact_id' : 'company_id')
  const given = numbers(ids)
  const people =
    kind === 'contact'
      ? q``
      : q`union all select id, 'contact' as kind, company_id as refers from contacts
          where company_id = any(${given}::bigint[]) and archived_at is null`
  const found = await q<Referrer[]>`
    select distinct on (f.refers) f.id, f.kind, f.refers from (
      select id, 'deal' as kind, ${column} as refers from deals
      where ${column} = any(${given}::bigint[]) and archived_at is null ${people}
    ) f
    where not exists (select from history h where h.record_id = f.id and h.run_id = ${run})
    order by f.refers, f.id`
  return new Map(found.map((row) => [row.refers, row]))
}

/** How many logged messages stand on the timelines of contacts. */
export async function messagesOn(
  q: Query,
  contacts: readonly RecordId[],
): Promise<ReadonlyMap<RecordId, number>> {
  if (contacts.length === 0) return new Map()
  const found = await q<{ id: RecordId; count: number }[]>`
    select contact_id as id, count(*) as count from activities
    where contact_id = any(${numbers(contacts)}::bigint[]) and archived_at is null group by contact_id`
  return new Map(found.map((row) => [row.id, row.count]))
}

/** Records of which everything was erased. */
export async function erasedAmong(q: Query, ids: readonly RecordId[]): Promise<ReadonlySet<RecordId>> {
  if (ids.length === 0) return new Set()
  const found = await q<{ id: RecordId }[]>`
    select distinct r.id from erasures, unnest(records) as r(id) where r.id = any(${numbers(ids)}::bigint[])`
  return new Set(found.map((row) => row.id))
}

/** How many statements of each state a run brought. */
export async function statementsOf(q: Query, run: number): Promise<Readonly<Record<string, number>>> {
  const found = await q<{ state: string; count: number }[]>`
    select state, count(*) as count from consents where run_id = ${run} group by state`
  return Object.fromEntries(found.map((row) => [row.state, row.count]))
}

/** Lets outward changes pass the guard, one by one: somebody has seen a plan that lists them. */
export async function allowHeld(
  q: Query,
  changes: readonly (HarmfulChange & { readonly streamId: number })[],
  by: Source,
  at: Instant,
): Promise<void> {
  if (changes.length === 0) return
  // A record may have two objects in one stream; they lose the same.
  const latest = [...new Map(changes.map((c) => [`${c.streamId} ${c.what} ${c.recordId}`, c])).values()]
  await q`
    insert into held_changes (stream_id, side, what, record_id, remote_id, title, changes, stamp, verdict, decided_by, seen_at)
    select "streamId", 'out', what, "recordId", "remoteId", title, changes, stamp, 'approved', ${by}, ${at}
    from jsonb_to_recordset(${rows(latest)}::text::jsonb) as r("streamId" int, what text, "recordId" bigint,
      "remoteId" text, title text, changes json, stamp text)
    on conflict (stream_id, side, what, record_id) do update set remote_id = excluded.remote_id, title = excluded.title,
      changes = excluded.changes, stamp = excluded.stamp, verdict = 'approved', decided_by = excluded.decided_by,
      seen_at = excluded.seen_at`
}

/** The open items of one kind about a stream. */
export async function openItemsOf(
  q: Query,
  streamId: number,
  kind: string,
): Promise<readonly { readonly id: number; readonly kind: string; readonly title: string }[]> {
  return q<{ id: number; kind: string; title: string }[]>`
    select id, kind, title from inbox where stream_id = ${streamId} and kind = ${kind} and state = 'open' order by id limit 20`
}
