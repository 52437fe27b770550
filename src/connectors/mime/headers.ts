import { domainToASCII } from 'node:url'
import { addressParser, type Header } from 'postal-mime'
import { MOST_RECIPIENTS } from '../../core/mail/address.ts'
import type { Instant } from '../../core/json.ts'
import { MARK_HEADERS, type Envelope, type MailAddress } from '../../core/mail/message.ts'
import { cleanLine, cleanText, cutAt } from './clean.ts'

/** Header fields of a message, in its order; names in any case of letters, values unfolded. */
export type HeaderField = Pick<Header, 'key' | 'value'>

/** More than `sift` lets pass, so that a list that was cut is still seen to be too long. */
const MOST_ADDRESSES = MOST_RECIPIENTS + 1
const LONGEST_MARK = 1_000
const MOST_REFERENCES = 200

export function valuesOf(headers: readonly HeaderField[], name: string): readonly string[] {
  return headers.filter(({ key }) => key.toLowerCase() === name).map(({ value }) => value)
}

/**
 * The addresses of all header fields of one name. Groups are flattened, names decoded, domains made ASCII; entries with
 * no address at all ("undisclosed-recipients") are left out. No more than one above what the rules let pass.
 */
export function addressesIn(headers: readonly HeaderField[], name: string): readonly MailAddress[] {
  const found: MailAddress[] = []
  for (const value of valuesOf(headers, name)) {
    for (const entry of addressParser(value, { flatten: true })) {
      if (found.length === MOST_ADDRESSES) return found
      const one = mailAddress(entry.address ?? '', entry.name)
      if (one !== null) found.push(one)
    }
  }
  return found
}

/** An address as rules compare it: small letters, ASCII domain; null where nothing is there. */
export function mailAddress(address: string, name: string | null | undefined): MailAddress | null {
  const plain = cleanText(address.slice(0, 1_000))
    .replace(/[\s<>]+/g, '')
    .toLowerCase()
    .normalize('NFC')
  if (plain === '') return null
  const at = plain.lastIndexOf('@')
  const domain = plain.slice(at + 1).replace(/\.$/, '')
  // domainToASCII gives '' for what is no domain; what the sender wrote then stays, for `sift` to refuse.
  const ascii = at === -1 ? plain : `${plain.slice(0, at)}@${domainToASCII(domain) || domain}`
  return { address: ascii, name: cleanLine(name, 300) }
}

/** Message-IDs of In-Reply-To or References without their angle brackets; of very many the oldest and the newest. */
export function messageIds(values: readonly string[]): readonly string[] {
  const text = values.join(' ')
  const bracketed = [...text.matchAll(/<([^<>]{1,2000})>/g)].map((match) => match[1] ?? '')
  const ids = (bracketed.length > 0 ? bracketed : text.split(/\s+/)).map(plainId).filter((id) => id !== null)
  const distinct = [...new Set(ids)]
  return distinct.length <= MOST_REFERENCES
    ? distinct
    : [...distinct.slice(0, 50), ...distinct.slice(50 - MOST_REFERENCES)]
}

/** The Message-ID without brackets and the spaces that folding left; null where missing or longer than a line. */
export function messageIdOf(values: readonly string[]): string | null {
  const value = values.find((text) => text.trim() !== '') ?? ''
  return plainId(/<([^<>]{1,2000})>/.exec(value)?.[1] ?? value)
}

function plainId(text: string): string | null {
  const id = cleanText(text).replace(/[\s<>]+/g, '')
  return id === '' || id.length > 998 ? null : id
}

const ZONE = /(?:[+-]\d{4}|\b(?:GMT|UTC?|Z|[ECMP][SD]T))$/i

/**
 * The time of a Date header, null where it cannot be read. A zone that is missing or unknown counts as UTC, as RFC 5322
 * (4.3) asks; otherwise the machine's own would be taken, and two hubs would disagree.
 */
export function dateOf(value: string | undefined): Instant | null {
  let text = (value ?? '').slice(0, 300)
  while (/\([^()]*\)/.test(text)) text = text.replace(/\([^()]*\)/g, ' ')
  text = text.replace(/\s+/g, ' ').trim()
  if (!/\d{1,2}:\d{2}/.test(text)) return null
  if (/^\d{4}-\d{2}-\d{2}[T ]/.test(text))
    return inRange(Date.parse(/(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`))
  if (!ZONE.test(text)) text = `${text.replace(/(?: [A-Za-z]{1,12}){1,4}$/, '')} +0000`
  return inRange(Date.parse(text))
}

const inRange = (at: number): Instant | null => (at >= 0 && at < Date.UTC(10_000, 0) ? at : null)

/**
 * The header fields rules read. Of repeated ones all are kept, so that none hides another; but of Return-Path and
 * Content-Type only the first: the last server to handle the message wrote it on top.
 */
export function marksIn(headers: readonly HeaderField[]): Envelope['headers'] {
  const marks: { -readonly [Name in keyof Envelope['headers']]: Envelope['headers'][Name] } = {}
  for (const name of MARK_HEADERS) {
    const values = valuesOf(headers, name)
    const [first] = values
    if (first === undefined) continue
    const text = name === 'return-path' || name === 'content-type' ? first : values.join(', ')
    marks[name] = cutAt(cleanText(text.slice(0, LONGEST_MARK * 2)).trim(), LONGEST_MARK)
  }
  return marks
}
