import type { Statement } from '../core/consent.ts'
import type { Instant } from '../core/json.ts'
import type { RecordId, RecordKind } from '../core/model.ts'
import type { Patterns } from '../core/privacy.ts'
import { numbers, texts } from './columns.ts'
import type { Query, Tx } from './database.ts'
import { bytes, type Hash } from './mail/key.ts'
import { TABLE } from './records.ts'

/*
 * What an erasure takes out of every table beside the records themselves. Rows about others that are tied to the person
 * (their deals, messages they took part in) are gathered in a table of the transaction's own, so that their number does
 * not matter.
 */

/** Makes the empty list of what is tied to the person. */
export async function openScope(tx: Tx): Promise<void> {
  await tx`create temporary table erase_scope (id bigint primary key) on commit drop`
}

export async function addToScope(q: Query, ids: readonly RecordId[]): Promise<void> {
  if (ids.length === 0) return
  await q`insert into erase_scope (id) select unnest(${numbers(ids)}::bigint[]) on conflict do nothing`
}

/** A page of the records that name a contact, by rising id. */
export async function referrersAfter(
  q: Query,
  kind: Extract<RecordKind, 'deal' | 'activity' | 'invoice'>,
  contacts: readonly RecordId[],
  after: RecordId,
  limit: number,
): Promise<readonly RecordId[]> {
  const found = await q<{ id: RecordId }[]>`
    select id from ${q(TABLE[kind])} where contact_id = any(${numbers(contacts)}::bigint[]) and id > ${after}
    order by id limit ${limit}`
  return found.map((row) => row.id)
}

/** A page of the messages that somebody takes part in; `alone`: nobody else from outside does. */
export async function messagesAfter(
  q: Query,
  contacts: readonly RecordId[],
  addresses: readonly string[],
  after: RecordId,
  limit: number,
): Promise<readonly { readonly id: RecordId; readonly alone: boolean }[]> {
  const [ids, known] = [numbers(contacts), texts(addresses)]
  return q<{ id: RecordId; alone: boolean }[]>`
    with mine as (
      select message_id as id from message_participants where contact_id = any(${ids}::bigint[])
      union select message_id from message_participants where address = any(${known}::text[])
      union select message_id from message_participants where plain = any(${known}::text[])
    )
    select id, not exists (
      select from message_participants p where p.message_id = mine.id and p.side = 'them'
        and (p.contact_id is null or p.contact_id <> all(${ids}::bigint[])) and p.address <> all(${known}::text[])
        and coalesce(p.plain, '') <> all(${known}::text[])) as alone
    from mine where id > ${after} order by id limit ${limit}`
}

/** Takes the person out of messages that others take part in too. */
export async function leaveMessages(
  q: Query,
  ids: readonly RecordId[],
  contacts: readonly RecordId[],
  addresses: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  const known = texts(addresses)
  await q`
    delete from message_participants
    where message_id = any(${numbers(ids)}::bigint[]) and (contact_id = any(${numbers(contacts)}::bigint[])
      or address = any(${known}::text[]) or plain = any(${known}::text[]))`
}

/** The objects of the person, and writes that may still make one. */
export type HeldObject = {
  readonly link: number
  readonly streamId: number
  readonly remoteId: string | null
  readonly state: string
}

export async function objectsOf(q: Query, records: readonly RecordId[]): Promise<readonly HeldObject[]> {
  return q<HeldObject[]>`
    select id as link, stream_id as "streamId", remote_id as "remoteId", state from links
    where record_id = any(${numbers(records)}::bigint[]) order by id for update`
}

/** Objects of other records in which the person is named: their source keeps them until somebody changes them there. */
export async function mentionsOf(
  q: Query,
  { inJson: { emails, strong, names } }: Patterns,
  limit: number,
): Promise<readonly { readonly streamId: number; readonly remoteId: string }[]> {
  return q<{ streamId: number; remoteId: string }[]>`
    select stream_id as "streamId", remote_id as "remoteId" from links
    where record_id in (select id from erase_scope) and remote_id is not null and state = 'linked'
      and (observed::text ~* ${emails} or observed::text ~* ${strong} or observed::text ~ ${names})
    order by id limit ${limit}`
}

