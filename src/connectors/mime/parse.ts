import PostalMime, { decodeWords, type Attachment as Part, type Email } from 'postal-mime'
import type { Instant } from '../../core/json.ts'
import type { Attachment, Envelope, MailMessage } from '../../core/mail/message.ts'
import { bounceOf } from './bounce.ts'
import { cleanLine } from './clean.ts'
import { contentOf } from './content.ts'
import { addressesIn, dateOf, marksIn, messageIdOf, messageIds, valuesOf } from './headers.ts'

export { contentOf } from './content.ts'

/** Above what Gmail (50 MB) and Exchange (150 MB) let in: https://support.google.com/mail/answer/6584 */
const LARGEST = 160 * 1024 * 1024
/** Bytes, over all parts; 10,000 recipients fit. */
const LARGEST_HEADERS = 1024 * 1024
const MOST_ATTACHMENTS = 200
/** Without one of these it is something else: a file, an error page. */
const ANY_MESSAGE = new Set(
  'from sender to cc bcc date subject message-id received return-path reply-to resent-from'.split(' '),
)

/** Not a message at all, or larger than any. `message` is for people and says nothing of what is in it. */
export class UnreadableMail extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UnreadableMail'
  }
}

/**
 * Reads a message in its wire form (RFC 5322, MIME). `at` is when the mailbox got or sent it. Messages in the message
 * and contents of attachments are listed and dropped. Throws `UnreadableMail`; never anything else.
 */
export async function parseMail(raw: Uint8Array, at: Instant): Promise<{ message: MailMessage }> {
  if (raw.byteLength === 0) throw new UnreadableMail('the message is empty')
  if (raw.byteLength > LARGEST)
    throw new UnreadableMail(`the message has ${raw.byteLength} bytes; ${LARGEST} are the most that are read`)
  let email: Email
  try {
    email = await PostalMime.parse(raw, {
      forceRfc822Attachments: true,
      maxNestingDepth: 100,
      maxHeadersSize: LARGEST_HEADERS,
    })
  } catch (error) {
    throw new UnreadableMail(`the message is not readable as MIME: ${errorText(error)}`, { cause: error })
  }
  if (!email.headers.some(({ key }) => ANY_MESSAGE.has(key)))
    throw new UnreadableMail('the message has none of the header fields that messages have')
  try {
    return { message: messageOf(email, at) }
  } catch (error) {
    throw new UnreadableMail(`the message cannot be read: ${errorText(error)}`, { cause: error })
  }
}

function messageOf(email: Email, at: Instant): MailMessage {
  const subject = valuesOf(email.headers, 'subject')[0]
  return {
    envelope: envelopeOf(email, at),
    subject: subject === undefined ? null : cleanLine(decodeWords(subject.slice(0, 10_000)), 1_000),
    ...contentOf(email.text ?? null, email.html ?? null),
    attachments: email.attachments.slice(0, MOST_ATTACHMENTS).map(attachmentOf),
  }
}

function envelopeOf({ headers, attachments }: Email, at: Instant): Envelope {
  const marks = marksIn(headers)
  const isReport = /^\s*multipart\/report\b/i.test(marks['content-type'] ?? '')
  const report = isReport ? attachments.find(({ mimeType }) => DELIVERY_STATUS.has(mimeType)) : undefined
  return {
    messageId: messageIdOf(valuesOf(headers, 'message-id')),
    inReplyTo: messageIds(valuesOf(headers, 'in-reply-to')),
    references: messageIds(valuesOf(headers, 'references')),
    at,
    sentAt: dateOf(valuesOf(headers, 'date')[0]),
    from: addressesIn(headers, 'from'),
    sender: addressesIn(headers, 'sender')[0] ?? null,
    replyTo: addressesIn(headers, 'reply-to'),
    to: addressesIn(headers, 'to'),
    cc: addressesIn(headers, 'cc'),
    bcc: addressesIn(headers, 'bcc'),
    headers: marks,
    calendar: calendarOf(attachments),
    bounce: bounceOf(headers, report === undefined ? null : textIn(report, 200_000)),
  }
}

const DELIVERY_STATUS = new Set(['message/delivery-status', 'message/global-delivery-status'])
const CALENDAR = new Set(['text/calendar', 'application/ics'])

/**
 * The method of a calendar part: in its Content-Type where it takes part in scheduling (RFC 6047, 2.4), else in the
 * calendar itself, unless that is a file somebody attached.
 */
function calendarOf(parts: readonly Part[]): string | null {
  for (const part of parts.filter(({ mimeType }) => CALENDAR.has(mimeType))) {
    const said =
      part.method ?? (part.disposition === 'attachment' ? null : METHOD.exec(textIn(part, 20_000))?.[1])
    const method = cleanLine(said, 40)
    if (method !== null) return method.toUpperCase()
  }
  return null
}
const METHOD = /^METHOD(?:;[^:\r\n]{0,200})?:([^\r\n]{1,40})/im

function attachmentOf(part: Part): Attachment {
  return {
    name: cleanLine(part.filename, 255) ?? 'unnamed',
    type: cleanLine(part.mimeType, 100) ?? 'application/octet-stream',
    size: typeof part.content === 'string' ? part.content.length : part.content.byteLength,
  }
}

/** The first bytes of a part as text. */
function textIn({ content }: Part, most: number): string {
  return typeof content === 'string'
    ? content.slice(0, most)
    : new TextDecoder().decode(
        new Uint8Array(content instanceof Uint8Array ? content.slice(0, most) : content.slice(0, most)),
      )
}

const errorText = (error: unknown): string =>
  error instanceof Error ? error.message.slice(0, 200) : 'unknown error'
