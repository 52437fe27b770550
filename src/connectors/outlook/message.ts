import { domainToASCII } from 'node:url'
import type { Instant } from '../../core/json.ts'
import {
  type Attachment,
  type Envelope,
  type MailAddress,
  type MailFlag,
  type MailMessage,
  MARK_HEADERS,
  type Sighted,
} from '../../core/mail/message.ts'
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
    subject: wire.subject ?? null,
    ...contentOf(isHtml ? null : body, isHtml ? body : null),
    attachments,
  }
}

function envelopeOf(wire: MessageWire, mime: Envelope | null): Envelope {
  const headers = headersOf(wire)
  const marks = MARK_HEADERS.flatMap((name) => {
    const value = headers.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const date = instant(headers.get('date')) ?? mime?.sentAt ?? instant(wire.sentDateTime)
  return {
    messageId: idsIn(wire.internetMessageId ?? headers.get('message-id'))[0] ?? mime?.messageId ?? null,
    inReplyTo: headers.size > 0 ? idsIn(headers.get('in-reply-to')) : (mime?.inReplyTo ?? []),
    references: headers.size > 0 ? idsIn(headers.get('references')) : (mime?.references ?? []),
    at: instant(wire.receivedDateTime) ?? instant(wire.sentDateTime) ?? mime?.at ?? 0,
    sentAt: date,
    from: orElse(addressesOf([wire.from]), mime?.from),
    sender: addressesOf([wire.sender])[0] ?? mime?.sender ?? null,
    replyTo: orElse(addressesOf(wire.replyTo), mime?.replyTo),
    to: orElse(addressesOf(wire.toRecipients), mime?.to),
    cc: orElse(addressesOf(wire.ccRecipients), mime?.cc),
    bcc: orElse(addressesOf(wire.bccRecipients), mime?.bcc),
    headers: headers.size > 0 ? Object.fromEntries(marks) : (mime?.headers ?? {}),
    calendar: calendarOf(wire) ?? mime?.calendar ?? null,
    bounce: mime?.bounce ?? null,
  }
}

const orElse = (own: readonly MailAddress[], other: readonly MailAddress[] | undefined) =>
  own.length > 0 ? own : (other ?? [])

/** By name in small letters; of several with one name, the first. */
export function headersOf(wire: MessageWire): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const header of wire.internetMessageHeaders ?? []) {
    const name = header?.name?.trim().toLowerCase() ?? ''
    if (name !== '' && !headers.has(name)) headers.set(name, header?.value?.trim() ?? '')
  }
  return headers
}

/** Exchange gives people of its own directory by an X.500 name at times: that is no address. */
export function addressesOf(recipients: readonly RecipientWire[]): readonly MailAddress[] {
  return recipients.flatMap((recipient) => {
    const address = plain(recipient?.emailAddress?.address ?? '')
    const name = recipient?.emailAddress?.name?.trim() ?? ''
    return address === null ? [] : [{ address, name: isName(name, address) ? name : null }]
  })
}

/** Graph repeats the address where there is no name. */
const isName = (name: string, address: string) => name !== '' && name.toLowerCase() !== address

export function plain(text: string): string | null {
  const [, local, domain] = /^([^\s@]+|"[^"]+")@([^\s@]+)$/.exec(text.trim()) ?? []
  if (local === undefined || domain === undefined || local.includes('/o=')) return null
  const ascii = domainToASCII(domain.toLowerCase())
  return ascii === '' ? null : `${local.toLowerCase()}@${ascii}`
}

/** Message ids between angle brackets; of a text without any, the text itself. */
function idsIn(text: string | null | undefined): readonly string[] {
  const ids = [...(text ?? '').matchAll(/<\s*([^<>\s]+)\s*>/g)].flatMap(([, id]) =>
    id === undefined ? [] : [id],
  )
  const bare = (text ?? '').trim()
  return ids.length > 0 || bare === '' || /\s/.test(bare) ? ids : [bare]
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