/** Ends the links of erased records: nothing is sent to their objects any more, and none of these is known again. */
export async function cutLinks(q: Query, records: readonly RecordId[]): Promise<void> {
  await q`
    update links set state = 'gone', remote_id = null, observed = null, version = null, modified_at = null,
      base = '{}', consent = null, settled = wake, urgent = false, demanded = false, unresolved = false,
      not_before = null, problem = null
    where record_id = any(${numbers(records)}::bigint[])`
}

/** Creates of which nobody knows yet whether they made an object: they are looked up by what they sent. */
export async function openCreates(
  q: Query,
  records: readonly RecordId[],
): Promise<readonly { readonly streamId: number; readonly key: string }[]> {
  return q<{ streamId: number; key: string }[]>`
    select stream_id as "streamId", key from outbox
    where record_id = any(${numbers(records)}::bigint[]) and op = 'create' and state in ('sending', 'uncertain')`
}

/** Empties what was written for erased records; returns how many writes. Open creates keep what finds them. */
export async function blankWrites(q: Query, records: readonly RecordId[]): Promise<number> {
  const { count } = await q`
    update outbox set body = '{}', sent = '{}', remote_id = null, pushed = '[]', consent = null,
      outcome = case when outcome is null then null else '{}'::jsonb end
    where record_id = any(${numbers(records)}::bigint[])
      and not (op = 'create' and state in ('sending', 'uncertain'))`
  return count
}

/** Empties settled creates whose record was erased meanwhile. */
export async function blankWritesByKey(q: Query, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return
  await q`
    update outbox set body = '{}', sent = '{}', remote_id = null, pushed = '[]', consent = null, outcome = '{}'
    where key = any(${texts(keys)}::text[])`
}

/** What happened stays; what was said is taken out. Returns how many entries. */
export async function blankHistory(q: Query, records: readonly RecordId[]): Promise<number> {
  const { count } = await q`
    update history set changes = '{}' where record_id = any(${numbers(records)}::bigint[])`
  return count
}

/** The values that the history of records has of the fields that people are recognised by; a page by rising id. */
export async function recognisedBefore(
  q: Query,
  records: readonly RecordId[],
  after: number,
  limit: number,
): Promise<readonly { readonly id: number; readonly changes: string }[]> {
  return q<{ id: number; changes: string }[]>`
    select id, changes::text as changes from history
    where record_id = any(${numbers(records)}::bigint[]) and id > ${after} order by id limit ${limit}`
}

/** Takes what was gathered for comparing and deciding. Returns how many rows. */
export async function forgetAbout(
  q: Query,
  records: readonly RecordId[],
  objects: readonly { readonly streamId: number; readonly remoteId: string }[],
): Promise<number> {
  const ids = numbers(records)
  const [streams, remotes] = [
    numbers(objects.map((one) => one.streamId)),
    texts(objects.map((one) => one.remoteId)),
  ]
  const mine = q`select * from unnest(${streams}::int[], ${remotes}::text[]) as o(stream, remote)`
  const gone = [
    await q`delete from facets where record_id = any(${ids}::bigint[]) or root_id = any(${ids}::bigint[])`,
    await q`
      delete from merge_moves m using merges g where g.id = m.merge_id
        and (g.loser_id = any(${ids}::bigint[]) or g.survivor_id = any(${ids}::bigint[]))`,
    await q`delete from merges where loser_id = any(${ids}::bigint[]) or survivor_id = any(${ids}::bigint[])`,
    await q`delete from kept_apart where a = any(${ids}::bigint[]) or b = any(${ids}::bigint[])`,
    await q`delete from match_pairs where a = any(${ids}::bigint[]) or b = any(${ids}::bigint[])`,
    await q`delete from match_keys where record_id = any(${ids}::bigint[])`,
    await q`delete from match_queue where record_id = any(${ids}::bigint[])`,
    await q`delete from findings where record_id = any(${ids}::bigint[])`,
    await q`delete from identities where record_id = any(${ids}::bigint[])`,
    await q`
      delete from held_changes h where record_id = any(${ids}::bigint[])
        or exists (${mine} where o.stream = h.stream_id and o.remote = h.remote_id)`,
    await q`
      delete from plan_lines p where record_id = any(${ids}::bigint[])
        or exists (${mine} where o.stream = p.stream_id and o.remote = p.remote_id)`,
    await q`
      delete from quarantine p where exists (${mine} where o.stream = p.stream_id and o.remote = p.remote_id)`,
  ]
  return gone.reduce((sum, { count }) => sum + count, 0)
}

