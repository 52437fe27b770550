import type { Instant } from '../../core/json.ts'
import { isAddress } from '../../core/mail/address.ts'
import {
  type Attachment,
  type Envelope,
  type MailAddress,
  type MailFlag,
  type MailMessage,
  type Sighted,
} from '../../core/mail/message.ts'
import { cleanLine } from '../mime/clean.ts'
import {
  dateOf,
  type HeaderField,
  mailAddress,
  marksIn,
  messageIdOf,
  messageIds,
  valuesOf,
} from '../mime/headers.ts'
import { contentOf } from '../mime/parse.ts'
import { type Folders, flagsOf, labelsOf } from './folders.ts'
import type { MessageWire, RecipientWire } from './wire.ts'

/** What Graph does not say in the message itself. */
export type Beside = {
  /** Of the message as MIME, where it had to be read. */
  readonly mime: Envelope | null
  readonly attachments: readonly Attachment[]
}

/** A message as one mailbox holds it. Categories count as labels. */
export function sightedOf(wire: MessageWire, beside: Beside, folders: Folders): Sighted {
  const path = wire.parentFolderId ? labelsOf(folders, wire.parentFolderId) : null
  const flags = wire.parentFolderId ? flagsOf(folders, wire.parentFolderId) : []
  const draft: MailFlag[] = wire.isDraft === true && !flags.includes('draft') ? ['draft'] : []
  return {
    message: messageOf(wire, beside),
    flags: [...flags, ...draft],
    labels: path === null ? null : [...path, ...wire.categories],
  }
}

function messageOf(wire: MessageWire, { mime, attachments }: Beside): MailMessage {
  const { contentType, content } = wire.body ?? {}
  const body = content ?? null
  const isHtml = contentType?.toLowerCase() === 'html'
  return {
    envelope: envelopeOf(wire, mime),
    subject: cleanLine(wire.subject, 1_000),
    ...contentOf(isHtml ? null : body, isHtml ? body : null),
    attachments,
  }
}

function envelopeOf(wire: MessageWire, mime: Envelope | null): Envelope {
  const headers = headersOf(wire)
  const own = headers.length > 0
  return {
    messageId:
      messageIdOf([wire.internetMessageId ?? '', ...valuesOf(headers, 'message-id')]) ??
      mime?.messageId ??
      null,
    inReplyTo: own ? messageIds(valuesOf(headers, 'in-reply-to')) : (mime?.inReplyTo ?? []),
    references: own ? messageIds(valuesOf(headers, 'references')) : (mime?.references ?? []),
    at: instant(wire.receivedDateTime) ?? instant(wire.sentDateTime) ?? mime?.at ?? Number.NaN,
    // The header says the same in every mailbox, whoever keeps it; Graph's own time is cut to seconds.
    sentAt: dateOf(valuesOf(headers, 'date')[0]) ?? mime?.sentAt ?? instant(wire.sentDateTime),
    from: reachable(addressesOf([wire.from]), mime?.from),
    sender:
      reachable(addressesOf([wire.sender]), mime === null || mime.sender === null ? [] : [mime.sender])[0] ??
      null,
    replyTo: reachable(addressesOf(wire.replyTo), mime?.replyTo),
    to: reachable(addressesOf(wire.toRecipients), mime?.to),
    cc: reachable(addressesOf(wire.ccRecipients), mime?.cc),
    bcc: reachable(addressesOf(wire.bccRecipients), mime?.bcc),
    headers: own ? marksIn(headers) : (mime?.headers ?? {}),
    calendar: calendarOf(wire) ?? mime?.calendar ?? null,
    bounce: mime?.bounce ?? null,
  }
}

/**
 * Exchange gives people of its own directory by an X.500 name at times, which is no address; the message as MIME has
 * their real ones.
 */
function reachable(
  own: readonly MailAddress[],
  mime: readonly MailAddress[] | undefined,
): readonly MailAddress[] {
  const isUsable = own.length > 0 && own.every(({ address }) => isAddress(address))
  return isUsable || mime === undefined || mime.length === 0 ? own : mime
}

export function headersOf(wire: MessageWire): readonly HeaderField[] {
  return (wire.internetMessageHeaders ?? []).flatMap((header) =>
    header?.name ? [{ key: header.name.trim(), value: header.value ?? '' }] : [],
  )
}

export function addressesOf(recipients: readonly RecipientWire[]): readonly MailAddress[] {
  return recipients.flatMap((recipient) => {
    const one = mailAddress(recipient?.emailAddress?.address ?? '', recipient?.emailAddress?.name)
    if (one === null) return []
    // Graph repeats the address where there is no name.
    const isNamed = one.name !== null && one.name.toLowerCase() !== one.address
    return [isNamed ? one : { ...one, name: null }]
  })
}

function instant(text: string | null | undefined): Instant | null {
  const at = Date.parse(text ?? '')
  return Number.isNaN(at) ? null : at
}

/** https://learn.microsoft.com/en-us/graph/api/resources/eventmessage */
function calendarOf(wire: MessageWire): string | null {
  const type = wire['@odata.type']?.replace('#microsoft.graph.', '') ?? ''
  const meeting = wire.meetingMessageType?.toLowerCase() ?? ''
  if (type === 'eventMessageResponse' || /accepted|declined/.test(meeting)) return 'REPLY'
  if (meeting === 'meetingcancelled') return 'CANCEL'
  if (type === 'eventMessageRequest' || meeting === 'meetingrequest') return 'REQUEST'
  // Of the others only cancellations and notices of changed meetings are left.
  return type === 'eventMessage' ? 'CANCEL' : null
}
