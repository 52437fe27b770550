import { same } from '../../core/json.ts'
import type { RecordId, RecordKind } from '../../core/model.ts'
import { bouncesOf } from '../../store/mail/bounces.ts'
import { attachParticipants } from '../../store/mail/messages.ts'
import { recheckStrangers } from '../../store/mail/sightings.ts'
import { loadRecords } from '../../store/records.ts'
import { wakeMail } from '../../store/wake.ts'
import { editChange, type Following, type Change } from '../change.ts'
import { emailsOf, refreshFacts, refreshSteps, RULE } from './facts.ts'
import { waitForMail } from './gate.ts'
import { addressHash } from './judge.ts'

/** What changes of records mean for mail, in their transaction. Returns the connections that have work now. */
export async function followMail(
  following: Following,
  kind: RecordKind,
  changes: readonly Change[],
): Promise<ReadonlySet<string>> {
  if (kind === 'contact') return meetContacts(following, changes)
  return kind === 'deal' ? followSteps(following, changes) : new Set()
}

/**
 * Somebody who was a stranger is a contact now: mail that was left out for want of one is read again, and messages
 * that were logged for others' sake show on the new contact's timeline too.
 */
async function meetContacts(following: Following, changes: readonly Change[]): Promise<ReadonlySet<string>> {
  const { hub, q } = following
  if (hub.mails.length === 0 || hub.preview) return new Set()
  const gained = changes.flatMap(({ before, after }) => {
    if (after.archived) return []
    const had = new Set(before === null || before.archived ? [] : emailsOf(before))
    return emailsOf(after)
      .filter((address) => !had.has(address))
      .map((address) => ({ address, contact: after.id }))
  })
  if (gained.length === 0) return new Set()
  await waitForMail(q)
  const hash = await hub.mailHash()
  const hashed = gained.map(({ address, contact }) => ({ contact, hash: addressHash(hash, address) }))
  const hashes = hashed.map((one) => one.hash)
  await wakeMail(q, await recheckStrangers(q, hashes))
  const attached = await attachParticipants(q, gained)
  const bounces = await bouncesOf(q, hashes)
  const bouncing = hashed.filter((one) => bounces.has(one.hash))
  const touched = [...new Set([...attached, ...bouncing].map(({ contact }) => contact))]
  if (touched.length === 0) return new Set()
  const woken = await showMain(following, attached)
  return woken.union(await refreshFacts(following, { contacts: touched, deals: [] }))
}

/** Activities that had no contact get the new one. */
async function showMain(
  { hub, q, apply }: Following,
  attached: readonly { readonly message: RecordId; readonly contact: RecordId }[],
): Promise<ReadonlySet<string>> {
  const contacts = new Map(attached.map(({ message, contact }) => [message, contact]))
  const activities = await loadRecords(q, 'activity', [...contacts.keys()], 'lock')
  const at = hub.clock.now()
  const fills = [...activities.values()].flatMap((activity): Change | readonly [] => {
    const contact = contacts.get(activity.id)
    if (contact === undefined || typeof activity.fields['contact'] === 'number') return []
    const why = { contact: { value: contact, rule: 'became a contact' } }
    return editChange(activity, why, RULE, at) ?? []
  })
  return apply('activity', fills, RULE)
}

/** A next step that is set, moved or done, or whose deal is closed or somebody else's. */
async function followSteps(following: Following, changes: readonly Change[]): Promise<ReadonlySet<string>> {
  const moved = changes.filter(({ before, after }) => {
    const due = (record: Change['before']) => (record?.fields['nextStepDue'] ?? null) !== null
    if (!due(before) && !due(after)) return false
    const fields = ['nextStep', 'nextStepDue', 'stage', 'pipeline', 'contact']
    return (
      before === null ||
      before.archived !== after.archived ||
      fields.some((field) => !same(before.fields[field] ?? null, after.fields[field] ?? null))
    )
  })
  if (moved.length === 0) return new Set()
  const contacts = moved.flatMap(({ before, after }) =>
    [before?.fields['contact'], after.fields['contact']].filter((id) => typeof id === 'number'),
  )
  return refreshSteps(following, {
    deals: moved.map(({ after }) => after.id),
    contacts: [...new Set(contacts)],
  })
}
