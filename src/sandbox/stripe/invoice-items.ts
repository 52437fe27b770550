import { billedCustomer, patchCustomer } from './customers.ts'
import { invalid, noSuch, notFound } from './errors.ts'
import { emit } from './events.ts'
import { checkAmount, checkedCurrency, lineAmount } from './money.ts'
import { changeMetadata, type MetadataChange } from './params.ts'
import { mint, seconds, type StripeState } from './state.ts'
import type { Invoice, InvoiceItem, InvoiceLine, Period, Wire } from './types.ts'

type Given<T> = T | undefined
export type PriceData = {
  currency: string
  product?: Given<string>
  product_data?: Given<{ name: string; [key: string]: unknown }>
  unit_amount?: Given<number>
  unit_amount_decimal?: Given<string>
}
export type ChargeGiven = {
  amount?: Given<number>
  currency?: Given<string>
  description?: Given<string | null>
  discountable?: Given<boolean>
  metadata?: Given<MetadataChange>
  period?: Given<Period>
  price_data?: Given<PriceData>
  pricing?: Given<{ price?: Given<string> }>
  quantity?: Given<number>
  quantity_decimal?: Given<string>
  unit_amount_decimal?: Given<string>
}

/** Checks and makes an item without keeping it, so that a batch may be refused whole. */
export function draftItem(
  state: StripeState,
  given: ChargeGiven,
  owner: { customer: string; invoice: Invoice | null; param: (name: string) => string },
): InvoiceItem {
  const now = seconds(state)
  const { param } = owner
  if (given.pricing?.price !== undefined) throw noSuch('price', given.pricing.price, param('pricing[price]'))
  const currency = chargeCurrency(state, given, owner)
  const price = chargePrice(given, param)
  checkAmount(price.amount, currency, param(given.amount === undefined ? 'price_data' : 'amount'))
  return {
    id: mint(state, 'ii', 24),
    object: 'invoiceitem',
    amount: price.amount,
    created: now,
    currency,
    customer: owner.customer,
    date: now,
    description: given.description ?? given.price_data?.product_data?.name ?? null,
    discountable: given.discountable ?? price.amount > 0,
    invoice: owner.invoice?.id ?? null,
    metadata: changeMetadata({}, given.metadata),
    period: given.period ?? { start: now, end: now },
    pricing: {
      type: 'price_details',
      price_details: {
        price: mint(state, 'price', 24),
        product: given.price_data?.product ?? mint(state, 'prod'),
      },
      unit_amount_decimal: price.unit,
    },
    quantity: price.quantity,
  }
}

export function keepItem(state: StripeState, item: InvoiceItem): void {
  const customer = billedCustomer(state, item.customer)
  state.invoiceItems.put(item)
  if (customer.currency === null) patchCustomer(state, customer.id, { currency: item.currency })
  emit(state, 'invoiceitem.created', itemWire(item))
}

export function changedItem(item: InvoiceItem, given: ChargeGiven): InvoiceItem {
  const priced =
    given.amount !== undefined || given.price_data !== undefined || given.unit_amount_decimal !== undefined
  const quantity = quantityOf(given) ?? item.quantity
  const repriced = priced
    ? chargePrice({ ...given, ...(given.amount === undefined ? { quantity } : {}) }, (name) => name)
    : {
        unit: item.pricing.unit_amount_decimal,
        quantity,
        amount: lineAmount(item.pricing.unit_amount_decimal, quantity),
      }
  checkAmount(repriced.amount, item.currency, 'amount')
  return {
    ...item,
    amount: repriced.amount,
    description: given.description === undefined ? item.description : given.description,
    discountable: given.discountable ?? item.discountable,
    metadata: changeMetadata(item.metadata, given.metadata),
    period: given.period ?? item.period,
    pricing: { ...item.pricing, unit_amount_decimal: repriced.unit },
    quantity: repriced.quantity,
  }
}

/** Forgets the item; taking its line off the invoice is the caller's business. */
export function dropItem(state: StripeState, item: InvoiceItem): void {
  state.invoiceItems.remove(item.id)
  emit(state, 'invoiceitem.deleted', itemWire(item))
}

