import { retrieveCustomer } from './customers.ts'
import { expanded } from './expansion.ts'
import { listWire } from './listing.ts'
import type { StripeState } from './state.ts'
import type { Customer, CustomerFields, Invoice, Wire } from './types.ts'

/** Lines shown inside an invoice; the rest is read at `/lines`. */
const EMBEDDED_LINES = 10

export type Totals = { total: number; amountDue: number; amountRemaining: number }

export function totalsOf(invoice: Invoice): Totals {
  const total = invoice.lines.reduce((sum, line) => sum + line.amount, 0)
  const amountDue = Math.max(0, total)
  return { total, amountDue, amountRemaining: Math.max(0, amountDue - invoice.amount_paid) }
}

export function customerFields(customer: Customer | undefined): CustomerFields {
  return {
    customer_address: customer?.address ?? null,
    customer_email: customer?.email ?? null,
    customer_name: customer?.name ?? null,
    customer_phone: customer?.phone ?? null,
    customer_shipping: customer?.shipping ?? null,
    customer_tax_exempt: customer?.tax_exempt ?? 'none',
  }
}

export function invoiceWire(state: StripeState, invoice: Invoice): Wire {
  const { frozen, daysUntilDue: _days, lines, payments: _payments, ...plain } = invoice
  const { total, amountDue, amountRemaining } = totalsOf(invoice)
  const linesUrl = `/v1/invoices/${invoice.id}/lines`
  const shown = lines.slice(0, EMBEDDED_LINES)
  return {
    ...NEVER_USED,
    ...plain,
    object: 'invoice',
    account_country: state.account.country,
    account_name: state.account.name,
    amount_due: amountDue,
    amount_remaining: amountRemaining,
    attempted: invoice.attempt_count > 0,
    customer_account: null,
    ...(frozen ?? customerFields(state.customers.get(invoice.customer))),
    ending_balance: invoice.status === 'draft' ? null : 0,
    invoice_pdf: invoice.hosted_invoice_url === null ? null : `${invoice.hosted_invoice_url}/pdf`,
    lines: { ...listWire(linesUrl, shown, lines.length > shown.length), total_count: lines.length },
    period_end: invoice.created,
    period_start: invoice.created,
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
    webhooks_delivered_at: invoice.created,
  }
}

/** `lines` is there anyway; the rest is not filled unless asked for. */
export const INVOICE_EXPANDS = [
  'customer',
  'payments',
  'discounts',
  'lines',
  'default_payment_method',
] as const

export function invoiceExpanded(
  state: StripeState,
  invoice: Invoice,
  expand: readonly string[] | undefined,
): Wire {
  return expanded(invoiceWire(state, invoice), expand, {
    customer: () => retrieveCustomer(state, invoice.customer),
    payments: () => listWire(`/v1/invoice_payments?invoice=${invoice.id}`, invoice.payments, false),
    discounts: () => [],
  })
}

const NEVER_USED = {
  account_tax_ids: null,
  amount_overpaid: 0,
  amount_shipping: 0,
  application: null,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
  billing_reason: 'manual',
  customer_tax_ids: [],
  default_source: null,
  default_tax_rates: [],
  discounts: [],
  from_invoice: null,
  issuer: { type: 'self' },
  last_finalization_error: null,
  latest_revision: null,
  livemode: false,
  next_payment_attempt: null,
  on_behalf_of: null,
  parent: null,
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  starting_balance: 0,
  test_clock: null,
  total_discount_amounts: [],
  total_pretax_credit_amounts: [],
  total_taxes: [],
}
