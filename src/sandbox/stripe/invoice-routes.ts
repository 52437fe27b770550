import { type Api, endpoint } from './endpoint.ts'
import { notFound } from './errors.ts'
import { expanded } from './expansion.ts'
import { charge } from './invoice-item-routes.ts'
import {
  finalizeInvoice,
  markUncollectible,
  payInvoice,
  sendInvoice,
  voidInvoice,
} from './invoice-lifecycle.ts'
import { addLines, removeLines, updateLine } from './invoice-lines.ts'
import { INVOICE_EXPANDS, invoiceExpanded, invoiceWire } from './invoice-wire.ts'
import { createInvoice, deleteInvoice, liveInvoice, updateInvoice } from './invoices.ts'
import { listWire, pageOf, pageOfArray, within } from './listing.ts'
import {
  boolean,
  clearable,
  expandable,
  integer,
  list,
  metadata,
  oneOf,
  paging,
  text,
  timeRange,
  z,
} from './params.ts'
import type { StripeState } from './state.ts'
import type { Invoice, Wire } from './types.ts'

const expand = expandable(INVOICE_EXPANDS)
const fields = {
  ...expand,
  auto_advance: boolean.optional(),
  automatically_finalizes_at: integer.optional(),
  collection_method: oneOf(['charge_automatically', 'send_invoice']).optional(),
  custom_fields: list(z.strictObject({ name: text(40), value: text(140) })).optional(),
  days_until_due: integer.optional(),
  default_payment_method: clearable().optional(),
  description: clearable(1500).optional(),
  due_date: integer.optional(),
  effective_at: integer.optional(),
  footer: clearable().optional(),
  metadata: metadata.optional(),
  number: clearable(26).optional(),
  statement_descriptor: clearable(22).optional(),
}
const creation = z.strictObject({
  ...fields,
  customer: text(),
  currency: text().optional(),
  pending_invoice_items_behavior: oneOf(['exclude', 'include', 'include_and_require']).optional(),
})
const listing = z.strictObject({
  ...paging,
  ...expandable(INVOICE_EXPANDS, 'data.'),
  collection_method: fields.collection_method,
  created: timeRange.optional(),
  customer: text().optional(),
  due_date: timeRange.optional(),
  status: oneOf(['draft', 'open', 'paid', 'uncollectible', 'void']).optional(),
})
const only = z.strictObject(expand)
const finalize = z.strictObject({ ...expand, auto_advance: boolean.optional() })
const pay = z.strictObject({
  ...expand,
  forgive: boolean.optional(),
  off_session: boolean.optional(),
  paid_out_of_band: boolean.optional(),
  payment_method: text().optional(),
})
const invoiceMetadata = { invoice_metadata: metadata.optional() }
const lineAddition = z.strictObject({ ...charge, invoice_item: text().optional() })
const addition = z.strictObject({ ...expand, ...invoiceMetadata, lines: list(lineAddition) })
const removal = z.strictObject({
  ...expand,
  ...invoiceMetadata,
  lines: list(z.strictObject({ id: text(), behavior: oneOf(['delete', 'unassign']) })),
})
const lineUpdate = z.strictObject({ ...charge, ...expandable(['discounts']) })
const payments = z.strictObject({
  ...paging,
  ...expandable(['invoice'], 'data.'),
  invoice: text().optional(),
  status: oneOf(['canceled', 'open', 'paid']).optional(),
})

