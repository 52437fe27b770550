import { changedAfterIssue, paymentStatus, planInvoices, wasJustWon } from '../core/invoicing.ts'
import { isEmpty, same, textOf } from '../core/json.ts'
import type { HubRecord, RecordId, RecordKind } from '../core/model.ts'
import { isErased } from '../core/privacy.ts'
import type { Query } from '../store/database.ts'
import { closeItems, openItems, openKeys, type NewItem } from '../store/inbox.ts'
import { loadRecords, newRecordIds } from '../store/records.ts'
import { birth, bornRecord, editChange, type Following, type Change } from './change.ts'
import { followGovernance } from './governance/follow.ts'
import { invoicingOf } from './hub.ts'
import { followMail } from './mail/follow.ts'
import { followErased } from './privacy/follow.ts'

const RULE = 'rule:invoicing'
const missingKey = (deal: RecordId) => `missing_data:invoice:${deal}`
const changedKey = (invoice: RecordId) => `changed_after_invoice:${invoice}`

/**
 * What follows from changes, in their transaction: a won deal gets its invoices, an invoice's state shows on its deal,
 * a new contact's mail is looked for, what is lacking is told. Returns the connections that have work now.
 */
export async function followRules(
  following: Following,
  kind: RecordKind,
  changes: readonly Change[],
): Promise<ReadonlySet<string>> {
  const woken = await followInvoicing(following, kind, changes)
  await followGovernance(following, kind, changes)
  const more = await followMail(following, kind, changes)
  const out = await followErased(following, kind, changes)
  return more.size + out.size === 0 ? woken : woken.union(more).union(out)
}

async function followInvoicing(
  following: Following,
  kind: RecordKind,
  changes: readonly Change[],
): Promise<ReadonlySet<string>> {
  const { hub, q } = following
  const invoicing = invoicingOf(hub)
  if (invoicing === null) return new Set()
  const connections = new Set(hub.configuration.connections.map((connection) => connection.name))
  switch (kind) {
    case 'deal': {
      const won = changes.filter(({ before, after }) => {
        const isArrival = connections.has(after.provenance['*']?.source ?? '')
        return (
          !isQuiet(following) && wasJustWon(before, after, isArrival, invoicing.rule, invoicing.pipelines)
        )
      })
      const deals = changes.map((c) => c.after)
      return invoiceDeals(following, deals, new Set(won.map((c) => c.after.id)))
    }
    case 'contact':
      if (isQuiet(following)) return new Set()
      return invoiceDeals(following, await dealsWaitingFor(q, changes), new Set())
    case 'invoice':
      return showPayment(following, changes)
    case 'company':
    case 'activity':
      return new Set()
  }
}

/** A first sync brings years of deals: they are invoiced where that is asked for in so many words, or not at all. */
const isQuiet = ({ muted, hub }: Following): boolean =>
  muted === 'always' || (muted && invoicingOf(hub)?.rule.alreadyWon !== 'invoice')

/** Deals whose invoice may have waited for what a contact has got now. New contacts are on no deal yet. */
async function dealsWaitingFor(q: Query, changes: readonly Change[]): Promise<readonly HubRecord[]> {
  const ids = changes
    .filter(
      (c) => c.before !== null && isEmpty(c.before.fields['emails']) && !isEmpty(c.after.fields['emails']),
    )
    .map((c) => c.after.id)
  if (ids.length === 0) return []
  const found = await q<{ id: RecordId }[]>`
    select id from deals where contact_id = any(${ids}) and archived_at is null`
  return recordsOf(q, 'deal', found)
}

async function recordsOf(
  q: Query,
  kind: RecordKind,
  found: readonly { readonly id: RecordId }[],
): Promise<readonly HubRecord[]> {
  const ids = found.map((row) => row.id)
  return [...(await loadRecords(q, kind, ids)).values()]
}

/** Makes anew what was withdrawn of the deals' invoices, or asks for what is missing. */
export async function invoiceAnew(
  following: Following,
  deals: readonly RecordId[],
): Promise<ReadonlySet<string>> {
  const found = await loadRecords(following.q, 'deal', deals)
  // A bill that was withdrawn had been asked for, however quiet the change that withdraws it is.
  return invoiceDeals({ ...following, muted: false }, [...found.values()], new Set(found.keys()))
}

