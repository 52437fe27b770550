import { RANK } from '../../core/mail/content.ts'
import type { FilterReason } from '../../core/mail/rules.ts'
import { keptOut, saveSightings, type SightingRow } from '../../store/mail/sightings.ts'
import type { Hash } from '../../store/mail/key.ts'
import { messagesByIdentity, type StoredMessage } from '../../store/mail/messages.ts'
import type { ContentLevel } from '../../core/mail/rules.ts'
import type { RecordId } from '../../core/model.ts'
import { wakePush } from '../../store/wake.ts'
import type { Hub } from '../hub.ts'
import type { Box } from './box.ts'
import { contactOf, meetPeople } from './crowd.ts'
import { addressHash, type Judged, type Passed } from './judge.ts'
import {
  filteredRow,
  loggedRow,
  mainContact,
  them,
  type BounceSeen,
  type Logging,
  type PageContext,
} from './page.ts'
import { erasedAmongAddresses } from '../privacy/tombstones.ts'
import { erasedRow, isAbout, withoutErased } from './erased.ts'
import { welcome, type People } from './welcome.ts'
import { settleLeft } from './withdraw.ts'
import { writePage } from './write-page.ts'

/** Decides about judged messages by what the hub knows, and writes all of it. Returns the connections with work. */
export async function settlePage(
  page: PageContext,
  judged: readonly Judged[],
  badIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { tx, hub, box } = page
  const passed = judged.filter((one) => one.kind === 'passed')
  const bounces = judged.flatMap((one) => (one.kind === 'filtered' ? bouncesIn(page, one) : []))
  // First, as it waits for other pages: what they log is known to this one then.
  const crowd = await meetPeople(tx, [
    ...passed.flatMap((one) => one.people.flatMap((person) => person.forms)),
    ...bounces.map((bounce) => bounce.plain),
  ])
  const identities = [...new Set(passed.map((one) => one.identity))]
  const stored = new Map((await messagesByIdentity(tx, identities)).map((m) => [m.identity, m]))
  // People are held by now: an erasure that was under way is done.
  const erased = await erasedAmongAddresses(
    hub,
    tx,
    passed.flatMap((one) => them(one).flatMap((person) => person.forms)),
  )
  const isOpen = ({ identity }: Passed) => {
    const state = stored.get(identity)?.state
    return state !== 'private' && state !== 'removed'
  }
  const alone = passed.filter((one) => isOpen(one) && isAbout(one, erased, crowd.holders))
  const open = passed.flatMap((one) =>
    isOpen(one) && !alone.includes(one) ? [withoutErased(one, erased, crowd.holders)] : [],
  )
  const people = await welcome(page, open, crowd, erased)
  const isRead = new Set(judged.map((one) => one.id))
  const hidden = await hiddenBy(page, judged)
  const rows: SightingRow[] = [
    ...judged.flatMap((one) => outsideRow(page, one, stored, hidden)),
    ...alone.map(erasedRow),
    ...[...new Set(badIds)].filter((id) => !isRead.has(id)).map((id) => badRow(page, id)),
  ]
  const logging: Logging[] = []
  for (const [identity, copies] of Map.groupBy(open, (one) => one.identity)) {
    const before = stored.get(identity) ?? null
    const heard = copies.filter((copy) => isKnown(page, copy, people.contacts))
    for (const copy of copies) if (!heard.includes(copy)) rows.push(strangerRow(page, copy))
    const one = loggingOf(page, before, heard, people)
    if (one === null) continue
    logging.push(one)
    rows.push(...heard.map((copy) => loggedRow(copy, one.id, box.rules.content)))
  }
  const woken = await writePage(page, logging, people, bounces)
  await saveSightings(tx, box.id, rows, hub.clock.now())
  for (const row of rows) page.count[row.verdict] = (page.count[row.verdict] ?? 0) + 1
  const left = await settleLeft(
    hub,
    tx,
    leftBy(page, rows),
    box.connection,
    'its mailbox keeps it out',
    page.runId,
  )
  page.count['withdrawn'] = left.withdrawn
  const waiting = woken.union(left.woken)
  await wakePush(tx, waiting)
  return waiting
}

const bouncesIn = (
  page: PageContext,
  { bounced, at }: Extract<Judged, { kind: 'filtered' }>,
): readonly BounceSeen[] =>
  bounced.map((plain) => ({ plain, address: addressHash(page.hash, plain), at: Math.trunc(at) }))

/** What a person says by moving a message there. Logged mail stays logged in the trash. */
const HIDES: readonly FilterReason[] = ['private', 'spam']

/**
 * Messages, by their Message-IDs, that went from where they were logged and are kept out where they are now: with IMAP
 * a message that is moved gets another id, and one that is moved to a private folder is not a deleted one that is kept.
 */
