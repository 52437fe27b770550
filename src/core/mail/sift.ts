import { authorsOf, isAddress, MOST_RECIPIENTS, ourAddresses, plainAddress } from './address.ts'
import { blockedBy } from './blocked.ts'
import { autoSign, bounceSign, bulkSign, calendarSign } from './marks.ts'
import type { Envelope, MailAddress, MailFlag, Mailbox } from './message.ts'
import { privateLabel } from './private.ts'
import type { DomainFacts, FilterReason, MailRules } from './rules.ts'

export type Seen = {
  readonly envelope: Envelope
  readonly flags: readonly MailFlag[]
  readonly labels: readonly string[] | null
}

export type Verdict =
  | {
      readonly kind: 'pass'
      readonly direction: 'sent' | 'received'
      /** Unknown participants may become contacts by this copy of the message; `newcomer` decides for each. */
      readonly makesContacts: boolean
    }
  | { readonly kind: 'filter'; readonly reason: FilterReason; readonly detail: string }

/**
 * Whether one copy of a message may be logged. Never throws and fails closed: what cannot be judged is filtered. The
 * first reason that holds is given, in this order: what the mailbox says (draft, chat, spam, trash), `too-old`,
 * `unclear`, `private`, `blocked`, `bounce`, `calendar`, `automatic`, `bulk`, `internal`. `detail` says what decided,
 * with nothing of the message in it but names of headers: it is stored.
 *
 * What remains for the caller is `stranger`, which needs the contacts: a pass that finds no contact among the
 * participants and makes none is filtered as that (rule `strangers`), whatever its direction.
 *
 * Direction: `sent` is what one of us wrote, by the author's address, so that the copy of a colleague says the same as
 * the sender's own. An author who is not ours counts as us only in mail the vendor says was sent and that is not
 * addressed to this mailbox: an alias the vendor did not list, rather than a received message moved to the sent folder.
 */
export function sift(seen: Seen, mailbox: Mailbox, rules: MailRules, domains: DomainFacts): Verdict {
  try {
    return judge(seen, mailbox, rules, domains)
  } catch {
    return filter('unclear', 'a rule could not be evaluated')
  }
}

function judge(seen: Seen, mailbox: Mailbox, rules: MailRules, domains: DomainFacts): Verdict {
  const { envelope } = seen
  const isOurs = ourAddresses(mailbox, rules, domains)
  return (
    byMailbox(seen.flags) ??
    byAge(envelope, rules) ??
    byReadability(seen) ??
    byPrivacy(seen.labels ?? [], rules) ??
    byBlocked(envelope, rules) ??
    byMarks(envelope, rules) ??
    byOwn(envelope, isOurs) ??
    passed(seen, mailbox, rules, isOurs)
  )
}

const filter = (reason: FilterReason, detail: string): Verdict => ({ kind: 'filter', reason, detail })

function byMailbox(flags: readonly MailFlag[]): Verdict | null {
  if (flags.includes('draft')) return filter('draft', 'a draft; it is read again when it is sent')
  if (flags.includes('chat')) return filter('chat', 'a chat message')
  if (flags.includes('spam')) return filter('spam', 'the mailbox holds it as spam')
  if (flags.includes('trash')) return filter('trash', 'it lies in the trash')
  return null
}

function byAge(envelope: Envelope, rules: MailRules): Verdict | null {
  if (!Number.isFinite(envelope.at)) return filter('unclear', 'the time of delivery is missing')
  if (rules.since === null || envelope.at >= rules.since) return null
  return filter('too-old', 'from before the date of the rule since')
}

function byReadability(seen: Seen): Verdict | null {
  const authors = authorsOf(seen.envelope)
  if (authors.length === 0) return filter('unclear', 'no sender: no From and no Sender header')
  if (!authors.every(({ address }) => isAddress(plainAddress(address))))
    return filter('unclear', 'the From header holds no address that can be read')
  if (seen.labels === null) return filter('unclear', 'its labels or folder could not be read')
  // A list that was cut short hides people, and who is not seen cannot be judged.
  return recipientsOf(seen.envelope).length > MOST_RECIPIENTS
    ? filter('unclear', `more than ${MOST_RECIPIENTS} recipients, a mass mailing; not all of them are read`)
    : null
}

function byPrivacy(labels: readonly string[], rules: MailRules): Verdict | null {
  const entry = privateLabel(labels, rules.privateLabels)
  return entry === null ? null : filter('private', `a label or folder under "${entry}" of privateLabels`)
}

function byBlocked(envelope: Envelope, rules: MailRules): Verdict | null {
  const people = [
    ...authorsOf(envelope),
    ...senderOf(envelope),
    ...envelope.replyTo,
    ...recipientsOf(envelope),
  ]
  const entry = blockedBy(
    people.map(({ address }) => address),
    rules.blocked,
  )
  return entry === null ? null : filter('blocked', `"${entry}" of the rule blocked`)
}

function byMarks(envelope: Envelope, rules: MailRules): Verdict | null {
  const bounce = bounceSign(envelope)
  if (bounce !== null) return filter('bounce', bounce)
  const calendar = calendarSign(envelope)
  if (calendar !== null) return filter('calendar', calendar)
  const automatic = rules.automatic === 'filter' ? autoSign(envelope) : null
  if (automatic !== null) return filter('automatic', automatic)
  const bulk = rules.bulk === 'filter' ? bulkSign(envelope) : null
  return bulk === null ? null : filter('bulk', bulk)
}

/** Names that are no address count as nobody: mail to a colleague by an X.500 name stays in the house. */
function byOwn(envelope: Envelope, isOurs: (address: string) => boolean): Verdict | null {
  const people = [...authorsOf(envelope), ...recipientsOf(envelope)].map(({ address }) =>
    plainAddress(address),
  )
  return people.filter(isAddress).every(isOurs) ? filter('internal', 'nobody but us takes part in it') : null
}

function passed(
  seen: Seen,
  mailbox: Mailbox,
  rules: MailRules,
  isOurs: (address: string) => boolean,
): Verdict {
  const { envelope } = seen
  const isSentHere = seen.flags.includes('sent')
  const isByUs = authorsOf(envelope).some(({ address }) => isOurs(address))
  const own = new Set([mailbox.address, ...mailbox.addresses].map(plainAddress))
  const isToOwner = recipientsOf(envelope).some(({ address }) => own.has(plainAddress(address)))
  const direction = isByUs || (isSentHere && !isToOwner) ? 'sent' : 'received'
  return { kind: 'pass', direction, makesContacts: mayMakeContacts(direction, isSentHere, envelope, rules) }
}

/**
 * A From of ours on mail that merely arrived proves nothing, anyone can write it: only the vendor's word that this
 * mailbox sent it does. Lists and machines that the rules let in do not make contacts either.
 */
function mayMakeContacts(
  direction: 'sent' | 'received',
  isSentHere: boolean,
  envelope: Envelope,
  rules: MailRules,
): boolean {
  if (rules.newContacts === 'never' || bulkSign(envelope) !== null || autoSign(envelope) !== null)
    return false
  return direction === 'sent' ? isSentHere : rules.newContacts === 'sent-and-received'
}

const recipientsOf = (envelope: Envelope): readonly MailAddress[] => [
  ...envelope.to,
  ...envelope.cc,
  ...envelope.bcc,
]

const senderOf = (envelope: Envelope): readonly MailAddress[] =>
  envelope.sender === null ? [] : [envelope.sender]
