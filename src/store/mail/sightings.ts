import type { Instant } from '../../core/json.ts'
import type { MailFlag } from '../../core/mail/message.ts'
import type { ContentLevel, FilterReason } from '../../core/mail/rules.ts'
import type { RecordId } from '../../core/model.ts'
import { lists, numbers, texts } from '../columns.ts'
import type { Query } from '../database.ts'
import { bytes, type Hash } from './key.ts'

export type SightingVerdict = 'logged' | 'filtered' | 'quarantined' | 'gone'

export type SightingRow = {
  readonly remoteId: string
  readonly verdict: SightingVerdict
  readonly reason: FilterReason | null
  /** In words, with nothing of the message in it. */
  readonly detail: string | null
  readonly flags: readonly MailFlag[] | null
  readonly labels: readonly string[] | null
  /** What this mailbox keeps of the message; null: it does not log it. Kept by one that is gone but was logged. */
  readonly content: ContentLevel | null
  readonly messageId: RecordId | null
  readonly idHash: Hash | null
  readonly addressHashes: readonly Hash[] | null
}

export type Known = Pick<
  SightingRow,
  'remoteId' | 'verdict' | 'reason' | 'detail' | 'flags' | 'labels' | 'content' | 'messageId' | 'idHash'
> & { readonly recheck: boolean }

export async function knownSightings(
  q: Query,
  streamId: number,
  remoteIds: readonly string[],
): Promise<readonly Known[]> {
  if (remoteIds.length === 0) return []
  return q<Known[]>`
    select remote_id as "remoteId", verdict, reason, detail, flags, labels, content, message_id as "messageId",
      encode(id_hash, 'hex') as "idHash", recheck
    from sightings where stream_id = ${streamId} and remote_id = any(${texts(remoteIds)}::text[])`
}

const BY_MAILBOX: readonly FilterReason[] = ['draft', 'spam', 'trash', 'private', 'unclear']

/**
 * Ids that a backfill need not read again: decided, and not asked for. What the mailbox itself kept out is not among
 * them: whether it still does may have changed while the vendor's list of changes had a gap.
 */
export async function decidedIds(
  q: Query,
  streamId: number,
  remoteIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (remoteIds.length === 0) return new Set()
  const found = await q<{ id: string }[]>`
    select remote_id as id from sightings
    where stream_id = ${streamId} and remote_id = any(${texts(remoteIds)}::text[]) and not recheck
      and (verdict = 'logged' or verdict = 'filtered' and not reason = any(${texts(BY_MAILBOX)}::text[]))`
  return new Set(found.map((row) => row.id))
}

/** What came of sightings, new or known. None of them waits to be read again after this. */
export async function saveSightings(
  q: Query,
  streamId: number,
  rows: readonly SightingRow[],
  at: Instant,
): Promise<void> {
  if (rows.length === 0) return
  const hashes = (all: readonly Hash[] | null) => all?.map(bytes) ?? null
  await q`
    insert into sightings (stream_id, remote_id, verdict, reason, detail, flags, labels, content, message_id, id_hash,
      address_hashes, seen_at)
    select ${streamId}, id, verdict, reason, detail, flags::text[], labels::text[], content, message, hash,
      addresses::bytea[], ${at}
    from unnest(${texts(rows.map((r) => r.remoteId))}::text[], ${texts(rows.map((r) => r.verdict))}::text[],
      ${texts(rows.map((r) => r.reason))}::text[], ${texts(rows.map((r) => r.detail))}::text[],
      ${lists(rows.map((r) => r.flags))}::text[], ${lists(rows.map((r) => r.labels))}::text[],
      ${texts(rows.map((r) => r.content))}::text[], ${numbers(rows.map((r) => r.messageId))}::bigint[],
      ${texts(rows.map((r) => (r.idHash === null ? null : bytes(r.idHash))))}::bytea[],
      ${lists(rows.map((r) => hashes(r.addressHashes)))}::text[])
      as r(id, verdict, reason, detail, flags, labels, content, message, hash, addresses)
    on conflict (stream_id, remote_id) do update set verdict = excluded.verdict, reason = excluded.reason,
      detail = excluded.detail, flags = excluded.flags, labels = excluded.labels, content = excluded.content,
      message_id = excluded.message_id, id_hash = excluded.id_hash, address_hashes = excluded.address_hashes,
      recheck = false, seen_at = excluded.seen_at`
}