/** https://docs.stripe.com/api/invoices */
export function invoiceRoutes(api: Api): void {
  const { state } = api
  const shown = (invoice: Invoice, params: { expand?: string[] | undefined }) =>
    invoiceExpanded(state, invoice, params.expand)

  endpoint(api, 'POST', '/v1/invoices', creation, (params) => shown(createInvoice(state, params), params))
  endpoint(api, 'GET', '/v1/invoices', listing, (params) => listInvoices(state, params))
  endpoint(api, 'GET', '/v1/invoices/:id', only, (params, path) =>
    shown(liveInvoice(state, path('id')), params),
  )
  endpoint(api, 'POST', '/v1/invoices/:id', z.strictObject(fields), (params, path) =>
    shown(updateInvoice(state, path('id'), params), params),
  )
  endpoint(api, 'DELETE', '/v1/invoices/:id', z.strictObject({}), (_, path) =>
    deleteInvoice(state, path('id')),
  )
  endpoint(api, 'POST', '/v1/invoices/:id/finalize', finalize, (params, path) =>
    shown(finalizeInvoice(state, path('id'), params.auto_advance), params),
  )
  endpoint(api, 'POST', '/v1/invoices/:id/pay', pay, (params, path) => {
    const payment = { paidOutOfBand: params.paid_out_of_band, paymentMethod: params.payment_method }
    return shown(payInvoice(state, path('id'), payment), params)
  })
  const actions = { void: voidInvoice, mark_uncollectible: markUncollectible, send: sendInvoice }
  for (const [name, act] of Object.entries(actions))
    endpoint(api, 'POST', `/v1/invoices/:id/${name}`, only, (params, path) =>
      shown(act(state, path('id')), params),
    )
  lineRoutes(api, shown)
  endpoint(api, 'GET', '/v1/invoice_payments', payments, (params) => listPayments(state, params))
}

function lineRoutes(
  api: Api,
  shown: (invoice: Invoice, params: { expand?: string[] | undefined }) => Wire,
): void {
  const { state } = api
  endpoint(
    api,
    'GET',
    '/v1/invoices/:id/lines',
    z.strictObject({ ...paging, ...expandable(['discounts'], 'data.') }),
    (params, path) => {
      const page = pageOfArray(liveInvoice(state, path('id')).lines, params, 'line_item')
      return listWire(`/v1/invoices/${path('id')}/lines`, page.rows, page.hasMore)
    },
  )
  endpoint(api, 'POST', '/v1/invoices/:id/add_lines', addition, (params, path) =>
    shown(addLines(state, path('id'), params.lines, params.invoice_metadata), params),
  )
  endpoint(api, 'POST', '/v1/invoices/:id/remove_lines', removal, (params, path) =>
    shown(removeLines(state, path('id'), params.lines, params.invoice_metadata), params),
  )
  endpoint(api, 'POST', '/v1/invoices/:id/lines/:line', lineUpdate, (params, path) => {
    const invoice = updateLine(state, path('id'), path('line'), params)
    const line = invoice.lines.find(({ id }) => id === path('line'))
    if (line === undefined) throw notFound('line_item', path('line'))
    return line
  })
}

function listInvoices(state: StripeState, params: z.output<typeof listing>): Wire {
  const page = pageOf(state.invoices, params, {
    kind: 'invoice',
    created: params.created,
    keep: (invoice) =>
      (params.customer === undefined || invoice.customer === params.customer) &&
      (params.status === undefined || invoice.status === params.status) &&
      (params.collection_method === undefined || invoice.collection_method === params.collection_method) &&
      within(invoice.due_date, params.due_date),
  })
  const rows = page.rows.map((invoice) => invoiceExpanded(state, invoice, params.expand))
  return listWire('/v1/invoices', rows, page.hasMore)
}

function listPayments(state: StripeState, params: z.output<typeof payments>): Wire {
  const invoices =
    params.invoice === undefined ? [...state.invoices.all()] : [liveInvoice(state, params.invoice)]
  const all = invoices.flatMap((invoice) => invoice.payments).reverse()
  const kept = all.filter((payment) => params.status === undefined || payment.status === params.status)
  const page = pageOfArray(kept, params, 'invoice_payment')
  const rows = page.rows.map((payment) =>
    expanded(payment, params.expand, {
      invoice: () => invoiceWire(state, liveInvoice(state, payment.invoice)),
    }),
  )
  return listWire('/v1/invoice_payments', rows, page.hasMore)
}
