import type { DomainFacts, MailRules } from './rules.ts'
import type { Envelope, MailAddress, Mailbox } from './message.ts'

/** Addresses of one message that are looked at. A message with more is nobody's correspondence: `sift` filters it. */
export const MOST_RECIPIENTS = 1_000

const ADDRESS = /^[^\s@<>(),;:"[\]\\\p{Cc}]{1,64}@([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}$/u

/** An address that mail can be sent to, in small letters. Exchange's X.500 names and "undisclosed" are none. */
export function isAddress(address: string): boolean {
  return address.length <= 254 && ADDRESS.test(address)
}

/** What follows the "@"; empty where nothing does. */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@')
  return at === -1 ? '' : address.slice(at + 1)
}

/** Whether `domain` is `parent` or lies below it: `mail.acme.com` in `acme.com`, but not `notacme.com`. */
export function isWithin(domain: string, parent: string): boolean {
  return parent !== '' && (domain === parent || domain.endsWith(`.${parent}`))
}

/** An address as it is compared. Connectors give it so already; a second time does not harm. */
export function plainAddress(address: string): string {
  return address.trim().toLowerCase()
}

/** A domain of the rules as it is compared: `@Acme.com`, `*.acme.com` and `acme.com.` are `acme.com`. */
export function plainDomain(entry: string): string {
  return entry
    .trim()
    .toLowerCase()
    .replace(/^(?:\*\.|[@.])/, '')
    .replace(/\.$/, '')
}

/** Who wrote it: the From header, else the Sender header (RFC 5322, 3.6.2 asks for the first). */
export function authorsOf(envelope: Envelope): readonly MailAddress[] {
  if (envelope.from.length > 0) return envelope.from
  return envelope.sender === null ? [] : [envelope.sender]
}

/**
 * Whether an address is one of ours: the owner's own, or within the company's domains. The domain of the mailbox is
 * one of them, unless it is a free-mail one: everybody at gmail.com is not a colleague.
 */
export function ourAddresses(
  mailbox: Mailbox,
  rules: MailRules,
  domains: DomainFacts,
): (address: string) => boolean {
  const own = new Set([mailbox.address, ...mailbox.addresses].map(plainAddress))
  const home = domainOf(plainAddress(mailbox.address))
  const parents = rules.internalDomains.map(plainDomain).filter((domain) => domain !== '')
  if (home !== '' && !domains.isFreeMail(home)) parents.push(home)
  return (address) => {
    const plain = plainAddress(address)
    const domain = domainOf(plain)
    return own.has(plain) || parents.some((parent) => isWithin(domain, parent))
  }
}
