import type { Envelope, MailFlag, MailMessage } from '../../core/mail/message.ts'
import { identityKey } from '../../core/mail/identity.ts'
import { addressForms, participantsOf, type Participant } from '../../core/mail/people.ts'
import type { FilterReason } from '../../core/mail/rules.ts'
import { sift } from '../../core/mail/sift.ts'
import { relatedIds } from '../../core/mail/thread.ts'
import type { Instant } from '../../core/json.ts'
import type { Sighting } from '../../connectors/mail.ts'
import type { Hash, Hasher } from '../../store/mail/key.ts'
import type { Known } from '../../store/mail/sightings.ts'
import type { Box } from './box.ts'
import { domainFacts } from './domains.ts'

export type Person = Participant & {
  /** What to look it up by, the address itself first; empty for our own people. */
  readonly forms: readonly string[]
}

/** A message that the rules let pass; whether it is logged depends on who is a contact. */
export type Passed = {
  readonly kind: 'passed'
  readonly id: string
  readonly message: MailMessage
  readonly flags: readonly MailFlag[]
  readonly labels: readonly string[]
  readonly direction: 'sent' | 'received'
  readonly makesContacts: boolean
  readonly identity: Hash
  readonly idHash: Hash | null
  readonly related: readonly Hash[]
  readonly people: readonly Person[]
  /** This mailbox logs it already, and was not asked to look again. */
  readonly isOld: boolean
}

export type Judged =
  | Passed
  | {
      readonly kind: 'filtered'
      readonly id: string
      readonly reason: FilterReason
      readonly detail: string
      readonly idHash: Hash | null
      /** Addresses that a delivery report says mail does not reach, for good. */
      readonly bounced: readonly string[]
      readonly at: Instant
    }
  | { readonly kind: 'gone'; readonly id: string }
  | { readonly kind: 'bad'; readonly id: string; readonly problem: string }

export const addressHash = (hash: Hasher, address: string): Hash => hash(`address ${address}`)
export const idHashOf = (hash: Hasher, messageId: string): Hash => hash(`id ${messageId}`)

export const peopleOf = (envelope: Envelope, { mailbox, rules }: Box): readonly Person[] =>
  participantsOf(envelope, mailbox, rules, domainFacts).map((person) => ({
    ...person,
    forms: person.side === 'us' ? [] : addressForms(person.address, rules),
  }))

/** The years 1 to 9999: what every part of the way can hold. */
const isTime = (at: Instant): boolean =>
  Number.isFinite(at) && at > -62_135_596_800_000 && at < 253_402_300_800_000

/** What the rules say of one message, by itself: no other message and no record has been looked at. */
export function judge(box: Box, seen: Sighting, known: Known | undefined, hash: Hasher): Judged {
  const { id } = seen
  if (seen.kind === 'gone') return { kind: 'gone', id }
  try {
    const { message, labels } = seen.sighted
    const { envelope } = message
    // Logged mail stays logged in the trash: people empty their inbox that way.
    const isLogged = known !== undefined && known.content !== null
    const flags = isLogged ? seen.sighted.flags.filter((flag) => flag !== 'trash') : seen.sighted.flags
    const idHash = envelope.messageId === null ? null : idHashOf(hash, envelope.messageId)
    const verdict = sift({ envelope, flags, labels }, box.mailbox, box.rules, domainFacts)
    if (verdict.kind === 'filter' || labels === null) {
      const reason = verdict.kind === 'filter' ? verdict.reason : 'unclear'
      const detail = verdict.kind === 'filter' ? verdict.detail : 'its labels could not be read'
      const bounced = reason === 'bounce' ? (envelope.bounce?.recipients ?? []) : []
      return {
        kind: 'filtered',
        id,
        reason,
        detail,
        idHash,
        bounced: bounced.filter((recipient) => recipient.permanent).map((recipient) => recipient.address),
        at: isTime(envelope.at) ? envelope.at : 0,
      }
    }
    if (!isTime(envelope.at))
      return { kind: 'bad', id, problem: 'its time lies outside of the years 1 to 9999' }
    return {
      kind: 'passed',
      id,
      message,
      flags,
      labels,
      direction: verdict.direction,
      makesContacts: verdict.makesContacts,
      identity: hash(`message ${identityKey(message)}`),
      idHash,
      related: relatedIds(envelope).map((related) => idHashOf(hash, related)),
      people: peopleOf(envelope, box),
      isOld: isLogged && known.recheck === false,
    }
  } catch (error) {
    // A bug that one message brings out must not stop its mailbox.
    return {
      kind: 'bad',
      id,
      problem: `it could not be judged: ${error instanceof Error ? error.name : 'error'}`,
    }
  }
}