/** The level at which each message is still logged by some mailbox; a message that no mailbox logs is left out. */
export async function loggedAt(
  q: Query,
  messages: readonly RecordId[],
): Promise<ReadonlyMap<RecordId, ContentLevel>> {
  if (messages.length === 0) return new Map()
  const found = await q<{ id: number; rank: number }[]>`
    select message_id as id, max(array_position(array['none', 'subject', 'full'], content)) as rank from sightings
    where message_id = any(${numbers(messages)}::bigint[]) and content is not null group by 1`
  return new Map(found.map((row) => [row.id, row.rank === 3 ? 'full' : row.rank === 2 ? 'subject' : 'none']))
}

/** Which of these messages, by their Message-IDs, a mailbox keeps out in another place, for one of these reasons. */
export async function keptOut(
  q: Query,
  streamId: number,
  idHashes: readonly Hash[],
  reasons: readonly FilterReason[],
): Promise<ReadonlySet<Hash>> {
  if (idHashes.length === 0) return new Set()
  const found = await q<{ hash: Hash }[]>`
    select distinct encode(id_hash, 'hex') as hash from sightings
    where stream_id = ${streamId} and id_hash = any(${texts(idHashes.map(bytes))}::bytea[]) and verdict = 'filtered'
      and reason = any(${texts(reasons)}::text[])`
  return new Set(found.map((row) => row.hash))
}

/** A listing that began at `since` has shown these ids: they are still there. */
export async function stillListed(
  q: Query,
  streamId: number,
  remoteIds: readonly string[],
  since: Instant,
  at: Instant,
): Promise<void> {
  if (remoteIds.length === 0) return
  await q`
    update sightings set seen_at = ${at}
    where stream_id = ${streamId} and remote_id = any(${texts(remoteIds)}::text[]) and seen_at < ${since}`
}

/**
 * Has what a listing that began at `since` did not show read again, message by message: it may be gone. A listing of a
 * part of the mailbox (`whole` false) leaves out the rest of it; then only where that is a small share. Returns how many.
 */
export async function recheckUnlisted(
  q: Query,
  streamId: number,
  since: Instant,
  whole: boolean,
): Promise<number> {
  const asked = await q`
    with there as (
      select remote_id, seen_at < ${since} as unlisted from sightings where stream_id = ${streamId} and verdict <> 'gone'
    )
    update sightings set recheck = true
    where stream_id = ${streamId} and remote_id in (select remote_id from there where unlisted)
      and (${whole}::boolean
        or (select count(*) filter (where unlisted) <= greatest(${FEW}::int, count(*) / ${SHARE}::int) from there))`
  return asked.count
}

const FEW = 1_000
/** One in so many. */
const SHARE = 5

/** Ids to be read again. */
export async function recheckIds(q: Query, streamId: number, limit: number): Promise<readonly string[]> {
  const found = await q<{ id: string }[]>`
    select remote_id as id from sightings where stream_id = ${streamId} and recheck order by remote_id limit ${limit}`
  return found.map((row) => row.id)
}

/** Connections of mailboxes in which messages are to be read again. */
export async function recheckConnections(q: Query): Promise<readonly string[]> {
  const found = await q<{ connection: string }[]>`
    select distinct connection from mailboxes m
    where lost_at is null and exists (select from sightings s where s.stream_id = m.stream_id and s.recheck)`
  return found.map((row) => row.connection)
}

