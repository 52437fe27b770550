import type { ConsentState } from '../core/consent.ts'
import type { Instant, JsonObject } from '../core/json.ts'
import type { RecordId, RecordKind } from '../core/model.ts'
import type { Base } from '../core/plan.ts'
import { packed, unpacked } from './base.ts'
import { lines, numbers, texts } from './columns.ts'
import { idsFrom, rows, type Query } from './database.ts'
import { TABLE } from './records.ts'

/**
 * `pending`: to be created at the remote. `creating`: a create is under way or its outcome is unknown. `linked`: both
 * sides exist. `filtered`: the stream's filter keeps it from being created. `gone`: deleted at the remote; never made
 * again by itself.
 */
export type LinkState = 'pending' | 'creating' | 'linked' | 'filtered' | 'gone'

export type Link = {
  readonly id: number
  readonly streamId: number
  readonly recordId: RecordId
  readonly remoteId: string | null
  readonly state: LinkState
  readonly observed: JsonObject | null
  readonly version: string | null
  readonly modifiedAt: Instant | null
  readonly base: Base
  /** The consent state last read at the remote. */
  readonly consent: ConsentState | null
  readonly wake: number
  readonly settled: number
  readonly demanded: boolean
  readonly unresolved: boolean
  readonly attempts: number
  readonly problem: string | null
}

const COLUMNS = `id, stream_id as "streamId", record_id as "recordId", remote_id as "remoteId", state, observed, version,
  modified_at as "modifiedAt", base, consent, wake, settled, demanded, unresolved, attempts, problem`

type LinkRow = Omit<Link, 'base'> & { readonly base: JsonObject }

async function read(found: Promise<readonly LinkRow[]>): Promise<readonly Link[]> {
  return (await found).map((row) => ({ ...row, base: unpacked(row.base) }))
}

/** What a page needs to know first: whether anything about these objects is new. */
export type LinkGlance = {
  readonly id: number
  readonly remoteId: string
  readonly version: string | null
  readonly state: LinkState
}

export async function glance(
  q: Query,
  streamId: number,
  remoteIds: readonly string[],
): Promise<readonly LinkGlance[]> {
  if (remoteIds.length === 0) return []
  return q<LinkGlance[]>`
    select id, remote_id as "remoteId", version, state from links
    where stream_id = ${streamId} and remote_id = any(${[...remoteIds]})`
}

export async function loadLinks(q: Query, ids: readonly number[]): Promise<readonly Link[]> {
  if (ids.length === 0) return []
  return read(q<LinkRow[]>`select ${q.unsafe(COLUMNS)} from links where id = any(${[...ids]})`)
}

/** Links of records in one stream that stand for no remote object yet. */
export async function unboundLinks(
  q: Query,
  streamId: number,
  recordIds: readonly RecordId[],
): Promise<readonly Link[]> {
  if (recordIds.length === 0) return []
  return read(q<LinkRow[]>`
    select ${q.unsafe(COLUMNS)} from links
    where record_id = any(${[...recordIds]}) and stream_id = ${streamId} and remote_id is null and state <> 'gone'`)
}

/** Which of the records have an object in this stream. */
export async function linkedRecords(
  q: Query,
  streamId: number,
  recordIds: readonly RecordId[],
): Promise<ReadonlySet<RecordId>> {
  if (recordIds.length === 0) return new Set()
  const found = await q<{ id: RecordId }[]>`
    select distinct record_id as id from links
    where record_id = any(${[...recordIds]}) and stream_id = ${streamId} and state = 'linked'`
  return new Set(found.map(({ id }) => id))
}

export async function linksOf(q: Query, recordId: RecordId): Promise<readonly Link[]> {
  return read(q<LinkRow[]>`select ${q.unsafe(COLUMNS)} from links where record_id = ${recordId} order by id`)
}

/** Links with work waiting, opt-outs first. */
export async function dueLinks(
  q: Query,
  streamId: number,
  now: Instant,
  limit: number,
): Promise<readonly Link[]> {
  return read(q<LinkRow[]>`
    select ${q.unsafe(COLUMNS)} from links
    where stream_id = ${streamId} and wake > settled and state in ('pending', 'linked', 'filtered')
      and (not_before is null or not_before <= ${now})
    order by urgent desc, id limit ${limit}`)
}

export async function newLinkIds(q: Query, count: number): Promise<readonly number[]> {
  if (count === 0) return []
  return idsFrom(q, 'link_ids', count)
}

export type NewLink = Pick<
  Link,
  | 'id'
  | 'recordId'
  | 'remoteId'
  | 'state'
  | 'observed'
  | 'version'
  | 'modifiedAt'
  | 'base'
  | 'consent'
  | 'unresolved'
