import { convert } from 'html-to-text'
import addressParser from 'nodemailer/lib/addressparser/index.js'
import type { MailAddress } from '../../core/mail/message.ts'
import { compose, type Letter, withoutBcc } from '../mail/letter.ts'
import type { Message } from './state.ts'

export type Header = { readonly name: string; readonly value: string }

/** The message as MIME, with what transport put before it. */
export async function rawOf({ letter, origin, receivedAt, mailbox }: Message): Promise<string> {
  if (origin === 'written') return compose(letter)
  const host = letter.from?.address.split('@')[1] ?? 'unknown'
  const hop = `Received: from mx.${host} by ${mailbox.user.address.split('@')[1] ?? ''} with ESMTPS;\r\n ${new Date(receivedAt).toUTCString()}\r\n`
  return `${hop}${await compose(withoutBcc(letter))}`
}

/** The fields of the message's header, unfolded, in their order. */
export async function headersOf(message: Message): Promise<readonly Header[]> {
  const raw = await rawOf(message)
  const end = raw.indexOf('\r\n\r\n')
  const head = (end < 0 ? raw : raw.slice(0, end)).replaceAll(/\r\n(?=[ \t])/g, '')
  return head.split('\r\n').flatMap((line) => {
    const colon = line.indexOf(':')
    return colon < 1 ? [] : [{ name: line.slice(0, colon), value: line.slice(colon + 1).trim() }]
  })
}

/** A field that the letter has in a form of its own, whatever its fields say; null: it has not. */
export function ownHeader({ headers }: Letter, name: string): string | null {
  return Object.entries(headers).find(([own]) => own.toLowerCase() === name)?.[1] ?? null
}

/** Who a field names, as a lenient reader understands it. */
export function peopleOf(
  letter: Letter,
  name: 'from' | 'sender' | 'reply-to' | 'to' | 'cc' | 'bcc',
): readonly MailAddress[] {
  const own = ownHeader(letter, name)
  if (own !== null)
    return addressParser(own, { flatten: true }).flatMap(({ address, name: shown }) =>
      address === '' ? [] : [{ address, name: shown === '' ? null : shown }],
    )
  const one = (given: MailAddress | null) => (given === null ? [] : [given])
  switch (name) {
    case 'from':
      return one(letter.from)
    case 'sender':
      return one(letter.sender ?? letter.from)
    case 'reply-to':
      return letter.replyTo
    case 'to':
    case 'cc':
    case 'bcc':
      return letter[name]
  }
}

/** With its angle brackets, as Graph gives it; null: none. */
export function messageIdOf(letter: Letter): string | null {
  const own = ownHeader(letter, 'message-id')
  if (own !== null) return own
  return letter.messageId === null ? null : `<${letter.messageId}>`
}

/** When it says it was sent; what cannot be read counts as not said. */
export function sentAtOf(letter: Letter): number | null {
  const own = ownHeader(letter, 'date')
  const at = own === null ? letter.date : Date.parse(own)
  return at === null || Number.isNaN(at) ? null : at
}

/**
 * Outlook keeps one body and makes the other out of it. Without a preference it answers HTML.
 * https://learn.microsoft.com/en-us/graph/api/message-get#request-headers
 */
export function bodyOf({ html, text }: Letter, type: 'html' | 'text'): string {
  if (type === 'text') return html === null ? (text ?? '') : convert(html)
  if (html !== null) return html
  return `<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body><div class="PlainText">${escaped(text ?? '').replaceAll('\n', '<br>\r\n')}</div></body></html>`
}

export function previewOf({ text, html }: Letter): string {
  const plain = text ?? (html === null ? '' : html.replaceAll(/<[^>]*>/g, ' '))
  return plain.replaceAll(/\s+/g, ' ').trim().slice(0, 255)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
