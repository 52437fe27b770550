import type { Instant, Json } from '../../core/json.ts'
import type { Participant } from '../../core/mail/people.ts'
import type { ContentLevel } from '../../core/mail/rules.ts'
import type { RecordId } from '../../core/model.ts'
import { numbers } from '../columns.ts'
import type { Query } from '../database.ts'
import type { Direction, MessageState } from './messages.ts'

export type TimelineKind = 'contact' | 'company' | 'deal'
/** Where a page of a timeline ended. */
export type Mark = { readonly at: Instant; readonly id: RecordId }

export type ActivityRow = {
  readonly id: RecordId
  readonly type: string | null
  readonly at: Instant
  readonly subject: string | null
  readonly contact: RecordId | null
  readonly company: RecordId | null
  readonly deal: RecordId | null
}

const LAST: Mark = { at: Date.UTC(9999, 0), id: Number.MAX_SAFE_INTEGER }

/** Activities of a record, latest first, before a mark. A contact's are also those it takes part in without being the main one. */
export async function activitiesOf(
  q: Query,
  kind: TimelineKind,
  id: RecordId,
  before: Mark | null,
  limit: number,
): Promise<readonly ActivityRow[]> {
  const mark = before ?? LAST
  const column = q({ contact: 'contact_id', company: 'company_id', deal: 'deal_id' }[kind])
  const own = q`
    (select id from activities
    where ${column} = ${id} and archived_at is null and (occurred_at, id) < (${mark.at}::timestamptz, ${mark.id})
    order by occurred_at desc, id desc limit ${limit})`
  const shared = q`
    union (select p.message_id from message_participants p
    where p.contact_id = ${id} and (p.at, p.message_id) < (${mark.at}::timestamptz, ${mark.id})
    order by p.at desc, p.message_id desc limit ${limit})`
  return q<ActivityRow[]>`
    select a.id, a.type, a.occurred_at as at, a.subject, a.contact_id as contact, a.company_id as company,
      a.deal_id as deal
    from (${own} ${kind === 'contact' ? shared : q``}) f join activities a on a.id = f.id
    where a.archived_at is null order by a.occurred_at desc, a.id desc limit ${limit}`
}

export type MessageRow = {
  readonly id: RecordId
  readonly direction: Direction
  readonly thread: RecordId
  readonly state: MessageState
  readonly content: ContentLevel
  readonly messageId: string | null
  readonly sentAt: Instant | null
  readonly text: string | null
  readonly quoted: string | null
  readonly signature: string | null
  readonly html: string | null
  readonly attachments: Json
}

export async function messagesById(q: Query, ids: readonly RecordId[]): Promise<readonly MessageRow[]> {
  if (ids.length === 0) return []
  return q<MessageRow[]>`
    select id, direction, thread_id as thread, state, content, message_id as "messageId", sent_at as "sentAt", text,
      quoted, signature, html, attachments
    from messages where id = any(${numbers(ids)}::bigint[])`
}

export type ParticipantRow = Participant & {
  readonly message: RecordId
  readonly contact: RecordId | null
}

export async function participantsById(
  q: Query,
  ids: readonly RecordId[],
): Promise<readonly ParticipantRow[]> {
  if (ids.length === 0) return []
  return q<ParticipantRow[]>`
    select message_id as message, address, name, role, side, contact_id as contact from message_participants
    where message_id = any(${numbers(ids)}::bigint[])
    order by message_id, array_position(array['from', 'to', 'cc', 'bcc'], role), address`
}