> & { readonly wake: number }

/** Modified times travel as milliseconds, because JSON rows know no timestamps. */
const moment = (column: string) => `to_timestamp(${column} / 1000.0)`

export async function insertLinks(q: Query, streamId: number, links: readonly NewLink[]): Promise<void> {
  if (links.length === 0) return
  await q`
    insert into links (id, stream_id, record_id, remote_id, state, observed, version, modified_at, base, consent, unresolved, wake)
    select id, ${streamId}, record_id, remote_id, state, observed::json, version, ${q.unsafe(moment('modified_at'))},
      base::json, consent, unresolved::boolean, wake
    from unnest(${numbers(links.map((l) => l.recordId))}::bigint[], ${columnsOf(q, links)})
      as r(record_id, ${q.unsafe(NAMES)})`
}

const NAMES = 'id, remote_id, state, observed, version, modified_at, base, consent, unresolved, wake'

function columnsOf(q: Query, links: readonly (NewLink | LinkUpdate)[]) {
  return q`${numbers(links.map((l) => l.id))}::bigint[], ${texts(links.map((l) => l.remoteId))}::text[],
    ${texts(links.map((l) => l.state))}::text[], string_to_array(${lines(links.map((l) => l.observed))}, E'\n', 'null'),
    ${texts(links.map((l) => l.version))}::text[], ${numbers(links.map((l) => l.modifiedAt))}::bigint[],
    string_to_array(${lines(links.map((l) => packed(l.base)))}, E'\n', 'null'),
    ${texts(links.map((l) => l.consent))}::text[], ${texts(links.map((l) => l.unresolved))}::text[],
    ${numbers(links.map((l) => l.wake))}::int[]`
}

/** What an observation or an answer made of a link. `wake`: 1 where work is left for this link itself. */
export type LinkUpdate = Pick<
  Link,
  'id' | 'remoteId' | 'state' | 'observed' | 'version' | 'modifiedAt' | 'base' | 'consent' | 'unresolved'
> & { readonly wake: 0 | 1 }

export async function updateLinks(q: Query, links: readonly LinkUpdate[]): Promise<void> {
  if (links.length === 0) return
  await q`
    update links l set remote_id = r.remote_id, state = r.state, observed = r.observed::json, version = r.version,
      modified_at = ${q.unsafe(moment('r.modified_at'))}, base = r.base::json, consent = r.consent,
      unresolved = r.unresolved::boolean, wake = l.wake + r.wake, problem = null
    from unnest(${columnsOf(q, links)}) as r(${q.unsafe(NAMES)})
    where l.id = r.id`
}

export type Settlement = {
  readonly id: number
  /** The `wake` that was planned for; a later wake keeps the link due. */
  readonly wake: number
  readonly state?: LinkState
  readonly problem?: string
}

/** Marks planned work as done, unless something woke the link meanwhile. */
export async function settleLinks(q: Query, done: readonly Settlement[]): Promise<void> {
  if (done.length === 0) return
  await q`
    update links l set settled = greatest(l.settled, r.wake), state = coalesce(r.state, l.state), attempts = 0,
      not_before = null, urgent = l.urgent and l.wake > r.wake, problem = r.problem
    from jsonb_to_recordset(${rows(done)}::text::jsonb) as r(id bigint, wake int, state text, problem text)
    where l.id = r.id`
}

/** Work that failed for now: it stays due, not before `notBefore`. */
export async function postponeLinks(
  q: Query,
  links: readonly {
    readonly id: number
    readonly notBefore: Instant
    readonly state?: LinkState
    readonly problem: string
  }[],
): Promise<void> {
  if (links.length === 0) return
  await q`
    update links l set attempts = attempts + 1, not_before = ${q.unsafe(moment('r."notBefore"'))}, problem = r.problem,
      state = coalesce(r.state, l.state)
    from jsonb_to_recordset(${rows(links)}::text::jsonb) as r(id bigint, "notBefore" bigint, state text, problem text)
    where l.id = r.id`
}

/**
 * Wakes every link of changed records that is not its own origin, and gives records a link in each stream that
 * creates at its remote. Returns the connections that have work now.
 */
