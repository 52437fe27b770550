import { noSuch, notFound } from './errors.ts'
import { emit, emitChange } from './events.ts'
import { type AddressParam, changeMetadata, type MetadataChange } from './params.ts'
import { noteForSearch } from './search-index.ts'
import { mint, seconds, type StripeState } from './state.ts'
import type { Address, Customer, Metadata } from './types.ts'

type Given<T> = T | undefined
export type CustomerFieldsGiven = {
  address?: Given<AddressParam>
  balance?: Given<number>
  description?: Given<string | null>
  email?: Given<string | null>
  invoice_prefix?: Given<string>
  invoice_settings?: Given<{ default_payment_method?: Given<string | null>; footer?: Given<string | null> }>
  metadata?: Given<MetadataChange>
  name?: Given<string | null>
  next_invoice_sequence?: Given<number>
  payment_method?: Given<string>
  phone?: Given<string | null>
  preferred_locales?: Given<string[]>
  shipping?: Given<{ address: AddressParam; name: string; phone?: Given<string | null> } | null>
  tax_exempt?: Given<string>
}
export type CustomerSeed = {
  id?: string
  created?: number
  email?: string | null
  name?: string | null
  phone?: string | null
  description?: string | null
  address?: Partial<Address> | null
  metadata?: Metadata
  preferred_locales?: string[]
}

export function createCustomer(state: StripeState, given: CustomerFieldsGiven): Customer {
  const customer = changed(blankCustomer(state), given)
  store(state, customer)
  emit(state, 'customer.created', customer)
  return customer
}

export function updateCustomer(state: StripeState, id: string, given: CustomerFieldsGiven): Customer {
  const before = liveCustomer(state, id)
  const after = changed(before, given)
  store(state, after)
  emitChange(state, 'customer.updated', before, after)
  return after
}

export function deleteCustomer(state: StripeState, id: string): DeletedCustomer {
  const customer = liveCustomer(state, id)
  state.customers.remove(id)
  state.deletedCustomers.add(id)
  noteForSearch(state, id, null)
  emit(state, 'customer.deleted', customer)
  return deletedCustomer(id)
}

export type DeletedCustomer = { id: string; object: 'customer'; deleted: true }

/** A deleted customer is still answered, as a stub: https://docs.stripe.com/api/customers/retrieve */
export function retrieveCustomer(state: StripeState, id: string): Customer | DeletedCustomer {
  const customer = state.customers.get(id)
  if (customer) return customer
  if (state.deletedCustomers.has(id)) return deletedCustomer(id)
  throw notFound('customer', id)
}

/** The customer an invoice or item is made for. */
export function billedCustomer(state: StripeState, id: string): Customer {
  const customer = state.customers.get(id)
  if (customer === undefined) throw noSuch('customer', id, 'customer')
  return customer
}

/** Changes that are a by-product of invoicing: no `customer.updated` beyond what changed. */
export function patchCustomer(state: StripeState, id: string, patch: Partial<Customer>): void {
  const before = state.customers.get(id)
  if (before === undefined) return
  const after = { ...before, ...patch }
  store(state, after)
  emitChange(state, 'customer.updated', before, after)
}

/** Fills the account as if it had existed for long: no events, no webhooks. */
export function seedCustomers(state: StripeState, seeds: readonly CustomerSeed[]): Customer[] {
  return seeds.map((seed) => {
    const { address, id, ...plain } = seed
    const blank = blankCustomer(state, id)
    const customer: Customer = { ...blank, ...plain, address: address ? filledAddress(address) : null }
    store(state, customer)
    return customer
  })
}

function liveCustomer(state: StripeState, id: string): Customer {
  const customer = state.customers.get(id)
  if (customer === undefined) throw notFound('customer', id)
  return customer
}

function store(state: StripeState, customer: Customer): void {
  state.customers.put(customer)
  noteForSearch(state, customer.id, customer)
}

function deletedCustomer(id: string): DeletedCustomer {
  return { id, object: 'customer', deleted: true }
}

function blankCustomer(state: StripeState, id = mint(state, 'cus')): Customer {
  return {
    id,
    object: 'customer',
    address: null,
    balance: 0,
    created: seconds(state),
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: mint(state, 'p', 8).slice(2).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  }
}

function changed(customer: Customer, given: CustomerFieldsGiven): Customer {
  const settings = given.invoice_settings
  return {
    ...customer,
    address: given.address === undefined ? customer.address : filledAddress(given.address),
    balance: given.balance ?? customer.balance,
    description: kept(given.description, customer.description),
    email: kept(given.email, customer.email),
    invoice_prefix: given.invoice_prefix ?? customer.invoice_prefix,
    invoice_settings: {
      ...customer.invoice_settings,
      default_payment_method: kept(
        settings?.default_payment_method ?? given.payment_method,
        customer.invoice_settings.default_payment_method,
      ),
      footer: kept(settings?.footer, customer.invoice_settings.footer),
    },
    metadata: changeMetadata(customer.metadata, given.metadata),
    name: kept(given.name, customer.name),
    next_invoice_sequence: given.next_invoice_sequence ?? customer.next_invoice_sequence,
    phone: kept(given.phone, customer.phone),
    preferred_locales: given.preferred_locales ?? customer.preferred_locales,
    shipping: given.shipping === undefined ? customer.shipping : filledShipping(given.shipping),
    tax_exempt: given.tax_exempt === '' ? 'none' : (given.tax_exempt ?? customer.tax_exempt),
  }
}

function kept<T>(given: T | undefined, held: T): T {
  return given === undefined ? held : given
}

// Whether parts left out keep their value is not documented; taking them as empty is the stricter reading.
function filledAddress(address: { [K in keyof Address]?: Address[K] | undefined } | null): Address | null {
  if (address === null) return null
  return {
    city: address.city ?? null,
    country: address.country ?? null,
    line1: address.line1 ?? null,
    line2: address.line2 ?? null,
    postal_code: address.postal_code ?? null,
    state: address.state ?? null,
  }
}

function filledShipping(shipping: NonNullable<CustomerFieldsGiven['shipping']> | null): Customer['shipping'] {
  if (shipping === null) return null
  return { address: filledAddress(shipping.address), name: shipping.name, phone: shipping.phone ?? null }
}
