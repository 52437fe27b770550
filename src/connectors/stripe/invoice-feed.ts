import type Stripe from 'stripe'
import type { RemoteId } from '../connector.ts'
import { bad, present, type Feed } from './feed.ts'
import { invoiceBody } from './invoice-body.ts'
import { everyRow, PAGE } from './paging.ts'
import { invoiceWire, lineWire, parse, problemOf, type InvoiceWire, type LineWire } from './wire.ts'

export const invoiceFeed: Feed = {
  object: 'invoice',
  eventTypes: [
    'invoice.created',
    'invoice.updated',
    'invoice.deleted',
    'invoice.finalized',
    'invoice.finalization_failed',
    'invoice.sent',
    'invoice.overdue',
    'invoice.paid',
    'invoice.payment_succeeded',
    'invoice.payment_failed',
    'invoice.payment_action_required',
    'invoice.overpaid',
    'invoice.marked_uncollectible',
    'invoice.voided',
    // A payment of a part changes the invoice too.
    'invoice_payment.paid',
  ],
  subject(of) {
    if (of.object === 'invoice') return of.id
    if (of.object !== 'invoice_payment') return null
    return typeof of.invoice === 'string' ? of.invoice : null
  },
  list: (client, params) => client.invoices.list(params),
  retrieve: (client, id) => client.invoices.retrieve(id),
  async sight(client, raw) {
    const read = invoiceWire.safeParse(raw)
    if (!read.success) return bad(invoiceFeed, raw, problemOf(read.error))
    const body = invoiceBody(read.data, await linesOf(client, read.data))
    return body.kind === 'body' ? present(read.data.id, body.body) : bad(invoiceFeed, raw, body.problem)
  },
}

/** An invoice carries its first lines only; the others are read page by page. */
export async function linesOf(client: Stripe, invoice: InvoiceWire): Promise<readonly LineWire[]> {
  const { data, has_more } = invoice.lines
  const last = data.at(-1)
  if (!has_more || last === undefined) return data
  return [...data, ...(await linesAfter(client, invoice.id, last.id))]
}

async function linesAfter(client: Stripe, invoice: RemoteId, last: string): Promise<LineWire[]> {
  const lines: LineWire[] = []
  const rows = everyRow((after) =>
    client.invoices.listLineItems(invoice, { limit: PAGE, starting_after: last, ...after }),
  )
  for await (const raw of rows) lines.push(parse(lineWire, raw))
  return lines
}