export async function wakeLinks(
  q: Query,
  changes: readonly {
    readonly recordId: RecordId
    readonly origin: number | null
    readonly urgent: boolean
    /** Has no links that do not know. */
    readonly isNew: boolean
    /** Gets no new links. */
    readonly isArchived: boolean
  }[],
  creatingStreams: readonly number[],
): Promise<readonly string[]> {
  const known = changes.filter((change) => !change.isNew)
  const woken =
    known.length === 0
      ? []
      : await q<{ streamId: number }[]>`
        with woken as (
          update links l set wake = l.wake + 1, urgent = l.urgent or c.urgent, not_before = null
          from jsonb_to_recordset(${rows(known)}::text::jsonb) as c("recordId" bigint, origin bigint, urgent boolean)
          where l.record_id = c."recordId" and l.id is distinct from c.origin and l.state <> 'gone'
          returning l.stream_id
        )
        select distinct stream_id as "streamId" from woken`
  const present = changes.filter((change) => !change.isArchived)
  const born =
    present.length === 0 || creatingStreams.length === 0
      ? []
      : await q<{ streamId: number }[]>`
        with born as (
          insert into links (id, stream_id, record_id, state, wake)
          select nextval('link_ids'), s.id, c.id, 'pending', 1
          from unnest(${present.map((c) => c.recordId)}::bigint[]) as c(id)
          cross join unnest(${[...creatingStreams]}::int[]) as s(id)
          where not exists (select from links l where l.record_id = c.id and l.stream_id = s.id)
          returning stream_id
        )
        select distinct stream_id as "streamId" from born`
  const ids = [...new Set([...woken, ...born].map((row) => row.streamId))]
  if (ids.length === 0) return []
  const names = await q<
    { connection: string }[]
  >`select distinct connection from streams where id = any(${ids})`
  return names.map((row) => row.connection)
}

/** Asks for records to exist at a stream's remote, past its filter, because another stream refers to them. */
export async function demandLinks(q: Query, streamId: number, recordIds: readonly RecordId[]): Promise<void> {
  if (recordIds.length === 0) return
  await q`
    insert into links (id, stream_id, record_id, state, wake, demanded)
    select nextval('link_ids'), ${streamId}, id, 'pending', 1, true
    from unnest(${[...new Set(recordIds)]}::bigint[]) as r(id)
    where not exists (select from links l where l.record_id = r.id and l.stream_id = ${streamId} and l.state <> 'gone')`
  await q`
    update links set demanded = true, wake = wake + 1, state = 'pending'
    where stream_id = ${streamId} and record_id = any(${[...recordIds]}) and state = 'filtered'`
}

/** Objects of a stream that hold a link, for progress, the guard and sweeps. */
export async function population(q: Query, streamId: number): Promise<number> {
  const [row] = await q<{ count: number }[]>`
    select count(*) as count from links where stream_id = ${streamId} and state = 'linked'`
  return row?.count ?? 0
}

/** Pages through the linked ids of a stream, to compare with what a complete listing showed. */
export async function linkedAfter(
  q: Query,
  streamId: number,
  after: number,
  limit: number,
): Promise<readonly { readonly id: number; readonly remoteId: string }[]> {
  return q<{ id: number; remoteId: string }[]>`
    select id, remote_id as "remoteId" from links
    where stream_id = ${streamId} and state = 'linked' and id > ${after} order by id limit ${limit}`
}

/** Links that named a record nobody knew; each pass tries them again. */
export async function unresolvedLinks(q: Query, streamId: number, limit: number): Promise<readonly Link[]> {
  return read(q<LinkRow[]>`
    select ${q.unsafe(COLUMNS)} from links where stream_id = ${streamId} and unresolved order by id limit ${limit}`)
}

/** Pages through all links of a stream. */
export async function linksAfter(
  q: Query,
  streamId: number,
  after: number,
  limit: number,
): Promise<readonly Link[]> {
  return read(q<LinkRow[]>`
    select ${q.unsafe(COLUMNS)} from links
    where stream_id = ${streamId} and state <> 'gone' and id > ${after} order by id limit ${limit}`)
}

/** Wakes links whose records the stream's filter kept from its remote. */
export async function wakeFiltered(q: Query, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  await q`update links set wake = wake + 1, not_before = null where id = any(${[...ids]}) and state = 'filtered'`
}

/** Gives every record of a kind that has no link in a stream one, to be created at its remote. */
export async function linkAll(q: Query, streamId: number, kind: RecordKind): Promise<void> {
  await q`
    insert into links (id, stream_id, record_id, state, wake)
    select nextval('link_ids'), ${streamId}, r.id, 'pending', 1 from ${q(TABLE[kind])} r
    where r.archived_at is null
      and not exists (select from links l where l.record_id = r.id and l.stream_id = ${streamId})`
}

/** Records of a kind that have no link in a stream. */
export async function countUnlinked(q: Query, streamId: number, kind: RecordKind): Promise<number> {
  const [row] = await q<{ count: number }[]>`
    select count(*) as count from ${q(TABLE[kind])} r
    where r.archived_at is null
      and not exists (select from links l where l.record_id = r.id and l.stream_id = ${streamId})`
  return row?.count ?? 0
}