/** Invoices the deals that were just won, and those that wait for what was missing; compares all with theirs. */
async function invoiceDeals(
  following: Following,
  deals: readonly HubRecord[],
  justWon: ReadonlySet<RecordId>,
): Promise<ReadonlySet<string>> {
  const { hub, q, apply } = following
  const invoicing = invoicingOf(hub)
  if (invoicing === null || deals.length === 0) return new Set()
  const at = hub.clock.now()
  const issued = Map.groupBy(
    await invoicesOf(
      q,
      deals.map((deal) => deal.id),
    ),
    (invoice) => Number(invoice.fields['deal']),
  )
  const waiting = await openKeys(
    q,
    deals.map((deal) => missingKey(deal.id)),
  )
  const contactIds = [...deals, ...[...issued.values()].flat()]
    .map(({ fields }) => fields['contact'])
    .filter((id) => typeof id === 'number')
  const contacts = await loadRecords(q, 'contact', contactIds)
  const items: NewItem[] = []
  const closable: string[] = []
  const wanted: { readonly deal: HubRecord; readonly fields: HubRecord['fields'] }[] = []
  const again: Change[] = []
  for (const deal of deals) {
    const all = issued.get(deal.id) ?? []
    // Taken back before it was sent, it is no invoice; should the deal be won again, it is one again.
    const existing = all.filter((invoice) => !isWithdrawn(invoice))
    for (const invoice of existing) {
      const billed = contacts.get(Number(invoice.fields['contact']))
      // Who was erased is on no deal any more: that they were billed is no difference.
      const isGone = billed !== undefined && isErased(billed)
      const fields = isGone ? { ...invoice.fields, contact: null } : invoice.fields
      const difference = changedAfterIssue(fields, deal, invoicing)
      if (difference === null) closable.push(changedKey(invoice.id))
      else items.push(changedItem(deal, invoice, difference))
    }
    if (deal.archived && waiting.has(missingKey(deal.id))) closable.push(missingKey(deal.id))
    if (deal.archived || !(justWon.has(deal.id) || waiting.has(missingKey(deal.id)))) continue
    const contact = contacts.get(Number(deal.fields['contact'])) ?? null
    const plan = planInvoices(deal, contact, invoicing.rule, invoicing.pipelines)
    // A quiet change makes no invoice; the question stays until something else is edited.
    if (isQuiet(following) && plan.kind === 'invoices') continue
    // Some of them may stand, and others have been withdrawn.
    if (plan.kind === 'missing' && (existing.length === 0 || existing.length < all.length))
      items.push(missingItem(deal, plan.problems))
    else closable.push(missingKey(deal.id))
    if (plan.kind !== 'invoices') continue
    const have = new Set(existing.map((invoice) => invoice.fields['item']))
    for (const { item, fields } of plan.invoices) {
      const before = all.find((invoice) => invoice.fields['item'] === item && isWithdrawn(invoice))
      if (before !== undefined) again.push(...asked(before, fields, at))
      else if (!have.has(item)) wanted.push({ deal, fields })
    }
  }
  await openItems(q, items, at)
  await closeItems(q, closable, 'its cause is gone', at)
  const ids = await newRecordIds(q, wanted.length)
  const births = wanted.flatMap(({ fields }, i): Change[] => {
    const id = ids[i]
    if (id === undefined) return []
    return [birth(bornRecord(id, 'invoice', fields, { source: RULE, at, rule: 'the deal was won' }))]
  })
  return apply('invoice', [...births, ...again], RULE)
}

const isWithdrawn = ({ archived, fields }: HubRecord): boolean => archived && fields['status'] === 'requested'

/** An invoice that was withdrawn before it was sent, asked for once more. */
function asked(invoice: HubRecord, fields: HubRecord['fields'], at: number): readonly Change[] {
  const rule = 'the deal was won again'
  const edits = Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, { value, rule }]))
  const change = editChange(invoice, edits, RULE, at, { archived: false })
  return change === null ? [] : [change]
}

async function invoicesOf(q: Query, dealIds: readonly RecordId[]): Promise<readonly HubRecord[]> {
  const found = await q<{ id: RecordId }[]>`select id from invoices where deal_id = any(${[...dealIds]})`
  return recordsOf(q, 'invoice', found)
}

/** A deal's payment status follows its invoices. */
async function showPayment(
  { hub, q, apply }: Following,
  changes: readonly Change[],
): Promise<ReadonlySet<string>> {
  const moved = changes.filter(
    (c) => !same(c.before?.fields['status'] ?? null, c.after.fields['status'] ?? null),
  )
  const dealIds = [
    ...new Set(moved.map((c) => c.after.fields['deal']).filter((id) => typeof id === 'number')),
  ]
  if (dealIds.length === 0) return new Set()
  const deals = await loadRecords(q, 'deal', dealIds, 'lock')
  const all = Map.groupBy(await invoicesOf(q, dealIds), (invoice) => Number(invoice.fields['deal']))
  const at = hub.clock.now()
  const updates = [...deals.values()].flatMap((deal) => {
    const status = paymentStatus((all.get(deal.id) ?? []).map((invoice) => invoice.fields))
    const why = { paymentStatus: { value: status, rule: 'follows its invoices' } }
    return editChange(deal, why, RULE, at) ?? []
  })
  return apply('deal', updates, RULE)
}

function missingItem(
  deal: HubRecord,
  problems: readonly { readonly field: string; readonly message: string }[],
): NewItem {
  return {
    kind: 'missing_data',
    key: missingKey(deal.id),
    title: `Deal ${deal.id} (${textOf(deal.fields['name'] ?? 'no name')}) is won but cannot be invoiced: ${problems.map((p) => p.message).join('; ')}`,
    fix: 'Fill in what is missing; the invoice is made as soon as it is there.',
    detail: { deal: deal.id, missing: problems.map((p) => ({ field: p.field, message: p.message })) },
    streamId: null,
    recordId: deal.id,
  }
}

function changedItem(deal: HubRecord, invoice: HubRecord, difference: string): NewItem {
  return {
    kind: 'changed_after_invoice',
    key: changedKey(invoice.id),
    title: `Deal ${deal.id} (${textOf(deal.fields['name'] ?? 'no name')}) changed after its invoice: ${difference}`,
    fix: 'The invoice stays as it is. Void it and issue another one at the vendor, or set the deal back.',
    detail: { deal: deal.id, invoice: invoice.id, difference },
    streamId: null,
    recordId: deal.id,
  }
}
