import { patchCustomer } from './customers.ts'
import { invalid, Refusal } from './errors.ts'
import { emit } from './events.ts'
import { customerFields, invoiceWire, totalsOf } from './invoice-wire.ts'
import { liveInvoice, replaceInvoice } from './invoices.ts'
import { mint, seconds, type StripeState } from './state.ts'
import type { Invoice, InvoicePayment, InvoiceStatus } from './types.ts'

const DAY_SECONDS = 24 * 60 * 60

/** Gives the number, freezes the customer's fields and opens the invoice (or settles it, if nothing is due). */
export function finalizeInvoice(state: StripeState, id: string, autoAdvance?: boolean): Invoice {
  const draft = requireStatus(
    liveInvoice(state, id),
    ['draft'],
    'finalize',
    'This invoice is already finalized',
  )
  const now = seconds(state)
  const { amountDue } = totalsOf(draft)
  const open: Invoice = {
    ...draft,
    auto_advance: autoAdvance ?? draft.auto_advance,
    automatically_finalizes_at: null,
    due_date: draft.daysUntilDue === null ? draft.due_date : now + draft.daysUntilDue * DAY_SECONDS,
    effective_at: draft.effective_at ?? now,
    frozen: customerFields(state.customers.get(draft.customer)),
    hosted_invoice_url: `https://invoice.stripe.com/i/${state.account.id}/${mint(state, 'test', 24)}`,
    number: draft.number ?? nextNumber(state, draft.customer),
    payments: amountDue > 0 ? [defaultPayment(state, draft, amountDue)] : [],
    status: 'open',
    status_transitions: { ...draft.status_transitions, finalized_at: now },
  }
  const kept = replaceInvoice(state, draft, open)
  emit(state, 'invoice.finalized', invoiceWire(state, kept))
  return amountDue === 0 ? settle(state, kept, { offStripe: 0 }) : kept
}

export type Payment = { paidOutOfBand?: boolean | undefined; paymentMethod?: string | undefined }

/** A draft is finalised first. Test cards: https://docs.stripe.com/testing#declined-payments */
export function payInvoice(state: StripeState, id: string, payment: Payment): Invoice {
  const found = liveInvoice(state, id)
  const invoice = found.status === 'draft' ? finalizeInvoice(state, id) : found
  if (invoice.status === 'paid' && found.status === 'draft') return invoice
  requireStatus(invoice, ['open', 'uncollectible'], 'pay', `Invoice is already ${invoice.status}`)
  const due = totalsOf(invoice).amountRemaining
  if (payment.paidOutOfBand === true) return settle(state, invoice, { offStripe: due })
  const method =
    payment.paymentMethod ??
    invoice.default_payment_method ??
    state.customers.get(invoice.customer)?.invoice_settings.default_payment_method
  if (method === undefined || method === null)
    throw invalid(
      'There is no `default_payment_method` set on this Customer or Invoice. Please set a default payment method or pass `payment_method`.',
      { code: 'resource_missing' },
    )
  const attempted = { ...invoice, attempt_count: invoice.attempt_count + 1 }
  if (!/decline/i.test(method)) return settle(state, attempted, { offStripe: 0 }, invoice)
  const failed = replaceInvoice(state, invoice, attempted)
  emit(state, 'invoice.payment_failed', invoiceWire(state, failed))
  throw new Refusal(402, 'card_error', 'Your card was declined.', {
    code: 'card_declined',
    declineCode: 'generic_decline',
  })
}

export function voidInvoice(state: StripeState, id: string): Invoice {
  const before = requireStatus(liveInvoice(state, id), ['open', 'uncollectible'], 'void')
  const now = seconds(state)
  const payments = before.payments.map((payment) => canceled(payment, now))
  return move(state, before, { status: 'void', payments, at: 'voided_at', event: 'invoice.voided' })
}

export function markUncollectible(state: StripeState, id: string): Invoice {
  const before = requireStatus(liveInvoice(state, id), ['open'], 'mark as uncollectible')
  const to = {
    status: 'uncollectible',
    at: 'marked_uncollectible_at',
    event: 'invoice.marked_uncollectible',
  } as const
  return move(state, before, to)
}

