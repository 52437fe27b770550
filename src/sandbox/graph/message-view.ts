import type { Json, JsonObject } from '../../core/json.ts'
import type { MailAddress } from '../../core/mail/message.ts'
import { bodyOf, headersOf, messageIdOf, ownHeader, peopleOf, previewOf, rawOf, sentAtOf } from './content.ts'
import { badRequest } from './errors.ts'
import type { Message } from './state.ts'

/** How a caller wants messages. */
export type MessageAsk = {
  readonly ids: 'immutable' | 'mutable'
  /** Null: what comes unasked. */
  readonly select: readonly string[] | null
  readonly body: 'html' | 'text'
  /** Extended properties by id, and whether attachments come along. */
  readonly extended: readonly string[]
  readonly attachments: boolean
}

type Property = (message: Message, ask: MessageAsk) => Json | undefined | Promise<Json | undefined>

const UNASKED: Readonly<Record<string, Property>> = {
  createdDateTime: ({ createdAt }) => time(createdAt),
  lastModifiedDateTime: ({ modifiedAt }) => time(modifiedAt),
  changeKey: (message) => changeKey(message),
  categories: ({ categories }) => categories,
  receivedDateTime: ({ receivedAt }) => time(receivedAt),
  sentDateTime: ({ letter, receivedAt }) => time(sentAtOf(letter) ?? receivedAt),
  hasAttachments: ({ letter }) => letter.attachments.length > 0,
  internetMessageId: ({ letter }) => messageIdOf(letter) ?? undefined,
  subject: ({ letter }) => letter.subject ?? '',
  bodyPreview: ({ letter }) => previewOf(letter),
  importance: () => 'normal',
  parentFolderId: ({ folder }) => folder.ids.immutable,
  conversationId: ({ conversationId }) => conversationId,
  conversationIndex: ({ conversationId }) => Buffer.from(conversationId).toString('base64'),
  isDeliveryReceiptRequested: () => false,
  isReadReceiptRequested: () => false,
  isRead: ({ isRead }) => isRead,
  isDraft: ({ isDraft }) => isDraft,
  webLink: ({ ids }) => `https://outlook.office365.com/owa/?ItemID=${encodeURIComponent(ids.mutable)}`,
  inferenceClassification: () => 'focused',
  body: ({ letter }, ask) => ({ contentType: ask.body, content: bodyOf(letter, ask.body) }),
  sender: ({ letter }) => first(peopleOf(letter, 'sender')),
  from: ({ letter }) => first(peopleOf(letter, 'from')),
  toRecipients: ({ letter }) => recipients(peopleOf(letter, 'to')),
  ccRecipients: ({ letter }) => recipients(peopleOf(letter, 'cc')),
  bccRecipients: ({ letter, origin }) => (origin === 'written' ? recipients(peopleOf(letter, 'bcc')) : []),
  replyTo: ({ letter }) => recipients(peopleOf(letter, 'reply-to')),
  flag: () => ({ flagStatus: 'notFlagged' }),
}

const ASKED_FOR: Readonly<Record<string, Property>> = {
  // Only with $select, and only of what came through transport: on sent items and drafts the property is not
  // there at all, though their MIME ($value) has a header. [GK], as reported in
  // https://github.com/microsoftgraph/microsoft-graph-docs/issues/2716 and
  // https://github.com/microsoftgraph/msgraph-sdk-dotnet/issues/3025
  internetMessageHeaders: async (message) =>
    message.origin === 'received' ? (await headersOf(message)).map((header) => ({ ...header })) : undefined,
  uniqueBody: ({ letter }, ask) => ({ contentType: ask.body, content: bodyOf(letter, ask.body) }),
}

const KNOWN = new Set([...Object.keys(UNASKED), ...Object.keys(ASKED_FOR), 'id', 'attachments'])
/** A property of one derived type alone is named with its type. */
const MEETING_TYPE = 'microsoft.graph.eventMessage/meetingMessageType'

export function checkSelect(select: readonly string[] | null): void {
  for (const name of select ?? []) {
    if (!KNOWN.has(name) && name !== MEETING_TYPE)
      throw badRequest(
        `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type 'microsoft.graph.message'.`,
        'RequestBroker--ParseUri',
      )
  }
}