/** Closes and empties the inbox items about erased records. Returns how many. */
export async function blankItems(q: Query, records: readonly RecordId[], at: Instant): Promise<number> {
  const ids = numbers(records)
  const { count } = await q`
    update inbox set title = 'About a person who was erased', fix = 'Nothing is to be done.', detail = '{}',
      resolution = case when state = 'open' then 'the person was erased' else '' end,
      updated_at = case when state = 'open' then ${at}::timestamptz else updated_at end,
      state = 'done'
    where record_id = any(${ids}::bigint[])
      or (kind = 'duplicate' and exists (
        select from jsonb_array_elements_text(detail -> 'records') r where r = any(${ids}::text[])))`
  return count
}

/** Takes hints of objects out of the deliveries of a connection's webhooks; the deliveries stay, to know a repeat. */
export async function forgetHints(
  q: Query,
  connection: string,
  resource: string,
  remoteIds: readonly string[],
): Promise<void> {
  if (remoteIds.length === 0) return
  const isTheirs = q`h ->> 'resource' = ${resource} and h ->> 'id' = any(${texts(remoteIds)}::text[])`
  await q`
    update webhook_events set hints = (
      select coalesce(jsonb_agg(h), '[]') from jsonb_array_elements(hints) h where not (${isTheirs}))
    where connection = ${connection} and exists (select from jsonb_array_elements(hints) h where ${isTheirs})`
}

/** Takes the statements about addresses out of the ledger, and returns them. */
export async function takeStatements(q: Query, addresses: readonly string[]): Promise<readonly Statement[]> {
  if (addresses.length === 0) return []
  return q<Statement[]>`
    delete from consents where address = any(${texts(addresses)}::text[])
    returning address, channel, audience, state, explicit, at, source, reason`
}

/** The addresses under which contacts took part in messages; 1,000 at most. */
export async function addressesUsed(q: Query, contacts: readonly RecordId[]): Promise<readonly string[]> {
  const found = await q<{ address: string }[]>`
    select distinct address from message_participants
    where contact_id = any(${numbers(contacts)}::bigint[]) and side = 'them' limit 1000`
  return found.map((row) => row.address)
}

/** Which of the addresses stand on other contacts, too: what is said of them is not the person's alone. */
export async function addressesOfOthers(
  q: Query,
  contacts: readonly RecordId[],
  addresses: readonly string[],
): Promise<ReadonlySet<string>> {
  if (addresses.length === 0) return new Set()
  const found = await q<{ address: string }[]>`
    select distinct lower(e) as address from contacts c cross join lateral unnest(c.emails) e
    where c.archived_at is null and c.id <> all(${numbers(contacts)}::bigint[]) and lower(e) = any(${texts(addresses)}::text[])`
  return new Set(found.map((row) => row.address))
}

/** Takes the digests of addresses out of what is known of mail. */
export async function forgetMailHashes(q: Query, hashes: readonly Hash[]): Promise<void> {
  if (hashes.length === 0) return
  const all = texts(hashes.map(bytes))
  await q`delete from mail_bounces where address_hash = any(${all}::bytea[])`
  await q`
    update sightings set address_hashes = (
      select coalesce(array_agg(h), '{}') from unnest(address_hashes) h where h <> all(${all}::bytea[]))
    where address_hashes is not null and address_hashes && ${all}::bytea[]`
}
