import type { Instant } from '../json.ts'

/** `address` in small letters, with an ASCII domain; `name` decoded, null where the header gives none. */
export type MailAddress = { readonly address: string; readonly name: string | null }

/** Header fields that rules read, in small letters; nothing else of a header is carried on. */
export const MARK_HEADERS = [
  'auto-submitted',
  'content-type',
  'feedback-id',
  'list-id',
  'list-post',
  'list-unsubscribe',
  'precedence',
  'return-path',
  'x-auto-response-suppress',
  'x-autoreply',
  'x-failed-recipients',
] as const
export type MarkHeader = (typeof MARK_HEADERS)[number]

/** A delivery report (RFC 3464) that a message is: which addresses it did not reach, and whether for good. */
export type Bounce = {
  readonly recipients: readonly {
    readonly address: string
    /** Enhanced status code (RFC 3463) such as 5.1.1; null where the report gives none. */
    readonly status: string | null
    readonly permanent: boolean
  }[]
}

/** What the rules may look at: everything about a message but its content. */
export type Envelope = {
  /** RFC 5322 Message-ID without its angle brackets; null where missing or unreadable. */
  readonly messageId: string | null
  readonly inReplyTo: readonly string[]
  /** Oldest first. */
  readonly references: readonly string[]
  /** When the mailbox got or sent it, by the vendor's clock. */
  readonly at: Instant
  /** The Date header, null where missing or unreadable. The same in every mailbox. */
  readonly sentAt: Instant | null
  readonly from: readonly MailAddress[]
  readonly sender: MailAddress | null
  readonly replyTo: readonly MailAddress[]
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  readonly bcc: readonly MailAddress[]
  readonly headers: Readonly<Partial<Record<MarkHeader, string>>>
  /** The method of a calendar part: REQUEST, REPLY, CANCEL...; null where there is none. */
  readonly calendar: string | null
  readonly bounce: Bounce | null
}

export type Attachment = {
  readonly name: string
  readonly type: string
  /** Bytes; null where unknown. */
  readonly size: number | null
}

/** What a message says; of one that is stored, null and empty for what its mailbox does not keep. */
export type MailContent = {
  readonly subject: string | null
  /** What its author wrote, without quoted text and signature. */
  readonly text: string | null
  readonly quoted: string | null
  readonly signature: string | null
  /** Sanitised: no script, style, form, tracking pixel or remote image; safe to show. */
  readonly html: string | null
  readonly attachments: readonly Attachment[]
}
export type MailMessage = MailContent & { readonly envelope: Envelope }

/** What a mailbox says about a message, whatever the vendor calls it. */
export type MailFlag = 'draft' | 'chat' | 'sent' | 'spam' | 'trash'

/** A mailbox as its vendor names it; addresses in small letters. */
export type Mailbox = {
  readonly id: string
  /** Its main address: what rules, streams and people name it by. */
  readonly address: string
  /** Every address its owner sends from, the main one too. */
  readonly addresses: readonly string[]
}

/** A message as one mailbox holds it. */
export type Sighted = {
  readonly message: MailMessage
  readonly flags: readonly MailFlag[]
  /** Names of its labels or folders as the owner sees them; null where they could not be read. */
  readonly labels: readonly string[] | null
}
