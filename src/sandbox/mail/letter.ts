import { createHash } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import MimeNode from 'nodemailer/lib/mime-node/index.js'
import type { Instant } from '../../core/json.ts'
import type { MailAddress } from '../../core/mail/message.ts'

export type LetterAttachment = { readonly name: string; readonly type: string; readonly content: string }

/** A mail as its writer means it, before it is MIME or a vendor's JSON. */
export type Letter = {
  /** Null: no From field at all. */
  readonly from: MailAddress | null
  readonly sender: MailAddress | null
  readonly replyTo: readonly MailAddress[]
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  /** Only the sender's own copy has it: see `withoutBcc`. */
  readonly bcc: readonly MailAddress[]
  readonly subject: string | null
  readonly text: string | null
  readonly html: string | null
  /** The Date field, to the second; null: none. */
  readonly date: Instant | null
  /** Without angle brackets; null: no Message-ID field. */
  readonly messageId: string | null
  readonly inReplyTo: string | null
  /** Oldest first. */
  readonly references: readonly string[]
  /** Further fields. One that has a place above (`Date`, `Message-ID`...) is taken from here, in any broken form. */
  readonly headers: Readonly<Record<string, string>>
  readonly attachments: readonly LetterAttachment[]
  readonly calendar: { readonly method: string; readonly content: string } | null
  /** A delivery report (RFC 3464): the letter is then `multipart/report`, and has neither HTML nor attachments. */
  readonly report: DeliveryReport | null
}

export type DeliveryReport = {
  readonly recipients: readonly {
    readonly address: string
    readonly action: 'failed' | 'delayed'
    /** 5.1.1 */
    readonly status: string
  }[]
  /** The header of the letter that did not arrive. */
  readonly about: string
}

const EMPTY: Letter = {
  from: null,
  sender: null,
  replyTo: [],
  to: [],
  cc: [],
  bcc: [],
  subject: null,
  text: null,
  html: null,
  date: null,
  messageId: null,
  inReplyTo: null,
  references: [],
  headers: {},
  attachments: [],
  calendar: null,
  report: null,
}

/** A letter with these fields; the others are empty. */
export function letter(fields: Partial<Letter>): Letter {
  return { ...EMPTY, ...fields }
}

/** `Ann Lee <ann@example.com>`, or an address alone. */
export function person(address: string, name: string | null = null): MailAddress {
  return { address, name }
}

/** What everybody but the sender gets. */
export function withoutBcc(given: Letter): Letter {
  return given.bcc.length === 0 ? given : { ...given, bcc: [] }
}

/** The letter as MIME text (RFC 5322, CRLF lines), the same for the same fields. */
export async function compose(given: Letter): Promise<string> {
  const root = given.report === null ? composed(given) : reported(given, given.report)
  for (const [name, value] of fieldsOf(given)) root.setHeader(name, value)
  root.addHeader({ ...given.headers })
  root.keepBcc = true
  return withoutPlaceholders((await root.build()).toString('utf8'))
}

function composed(given: Letter): MimeNode {
  const { calendar } = given
  const options = {
    baseBoundary: boundaryOf(given),
    messageId: `<${PLACEHOLDER}>`,
    text: given.text ?? '',
    html: given.html ?? '',
    attachments: given.attachments.map(({ name, type, content }) => ({
      filename: name,
      contentType: type,
      content,
    })),
    ...(calendar === null ? {} : { icalEvent: { method: calendar.method, content: calendar.content } }),
  }
  return new MailComposer(options).compile()
}

function reported(given: Letter, report: DeliveryReport): MimeNode {
  const root = new MimeNode('multipart/report; report-type=delivery-status', {
    baseBoundary: boundaryOf(given),
  })
  root.createChild('text/plain; charset=utf-8').setContent(given.text ?? '')
  root.createChild('message/delivery-status').setContent(statusOf(report))
  root.createChild('text/rfc822-headers').setContent(report.about)
  return root
}

/** https://www.rfc-editor.org/rfc/rfc3464#section-2 */
function statusOf({ recipients }: DeliveryReport): string {
  const each = recipients.map(
    ({ address, action, status }) =>
      `Final-Recipient: rfc822; ${address}\r\nAction: ${action}\r\nStatus: ${status}\r\n`,
  )
  return ['Reporting-MTA: dns; mx.example.net\r\n', ...each].join('\r\n')
}

/** Header fields in the order they are written in; those in `headers` come after them. */
function fieldsOf(given: Letter): readonly (readonly [string, string])[] {
  const own = new Set(Object.keys(given.headers).map((name) => name.toLowerCase()))
  const fields: readonly (readonly [string, string | null])[] = [
    ['From', given.from === null ? null : mailboxes([given.from])],
    ['Sender', given.sender === null ? null : mailboxes([given.sender])],
    ['Reply-To', mailboxes(given.replyTo)],
    ['To', mailboxes(given.to)],
    ['Cc', mailboxes(given.cc)],
    ['Bcc', mailboxes(given.bcc)],
    ['Subject', given.subject],
    ['Date', dateField(given.date)],
    ['Message-ID', `<${given.messageId ?? PLACEHOLDER}>`],
    ['In-Reply-To', given.inReplyTo === null ? null : `<${given.inReplyTo}>`],
    ['References', given.references.map((id) => `<${id}>`).join(' ')],
  ]
  return fields.flatMap(([name, value]) =>
    value === null || value === '' || own.has(name.toLowerCase()) ? [] : [[name, value] as const],
  )
}

/** nodemailer adds what is missing, from the clock and at random, so we put in what we then take out. */
const PLACEHOLDER = 'letter-without-one'

function withoutPlaceholders(raw: string): string {
  return raw
    .replace(`Message-ID: <${PLACEHOLDER}>\r\n`, '')
    .replace(`Message-ID:\r\n <${PLACEHOLDER}>\r\n`, '')
    .replace(`Date: ${PLACEHOLDER}\r\n`, '')
}

function dateField(date: Instant | null): string {
  return date === null ? PLACEHOLDER : new Date(date).toUTCString().replace('GMT', '+0000')
}

function boundaryOf(given: Letter): string {
  return createHash('sha256').update(JSON.stringify(given)).digest('hex').slice(0, 16)
}

function mailboxes(all: readonly MailAddress[]): string {
  return all
    .map(({ address, name }) =>
      name === null || name === '' ? address : `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}" <${address}>`,
    )
    .join(', ')
}
