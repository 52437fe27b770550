import { outcomeOf } from '../../core/invoicing.ts'
import { isList, same, type Instant, type Json } from '../../core/json.ts'
import { overdueSince, type Step } from '../../core/mail/replies.ts'
import type { HubRecord, RecordId } from '../../core/model.ts'
import type { HubEdit } from '../../core/plan.ts'
import type { Query } from '../../store/database.ts'
import { bouncesOf, lastMailFrom } from '../../store/mail/bounces.ts'
import {
  contactReplies,
  dealReplies,
  stepsOf,
  type DealStep,
  type ReplyRow,
} from '../../store/mail/replies.ts'
import { loadRecords } from '../../store/records.ts'
import { editChange, type Following, type Change } from '../change.ts'
import { iso, type Hub } from '../hub.ts'
import { addressHash } from './judge.ts'

export const RULE = 'rule:mail'

type Edits = Record<string, HubEdit>

/** The record with derived values in it, or null where they are its values already. */
export function derived(
  record: HubRecord,
  values: Readonly<Record<string, Json>>,
  at: Instant,
): Change | null {
  const why: Edits = {}
  for (const [field, value] of Object.entries(values))
    if (!same(record.fields[field] ?? null, value)) why[field] = { value, rule: 'follows the mail' }
  if (Object.keys(why).length === 0) return null
  return editChange(record, why, RULE, at)
}

const repliesOf = ({ lastContactedAt, lastRepliedAt, askedAt, answeredAt }: ReplyRow) => ({
  lastContactedAt,
  lastRepliedAt,
  firstResponseMinutes:
    askedAt === null || answeredAt === null ? null : Math.floor((answeredAt - askedAt) / 60_000),
})

/** What mail says about contacts now: who answered whom, and which addresses do not take any. Three queries at most. */
export async function contactFacts(
  hub: Hub,
  q: Query,
  contacts: readonly HubRecord[],
): Promise<ReadonlyMap<RecordId, Readonly<Record<string, Json>>>> {
  if (contacts.length === 0) return new Map()
  const replies = await contactReplies(
    q,
    contacts.map((contact) => contact.id),
  )
  const bouncing = await bouncingAmong(hub, q, contacts)
  return new Map(
    replies.map((row) => [row.id, { ...repliesOf(row), bouncingEmails: bouncing.get(row.id) ?? null }]),
  )
}

/** Addresses to which mail came back for good, and from which none has come since. */
async function bouncingAmong(
  hub: Hub,
  q: Query,
  contacts: readonly HubRecord[],
): Promise<ReadonlyMap<RecordId, readonly string[]>> {
  const hash = await hub.mailHash()
  const hashes = new Map(contacts.flatMap(emailsOf).map((address) => [address, addressHash(hash, address)]))
  const bounces = await bouncesOf(q, [...hashes.values()])
  const bounced = (address: string) => bounces.get(hashes.get(address) ?? '')
  const heard = await lastMailFrom(
    q,
    [...hashes.keys()].filter((address) => bounced(address) !== undefined),
  )
  return new Map(
    contacts.flatMap((contact) => {
      const dead = emailsOf(contact).filter((address) => {
        const at = bounced(address)
        return at !== undefined && (heard.get(address) ?? Number.NEGATIVE_INFINITY) < at
      })
      return dead.length === 0 ? [] : [[contact.id, dead] as const]
    }),
  )
}

export const emailsOf = ({ fields }: Pick<HubRecord, 'fields'>): readonly string[] => {
  const emails = fields['emails']
  return isList(emails) ? emails.filter((address) => typeof address === 'string') : []
}

/** Writes what mail says about contacts and deals. Returns the connections that have work now. */
export async function refreshFacts(
  following: Following,
  ids: { readonly contacts: readonly RecordId[]; readonly deals: readonly RecordId[] },
): Promise<ReadonlySet<string>> {
  const { hub, q, apply } = following
  const at = hub.clock.now()
  const contacts = [...(await loadRecords(q, 'contact', ids.contacts, 'lock')).values()]
  const facts = await contactFacts(hub, q, contacts)
  const changes = contacts.flatMap((contact) => derived(contact, facts.get(contact.id) ?? {}, at) ?? [])
  const woken = await apply('contact', changes, RULE)
  return woken.union(await refreshDeals(following, ids.deals))
}

export async function refreshDeals(
  { hub, q, apply }: Following,
  ids: readonly RecordId[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const at = hub.clock.now()
  const deals = await loadRecords(q, 'deal', ids, 'lock')
  const replies = await dealReplies(q, [...deals.keys()])
  const changes = replies.flatMap((row) => {
    const deal = deals.get(row.id)
    return (deal === undefined ? null : derived(deal, repliesOf(row), at)) ?? []
  })
  return apply('deal', changes, RULE)
}

/** Which deals' next step is late, and since when, with their contacts'. Deals and contacts are given by id. */
export async function refreshSteps(
  { hub, q, apply }: Following,
  ids: { readonly contacts: readonly RecordId[]; readonly deals: readonly RecordId[] },
): Promise<ReadonlySet<string>> {
  if (ids.deals.length === 0 && ids.contacts.length === 0) return new Set()
  const at = hub.clock.now()
  const today = iso(at).slice(0, 10)
  const deals = await loadRecords(q, 'deal', ids.deals, 'lock')
  const contacts = await loadRecords(q, 'contact', ids.contacts, 'lock')
  const steps = await stepsOf(q, [...deals.keys()], [...contacts.keys()])
  const since = (rows: readonly DealStep[]) =>
    ({
      nextStepOverdueSince: overdueSince(
        rows.map((row) => stepOf(hub, row)),
        today,
      ),
    }) as const
  const byDeal = new Map(steps.map((row) => [row.id, row]))
  const late = [...deals.values()].flatMap((deal) => {
    const row = byDeal.get(deal.id)
    return derived(deal, since(row === undefined ? [] : [row]), at) ?? []
  })
  const byContact = Map.groupBy(steps, (row) => row.contact)
  const theirs = [...contacts.values()].flatMap(
    (contact) => derived(contact, since(byContact.get(contact.id) ?? []), at) ?? [],
  )
  const woken = await apply('deal', late, RULE)
  return woken.union(await apply('contact', theirs, RULE))
}

/** Stages that nobody configured count as open: the step is somebody's to take. */
const stepOf = (hub: Hub, { pipeline, stage, nextStep, nextStepDue }: DealStep): Step => ({
  isOpen: isOpen(hub, { pipeline, stage }),
  nextStep,
  nextStepDue,
})

export function isOpen(
  hub: Hub,
  { pipeline, stage }: { readonly pipeline: string | null; readonly stage: string | null },
): boolean {
  const outcome = outcomeOf({ fields: { pipeline, stage } }, hub.configuration.pipelines)
  return outcome === 'open' || outcome === undefined
}
