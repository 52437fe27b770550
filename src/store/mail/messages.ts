import type { Instant, Json } from '../../core/json.ts'
import type { Envelope, MailContent } from '../../core/mail/message.ts'
import type { ContentLevel } from '../../core/mail/rules.ts'
import type { Participant } from '../../core/mail/people.ts'
import type { RecordId } from '../../core/model.ts'
import { lines, numbers, texts } from '../columns.ts'
import type { Query } from '../database.ts'
import { bytes, type Hash } from './key.ts'

/** `withdrawn`: no mailbox logs it any more; `private` and `removed`: a person said so, and it stays so. */
export type MessageState = 'kept' | 'withdrawn' | 'private' | 'removed'
export type Direction = 'sent' | 'received'

export type StoredMessage = {
  readonly id: RecordId
  readonly identity: Hash
  readonly state: MessageState
  readonly stateBy: string | null
  readonly content: ContentLevel
  readonly direction: Direction
  readonly thread: RecordId
  readonly at: Instant
}
const COLUMNS = `id, encode(identity, 'hex') as identity, state, state_by as "stateBy", content, direction,
  thread_id as thread, at`

/** Messages that are known, held until the transaction ends. */
export async function messagesByIdentity(
  q: Query,
  identities: readonly Hash[],
): Promise<readonly StoredMessage[]> {
  if (identities.length === 0) return []
  return q<StoredMessage[]>`
    select ${q.unsafe(COLUMNS)} from messages
    where identity = any(${texts(identities.map(bytes))}::bytea[]) order by id for update`
}

export async function lockMessages(q: Query, ids: readonly RecordId[]): Promise<readonly StoredMessage[]> {
  if (ids.length === 0) return []
  return q<StoredMessage[]>`
    select ${q.unsafe(COLUMNS)} from messages where id = any(${numbers(ids)}::bigint[]) order by id for update`
}

export type NewMessage = {
  readonly id: RecordId
  readonly identity: Hash
  readonly thread: RecordId
  readonly direction: Direction
  readonly content: ContentLevel
  readonly kept: MailContent
  readonly envelope: Envelope
}

/** A time the database holds; anything else is no time. */
const time = (at: Instant | null): Instant | null =>
  at !== null && Number.isFinite(at) && Math.abs(at) < 8e13 ? Math.trunc(at) : null

/**
 * Writes messages: new ones, and ones that were withdrawn or are kept at a higher level now. Returns how many were
 * written: fewer than given where another transaction made one meanwhile.
 */
export async function saveMessages(q: Query, messages: readonly NewMessage[]): Promise<number> {
  if (messages.length === 0) return 0
  const of = (column: (m: NewMessage) => Json | undefined) => texts(messages.map(column))
  const written = await q`
    insert into messages (id, identity, thread_id, direction, content, at, sent_at, message_id, subject, text, quoted,
      signature, html, attachments, envelope, state)
    select id, identity, thread, direction, content, to_timestamp(at / 1000.0), to_timestamp(sent / 1000.0), message_id,
      subject, body, quoted, signature, html, attachments::json, envelope::json, 'kept'
    from unnest(${numbers(messages.map((m) => m.id))}::bigint[], ${of((m) => bytes(m.identity))}::bytea[],
      ${numbers(messages.map((m) => m.thread))}::bigint[], ${of((m) => m.direction)}::text[],
      ${of((m) => m.content)}::text[], ${numbers(messages.map((m) => time(m.envelope.at)))}::bigint[],
      ${numbers(messages.map((m) => time(m.envelope.sentAt)))}::bigint[], ${of((m) => m.envelope.messageId)}::text[],
      ${of((m) => m.kept.subject)}::text[], ${of((m) => m.kept.text)}::text[], ${of((m) => m.kept.quoted)}::text[],
      ${of((m) => m.kept.signature)}::text[], ${of((m) => m.kept.html)}::text[],
      string_to_array(${lines(messages.map((m) => m.kept.attachments))}, E'\n', 'null'),
      string_to_array(${lines(messages.map((m) => m.envelope))}, E'\n', 'null'))
      as r(id, identity, thread, direction, content, at, sent, message_id, subject, body, quoted, signature, html,
        attachments, envelope)
    on conflict (id) do update set content = excluded.content, direction = excluded.direction,
      message_id = excluded.message_id, subject = excluded.subject, text = excluded.text, quoted = excluded.quoted,
      signature = excluded.signature, html = excluded.html, attachments = excluded.attachments,
      envelope = excluded.envelope, sent_at = excluded.sent_at, thread_id = excluded.thread_id, state = 'kept',
      state_by = null, state_at = null`
  return written.count
}

