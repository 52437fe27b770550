import Stripe from 'stripe'
import type { CreateWrite, Outcome, RemoteId } from '../connector.ts'
import { observeAnswer } from './feed.ts'
import { invoiceFeed, linesOf } from './invoice-feed.ts'
import { readOrder, type Order, type OrderLine } from './invoice-order.ts'
import { everyRow, PAGE } from './paging.ts'
import { rejected } from './sending.ts'
import { invoiceWire, parse, type InvoiceWire } from './wire.ts'

/**
 * One finalised invoice for one write: https://docs.stripe.com/invoicing/integration.
 *
 * It takes several requests, so every attempt first looks for what an earlier one has left, and goes on from there: no
 * draft, a draft with some of its lines, a whole draft, or an invoice that is out. Nothing goes out before its lines
 * and its total are what was ordered. It is not sent by mail.
 */
export async function issue(client: Stripe, write: CreateWrite): Promise<Outcome> {
  const read = readOrder(write)
  if (read.kind === 'refused') return read.outcome
  const { order } = read
  const held = (await heldFor(client, order.customer, write)) ?? (await draft(client, order, write))
  if (held.status !== 'draft') return applied(client, await client.invoices.retrieve(held.id))
  await addMissingLines(client, held, order, write.key)
  const ready = parse(invoiceWire, await client.invoices.retrieve(held.id))
  const difference = await differenceOf(client, ready, order)
  if (difference !== null)
    return rejected('differs', 'lines', `Draft ${held.id} was left as it is: ${difference}`)
  const finalised = await client.invoices.finalizeInvoice(
    held.id,
    { auto_advance: false },
    { idempotencyKey: `${write.key}:finalize` },
  )
  return applied(client, finalised)
}

/**
 * The invoice that was made for this write or, with another key, for its record; drafts too. Found by listing the
 * customer's invoices, which shows them at once; search would lag (https://docs.stripe.com/search#data-freshness).
 */
export async function heldFor(
  client: Stripe,
  customer: RemoteId,
  write: CreateWrite,
): Promise<InvoiceWire | null> {
  let forRecord: InvoiceWire | null = null
  const record = String(write.recordId)
  for await (const raw of everyRow((after) => client.invoices.list({ customer, limit: PAGE, ...after }))) {
    const read = invoiceWire.safeParse(raw)
    if (!read.success) continue
    const { concord_key, concord_record } = read.data.metadata
    if (concord_key === write.key) return read.data
    const stands = concord_record === record && read.data.status !== 'void'
    if (stands && (forRecord === null || forRecord.status === 'draft')) forRecord = read.data
  }
  return forRecord
}

async function draft(client: Stripe, order: Order, write: CreateWrite): Promise<InvoiceWire> {
  const made = await client.invoices.create(
    {
      customer: order.customer,
      currency: order.currency,
      ...(order.description === null ? {} : { description: order.description }),
      collection_method: 'send_invoice',
      days_until_due: order.daysUntilDue,
      auto_advance: false,
      pending_invoice_items_behavior: 'exclude',
      metadata: { ...order.metadata, concord_record: String(write.recordId), concord_key: write.key },
    },
    { idempotencyKey: `${write.key}:create` },
  )
  return parse(invoiceWire, made)
}

/**
 * One by one, so that they keep their order. Each carries its place in its metadata, which is how a later attempt sees
 * which are there. An invoice item is the way to bill quantity × price without a product:
 * https://docs.stripe.com/api/invoiceitems/create.
 */
async function addMissingLines(client: Stripe, held: InvoiceWire, order: Order, key: string): Promise<void> {
  const there = new Set((await linesOf(client, held)).map((line) => line.metadata['concord_line']))
  for (const [i, line] of order.lines.entries()) {
    if (there.has(String(i))) continue
    await client.invoiceItems.create(
      {
        customer: order.customer,
        invoice: held.id,
        currency: order.currency,
        description: line.description,
        ...quantityOf(line),
        unit_amount_decimal: Stripe.Decimal.from(line.unitAmount),
        metadata: { concord_line: String(i) },
      },
      { idempotencyKey: `${key}:line:${i}` },
    )
  }
}

function quantityOf({
  quantity,
}: OrderLine): Pick<Stripe.InvoiceItemCreateParams, 'quantity' | 'quantity_decimal'> {
  return Number.isInteger(quantity) ? { quantity } : { quantity_decimal: Stripe.Decimal.from(quantity) }
}

/** What keeps a draft from going out: lines of others, another amount, a discount or tax that was not ordered. */
async function differenceOf(client: Stripe, ready: InvoiceWire, order: Order): Promise<string | null> {
  const lines = await linesOf(client, ready)
  const ordered = (i: number) => lines.filter((line) => line.metadata['concord_line'] === String(i))
  const wrong = order.lines.findIndex(
    (line, i) => ordered(i).length !== 1 || ordered(i)[0]?.amount !== line.amount,
  )
  if (wrong >= 0) return `its line ${wrong + 1} is not the one that was ordered`
  if (lines.length !== order.lines.length) return 'it has lines that were not ordered'
  if (ready.currency !== order.currency) return `it is in ${ready.currency}, not in ${order.currency}`
  return ready.total === order.total
    ? null
    : `its total is ${ready.total}, not ${order.total}; is there a discount or a tax on it?`
}

async function applied(client: Stripe, answer: unknown): Promise<Outcome> {
  return { kind: 'applied', observation: await observeAnswer(invoiceFeed, client, answer) }
}
