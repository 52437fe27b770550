import type { Envelope } from './message.ts'

/** Ids of one message that are looked up. Long threads repeat all of them in every message. */
const MOST_IDS = 100
/** RFC 5322, 2.1.1: no line is longer. */
const LONGEST_ID = 998

/**
 * The Message-IDs that say which thread a message belongs to: its own, what it answers, and its references. Of very
 * many, the ones that count stay: the oldest, which every message of the thread shares, and the newest.
 */
export function relatedIds(envelope: Envelope): readonly string[] {
  const own = envelope.messageId === null ? [] : [envelope.messageId]
  const usable = (ids: readonly string[]) => ids.filter((id) => id.trim() !== '' && id.length <= LONGEST_ID)
  const answered = usable(envelope.inReplyTo).slice(0, 10)
  const references = [...new Set(usable(envelope.references))]
  const room = MOST_IDS - own.length - answered.length
  const kept =
    references.length <= room
      ? references
      : [...references.slice(0, 20), ...references.slice(references.length - room + 20)]
  return [...new Set([...usable(own), ...answered, ...kept])]
}
