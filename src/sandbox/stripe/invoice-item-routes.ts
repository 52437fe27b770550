import { billedCustomer, retrieveCustomer } from './customers.ts'
import { type Api, endpoint } from './endpoint.ts'
import { invalid } from './errors.ts'
import { expanded } from './expansion.ts'
import { changedItem, draftItem, dropItem, itemWire, keepItem, lineFrom, liveItem } from './invoice-items.ts'
import { invoiceWire } from './invoice-wire.ts'
import { editableInvoice, liveInvoice, replaceInvoice, withItems } from './invoices.ts'
import { listWire, pageOf } from './listing.ts'
import {
  boolean,
  clearable,
  decimal,
  expandable,
  integer,
  metadata,
  paging,
  text,
  timeRange,
  z,
} from './params.ts'
import type { StripeState } from './state.ts'
import type { InvoiceItem, Wire } from './types.ts'

export const charge = {
  amount: integer.optional(),
  description: clearable().optional(),
  discountable: boolean.optional(),
  metadata: metadata.optional(),
  period: z.strictObject({ start: integer, end: integer }).optional(),
  price_data: z
    .strictObject({
      currency: text(3),
      product: text().optional(),
      product_data: z.strictObject({ name: text(), description: text().optional() }).optional(),
      tax_behavior: text().optional(),
      unit_amount: integer.optional(),
      unit_amount_decimal: decimal.optional(),
    })
    .optional(),
  pricing: z.strictObject({ price: text().optional() }).optional(),
  quantity: integer.optional(),
  quantity_decimal: decimal.optional(),
}
const EXPANDS = ['customer', 'invoice', 'discounts']
const itemCharge = { ...charge, ...expandable(EXPANDS), unit_amount_decimal: decimal.optional() }
const creation = z.strictObject({
  ...itemCharge,
  customer: text(),
  currency: text().optional(),
  invoice: text().optional(),
})
const listing = z.strictObject({
  ...paging,
  ...expandable(EXPANDS, 'data.'),
  created: timeRange.optional(),
  customer: text().optional(),
  invoice: text().optional(),
  pending: boolean.optional(),
})

/** https://docs.stripe.com/api/invoiceitems */
export function invoiceItemRoutes(api: Api): void {
  const { state } = api
  endpoint(api, 'POST', '/v1/invoiceitems', creation, (params) =>
    expandedItem(state, createItem(state, params), params.expand),
  )
  endpoint(api, 'GET', '/v1/invoiceitems', listing, (params) => listItems(state, params))
  endpoint(api, 'GET', '/v1/invoiceitems/:id', z.strictObject(expandable(EXPANDS)), (params, path) =>
    expandedItem(state, liveItem(state, path('id')), params.expand),
  )
  endpoint(api, 'POST', '/v1/invoiceitems/:id', z.strictObject(itemCharge), (params, path) =>
    expandedItem(state, updateItem(state, path('id'), params), params.expand),
  )
  endpoint(api, 'DELETE', '/v1/invoiceitems/:id', z.strictObject({}), (_, path) =>
    deleteItem(state, path('id')),
  )
}

function createItem(state: StripeState, params: z.output<typeof creation>): InvoiceItem {
  const customer = billedCustomer(state, params.customer)
  const invoice = params.invoice === undefined ? null : editableInvoice(state, params.invoice)
  if (invoice !== null && invoice.customer !== customer.id)
    throw invalid('The invoice belongs to another customer.', { param: 'invoice' })
  const item = draftItem(state, params, { customer: customer.id, invoice, param: (name) => name })
  keepItem(state, item)
  if (invoice !== null) replaceInvoice(state, invoice, withItems(state, invoice, [item]))
  return item
}

/** An item on a draft shows through in its line; on a finalised invoice it is fixed. */
function updateItem(state: StripeState, id: string, params: Parameters<typeof changedItem>[1]): InvoiceItem {
  const before = liveItem(state, id)
  const invoice = before.invoice === null ? null : editableInvoice(state, before.invoice)
  const after = state.invoiceItems.put(changedItem(before, params))
  if (invoice === null) return after
  const lines = invoice.lines.map((line) =>
    line.parent.invoice_item_details.invoice_item === id ? lineFrom(state, after, invoice.id, line.id) : line,
  )
  replaceInvoice(state, invoice, { ...invoice, lines })
  return after
}

function deleteItem(state: StripeState, id: string): Wire {
  const item = liveItem(state, id)
  const invoice = item.invoice === null ? null : editableInvoice(state, item.invoice)
  dropItem(state, item)
  if (invoice !== null) {
    const lines = invoice.lines.filter((line) => line.parent.invoice_item_details.invoice_item !== id)
    replaceInvoice(state, invoice, { ...invoice, lines })
  }
  return { id, object: 'invoiceitem', deleted: true }
}

function listItems(state: StripeState, params: z.output<typeof listing>): Wire {
  const page = pageOf(state.invoiceItems, params, {
    kind: 'invoiceitem',
    created: params.created,
    keep: (item) =>
      (params.customer === undefined || item.customer === params.customer) &&
      (params.invoice === undefined || item.invoice === params.invoice) &&
      (params.pending === undefined || (item.invoice === null) === params.pending),
  })
  const rows = page.rows.map((item) => expandedItem(state, item, params.expand))
  return listWire('/v1/invoiceitems', rows, page.hasMore)
}

function expandedItem(state: StripeState, item: InvoiceItem, asked: readonly string[] | undefined): Wire {
  return expanded(itemWire(item), asked, {
    customer: () => retrieveCustomer(state, item.customer),
    invoice: () => (item.invoice === null ? null : invoiceWire(state, liveInvoice(state, item.invoice))),
    discounts: () => [],
  })
}
