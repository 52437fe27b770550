import type { JsonObject } from '../../core/json.ts'
import type { FieldInfo } from '../connector.ts'
import { fromStripe } from './money.ts'
import type { InvoiceWire, LineWire } from './wire.ts'

const DAY_SECONDS = 24 * 60 * 60

export type Read =
  | { readonly kind: 'body'; readonly body: JsonObject }
  | { readonly kind: 'unreadable'; readonly problem: string }

/**
 * https://docs.stripe.com/api/invoices/object with every line, cut down to the fields of `discover`. Amounts are in ISO
 * minor units of `currency`, times are Unix seconds. Stripe forgets `days_until_due`: it is worked out again.
 */
export function invoiceBody(invoice: InvoiceWire, lines: readonly LineWire[]): Read {
  const problems: string[] = []
  const money = (amount: number): number => {
    const read = fromStripe(amount, invoice.currency)
    if (read.kind === 'amount') return read.amount
    problems.push(read.problem)
    return 0
  }
  const { object: _, lines: __, ...plain } = invoice
  const body = {
    ...plain,
    total: money(invoice.total),
    amount_due: money(invoice.amount_due),
    amount_paid: money(invoice.amount_paid),
    amount_remaining: money(invoice.amount_remaining),
    days_until_due: daysUntilDue(invoice),
    lines: { data: lines.map((line) => lineBody(line, money)) },
  }
  return problems.length === 0 ? { kind: 'body', body } : { kind: 'unreadable', problem: problems.join('; ') }
}

function lineBody(line: LineWire, money: (amount: number) => number): JsonObject {
  return {
    description: line.description,
    quantity: line.quantity_decimal ?? line.quantity,
    unit_amount: unitAmount(line, money),
    amount: money(line.amount),
    currency: line.currency,
  }
}

/** Null where the price is not a whole number of minor units, or depends on the quantity. */
function unitAmount(line: LineWire, money: (amount: number) => number): number | null {
  const unit = line.pricing?.unit_amount_decimal ?? null
  return unit !== null && Number.isSafeInteger(unit) ? money(unit) : null
}

/** Counted from the creation of a draft, and anew when it is finalised. */
function daysUntilDue(invoice: InvoiceWire): number | null {
  if (invoice.due_date === null) return null
  const start = invoice.status_transitions.finalized_at ?? invoice.created
  return Math.round((invoice.due_date - start) / DAY_SECONDS)
}

export const INVOICE_FIELDS: readonly FieldInfo[] = [
  { path: 'customer', label: 'Customer id', required: true },
  { path: 'currency', label: 'Currency', required: true },
  {
    path: 'lines',
    label:
      'Lines. To create: a list of {description, quantity, unit_amount}; as read: {data: [...]} with amounts',
    required: true,
  },
  { path: 'days_until_due', label: 'Days until due', required: true },
  { path: 'description', label: 'Memo', required: false },
  { path: 'metadata', label: 'Metadata: any key as metadata.<key>', required: false },
  ...readOnly({
    status: 'Status: draft, open, paid, void, uncollectible',
    number: 'Number',
    total: 'Total, in minor units',
    amount_due: 'Amount due',
    amount_paid: 'Amount paid',
    amount_remaining: 'Amount remaining',
    hosted_invoice_url: 'Web page',
    due_date: 'Due date, Unix seconds',
    created: 'Created, Unix seconds',
    'status_transitions.finalized_at': 'Finalised, Unix seconds',
    'status_transitions.paid_at': 'Paid, Unix seconds',
    'status_transitions.voided_at': 'Voided, Unix seconds',
    'status_transitions.marked_uncollectible_at': 'Given up, Unix seconds',
  }),
]

function readOnly(fields: Readonly<Record<string, string>>): readonly FieldInfo[] {
  return Object.entries(fields).map(([path, label]) => ({
    path,
    label: `${label} (read only)`,
    required: false,
  }))
}