export function sendInvoice(state: StripeState, id: string): Invoice {
  const found = liveInvoice(state, id)
  if (found.collection_method !== 'send_invoice')
    throw invalid('You can only manually send an invoice if its collection method is `send_invoice`.')
  requireStatus(found, ['draft', 'open', 'paid', 'uncollectible'], 'send')
  const invoice = found.status === 'draft' ? finalizeInvoice(state, id) : found
  emit(state, 'invoice.sent', invoiceWire(state, invoice))
  return invoice
}

/** What the vendor does by itself as time passes. Called on every access, so the clock alone decides. */
export function advanceDrafts(state: StripeState): void {
  if (state.finalizesAt.size === 0) return
  const now = seconds(state)
  const due = [...state.finalizesAt].filter(([, at]) => at <= now)
  for (const [id] of due) {
    const invoice = finalizeInvoice(state, id)
    if (invoice.status !== 'open') continue
    if (invoice.collection_method === 'send_invoice') sendInvoice(state, id)
    else attempt(state, id)
  }
}

function attempt(state: StripeState, id: string): void {
  try {
    payInvoice(state, id, {})
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}

function settle(state: StripeState, invoice: Invoice, how: { offStripe: number }, before = invoice): Invoice {
  const now = seconds(state)
  const due = totalsOf(invoice).amountDue
  const [first] = invoice.payments
  const paid: Invoice = {
    ...invoice,
    amount_paid: due,
    amount_paid_off_stripe: how.offStripe,
    payments: first === undefined ? [] : [paidPayment(state, first, due, how.offStripe > 0, now)],
    status: 'paid',
    status_transitions: { ...invoice.status_transitions, paid_at: now },
  }
  const kept = replaceInvoice(state, before, paid)
  emit(state, 'invoice.paid', invoiceWire(state, kept))
  emit(state, 'invoice.payment_succeeded', invoiceWire(state, kept))
  for (const payment of kept.payments) emit(state, 'invoice_payment.paid', payment)
  return kept
}

type Move = {
  status: InvoiceStatus
  at: 'voided_at' | 'marked_uncollectible_at'
  event: string
  payments?: readonly InvoicePayment[]
}

function move(state: StripeState, before: Invoice, to: Move): Invoice {
  const after = replaceInvoice(state, before, {
    ...before,
    status: to.status,
    auto_advance: false,
    payments: to.payments ?? before.payments,
    status_transitions: { ...before.status_transitions, [to.at]: seconds(state) },
  })
  emit(state, to.event, invoiceWire(state, after))
  return after
}

function requireStatus(
  invoice: Invoice,
  allowed: readonly InvoiceStatus[],
  verb: string,
  message?: string,
): Invoice {
  if (allowed.includes(invoice.status)) return invoice
  throw invalid(
    message ?? `You can only ${verb} an invoice that is ${allowed.join(' or ')}; it is ${invoice.status}.`,
    {
      code: invoice.status === 'draft' ? 'status_transition_invalid' : 'invoice_not_editable',
    },
  )
}

function nextNumber(state: StripeState, customerId: string): string {
  const customer = state.customers.get(customerId)
  if (customer === undefined) return mint(state, 'n', 8).slice(2).toUpperCase()
  const sequence = customer.next_invoice_sequence
  patchCustomer(state, customerId, { next_invoice_sequence: sequence + 1 })
  return `${customer.invoice_prefix}-${String(sequence).padStart(4, '0')}`
}

function defaultPayment(state: StripeState, invoice: Invoice, amount: number): InvoicePayment {
  return {
    id: mint(state, 'inpay', 24),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: amount,
    created: seconds(state),
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { type: 'payment_intent', payment_intent: mint(state, 'pi', 24) },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  }
}

function paidPayment(
  state: StripeState,
  open: InvoicePayment,
  amount: number,
  offStripe: boolean,
  now: number,
): InvoicePayment {
  return {
    ...open,
    amount_paid: amount,
    payment: offStripe ? { type: 'payment_record', payment_record: mint(state, 'pr', 24) } : open.payment,
    status: 'paid',
    status_transitions: { canceled_at: null, paid_at: now },
  }
}

function canceled(payment: InvoicePayment, now: number): InvoicePayment {
  return { ...payment, status: 'canceled', status_transitions: { canceled_at: now, paid_at: null } }
}
