import type { Instant } from '../../core/json.ts'
import { newcomer } from '../../core/mail/newcomers.ts'
import type { Participant } from '../../core/mail/people.ts'
import type { FilterReason, MailRules } from '../../core/mail/rules.ts'
import type { RecordId } from '../../core/model.ts'
import { problemsOf, threadOf, timeOf } from '../../store/mail/explain.ts'
import { listMailboxes, type MailboxRow } from '../../store/mail/mailboxes.ts'
import type { Direction, MessageState } from '../../store/mail/messages.ts'
import { findSightings, type FoundSighting, type SightingVerdict } from '../../store/mail/sightings.ts'
import {
  messagesById,
  participantsById,
  type MessageRow,
  type ParticipantRow,
} from '../../store/mail/timeline.ts'
import { loadRecords } from '../../store/records.ts'
import type { Hub } from '../hub.ts'
import { boxOf, mailOf } from './box.ts'
import { domainFacts } from './domains.ts'
import { idHashOf } from './judge.ts'

/** What one mailbox made of a message. */
export type MailboxStory = {
  readonly connection: string
  readonly mailbox: string
  readonly remoteId: string
  readonly verdict: SightingVerdict
  /** Why it was filtered; null otherwise. */
  readonly reason: FilterReason | null
  /** The same in words, with what decided it. */
  readonly why: string
  readonly at: Instant
  /** It is read again at the next pass. */
  readonly waits: boolean
}

export type MessageStory = {
  /** Null where no mailbox logged it. */
  readonly message: {
    readonly id: RecordId
    readonly state: MessageState
    readonly direction: Direction
    readonly messageId: string | null
    readonly at: Instant
    readonly subject: string | null
    /** What is kept, in words. */
    readonly kept: string
    readonly thread: readonly {
      readonly id: RecordId
      readonly at: Instant
      readonly subject: string | null
    }[]
    readonly contact: RecordId | null
    readonly company: RecordId | null
    readonly deal: RecordId | null
    /** Who takes part, and whether each is a contact; if not, why no contact was made. */
    readonly people: readonly {
      readonly address: string
      readonly name: string | null
      readonly role: Participant['role']
      readonly contact: RecordId | null
      readonly why: string
    }[]
  } | null
  readonly mailboxes: readonly MailboxStory[]
}

/**
 * Why a message was or was not logged. `text`: a record id, a Message-ID with or without `<>`, or a vendor's id. Null
 * where no mailbox has shown such a message.
 */
export async function explainMessage(hub: Hub, text: string): Promise<MessageStory | null> {
  const q = hub.session.q
  const wanted = text.trim()
  const recordId = /^\d{1,15}$/.test(wanted) ? Number(wanted) : null
  const named = recordId === null ? undefined : await timeOf(q, recordId)
  const hash = await hub.mailHash()
  const by =
    named === undefined
      ? { message: null, idHash: idHashOf(hash, wanted.replace(/^<|>$/g, '')), remoteId: wanted }
      : { message: recordId, idHash: null, remoteId: null }
  const first = await findSightings(q, by)
  const id = by.message ?? first.find((row) => row.messageId !== null)?.messageId ?? null
  // Other mailboxes may have shown the message under other ids.
  const found = id === null || by.message !== null ? first : await withOthers(hub, first, id)
  if (found.length === 0 && id === null) return null
  const boxes = new Map((await listMailboxes(q)).map((row) => [row.id, row]))
  const problems = await problemsOf(
    q,
    [...boxes.keys()],
    found.map((row) => row.remoteId),
  )
  return {
    message: id === null ? null : await messageStory(hub, id, rulesOf(hub, boxes, found)),
    mailboxes: found.map((row): MailboxStory => {
      const box = boxes.get(row.streamId)
      return {
        connection: box?.connection ?? '',
        mailbox: box?.address ?? '',
        remoteId: row.remoteId,
        verdict: row.verdict,
        reason: row.reason,
        why: whyOf(row, problems.get(`${row.streamId} ${row.remoteId}`)),
        at: row.seenAt,
        waits: row.recheck,
      }
    }),
  }
}

