import { createCustomer, deleteCustomer, retrieveCustomer, updateCustomer } from './customers.ts'
import { type Api, endpoint } from './endpoint.ts'
import { expanded } from './expansion.ts'
import { listWire, pageOf, pageOfArray, within } from './listing.ts'
import {
  address,
  clearable,
  email,
  emptyable,
  expandable,
  integer,
  list,
  metadata,
  oneOf,
  paging,
  searchPaging,
  text,
  timeRange,
  z,
} from './params.ts'
import { searchCustomers } from './search.ts'
import type { StripeState } from './state.ts'
import type { Wire } from './types.ts'

const EXPANDS = ['sources', 'subscriptions', 'tax_ids', 'default_source']
const fields = {
  ...expandable(EXPANDS),
  address: address.optional(),
  balance: integer.optional(),
  description: clearable().optional(),
  email: email.optional(),
  invoice_prefix: text(12).optional(),
  invoice_settings: z
    .strictObject({ default_payment_method: clearable().optional(), footer: clearable().optional() })
    .optional(),
  metadata: metadata.optional(),
  name: clearable(256).optional(),
  next_invoice_sequence: integer.optional(),
  phone: clearable(20).optional(),
  preferred_locales: list(text()).optional(),
  shipping: emptyable(z.strictObject({ address, name: text(), phone: clearable().optional() })).optional(),
  tax_exempt: oneOf(['', 'exempt', 'none', 'reverse']).optional(),
}
const creation = z.strictObject({ ...fields, payment_method: text().optional() })
const update = z.strictObject(fields)
const listing = z.strictObject({
  ...paging,
  ...expandable(EXPANDS, 'data.'),
  created: timeRange.optional(),
  email: z.string().optional(),
})
const search = z.strictObject({ ...searchPaging, ...expandable(EXPANDS, 'data.'), query: z.string() })
const only = z.strictObject(expandable(EXPANDS))

/** https://docs.stripe.com/api/customers */
export function customerRoutes(api: Api): void {
  const { state } = api
  endpoint(api, 'POST', '/v1/customers', creation, (params) =>
    expandedCustomer(createCustomer(state, params), params.expand),
  )
  endpoint(api, 'GET', '/v1/customers', listing, (params) => listCustomers(state, params))
  endpoint(api, 'GET', '/v1/customers/search', search, (params) => searchCustomers(state, params))
  endpoint(api, 'GET', '/v1/customers/:id', only, (params, path) =>
    expandedCustomer(retrieveCustomer(state, path('id')), params.expand),
  )
  endpoint(api, 'POST', '/v1/customers/:id', update, (params, path) =>
    expandedCustomer(updateCustomer(state, path('id'), params), params.expand),
  )
  endpoint(api, 'DELETE', '/v1/customers/:id', z.strictObject({}), (_, path) =>
    deleteCustomer(state, path('id')),
  )
}

/** The email filter is case-sensitive and exact. */
function listCustomers(state: StripeState, params: z.output<typeof listing>): Wire {
  const page =
    params.email === undefined
      ? pageOf(state.customers, params, { kind: 'customer', created: params.created })
      : pageOfArray(withEmail(state, params.email, params.created), params, 'customer')
  const rows = page.rows.map((customer) => expandedCustomer(customer, params.expand))
  return listWire('/v1/customers', rows, page.hasMore)
}

function withEmail(state: StripeState, wanted: string, created: z.output<typeof timeRange> | undefined) {
  const found = state.customers.idsBy('email', wanted).flatMap((id) => state.customers.get(id) ?? [])
  const kept = found.filter((customer) => within(customer.created, created))
  const place = (id: string) => state.customers.placeOf(id) ?? 0
  return kept.sort((a, b) => place(b.id) - place(a.id))
}

function expandedCustomer(customer: Wire, asked: readonly string[] | undefined): Wire {
  const url = (part: string) => `/v1/customers/${String(customer['id'])}/${part}`
  return expanded(customer, asked, {
    sources: () => listWire(url('sources'), [], false),
    subscriptions: () => listWire(url('subscriptions'), [], false),
    tax_ids: () => listWire(url('tax_ids'), [], false),
    default_source: () => null,
  })
}
