import { unreachable } from '../json.ts'
import { plainAddress, plainDomain } from './address.ts'
import { RANK } from './content.ts'
import type { Mailbox } from './message.ts'
import { addressForms, participantsOf } from './people.ts'
import type { ContentLevel, DomainFacts, FilterReason, MailRules } from './rules.ts'
import { sift, type Seen } from './sift.ts'

/** What is kept of one mailbox's copy of a message. */
export type Stored =
  | (Seen & {
      readonly verdict: 'logged'
      /** The level it was stored at. */
      readonly content: ContentLevel
      /** A contact is among its participants, by the new rules' `addressForms`. */
      readonly known: boolean
    })
  | { readonly verdict: 'filtered'; readonly reason: FilterReason }

export type Review =
  | { readonly kind: 'stays' }
  | { readonly kind: 'take-out'; readonly reason: FilterReason; readonly detail: string }
  /** Ask the vendor for it again and decide anew; what is logged stays until then. */
  | { readonly kind: 'read-again' }
  /** It stays logged, with what `keep` leaves at this lower level. */
  | { readonly kind: 'strip'; readonly to: ContentLevel }

const STAYS: Review = { kind: 'stays' }
const READ_AGAIN: Review = { kind: 'read-again' }

/**
 * What a change of rules does to a message that was read under the old ones. Logged messages are judged by their stored
 * envelope. Filtered ones left nothing but their reason: those are read again where the rule behind it let go of
 * anything. Drafts, chats, spam, trash, bounces, calendar answers and what was unclear are not up to rules, and what a
 * person withdrew stays so. The rule `deleted` is about what happens later, and changes nothing here. Neither do new
 * contacts go when the rule that made them does: they are people's by then.
 */
export function review(
  stored: Stored,
  mailbox: Mailbox,
  before: MailRules,
  after: MailRules,
  domains: DomainFacts,
): Review {
  return stored.verdict === 'logged'
    ? reviewLogged(stored, mailbox, before, after, domains)
    : isLoosened(stored.reason, before, after)
      ? READ_AGAIN
      : STAYS
}

function reviewLogged(
  stored: Extract<Stored, { verdict: 'logged' }>,
  mailbox: Mailbox,
  before: MailRules,
  after: MailRules,
  domains: DomainFacts,
): Review {
  const now = sift(stored, mailbox, after, domains)
  if (now.kind === 'filter') return { kind: 'take-out', reason: now.reason, detail: now.detail }
  if (!stored.known && isStrangerNow(before, after))
    return { kind: 'take-out', reason: 'stranger', detail: 'no contact takes part in it' }
  const was = sift(stored, mailbox, before, domains)
  const makesMore = now.makesContacts && !(was.kind === 'pass' && was.makesContacts)
  if (
    RANK[after.content] > RANK[stored.content] ||
    makesMore ||
    isMatchedAnew(stored, mailbox, before, after, domains)
  )
    return READ_AGAIN
  return RANK[after.content] < RANK[stored.content] ? { kind: 'strip', to: after.content } : STAYS
}

function isStrangerNow(before: MailRules, after: MailRules): boolean {
  if (after.strangers !== 'filter') return false
  return before.strangers === 'log' || (before.plusTags && !after.plusTags) || (before.dots && !after.dots)
}

/** A participant is looked up by other keys, or changed sides, so that other records may belong to the message. */
function isMatchedAnew(
  stored: Seen,
  mailbox: Mailbox,
  before: MailRules,
  after: MailRules,
  domains: DomainFacts,
): boolean {
  const keys = (rules: MailRules) =>
    participantsOf(stored.envelope, mailbox, rules, domains)
      .map(({ address, side }) =>
        [side, ...(side === 'us' ? [address] : addressForms(address, rules))].join(' '),
      )
      .join('\n')
  return keys(before) !== keys(after)
}

function isLoosened(reason: FilterReason, before: MailRules, after: MailRules): boolean {
  switch (reason) {
    case 'bulk':
      return before.bulk === 'filter' && after.bulk === 'log'
    case 'automatic':
      return before.automatic === 'filter' && after.automatic === 'log'
    case 'internal':
      return lacks(after.internalDomains, before.internalDomains, plainDomain)
    case 'blocked':
      return lacks(after.blocked, before.blocked, plainAddress)
    case 'private':
      return lacks(after.privateLabels, before.privateLabels, plainAddress)
    case 'too-old':
      return before.since !== null && (after.since === null || after.since < before.since)
    case 'stranger':
      return isStrangerLoosened(before, after)
    case 'draft':
    case 'chat':
    case 'spam':
    case 'trash':
    case 'calendar':
    case 'bounce':
    case 'unclear':
    case 'withdrawn':
      return false
    default:
      return unreachable(reason)
  }
}

/** A colleague who no longer is one may be a contact. */
function isStrangerLoosened(before: MailRules, after: MailRules): boolean {
  if (before.strangers === 'filter' && after.strangers === 'log') return true
  if ((!before.plusTags && after.plusTags) || (!before.dots && after.dots)) return true
  if (MAKING[after.newContacts] > MAKING[before.newContacts]) return true
  return lacks(after.internalDomains, before.internalDomains, plainDomain)
}

const MAKING: Readonly<Record<MailRules['newContacts'], number>> = {
  never: 0,
  sent: 1,
  'sent-and-received': 2,
}

/** An entry of `before` is no longer there. */
function lacks(
  after: readonly string[],
  before: readonly string[],
  plain: (entry: string) => string,
): boolean {
  const left = new Set(after.map(plain))
  return before.some((entry) => !left.has(plain(entry)))
}