/** Erases what messages say and who takes part in them; what stays is that they were there. */
export async function eraseMessages(
  q: Query,
  ids: readonly RecordId[],
  state: Exclude<MessageState, 'kept'>,
  by: string,
  at: Instant,
): Promise<readonly RecordId[]> {
  if (ids.length === 0) return []
  await q`
    update messages set state = ${state}, state_by = ${by}, state_at = ${at}, content = 'none', subject = null,
      text = null, quoted = null, signature = null, html = null, attachments = null, envelope = null,
      message_id = null, sent_at = null
    where id = any(${numbers(ids)}::bigint[])`
  const people = await q<{ id: number | null }[]>`
    delete from message_participants where message_id = any(${numbers(ids)}::bigint[]) returning contact_id as id`
  return [...new Set(people.flatMap((row) => row.id ?? []))]
}

export async function setState(
  q: Query,
  id: RecordId,
  state: MessageState,
  by: string,
  at: Instant,
): Promise<void> {
  await q`update messages set state = ${state}, state_by = ${by}, state_at = ${at} where id = ${id}`
}

/** Takes from messages what a lower level does not keep. */
export async function stripMessages(
  q: Query,
  ids: readonly RecordId[],
  to: 'none' | 'subject',
): Promise<void> {
  if (ids.length === 0) return
  await q`
    update messages set content = ${to}, subject = case when ${to} = 'subject' then subject end, text = null,
      quoted = null, signature = null, html = null, attachments = '[]'::json
    where id = any(${numbers(ids)}::bigint[])`
}

/** Takes the subjects of emails out of their history: what is erased must not be read there either. */
export async function scrubHistory(q: Query, ids: readonly RecordId[]): Promise<void> {
  if (ids.length === 0) return
  await q`
    update history set changes = (changes::jsonb - 'subject')::json
    where record_id = any(${numbers(ids)}::bigint[]) and changes::jsonb ? 'subject'`
}

export type NewParticipant = {
  readonly message: RecordId
  readonly person: Participant
  readonly plain: string | null
  readonly contact: RecordId | null
  readonly exchange: Direction | null
  readonly at: Instant
}

/**
 * One row an address of a message; another mailbox may show more of them (bcc) or know more about one. Whose message it
 * was when it was first read it stays, also where the address is somebody else's by now.
 */
export async function saveParticipants(q: Query, people: readonly NewParticipant[]): Promise<void> {
  if (people.length === 0) return
  const of = (column: (p: NewParticipant) => string | null) => texts(people.map(column))
  await q`
    insert into message_participants (message_id, address, plain, name, role, side, contact_id, exchange, at)
    select message, address, plain, name, role, side, contact, exchange, to_timestamp(at / 1000.0)
    from unnest(${numbers(people.map((p) => p.message))}::bigint[], ${of((p) => p.person.address)}::text[],
      ${of((p) => p.plain)}::text[], ${of((p) => p.person.name)}::text[], ${of((p) => p.person.role)}::text[],
      ${of((p) => p.person.side)}::text[], ${numbers(people.map((p) => p.contact))}::bigint[],
      ${of((p) => p.exchange)}::text[], ${numbers(people.map((p) => p.at))}::bigint[])
      as r(message, address, plain, name, role, side, contact, exchange, at)
    on conflict (message_id, address) do update set plain = excluded.plain, side = excluded.side,
      exchange = excluded.exchange,
      name = coalesce(excluded.name, message_participants.name),
      contact_id = coalesce(message_participants.contact_id, excluded.contact_id)`
}

/** Gives messages logged before to people who have become contacts. Returns who got which messages. */
export async function attachParticipants(
  q: Query,
  holders: readonly { readonly address: string; readonly contact: RecordId }[],
): Promise<readonly { readonly message: RecordId; readonly contact: RecordId }[]> {
  if (holders.length === 0) return []
  const given = q`unnest(${texts(holders.map((h) => h.address))}::text[],
    ${numbers(holders.map((h) => h.contact))}::bigint[]) as h(address, contact)`
  return q<{ message: RecordId; contact: RecordId }[]>`
    with mine as (
      select p.message_id, p.address, h.contact from ${given} join message_participants p on p.address = h.address
      union
      select p.message_id, p.address, h.contact from ${given} join message_participants p on p.plain = h.address
    )
    update message_participants p set contact_id = mine.contact from mine
    where p.message_id = mine.message_id and p.address = mine.address and p.contact_id is null and p.side = 'them'
    returning p.message_id as message, p.contact_id as contact`
}
