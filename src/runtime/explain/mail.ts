import type { Instant } from '../../core/json.ts'
import type { HubRecord, RecordId } from '../../core/model.ts'
import { keptOutAbout } from '../../store/explain.ts'
import { addressesOf } from '../consent.ts'
import type { Hub } from '../hub.ts'
import { addressHash } from '../mail/judge.ts'
import { timelineOf } from '../mail/timeline.ts'

/** The last mail with a contact, and mail that names them and was kept out. */
export type MailStory = {
  readonly messages: readonly {
    readonly id: RecordId
    readonly at: Instant
    readonly subject: string | null
    readonly direction: string | null
  }[]
  readonly keptOut: readonly {
    readonly mailbox: string
    readonly remoteId: string
    readonly reason: string | null
    readonly at: Instant
    /** It is read again at the next pass: its people are known now. */
    readonly waits: boolean
  }[]
}

const LAST = 5

/** Null for other records than contacts, and where no mail is read. */
export async function mailStory(hub: Hub, record: HubRecord): Promise<MailStory | null> {
  if (record.kind !== 'contact' || hub.mails.length === 0) return null
  const hash = await hub.mailHash()
  const [timeline, keptOut] = await Promise.all([
    timelineOf(hub, 'contact', record.id, { before: null, limit: LAST }),
    keptOutAbout(
      hub.db.sql,
      addressesOf(record.fields).map((address) => addressHash(hash, address)),
      LAST,
    ),
  ])
  return {
    messages: timeline.entries.map(({ id, at, subject, message }) => ({
      id,
      at,
      subject,
      direction: message?.direction ?? null,
    })),
    keptOut,
  }
}
