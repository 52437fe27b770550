import { billedCustomer, patchCustomer } from './customers.ts'
import { invalid, notFound } from './errors.ts'
import { emit, emitChange } from './events.ts'
import { checkCurrencyLock, lineFrom } from './invoice-items.ts'
import { invoiceWire } from './invoice-wire.ts'
import { checkedCurrency } from './money.ts'
import { changeMetadata, type MetadataChange } from './params.ts'
import { mint, seconds, type StripeState } from './state.ts'
import type { CollectionMethod, Invoice, InvoiceItem } from './types.ts'

const DAY_SECONDS = 24 * 60 * 60
const HOUR_SECONDS = 60 * 60

type Given<T> = T | undefined
export type InvoiceGiven = {
  auto_advance?: Given<boolean>
  automatically_finalizes_at?: Given<number>
  collection_method?: Given<CollectionMethod>
  custom_fields?: Given<{ name: string; value: string }[]>
  days_until_due?: Given<number>
  default_payment_method?: Given<string | null>
  description?: Given<string | null>
  due_date?: Given<number>
  effective_at?: Given<number | null>
  footer?: Given<string | null>
  metadata?: Given<MetadataChange>
  number?: Given<string | null>
  statement_descriptor?: Given<string | null>
}
export type InvoiceCreation = InvoiceGiven & {
  customer: string
  currency?: Given<string>
  pending_invoice_items_behavior?: Given<'exclude' | 'include' | 'include_and_require'>
}

export function createInvoice(state: StripeState, given: InvoiceCreation): Invoice {
  const customer = billedCustomer(state, given.customer)
  const pending = given.pending_invoice_items_behavior ?? 'exclude'
  const items = pending === 'exclude' ? [] : pendingItems(state, customer.id)
  if (pending === 'include_and_require' && items.length === 0)
    throw invalid('Nothing to invoice for customer', { code: 'invoice_no_customer_line_items' })
  const currency = checkedCurrency(
    given.currency ?? items[0]?.currency ?? customer.currency ?? state.account.currency,
  )
  checkCurrencyLock(state, customer.id, currency)
  const invoice = put(
    state,
    withItems(state, withFields(blankInvoice(state, customer.id, currency), given), items),
  )
  if (customer.currency === null) patchCustomer(state, customer.id, { currency })
  emit(state, 'invoice.created', invoiceWire(state, invoice))
  return invoice
}

export function updateInvoice(state: StripeState, id: string, given: InvoiceGiven): Invoice {
  const before = liveInvoice(state, id)
  const frozen = Object.entries(given).flatMap(([name, value]) =>
    value === undefined || EDITABLE_WHEN_FINAL.has(name) ? [] : [name],
  )
  if (before.status !== 'draft' && frozen.length > 0)
    throw invalid("Finalized invoices can't be updated in this way", {
      code: 'invoice_not_editable',
      ...(frozen[0] === undefined ? {} : { param: frozen[0] }),
    })
  return replaceInvoice(state, before, withFields(before, given))
}

/** Only drafts can go; a finalised invoice is voided: https://docs.stripe.com/api/invoices/delete */
export function deleteInvoice(state: StripeState, id: string) {
  const invoice = liveInvoice(state, id)
  if (invoice.status !== 'draft')
    throw invalid('You can only delete draft invoices. Void the invoice instead.', {
      code: 'invoice_not_editable',
    })
  const gone = invoiceWire(state, invoice)
  state.invoices.remove(id)
  state.finalizesAt.delete(id)
  for (const line of invoice.lines) state.invoiceItems.remove(line.parent.invoice_item_details.invoice_item)
  emit(state, 'invoice.deleted', gone)
  return { id, object: 'invoice', deleted: true }
}

export function liveInvoice(state: StripeState, id: string): Invoice {
  const invoice = state.invoices.get(id)
  if (invoice === undefined) throw notFound('invoice', id)
  return invoice
}

export function editableInvoice(state: StripeState, id: string): Invoice {
  const invoice = liveInvoice(state, id)
  if (invoice.status === 'draft') return invoice
  throw invalid('This invoice is no longer editable', { code: 'invoice_not_editable' })
}

/** Keeps `after` and tells what changed as `invoice.updated`. */
export function replaceInvoice(state: StripeState, before: Invoice, after: Invoice): Invoice {
  const [was, is] = [invoiceWire(state, before), invoiceWire(state, after)]
  put(state, after)
  emitChange(state, 'invoice.updated', was, is)
  return after
}

