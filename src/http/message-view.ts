import type { JsonObject } from '../core/json.ts'
import { iso } from '../runtime/hub.ts'
import type { MessageStory } from '../runtime/mail/explain-message.ts'
import type { MailAlarm } from '../runtime/mail/alarms.ts'
import type { MailboxProgress } from '../runtime/mail/progress.ts'
import type { TimelineEntry, TimelineMessage } from '../runtime/mail/timeline.ts'

/** An entry of a timeline as callers see it. */
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

/** What became of a message, as callers see it. */
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

/** A mailbox's progress as callers see it; `alarm` is its item of the inbox. */
export function progressView(progress: MailboxProgress, alarms: readonly MailAlarm[]): JsonObject {
  const { startedAt, checkedAt, movedAt, ...rest } = progress
  const { connection, mailbox } = progress
  const alarm = alarms.find((one) => one.connection === connection && one.mailbox === mailbox)
  const time = (at: number | null) => (at === null ? null : iso(at))
  return {
    ...rest,
    startedAt: time(startedAt),
    checkedAt: time(checkedAt),
    movedAt: time(movedAt),
    alarm: alarm?.item ?? null,
  }
}
