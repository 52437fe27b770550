import { invalid, noSuch, notFound } from './errors.ts'
import {
  type ChargeGiven,
  changedItem,
  draftItem,
  dropItem,
  keepItem,
  lineFrom,
  liveItem,
} from './invoice-items.ts'
import { editableInvoice, replaceInvoice, withItems } from './invoices.ts'
import { changeMetadata, type MetadataChange } from './params.ts'
import type { StripeState } from './state.ts'
import type { Invoice, InvoiceItem } from './types.ts'

type LineGiven = ChargeGiven & { invoice_item?: string | undefined }

/** Drafts only, all lines or none: https://docs.stripe.com/api/invoices/add_lines */
export function addLines(
  state: StripeState,
  id: string,
  lines: readonly LineGiven[],
  metadata: MetadataChange | undefined,
): Invoice {
  const before = editableInvoice(state, id)
  const owner = { customer: before.customer, invoice: before }
  const items = lines.map((line, i) =>
    line.invoice_item === undefined
      ? { fresh: true, item: draftItem(state, line, { ...owner, param: (name) => `lines[${i}][${name}]` }) }
      : { fresh: false, item: pendingItem(state, before, line.invoice_item, `lines[${i}][invoice_item]`) },
  )
  for (const { fresh, item } of items) if (fresh) keepItem(state, item)
  const grown = withItems(
    state,
    before,
    items.map(({ item }) => item),
  )
  return replaceInvoice(state, before, { ...grown, metadata: changeMetadata(before.metadata, metadata) })
}

export function removeLines(
  state: StripeState,
  id: string,
  lines: readonly { id: string; behavior: string }[],
  metadata: MetadataChange | undefined,
): Invoice {
  const before = editableInvoice(state, id)
  const gone = new Map(lines.map((line) => [line.id, line.behavior]))
  for (const lineId of gone.keys())
    if (!before.lines.some((line) => line.id === lineId)) throw noSuch('line_item', lineId, 'lines')
  for (const line of before.lines) {
    const behavior = gone.get(line.id)
    const item = state.invoiceItems.get(line.parent.invoice_item_details.invoice_item)
    if (item === undefined || behavior === undefined) continue
    if (behavior === 'unassign') state.invoiceItems.put({ ...item, invoice: null })
    else dropItem(state, item)
  }
  const kept = before.lines.filter((line) => !gone.has(line.id))
  return replaceInvoice(state, before, {
    ...before,
    lines: kept,
    metadata: changeMetadata(before.metadata, metadata),
  })
}

export function updateLine(state: StripeState, id: string, lineId: string, given: ChargeGiven): Invoice {
  const before = editableInvoice(state, id)
  const line = before.lines.find((held) => held.id === lineId)
  if (line === undefined) throw notFound('line_item', lineId)
  const item = state.invoiceItems.put(
    changedItem(liveItem(state, line.parent.invoice_item_details.invoice_item), given),
  )
  const lines = before.lines.map((held) => (held.id === lineId ? lineFrom(state, item, id, lineId) : held))
  return replaceInvoice(state, before, { ...before, lines })
}

function pendingItem(state: StripeState, invoice: Invoice, itemId: string, param: string): InvoiceItem {
  const item = state.invoiceItems.get(itemId)
  if (item === undefined) throw noSuch('invoiceitem', itemId, param)
  if (item.invoice === null && item.customer === invoice.customer) return item
  throw invalid('The invoice item is not a pending item of this customer.', { param })
}