async function hiddenBy(
  { tx, box, known }: PageContext,
  judged: readonly Judged[],
): Promise<ReadonlySet<Hash>> {
  const lost = judged.flatMap((one) => {
    const was = one.kind === 'gone' ? known.get(one.id) : undefined
    return was === undefined || was.content === null || was.idHash === null ? [] : [was.idHash]
  })
  const here = judged.flatMap((one) =>
    one.kind === 'filtered' && one.idHash !== null && HIDES.includes(one.reason) ? [one.idHash] : [],
  )
  return (await keptOut(tx, box.id, lost, HIDES)).union(new Set(here))
}

/** Rows of what is decided without a look at contacts. */
function outsideRow(
  { known, box }: PageContext,
  one: Judged,
  stored: ReadonlyMap<Hash, StoredMessage>,
  hidden: ReadonlySet<Hash>,
): readonly SightingRow[] {
  const was = known.get(one.id)
  switch (one.kind) {
    case 'gone': {
      const isHidden = was !== undefined && was.idHash !== null && hidden.has(was.idHash)
      const stays = box.rules.deleted === 'keep' && was !== undefined && was.content !== null && !isHidden
      const base = filteredRow({ id: one.id, reason: 'unclear', detail: '', idHash: was?.idHash ?? null })
      const content = stays ? was.content : null
      const messageId = was?.messageId ?? null
      const seen = { flags: stays ? was.flags : null, labels: stays ? was.labels : null }
      return [{ ...base, ...seen, verdict: 'gone', reason: null, detail: null, content, messageId }]
    }
    case 'filtered':
      return [{ ...filteredRow(one), messageId: was?.messageId ?? null }]
    case 'bad':
      return [badRow({ known }, one.id)]
    case 'passed': {
      const message = stored.get(one.identity)
      if (message === undefined || (message.state !== 'private' && message.state !== 'removed')) return []
      const detail = `${message.state === 'private' ? 'made private' : 'removed'} by ${message.stateBy ?? 'somebody'}`
      const row = filteredRow({ id: one.id, reason: 'withdrawn', detail, idHash: one.idHash })
      return [{ ...row, messageId: message.id }]
    }
  }
}

/** What was logged stays so when it cannot be read once more; anything else waits in quarantine. */
function badRow({ known }: Pick<PageContext, 'known'>, id: string): SightingRow {
  const was = known.get(id)
  if (was !== undefined && was.content !== null) return { ...was, addressHashes: null }
  const row = filteredRow({ id, reason: 'unclear', detail: '', idHash: null })
  return { ...row, verdict: 'quarantined', reason: null, detail: null }
}

const strangerRow = ({ hash }: PageContext, copy: Passed): SightingRow => ({
  ...filteredRow({
    id: copy.id,
    reason: 'stranger',
    detail: 'no contact takes part in it; it is read again when one does',
    idHash: copy.idHash,
  }),
  addressHashes: [...new Set(them(copy).flatMap((person) => person.forms))].map((form) =>
    addressHash(hash, form),
  ),
})

/** What this mailbox logged once stays, also where the contact is gone by now. */
function isKnown(
  { box, known }: PageContext,
  copy: Passed,
  contacts: ReadonlyMap<string, RecordId>,
): boolean {
  if (box.rules.strangers === 'log' || (known.get(copy.id)?.content ?? null) !== null) return true
  return them(copy).some((person) => contactOf(contacts, person) !== null)
}

function loggingOf(
  { box, hub }: PageContext,
  before: StoredMessage | null,
  copies: readonly Passed[],
  people: People,
): Logging | null {
  const [first] = copies
  if (first === undefined) return null
  const own = keptContent(hub, box, first)
  return {
    id: before?.id ?? people.nextId(),
    before,
    copies,
    first,
    main: mainContact(first, people.contacts),
    level: before === null || RANK[own] > RANK[before.content] ? own : before.content,
    direction: [before, ...copies].some((one) => one?.direction === 'sent') ? 'sent' : 'received',
  }
}

/** Of mail that is older than its texts are kept, only the subject is taken in. */
function keptContent(hub: Hub, box: Box, { message }: Passed): ContentLevel {
  const { mailBodiesMs } = hub.configuration.retention
  const { content } = box.rules
  const isOld = mailBodiesMs !== null && message.envelope.at < hub.clock.now() - mailBodiesMs
  return isOld && content === 'full' ? 'subject' : content
}

/** Messages that a sighting of this page logged before, and does not log any more or at a lower level. */
const leftBy = ({ known }: PageContext, rows: readonly SightingRow[]): readonly RecordId[] =>
  rows.flatMap((row) => {
    const was = known.get(row.remoteId)
    if (was === undefined || was.content === null || was.messageId === null) return []
    const stays =
      row.content !== null && row.messageId === was.messageId && RANK[row.content] >= RANK[was.content]
    return stays ? [] : [was.messageId]
  })
