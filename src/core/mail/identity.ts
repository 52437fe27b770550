import type { Instant } from '../json.ts'
import { authorsOf, plainAddress } from './address.ts'
import type { MailAddress, MailMessage } from './message.ts'

/** What tells two messages of one Message-ID apart. */
export type Fingerprint = { readonly from: string | null; readonly sentAt: Instant | null }

/**
 * What makes a message the same one in every mailbox: `id:` and its Message-ID, or, where that is missing, `fp:` and
 * what its sender gave it. Nothing that differs between the copies counts: Bcc, the order of recipients, labels, the
 * time of delivery. Without a Date header, too, the time of delivery does count: equal nightly reports are many messages
 * and one lost is worse than one twice. The text can be long and is meant to be hashed.
 */
export function identityText(message: MailMessage): string {
  const { envelope } = message
  if (envelope.messageId !== null && envelope.messageId.trim() !== '')
    return `id:${envelope.messageId.trim()}`
  const sent = second(envelope.sentAt)
  const when = sent === null ? { at: envelope.at } : { sent }
  return `fp:${JSON.stringify([
    when,
    addressesOf(authorsOf(envelope)),
    addressesOf([...envelope.to, ...envelope.cc]),
    squeezed(message.subject),
    squeezed(message.text),
    message.attachments.map(({ name, size }) => [name, size]),
  ])}`
}

export function fingerprintOf(message: MailMessage): Fingerprint {
  const author = authorsOf(message.envelope)[0]
  return {
    from: author === undefined ? null : plainAddress(author.address),
    sentAt: message.envelope.sentAt,
  }
}

/**
 * Whether two messages of one identity are one. Some programs give every message the same id; those differ in author
 * or Date. Dates are compared to the second, which is all that the header holds.
 */
export function sameMessage(a: Fingerprint, b: Fingerprint): boolean {
  return a.from === b.from && second(a.sentAt) === second(b.sentAt)
}

/** `sameMessage` in one text, to be hashed: one identity, one author and one Date. */
export function identityKey(message: MailMessage): string {
  const { from, sentAt } = fingerprintOf(message)
  return JSON.stringify([identityText(message), from, second(sentAt)])
}

const second = (at: Instant | null): number | null =>
  at === null || !Number.isFinite(at) ? null : Math.floor(at / 1000)

const addressesOf = (people: readonly MailAddress[]): readonly string[] =>
  [...new Set(people.map(({ address }) => plainAddress(address)))].toSorted()

const squeezed = (text: string | null): string => (text ?? '').replace(/\s+/g, ' ').trim()
