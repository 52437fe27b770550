// The wire shapes of API version 2026-10-28.endive, as far as the sandbox fills them.
export type Metadata = Record<string, string>
export type Address = {
  city: string | null
  country: string | null
  line1: string | null
  line2: string | null
  postal_code: string | null
  state: string | null
}

export type Customer = {
  id: string
  object: 'customer'
  address: Address | null
  balance: number
  created: number
  currency: string | null
  default_source: null
  delinquent: boolean
  description: string | null
  discount: null
  email: string | null
  invoice_prefix: string
  invoice_settings: {
    custom_fields: null
    default_payment_method: string | null
    footer: string | null
    rendering_options: null
  }
  livemode: false
  metadata: Metadata
  name: string | null
  next_invoice_sequence: number
  phone: string | null
  preferred_locales: string[]
  shipping: { address: Address | null; name: string; phone: string | null } | null
  tax_exempt: string
  test_clock: null
}

export type Pricing = {
  type: 'price_details'
  price_details: { price: string; product: string }
  unit_amount_decimal: string
}
export type Period = { start: number; end: number }

export type InvoiceItem = {
  id: string
  object: 'invoiceitem'
  amount: number
  created: number
  currency: string
  customer: string
  date: number
  description: string | null
  discountable: boolean
  invoice: string | null
  metadata: Metadata
  period: Period
  pricing: Pricing
  quantity: number
}

export type InvoiceLine = {
  id: string
  object: 'line_item'
  amount: number
  currency: string
  description: string | null
  discount_amounts: []
  discountable: boolean
  discounts: []
  invoice: string
  livemode: false
  metadata: Metadata
  parent: {
    type: 'invoice_item_details'
    invoice_item_details: {
      invoice_item: string
      proration: false
      proration_details: null
      subscription: null
    }
    subscription_item_details: null
  }
  period: Period
  pretax_credit_amounts: []
  pricing: Pricing
  quantity: number
  quantity_decimal: string
  subscription: null
  subtotal: number
  taxes: []
}

export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'void' | 'uncollectible'
export type CollectionMethod = 'charge_automatically' | 'send_invoice'
export type CustomerFields = {
  customer_address: Address | null
  customer_email: string | null
  customer_name: string | null
  customer_phone: string | null
  customer_shipping: Customer['shipping']
  customer_tax_exempt: string
}

/** What is kept of an invoice; totals and, on drafts, the customer's fields are worked out on reading. */
export type Invoice = {
  id: string
  created: number
  auto_advance: boolean
  automatically_finalizes_at: number | null
  attempt_count: number
  amount_paid: number
  amount_paid_off_stripe: number
  collection_method: CollectionMethod
  currency: string
  custom_fields: { name: string; value: string }[] | null
  customer: string
  /** Null while a draft: then the customer's own fields show through. */
  frozen: CustomerFields | null
  daysUntilDue: number | null
  default_payment_method: string | null
  description: string | null
  due_date: number | null
  effective_at: number | null
  footer: string | null
  hosted_invoice_url: string | null
  lines: readonly InvoiceLine[]
  metadata: Metadata
  number: string | null
  payments: readonly InvoicePayment[]
  statement_descriptor: string | null
  status: InvoiceStatus
  status_transitions: {
    finalized_at: number | null
    marked_uncollectible_at: number | null
    paid_at: number | null
    voided_at: number | null
  }
}

export type InvoicePayment = {
  id: string
  object: 'invoice_payment'
  amount_paid: number | null
  amount_requested: number
  created: number
  currency: string
  invoice: string
  is_default: boolean
  livemode: false
  payment:
    | { type: 'payment_intent'; payment_intent: string }
    | { type: 'payment_record'; payment_record: string }
  status: 'open' | 'paid' | 'canceled'
  status_transitions: { canceled_at: number | null; paid_at: number | null }
}

export type Wire = Readonly<Record<string, unknown>>

export type StripeEvent = {
  id: string
  object: 'event'
  api_version: string
  created: number
  data: { object: Wire; previous_attributes?: Wire }
  livemode: false
  request: { id: string | null; idempotency_key: string | null }
  type: string
}

export type WebhookEndpoint = {
  id: string
  created: number
  api_version: string | null
  description: string | null
  enabled_events: readonly string[]
  metadata: Metadata
  status: 'enabled' | 'disabled'
  url: string
  payload: 'snapshot' | 'thin'
  /** Newest first; an older one still signs until it expires. */
  secrets: readonly { value: string; expiresAtMs: number | null }[]
}

export type Delivery = { eventId: string; endpointId: string; body: string; attempts: number }
