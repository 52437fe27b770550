import type { FetchMessageObject, MessageStructureObject } from 'imapflow'
import type { Attachment, MailMessage } from '../../core/mail/message.ts'
import { cleanLine } from '../mime/clean.ts'
import { parseMail, UnreadableMail } from '../mime/parse.ts'
import type { Session } from './session.ts'

/** Bytes that are read of a part with text: as much as anybody reads of a mail. */
const BYTES = 1_000_000
const BOUNDARY = 'concord-parts-of-a-large-message'
/** What the body is made of is said anew. */
const OWN_FIELDS = /^(?:content-[\w-]+|mime-version)$/i
/** One of each is read. */
const TEXTS = [
  /^text\/plain$/i,
  /^text\/html$/i,
  /^text\/calendar$/i,
  /^message\/(?:global-)?delivery-status$/i,
]

/**
 * A large message by its header and the parts that have its text: they are put together to a message without
 * attachments, which are listed by what the server says of them.
 */
export async function readLarge({ client }: Session, seen: FetchMessageObject): Promise<MailMessage> {
  const at = timeOf(seen)
  const uid = String(seen.uid)
  const whole = await client.fetchOne(uid, { uid: true, headers: true, bodyStructure: true }, { uid: true })
  if (whole === false || whole === undefined || whole.headers === undefined)
    throw new UnreadableMail('the server gives out no header of it')
  const structure = whole.bodyStructure
  if (structure === undefined) throw new UnreadableMail('the server does not say what parts it has')
  const leaves = leavesOf(structure)
  const texts = TEXTS.flatMap((type) => leaves.find((leaf) => isShown(leaf) && type.test(leaf.type)) ?? [])
  const keys = texts.map((part) => ({ key: keyOf(part), start: 0, maxLength: BYTES }))
  const fetched =
    keys.length === 0 ? false : await client.fetchOne(uid, { uid: true, bodyParts: keys }, { uid: true })
  const bodies = fetched === false || fetched === undefined ? undefined : fetched.bodyParts
  const parts = texts.map((part) => ({ part, body: bodies?.get(keyOf(part).toLowerCase()) }))
  const { message } = await parseMail(composed(whole.headers, structure, parts), at)
  const others = leaves.filter((part) => !texts.includes(part)).slice(0, 200)
  return { ...message, attachments: [...message.attachments, ...others.map(attachmentOf)] }
}

function leavesOf(node: MessageStructureObject): readonly MessageStructureObject[] {
  // A message within the message is an attachment, whatever it consists of.
  const isWhole = /^message\/(?:rfc822|global)$/i.test(node.type)
  return isWhole || node.childNodes === undefined ? [node] : node.childNodes.flatMap(leavesOf)
}

const isShown = ({ disposition }: MessageStructureObject): boolean =>
  disposition?.toLowerCase() !== 'attachment'

/** The only part of a message has the number 1 (RFC 9051, 6.4.5). */
const keyOf = ({ part }: MessageStructureObject): string => part ?? '1'

function composed(
  headers: Buffer,
  structure: MessageStructureObject,
  parts: readonly { readonly part: MessageStructureObject; readonly body: Buffer | undefined }[],
): Buffer {
  const isReport = structure.type.toLowerCase() === 'multipart/report'
  const kind = isReport ? 'multipart/report; report-type=delivery-status' : 'multipart/alternative'
  const pieces: (string | Buffer)[] = [
    `${kept(headers.toString('latin1'))}MIME-Version: 1.0\r\nContent-Type: ${kind}; boundary="${BOUNDARY}"\r\n\r\n`,
  ]
  for (const { part, body } of parts)
    pieces.push(`--${BOUNDARY}\r\n${fieldsOf(part)}\r\n`, body ?? '', '\r\n')
  pieces.push(`--${BOUNDARY}--\r\n`)
  return Buffer.concat(
    pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)),
  )
}

/** The header fields with their folded lines, without those of the body. */
function kept(header: string): string {
  const fields = header.split(/\r?\n(?![ \t])/).filter((field) => field.trim() !== '')
  return fields
    .filter((field) => !OWN_FIELDS.test(/^[^\s:]*/.exec(field)?.[0] ?? ''))
    .map((field) => `${field}\r\n`)
    .join('')
}

function fieldsOf({ type, parameters, encoding, disposition }: MessageStructureObject): string {
  const named = Object.entries(parameters ?? {}).filter(([name]) =>
    /^(?:charset|method|format|delsp)$/i.test(name),
  )
  const plain = (text: string) => text.replace(/[^\w.+/-]/g, '')
  const more = named.map(([name, value]) => `; ${name}="${plain(value)}"`).join('')
  const coded = encoding === undefined ? '' : `Content-Transfer-Encoding: ${plain(encoding)}\r\n`
  const placed = disposition === undefined ? '' : `Content-Disposition: ${plain(disposition)}\r\n`
  return `Content-Type: ${plain(type)}${more}\r\n${coded}${placed}`
}

function attachmentOf({ type, parameters, dispositionParameters, size }: MessageStructureObject): Attachment {
  const name = dispositionParameters?.['filename'] ?? parameters?.['name'] ?? ''
  return {
    name: cleanLine(name, 255) ?? 'unnamed',
    type: cleanLine(type, 100) ?? 'application/octet-stream',
    // As it is encoded: base64 takes 4 bytes for 3.
    size: size ?? null,
  }
}

/** INTERNALDATE: when the mailbox got it. */
export function timeOf({ internalDate }: FetchMessageObject): number {
  const at = internalDate instanceof Date ? internalDate.getTime() : Date.parse(internalDate ?? '')
  if (Number.isNaN(at)) throw new UnreadableMail('the server does not say when it came')
  return at
}