/** `isDelta`: there the type is always written. `only`: nothing but these properties. */
export async function messageView(
  message: Message,
  ask: MessageAsk,
  how: { isDelta: boolean; only: readonly string[] | null } = { isDelta: false, only: null },
): Promise<JsonObject> {
  const meeting = meetingOf(message)
  const type = meeting?.type ?? '#microsoft.graph.message'
  const view: Record<string, Json> = {
    ...(how.isDelta || meeting !== null ? { '@odata.type': type } : {}),
    '@odata.etag': etag(message),
    id: message.ids[ask.ids],
  }
  for (const name of how.only ?? ask.select ?? Object.keys(UNASKED)) {
    const value = await (UNASKED[name] ?? ASKED_FOR[name])?.(message, ask)
    if (value !== undefined) view[name] = value
  }
  if (how.only !== null) return view
  // Delta takes the name and gives nothing: https://github.com/microsoftgraph/microsoft-graph-docs/issues/2211
  const isAsked = ask.select === null || (!how.isDelta && ask.select.includes(MEETING_TYPE))
  if (meeting !== null && isAsked) view['meetingMessageType'] = meeting.messageType
  if (ask.attachments) view['attachments'] = attachmentViews(message)
  if (ask.extended.length > 0) {
    const found = await extendedOf(message, ask.extended)
    if (found.length > 0) view['singleValueExtendedProperties'] = found
  }
  return view
}

export function attachmentViews(message: Message): JsonObject[] {
  return message.letter.attachments.map(({ name, type, content }, i) => ({
    '@odata.type': '#microsoft.graph.fileAttachment',
    id: `${message.ids.immutable.slice(0, -1)}BEgAQ${i}=`,
    lastModifiedDateTime: time(message.createdAt),
    name,
    contentType: type,
    size: Buffer.byteLength(content),
    isInline: false,
    contentBytes: Buffer.from(content).toString('base64'),
  }))
}

type Versioned = { readonly key: number; readonly version: number }

export function changeKey({ key, version }: Versioned): string {
  return Buffer.from(`CQAAABYAAAA${key}.${version}`).toString('base64')
}

export function etag(item: Versioned): string {
  return `W/"${changeKey(item)}"`
}

export function time(at: number): string {
  // Outlook's times are whole seconds.
  return new Date(Math.floor(at / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}

/** https://learn.microsoft.com/en-us/graph/api/resources/eventmessage */
function meetingOf({ letter: { calendar } }: Message): { type: string; messageType: string } | null {
  if (calendar === null) return null
  switch (calendar.method.toUpperCase()) {
    case 'REQUEST':
      return { type: '#microsoft.graph.eventMessageRequest', messageType: 'meetingRequest' }
    case 'REPLY':
      return { type: '#microsoft.graph.eventMessageResponse', messageType: answerOf(calendar.content) }
    case 'CANCEL':
      return { type: '#microsoft.graph.eventMessage', messageType: 'meetingCancelled' }
    default:
      return { type: '#microsoft.graph.eventMessage', messageType: 'none' }
  }
}

function answerOf(content: string): string {
  if (content.includes('PARTSTAT=DECLINED')) return 'meetingDeclined'
  // Written so by the vendor.
  return content.includes('PARTSTAT=TENTATIVE') ? 'meetingTenativelyAccepted' : 'meetingAccepted'
}

/** MAPI properties that exist of any message, sent ones too; others are not there. */
async function extendedOf(message: Message, ids: readonly string[]): Promise<JsonObject[]> {
  const { letter } = message
  const found: JsonObject[] = []
  for (const id of ids) {
    const value = await mapiOf(id.toLowerCase())
    if (value !== null && value !== '') found.push({ id, value })
  }
  return found

  async function mapiOf(id: string): Promise<string | null> {
    switch (id) {
      case 'string 0x1035':
        return messageIdOf(letter)
      case 'string 0x1042':
        return (
          ownHeader(letter, 'in-reply-to') ?? (letter.inReplyTo === null ? null : `<${letter.inReplyTo}>`)
        )
      case 'string 0x1039':
        return ownHeader(letter, 'references') ?? letter.references.map((one) => `<${one}>`).join(' ')
      case 'string 0x7d':
      case 'string 0x007d': {
        if (message.origin !== 'received') return null
        const raw = await rawOf(message)
        return raw.slice(0, raw.indexOf('\r\n\r\n'))
      }
      default:
        return null
    }
  }
}

function recipients(people: readonly MailAddress[]): JsonObject[] {
  return people.map(({ address, name }) => ({ emailAddress: { name: name ?? address, address } }))
}

function first(people: readonly MailAddress[]): JsonObject | undefined {
  return recipients(people.slice(0, 1))[0]
}
