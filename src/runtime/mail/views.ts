import type { JsonObject } from '../../core/json.ts'
import { iso } from '../hub.ts'
import type { MessageStory } from './explain-message.ts'
import { alarmOf, type MailAlarm } from './alarms.ts'
import type { MailboxProgress } from './progress.ts'
import type { TimelineEntry, TimelineMessage } from './timeline.ts'

// What is told of mail as JSON, in the API's answers and with `--json`: times are ISO 8601.

/** An entry of a timeline. */
export function entryView({ at, message, ...entry }: TimelineEntry): JsonObject {
  return { ...entry, at: iso(at), message: message === null ? null : messageView(message) }
}

function messageView({ sentAt, attachments, participants, ...message }: TimelineMessage): JsonObject {
  return {
    ...message,
    sentAt: sentAt === null ? null : iso(sentAt),
    attachments: attachments.map((attachment) => ({ ...attachment })),
    participants: participants.map((person) => ({ ...person })),
  }
}

/** What became of a message. */
export function storyView({ message, mailboxes }: MessageStory): JsonObject {
  return {
    message:
      message === null
        ? null
        : {
            ...message,
            at: iso(message.at),
            thread: message.thread.map((entry) => ({ ...entry, at: iso(entry.at) })),
            people: message.people.map((person) => ({ ...person })),
          },
    mailboxes: mailboxes.map((seen) => ({ ...seen, at: iso(seen.at) })),
  }
}

/** A mailbox's progress; `alarm` is its item of the inbox. */
export function progressView(progress: MailboxProgress, alarms: readonly MailAlarm[]): JsonObject {
  const { startedAt, checkedAt, movedAt, ...rest } = progress
  const time = (at: number | null) => (at === null ? null : iso(at))
  return {
    ...rest,
    startedAt: time(startedAt),
    checkedAt: time(checkedAt),
    movedAt: time(movedAt),
    alarm: alarmOf(progress, alarms)?.item ?? null,
  }
}