async function withOthers(
  hub: Hub,
  first: readonly FoundSighting[],
  message: RecordId,
): Promise<readonly FoundSighting[]> {
  const all = [...first, ...(await findSightings(hub.session.q, { message, idHash: null, remoteId: null }))]
  return [...new Map(all.map((row) => [`${row.streamId} ${row.remoteId}`, row])).values()]
}

/** The rules of the mailbox that logs it, to say why no contact was made. */
function rulesOf(
  hub: Hub,
  boxes: ReadonlyMap<number, MailboxRow>,
  found: readonly FoundSighting[],
): MailRules | null {
  for (const { streamId } of found.toSorted(
    (a, b) => Number(b.content !== null) - Number(a.content !== null),
  )) {
    const row = boxes.get(streamId)
    const target = row === undefined ? undefined : mailOf(hub, row.connection)
    const box = row === undefined || target === undefined ? null : boxOf(target, row)
    if (box !== null) return box.rules
  }
  return null
}

function whyOf(row: FoundSighting, problem: string | undefined): string {
  const detail = row.detail === null ? '' : `: ${row.detail}`
  switch (row.verdict) {
    case 'logged':
      return problem === undefined ? 'logged' : `logged; it could not be read again since: ${problem}`
    case 'filtered':
      return `kept out as ${row.reason ?? 'filtered'}${detail}`
    case 'quarantined':
      return `could not be read: ${problem ?? 'the problem is not known any more'}`
    case 'gone':
      return row.content === null
        ? 'deleted for good in this mailbox'
        : 'deleted for good in this mailbox after it was logged; the rule `deleted` keeps it'
  }
}

async function messageStory(
  hub: Hub,
  id: RecordId,
  rules: MailRules | null,
): Promise<MessageStory['message']> {
  const q = hub.session.q
  const [message] = await messagesById(q, [id])
  if (message === undefined) return null
  const people = await participantsById(q, [id])
  const activity = (await loadRecords(q, 'activity', [id])).get(id)
  const at = await timeOf(q, id)
  const ref = (field: string): RecordId | null => {
    const value = activity?.fields[field]
    return typeof value === 'number' ? value : null
  }
  const subject = activity?.fields['subject']
  return {
    id,
    state: message.state,
    direction: message.direction,
    messageId: message.messageId,
    at: at ?? 0,
    subject: typeof subject === 'string' ? subject : null,
    kept: keptOf(message),
    thread: await threadOf(q, message.thread),
    contact: ref('contact'),
    company: ref('company'),
    deal: ref('deal'),
    people: people.map((person) => ({
      address: person.address,
      name: person.name,
      role: person.role,
      contact: person.contact,
      why: contactWhy(person, message.direction, rules),
    })),
  }
}

function keptOf({ state, content }: MessageRow): string {
  if (state === 'withdrawn') return 'nothing: no mailbox logs it any more'
  if (state !== 'kept') return `nothing: a person made it ${state}`
  if (content === 'none') return 'who, when and in which thread, no subject and no text'
  return content === 'subject'
    ? 'who, when, the thread and the subject, no text'
    : 'all but the attachments themselves'
}

function contactWhy(person: ParticipantRow, direction: Direction, rules: MailRules | null): string {
  if (person.side === 'us') return 'one of our own addresses'
  if (person.contact !== null) return `contact ${person.contact}`
  if (rules === null) return 'no contact; its mailbox is not read any more'
  const verdict = newcomer(person, direction, rules, domainFacts)
  return verdict.kind === 'none'
    ? `no contact was made: ${verdict.why}`
    : 'no contact was made: this copy of it makes none (mail of lists and machines, or mail of ours that no mailbox here has sent)'
}
