import { dealOf } from '../../core/mail/deals.ts'
import { keep, RANK } from '../../core/mail/content.ts'
import type { ContentLevel } from '../../core/mail/rules.ts'
import type { Fields, HubRecord, RecordId } from '../../core/model.ts'
import type { Instant } from '../../core/json.ts'
import type { Tx } from '../../store/database.ts'
import type { Hash, Hasher } from '../../store/mail/key.ts'
import type { NewMessage, NewParticipant, StoredMessage } from '../../store/mail/messages.ts'
import type { Known, SightingRow } from '../../store/mail/sightings.ts'
import type { Hub } from '../hub.ts'
import type { Box } from './box.ts'
import { contactOf } from './crowd.ts'
import type { Judged, Passed, Person } from './judge.ts'
import type { ThreadPlan } from './thread-plan.ts'

/** A page of a mailbox in its transaction. */
export type PageContext = {
  readonly hub: Hub
  readonly tx: Tx
  readonly box: Box
  readonly hash: Hasher
  readonly known: ReadonlyMap<string, Known>
  readonly count: Record<string, number>
  readonly runId: number | null
}

/** A message that this page logs, with what is known of it: new, known and kept, or withdrawn before. */
export type Logging = {
  readonly id: RecordId
  readonly before: StoredMessage | null
  /** The copies of it in this page; mostly one. */
  readonly copies: readonly Passed[]
  readonly first: Passed
  readonly main: RecordId | null
  readonly level: ContentLevel
  readonly direction: 'sent' | 'received'
}

/** A delivery report says that mail to an address came back for good. */
export type BounceSeen = { readonly plain: string; readonly address: Hash; readonly at: Instant }

type Filtered = Extract<Judged, { kind: 'filtered' }>
export const filteredRow = ({
  id,
  reason,
  detail,
  idHash,
}: Omit<Filtered, 'kind' | 'bounced' | 'at'>): SightingRow => ({
  remoteId: id,
  verdict: 'filtered',
  reason,
  detail,
  flags: null,
  labels: null,
  content: null,
  messageId: null,
  idHash,
  addressHashes: null,
})

export const loggedRow = (copy: Passed, messageId: RecordId, content: ContentLevel): SightingRow => ({
  remoteId: copy.id,
  verdict: 'logged',
  reason: null,
  detail: null,
  flags: copy.flags,
  labels: copy.labels,
  content,
  messageId,
  idHash: copy.idHash,
  addressHashes: null,
})

/** Everybody on the other side, whoever is a contact first: whose message it mainly is. */
export const them = (passed: Passed): readonly Person[] =>
  passed.people.filter((person) => person.side === 'them')

export function mainContact(passed: Passed, contacts: ReadonlyMap<string, RecordId>): RecordId | null {
  for (const person of them(passed)) {
    const id = contactOf(contacts, person)
    if (id !== null) return id
  }
  return null
}

/** What is to be written of messages that are new, come back, or are kept at a higher level. */
export function messagesToSave(logging: readonly Logging[], plan: ThreadPlan): readonly NewMessage[] {
  return logging.flatMap(({ id, before, first, level, direction }): NewMessage[] => {
    const isSame =
      before !== null &&
      before.state === 'kept' &&
      RANK[before.content] >= RANK[level] &&
      before.direction === direction
    if (isSame) return []
    const thread = before?.thread ?? plan.threads.get(id) ?? id
    const { envelope } = first.message
    return [
      {
        id,
        identity: first.identity,
        thread,
        direction,
        content: level,
        kept: keep(first.message, level),
        envelope,
      },
    ]
  })
}

export function participantsToSave(
  logging: readonly Logging[],
  contacts: ReadonlyMap<string, RecordId>,
): readonly NewParticipant[] {
  const rows = new Map<string, NewParticipant>()
  for (const { id, before, copies, first, direction } of logging) {
    const at: Instant = before?.at ?? first.message.envelope.at
    for (const copy of copies)
      for (const person of copy.people) {
        const plain = person.forms.at(-1) ?? null
        rows.set(`${id} ${person.address}`, {
          message: id,
          person,
          plain: plain === person.address ? null : plain,
          contact: person.side === 'us' ? null : contactOf(contacts, person),
          exchange: person.side === 'us' ? null : exchangeOf(person, direction),
          at: Math.trunc(at),
        })
      }
  }
  return [...rows.values()]
}

const exchangeOf = (person: Person, direction: 'sent' | 'received'): 'sent' | 'received' | null =>
  direction === 'sent' || person.role === 'from' ? direction : null

/** The fields of the activity that a message shows as. */
export function activityFields(
  logging: Logging,
  links: {
    companyOf(contact: RecordId): RecordId | null
    readonly deals: readonly {
      readonly id: RecordId
      readonly contact: RecordId | null
      readonly company: RecordId | null
    }[]
  },
): Fields {
  const { main, first, level, before } = logging
  const company = main === null ? null : links.companyOf(main)
  return {
    type: 'email',
    subject: keep(first.message, level).subject,
    occurredAt: Math.trunc(before?.at ?? first.message.envelope.at),
    contact: main,
    company,
    deal: main === null ? null : dealOf(links.deals, main, company),
  }
}

/** Fields of a known activity that its message fills or changes; what people put there stays. */
export function activityEdits(activity: HubRecord, wanted: Fields, comesBack: boolean): Fields {
  const edits: Record<string, Fields[string]> = {}
  for (const field of ['contact', 'company', 'deal'] as const)
    if ((activity.fields[field] ?? null) === null && wanted[field] !== null)
      edits[field] = wanted[field] ?? null
  if ((comesBack || (activity.fields['subject'] ?? null) === null) && wanted['subject'] !== null)
    edits['subject'] = wanted['subject'] ?? null
  return edits
}
