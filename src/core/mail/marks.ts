import { authorsOf } from './address.ts'
import { isDaemon, isMachine } from './machines.ts'
import type { Envelope, MarkHeader } from './message.ts'

// What headers say about who or what wrote a message. Each sign is what decided, in words, without the header's value
// where that could name a stranger; null where there is none. A header that is there but empty counts as there.

/**
 * A delivery report. An empty Return-Path alone is one too (RFC 5321, 4.5.5 keeps it for notifications), unless the
 * message says it is an automatic answer, which has none either (RFC 3834, 3.3).
 */
export function bounceSign(envelope: Envelope): string | null {
  const { headers } = envelope
  if (envelope.bounce !== null) return 'a delivery report (RFC 3464)'
  if (headers['x-failed-recipients'] !== undefined) return 'an X-Failed-Recipients header'
  if (isReport(headers, 'delivery-status')) return 'a delivery report (Content-Type multipart/report)'
  if (!hasNoReturn(headers)) return null
  if (authorsOf(envelope).some(({ address }) => isDaemon(address)))
    return 'from a mail system, with an empty Return-Path'
  return autoSign(envelope) === null ? 'an empty Return-Path' : null
}

/**
 * Answers to invitations, and what calendars send by themselves (iTIP, RFC 5546). An invitation, a REQUEST, is part of
 * the conversation where a person sent it from a mail program; those that calendars send say Auto-Submitted.
 */
export function calendarSign(envelope: Envelope): string | null {
  if (envelope.calendar === null) return null
  const method = envelope.calendar.trim().toUpperCase()
  if (method === 'REQUEST' || method === 'PUBLISH') return null
  return KNOWN_METHODS.has(method) ? `a calendar message: ${method}` : 'a calendar message of unknown method'
}
const KNOWN_METHODS = new Set(['REPLY', 'CANCEL', 'COUNTER', 'DECLINECOUNTER', 'REFRESH', 'ADD'])

/** Written by a program: RFC 3834, Exchange's and older headers of that kind, reports, no-reply senders. */
export function autoSign(envelope: Envelope): string | null {
  const { headers } = envelope
  const submitted = headers['auto-submitted']
  if (submitted !== undefined && firstToken(submitted) !== 'no') return 'an Auto-Submitted header'
  if (said(headers['x-autoreply'], ['no', 'false'])) return 'an X-Autoreply header'
  if (said(headers['x-auto-response-suppress'], ['none'])) return 'an X-Auto-Response-Suppress header'
  if (words(headers.precedence).some((word) => /^auto[_-]?reply$/.test(word))) return 'Precedence auto_reply'
  if (isReport(headers, null)) return 'a report (Content-Type multipart/report)'
  const authors = [...authorsOf(envelope), ...(envelope.sender === null ? [] : [envelope.sender])]
  if (authors.some(({ address }) => isMachine(address))) return 'a no-reply sender'
  const answers = envelope.replyTo
  if (answers.length > 0 && answers.every(({ address }) => isMachine(address))) return 'a no-reply Reply-To'
  return null
}

/** Sent to many: mailing lists (RFC 2369, 2919), newsletters, campaigns. */
export function bulkSign(envelope: Envelope): string | null {
  const { headers } = envelope
  for (const [name, shown] of BULK_HEADERS) if (headers[name] !== undefined) return `a ${shown} header`
  const precedence = words(headers.precedence).find((word) => BULK_PRECEDENCE.has(word))
  return precedence === undefined ? null : `Precedence ${precedence}`
}
const BULK_HEADERS: readonly (readonly [MarkHeader, string])[] = [
  ['list-id', 'List-Id'],
  ['list-post', 'List-Post'],
  ['list-unsubscribe', 'List-Unsubscribe'],
  ['feedback-id', 'Feedback-ID'],
]
const BULK_PRECEDENCE = new Set(['bulk', 'list', 'junk'])

const firstToken = (value: string): string =>
  value
    .replace(/\([^()]*\)/g, ' ')
    .trim()
    .split(/[\s;]/, 1)[0]
    ?.toLowerCase() ?? ''

const words = (value: string | undefined): readonly string[] =>
  (value ?? '')
    .toLowerCase()
    .split(/[\s,;]+/)
    .filter((word) => word !== '')

/** The header is there and says something other than these. */
const said = (value: string | undefined, harmless: readonly string[]): boolean =>
  value !== undefined && !harmless.includes(value.trim().toLowerCase())

function isReport(headers: Envelope['headers'], type: string | null): boolean {
  const contentType = (headers['content-type'] ?? '').toLowerCase()
  return /^\s*multipart\/report\b/.test(contentType) && (type === null || contentType.includes(type))
}

const hasNoReturn = (headers: Envelope['headers']): boolean =>
  headers['return-path'] !== undefined && headers['return-path'].replace(/\s+/g, '') === '<>'
