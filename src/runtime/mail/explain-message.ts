import type { Instant } from '../../core/json.ts'
import type { RecordId } from '../../core/model.ts'
import type { Hub } from '../hub.ts'

/** What one mailbox made of a message. */
export type MailboxStory = {
  readonly connection: string
  readonly mailbox: string
  readonly remoteId: string
  readonly verdict: 'logged' | 'filtered' | 'quarantined' | 'gone'
  /** Why it was filtered, as a word of `FilterReason`; null otherwise. */
  readonly reason: string | null
  /** The same in words, with what decided it. */
  readonly why: string
  readonly at: Instant
  /** It is read again at the next pass. */
  readonly waits: boolean
}

export type MessageStory = {
  /** Null where no mailbox logged it. */
  readonly message: {
    readonly id: RecordId
    readonly state: 'kept' | 'withdrawn' | 'private' | 'removed'
    readonly direction: 'sent' | 'received'
    readonly messageId: string | null
    readonly at: Instant
    readonly subject: string | null
    /** What is kept, in words. */
    readonly kept: string
    readonly thread: readonly {
      readonly id: RecordId
      readonly at: Instant
      readonly subject: string | null
    }[]
    readonly contact: RecordId | null
    readonly company: RecordId | null
    readonly deal: RecordId | null
    /** Who takes part, and whether each is a contact; if not, why no contact was made. */
    readonly people: readonly {
      readonly address: string
      readonly name: string | null
      readonly role: 'from' | 'to' | 'cc' | 'bcc'
      readonly contact: RecordId | null
      readonly why: string
    }[]
  } | null
  readonly mailboxes: readonly MailboxStory[]
}

/** Why a message was or was not logged. `text`: a record id, a Message-ID with or without `<>`, or a vendor's id. */
export async function explainMessage(_hub: Hub, _text: string): Promise<MessageStory | null> {
  throw new Error('in the making')
}
