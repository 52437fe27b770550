import type { HubEdit } from '../../core/plan.ts'
import type { RecordId } from '../../core/model.ts'
import { saveBounces } from '../../store/mail/bounces.ts'
import { saveMessages, saveParticipants } from '../../store/mail/messages.ts'
import { dealsOf } from '../../store/mail/replies.ts'
import { joinThreads, saveThreadIds, threadsOf } from '../../store/mail/threads.ts'
import { loadRecords } from '../../store/records.ts'
import { birth, bornRecord, editChange, RaceError, type Change } from '../change.ts'
import { applyChanges, following } from '../changes.ts'
import { inTurn } from '../in-turn.ts'
import { companyDomainOf, contactOf } from './crowd.ts'
import { contactFacts, derived, isOpen, refreshDeals, RULE } from './facts.ts'
import {
  activityEdits,
  activityFields,
  messagesToSave,
  participantsToSave,
  type BounceSeen,
  type Logging,
  type PageContext,
} from './page.ts'
import { planThreads } from './thread-plan.ts'
import type { People } from './welcome.ts'

/** Writes messages, threads, records and what follows from them. */
export async function writePage(
  page: PageContext,
  logging: readonly Logging[],
  people: People,
  bounces: readonly BounceSeen[],
): Promise<ReadonlySet<string>> {
  const { tx, hub, box, runId } = page
  const fresh = logging.filter((one) => one.before === null)
  const related = [...new Set(fresh.flatMap((one) => one.first.related))]
  const plan = planThreads(
    fresh.map((one) => ({ id: one.id, related: one.first.related })),
    await threadsOf(tx, related),
  )
  const changes = await activityChanges(page, logging, people)
  const saved = messagesToSave(logging, plan)
  const [companies, written, , ids] = await inTurn(
    () => applyChanges(hub, tx, 'company', people.companies, runId, box.connection),
    () => saveMessages(tx, saved),
    () => saveParticipants(tx, participantsToSave(logging, people.contacts)),
    () => saveThreadIds(tx, plan.ids),
    () => joinThreads(tx, plan.joins),
    () => saveBounces(tx, bounces),
  )
  if (written < saved.length || ids < plan.ids.length)
    throw new RaceError('another mailbox showed the same message meanwhile')
  const activities = await applyChanges(hub, tx, 'activity', changes, runId, box.connection)
  const contacts = await writeContacts(page, logging, people, bounces)
  const deals = changes.flatMap(({ after: { fields } }) =>
    typeof fields['deal'] === 'number' ? [fields['deal']] : [],
  )
  const more = await refreshDeals(following(hub, tx, runId), [...new Set(deals)])
  return companies.union(activities).union(contacts).union(more)
}

async function activityChanges(
  { tx, hub, box }: PageContext,
  logging: readonly Logging[],
  people: People,
): Promise<readonly Change[]> {
  const at = hub.clock.now()
  const companyOf = companiesOf(people)
  const mains = [...new Set(logging.flatMap((one) => one.main ?? []))]
  const companies = [...new Set(mains.flatMap((id) => companyOf(id) ?? []))]
  const deals = (await dealsOf(tx, mains, companies)).filter((deal) => isOpen(hub, deal))
  const known = await loadRecords(
    tx,
    'activity',
    logging.flatMap((one) => one.before?.id ?? []),
    'lock',
  )
  return logging.flatMap((one): Change | readonly Change[] => {
    const fields = activityFields(one, { companyOf, deals })
    const activity = known.get(one.id)
    if (one.before === null) {
      const origin = { source: box.connection, at, rule: `a mail that was ${one.direction}` }
      return birth(bornRecord(one.id, 'activity', fields, origin))
    }
    if (activity === undefined) return []
    const comesBack = one.before.state !== 'kept'
    const edits = activityEdits(activity, fields, comesBack)
    const why: Record<string, HubEdit> = {}
    for (const [field, value] of Object.entries(edits)) why[field] = { value, rule: 'follows the mail' }
    if (!comesBack && Object.keys(why).length === 0) return []
    return editChange(activity, why, box.connection, at, comesBack ? { archived: false } : {}) ?? []
  })
}

/** The company of a contact: its own, else the one that an address of it belongs to. */
function companiesOf({
  born,
  records,
  contacts,
  companyByDomain,
}: People): (contact: RecordId) => RecordId | null {
  const byAddress = new Map<RecordId, RecordId>()
  for (const [address, contact] of contacts) {
    const domain = byAddress.has(contact) ? null : companyDomainOf(address)
    const company = domain === null ? undefined : companyByDomain.get(domain)
    if (company !== undefined) byAddress.set(contact, company)
  }
  const fresh = new Map(born.map(({ after }) => [after.id, after]))
  return (contact) => {
    const own = (fresh.get(contact) ?? records.get(contact))?.fields['company']
    return typeof own === 'number' ? own : (byAddress.get(contact) ?? null)
  }
}

/** New contacts, and what mail says now about those it touches. */
async function writeContacts(
  { tx, hub, box, runId }: PageContext,
  logging: readonly Logging[],
  people: People,
  bounces: readonly BounceSeen[],
): Promise<ReadonlySet<string>> {
  const at = hub.clock.now()
  const touched = new Set<RecordId>()
  for (const { copies } of logging)
    for (const copy of copies)
      for (const person of copy.people) {
        const id = contactOf(people.contacts, person)
        if (id !== null) touched.add(id)
      }
  for (const { plain } of bounces) {
    const id = people.contacts.get(plain)
    if (id !== undefined) touched.add(id)
  }
  const born = new Map(people.born.map((change) => [change.after.id, change.after]))
  for (const id of born.keys()) touched.add(id)
  const records = [...touched].flatMap((id) => born.get(id) ?? people.records.get(id) ?? [])
  if (records.length === 0) return new Set()
  const facts = await contactFacts(hub, tx, records)
  const births = people.born.map((change): Change => {
    const stated = Object.entries(facts.get(change.after.id) ?? {}).filter(([, value]) => value !== null)
    return {
      ...change,
      after: { ...change.after, fields: { ...change.after.fields, ...Object.fromEntries(stated) } },
    }
  })
  const edits = records.flatMap((record) =>
    born.has(record.id) ? [] : (derived(record, facts.get(record.id) ?? {}, at) ?? []),
  )
  const woken = await applyChanges(hub, tx, 'contact', births, runId, box.connection)
  return woken.union(await applyChanges(hub, tx, 'contact', edits, runId, RULE))
}