export function liveItem(state: StripeState, id: string): InvoiceItem {
  const item = state.invoiceItems.get(id)
  if (item === undefined) throw notFound('invoiceitem', id)
  return item
}

export function lineFrom(
  state: StripeState,
  item: InvoiceItem,
  invoiceId: string,
  lineId = mint(state, 'il', 24),
): InvoiceLine {
  return {
    id: lineId,
    object: 'line_item',
    amount: item.amount,
    currency: item.currency,
    description: item.description,
    discount_amounts: [],
    discountable: item.discountable,
    discounts: [],
    invoice: invoiceId,
    livemode: false,
    metadata: item.metadata,
    parent: {
      type: 'invoice_item_details',
      invoice_item_details: {
        invoice_item: item.id,
        proration: false,
        proration_details: null,
        subscription: null,
      },
      subscription_item_details: null,
    },
    period: item.period,
    pretax_credit_amounts: [],
    pricing: item.pricing,
    quantity: Math.trunc(item.quantity),
    quantity_decimal: String(item.quantity),
    subscription: null,
    subtotal: item.amount,
    taxes: [],
  }
}

export function itemWire({ created: _, ...item }: InvoiceItem): Wire {
  return {
    ...item,
    quantity: Math.trunc(item.quantity),
    customer_account: null,
    discounts: [],
    livemode: false,
    net_amount: item.amount,
    parent: null,
    proration: false,
    quantity_decimal: String(item.quantity),
    tax_rates: [],
    test_clock: null,
  }
}

/** While something is still open in one currency, a customer cannot be billed in another. */
export function checkCurrencyLock(state: StripeState, customerId: string, currency: string): void {
  const items = state.invoiceItems
    .idsBy('pending', customerId)
    .map((id) => state.invoiceItems.get(id)?.currency)
  const invoices = state.invoices.idsBy('customer', customerId).map((id) => {
    const invoice = state.invoices.get(id)
    return invoice && (invoice.status === 'draft' || invoice.status === 'open') ? invoice.currency : undefined
  })
  const other = [...items, ...invoices].find((held) => held !== undefined && held !== currency)
  if (other === undefined) return
  throw invalid(
    `You cannot combine currencies on a single customer. This customer has an invoice or invoice item with currency ${other}`,
    { param: 'currency' },
  )
}

function chargeCurrency(
  state: StripeState,
  given: ChargeGiven,
  owner: { customer: string; invoice: Invoice | null; param: (name: string) => string },
): string {
  const said = given.currency ?? given.price_data?.currency
  if (owner.invoice !== null) {
    const currency =
      said === undefined ? owner.invoice.currency : checkedCurrency(said, owner.param('currency'))
    if (currency === owner.invoice.currency) return currency
    throw invalid(
      `The currency of the invoice item (${currency}) must match the currency of the invoice (${owner.invoice.currency}).`,
      { param: owner.param('currency') },
    )
  }
  const currency = checkedCurrency(
    said ?? billedCustomer(state, owner.customer).currency ?? state.account.currency,
  )
  checkCurrencyLock(state, owner.customer, currency)
  return currency
}

function chargePrice(given: ChargeGiven, param: (name: string) => string) {
  const unit =
    given.unit_amount_decimal ??
    given.price_data?.unit_amount_decimal ??
    given.price_data?.unit_amount?.toString()
  if (given.amount !== undefined && unit !== undefined)
    throw invalid('You may only specify one of these parameters: amount, price_data.', {
      code: 'parameters_exclusive',
    })
  if (given.amount !== undefined) {
    if ((quantityOf(given) ?? 1) !== 1)
      throw invalid('You cannot specify quantity together with amount.', { param: param('quantity') })
    return { amount: given.amount, unit: String(given.amount), quantity: 1 }
  }
  if (unit === undefined)
    throw invalid('You must specify one of amount, price_data or pricing.', {
      code: 'parameter_missing',
      param: param('amount'),
    })
  const quantity = quantityOf(given) ?? 1
  return { amount: lineAmount(unit, quantity), unit, quantity }
}

/** `quantity_decimal` may have a fraction; `quantity` then shows it truncated. */
function quantityOf(given: ChargeGiven): number | undefined {
  return given.quantity_decimal === undefined ? given.quantity : Number(given.quantity_decimal)
}