export async function markRecheck(q: Query, streamId: number, remoteIds: readonly string[]): Promise<void> {
  if (remoteIds.length === 0) return
  await q`
    update sightings set recheck = true
    where stream_id = ${streamId} and remote_id = any(${texts(remoteIds)}::text[])`
}

/** Every mailbox that showed a message reads it again. Returns the connections. */
export async function recheckMessage(q: Query, message: RecordId): Promise<readonly string[]> {
  const found = await q<{ connection: string }[]>`
    with again as (
      update sightings set recheck = true where message_id = ${message} and verdict <> 'gone' returning stream_id
    )
    select distinct connection from streams where id in (select stream_id from again)`
  return found.map((row) => row.connection)
}

/** No mailbox logs a message any more: a person said so. */
export const forgetMessage = (q: Query, message: RecordId, detail: string): Promise<void> =>
  forgetMessages(q, [message], detail)

export async function forgetMessages(q: Query, messages: readonly RecordId[], detail: string): Promise<void> {
  if (messages.length === 0) return
  await q`
    update sightings set reason = 'withdrawn', detail = ${detail}, flags = null, labels = null, content = null,
      verdict = case when verdict = 'gone' then 'gone' else 'filtered' end
    where message_id = any(${numbers(messages)}::bigint[]) and content is not null`
}

/** Mail among strangers in which one of these addresses takes part is read again. Returns the connections. */
export async function recheckStrangers(q: Query, addresses: readonly Hash[]): Promise<readonly string[]> {
  if (addresses.length === 0) return []
  const found = await q<{ connection: string }[]>`
    with again as (
      update sightings set recheck = true
      where address_hashes is not null and address_hashes && ${texts(addresses.map(bytes))}::bytea[] and not recheck
      returning stream_id
    )
    select distinct connection from streams where id in (select stream_id from again)`
  return found.map((row) => row.connection)
}

/** Sightings of a mailbox by rising id, to be judged by other rules. */
export type ReviewRow = Pick<
  SightingRow,
  'remoteId' | 'verdict' | 'reason' | 'flags' | 'labels' | 'content' | 'messageId' | 'idHash'
> & { readonly envelope: unknown }

export async function sightingsAfter(
  q: Query,
  streamId: number,
  after: string,
  limit: number,
): Promise<readonly ReviewRow[]> {
  return q<ReviewRow[]>`
    select s.remote_id as "remoteId", s.verdict, s.reason, s.flags, s.labels, s.content, s.message_id as "messageId",
      encode(s.id_hash, 'hex') as "idHash", m.envelope
    from sightings s left join messages m on m.id = s.message_id and s.content is not null and m.state = 'kept'
    where s.stream_id = ${streamId} and s.remote_id > ${after} order by s.remote_id limit ${limit}`
}

export type FoundSighting = SightingRow & {
  readonly streamId: number
  readonly seenAt: Instant
  readonly recheck: boolean
}

/** Sightings of one message, by what people know of it: our record, its Message-ID, or its id at the vendor; 100 at most. */
export async function findSightings(
  q: Query,
  by: { readonly message: RecordId | null; readonly idHash: Hash | null; readonly remoteId: string | null },
): Promise<readonly FoundSighting[]> {
  return q<FoundSighting[]>`
    select stream_id as "streamId", remote_id as "remoteId", verdict, reason, detail, flags, labels, content,
      message_id as "messageId", encode(id_hash, 'hex') as "idHash", null as "addressHashes", recheck,
      seen_at as "seenAt"
    from sightings
    where (stream_id, remote_id) in (
      select stream_id, remote_id from sightings where message_id = ${by.message}::bigint
      union all select stream_id, remote_id from sightings where id_hash = decode(${by.idHash}::text, 'hex')
      union all select s.stream_id, s.remote_id from mailboxes m join sightings s on s.stream_id = m.stream_id
        where s.remote_id = ${by.remoteId}::text)
    order by stream_id, remote_id limit 100`
}
