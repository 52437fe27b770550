import { isList, isObject, type Json } from '../../core/json.ts'
import type { Attachment } from '../../core/mail/message.ts'
import type { RecordId } from '../../core/model.ts'
import {
  activitiesOf,
  messagesById,
  participantsById,
  type ActivityRow,
  type Mark,
  type MessageRow,
  type ParticipantRow,
  type TimelineKind,
} from '../../store/mail/timeline.ts'
import type { Hub } from '../hub.ts'

export type { TimelineKind } from '../../store/mail/timeline.ts'

/** A logged email. What its mailboxes do not keep is null or empty. */
export type TimelineMessage = Omit<MessageRow, 'id' | 'attachments'> & {
  readonly attachments: readonly Attachment[]
  readonly participants: readonly Omit<ParticipantRow, 'message'>[]
}
export type TimelineEntry = ActivityRow & {
  /** Null for activities that are no email of a mailbox. */
  readonly message: TimelineMessage | null
}
export type Timeline = {
  readonly entries: readonly TimelineEntry[]
  /** Give it as `before` to go on; null: that was all. */
  readonly next: string | null
}

/**
 * What happened with a record, latest first: its activities, and for a contact every email it took part in. `limit`
 * from 1 to 500. Three queries, whatever the length of the timeline.
 */
export async function timelineOf(
  hub: Hub,
  kind: TimelineKind,
  recordId: RecordId,
  page: { readonly before: string | null; readonly limit: number },
): Promise<Timeline> {
  const q = hub.session.q
  const limit = Math.min(Math.max(Math.trunc(page.limit), 1), 500)
  const found = await activitiesOf(q, kind, recordId, markFrom(page.before), limit)
  const emails = found.filter((row) => row.type === 'email').map((row) => row.id)
  const [messages, participants] = await Promise.all([messagesById(q, emails), participantsById(q, emails)])
  const byId = new Map(messages.map((row) => [row.id, row]))
  const people = Map.groupBy(participants, (row) => row.message)
  const last = found.at(-1)
  return {
    entries: found.map((row) => {
      const message = byId.get(row.id)
      return {
        ...row,
        message: message === undefined ? null : messageOf(message, people.get(row.id) ?? []),
      }
    }),
    next: last === undefined || found.length < limit ? null : `${last.at}-${last.id}`,
  }
}

function messageOf(row: MessageRow, people: readonly ParticipantRow[]): TimelineMessage {
  const { id: _, attachments, ...message } = row
  return {
    ...message,
    attachments: attachmentsOf(attachments),
    participants: people.map(({ message: __, ...person }) => person),
  }
}

function attachmentsOf(stored: Json): readonly Attachment[] {
  if (!isList(stored)) return []
  return stored.flatMap((item) =>
    isObject(item) && typeof item['name'] === 'string' && typeof item['type'] === 'string'
      ? [
          {
            name: item['name'],
            type: item['type'],
            size: typeof item['size'] === 'number' ? item['size'] : null,
          },
        ]
      : [],
  )
}

function markFrom(text: string | null): Mark | null {
  const [, at, id] = /^(-?\d{1,15})-(\d{1,15})$/.exec(text ?? '') ?? []
  return at === undefined || id === undefined ? null : { at: Number(at), id: Number(id) }
}