/** Takes items on as lines; each item remembers its invoice. */
export function withItems(state: StripeState, invoice: Invoice, items: readonly InvoiceItem[]): Invoice {
  for (const item of items) {
    if (item.currency === invoice.currency) continue
    throw invalid(`The invoice item is in ${item.currency}, the invoice in ${invoice.currency}.`, {
      param: 'currency',
    })
  }
  for (const item of items) state.invoiceItems.put({ ...item, invoice: invoice.id })
  return { ...invoice, lines: [...invoice.lines, ...items.map((item) => lineFrom(state, item, invoice.id))] }
}

const EDITABLE_WHEN_FINAL = new Set(['metadata', 'auto_advance', 'default_payment_method', 'expand'])

function put(state: StripeState, invoice: Invoice): Invoice {
  state.invoices.put(invoice)
  if (invoice.automatically_finalizes_at === null) state.finalizesAt.delete(invoice.id)
  else state.finalizesAt.set(invoice.id, invoice.automatically_finalizes_at)
  return invoice
}

function pendingItems(state: StripeState, customerId: string): InvoiceItem[] {
  const ids = state.invoiceItems.idsBy('pending', customerId)
  return ids.flatMap((id) => state.invoiceItems.get(id) ?? [])
}

function blankInvoice(state: StripeState, customer: string, currency: string): Invoice {
  return {
    id: mint(state, 'in', 24),
    created: seconds(state),
    auto_advance: false,
    automatically_finalizes_at: null,
    attempt_count: 0,
    amount_paid: 0,
    amount_paid_off_stripe: 0,
    collection_method: 'charge_automatically',
    currency,
    custom_fields: null,
    customer,
    frozen: null,
    daysUntilDue: null,
    default_payment_method: null,
    description: null,
    due_date: null,
    effective_at: null,
    footer: null,
    hosted_invoice_url: null,
    lines: [],
    metadata: {},
    number: null,
    payments: [],
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
  }
}

function withFields(held: Invoice, given: InvoiceGiven): Invoice {
  const collection_method = given.collection_method ?? held.collection_method
  const due = dueFields(held, given, collection_method)
  const auto_advance = given.auto_advance ?? held.auto_advance
  const scheduled =
    given.automatically_finalizes_at ?? held.automatically_finalizes_at ?? held.created + HOUR_SECONDS
  return {
    ...held,
    ...due,
    auto_advance,
    // https://docs.stripe.com/invoicing/integration/automatic-advancement-collection: about an hour later.
    automatically_finalizes_at: held.status === 'draft' && auto_advance ? scheduled : null,
    collection_method,
    custom_fields: given.custom_fields === undefined ? held.custom_fields : given.custom_fields,
    default_payment_method: or(given.default_payment_method, held.default_payment_method),
    description: or(given.description, held.description),
    effective_at: or(given.effective_at, held.effective_at),
    footer: or(given.footer, held.footer),
    metadata: changeMetadata(held.metadata, given.metadata),
    number: or(given.number, held.number),
    statement_descriptor: or(given.statement_descriptor, held.statement_descriptor),
  }
}

function dueFields(held: Invoice, given: InvoiceGiven, method: CollectionMethod) {
  if (method === 'charge_automatically') {
    const param =
      given.due_date !== undefined ? 'due_date' : given.days_until_due !== undefined ? 'days_until_due' : null
    if (param === null) return { due_date: null, daysUntilDue: null }
    throw invalid(`You can only pass \`${param}\` if \`collection_method=send_invoice\`.`, { param })
  }
  if (given.due_date !== undefined) return { due_date: given.due_date, daysUntilDue: null }
  if (given.days_until_due !== undefined)
    return { due_date: held.created + given.days_until_due * DAY_SECONDS, daysUntilDue: given.days_until_due }
  if (held.due_date !== null) return { due_date: held.due_date, daysUntilDue: held.daysUntilDue }
  throw invalid(
    'If invoice `collection_method=send_invoice` you must pass either `due_date` or `days_until_due`.',
    {
      code: 'parameter_missing',
      param: 'days_until_due',
    },
  )
}

function or<T>(given: T | undefined, held: T): T {
  return given === undefined ? held : given
}
