import { Table } from './table.ts'
import type { Customer, Delivery, Invoice, InvoiceItem, StripeEvent, WebhookEndpoint } from './types.ts'

/** What a simulation may turn to make the vendor behave badly. All are off at first. */
export type Switches = {
  /** Search answers with the state of this many milliseconds ago: https://docs.stripe.com/search#data-freshness */
  searchLagMs: number
  /** Breaks inside the endpoint: the 500 is kept and replayed for the idempotency key. */
  crash: ((request: { method: string; path: string }) => 'before' | 'after-commit' | null) | null
  /** The object is locked by someone else. */
  lockTimeout: ((request: { method: string; path: string }) => 409 | 429 | null) | null
  /** Holds a request between claiming its idempotency key and running, so that another may overlap it. */
  gate: (() => Promise<void>) | null
}

export type StoredReply = {
  fingerprint: string
  storedAtMs: number
  reply: { status: number; body: string; requestId: string; headers: Record<string, string> } | null
}

export type StripeState = {
  readonly now: () => number
  readonly random: () => number
  readonly apiKey: string
  /** The account's own default version; events are frozen at it. */
  apiVersion: string
  readonly account: { id: string; country: string; currency: string; email: string; name: string }
  readonly customers: Table<Customer>
  readonly deletedCustomers: Set<string>
  readonly invoices: Table<Invoice>
  readonly invoiceItems: Table<InvoiceItem>
  readonly events: Table<StripeEvent>
  readonly webhookEndpoints: Table<WebhookEndpoint>
  readonly undelivered: Map<string, Set<string>>
  readonly pendingWebhooks: Delivery[]
  onWebhook: (() => void) | null
  readonly replies: Map<string, StoredReply>
  readonly searchIndex: Map<string, Customer>
  readonly searchChanges: { atMs: number; id: string; row: Customer | null }[]
  readonly finalizesAt: Map<string, number>
  readonly switches: Switches
  /** The API request being executed, if any: events remember who caused them. */
  cause: { requestId: string; idempotencyKey: string | null } | null
}

export function createState(options: {
  now: () => number
  random: () => number
  apiKey: string
}): StripeState {
  return {
    ...options,
    apiVersion: '2026-10-28.endive',
    account: {
      id: 'acct_1SandboxConcord0',
      country: 'US',
      currency: 'usd',
      email: 'owner@example.com',
      name: 'Sandbox',
    },
    customers: new Table<Customer>({ email: (row) => row.email }),
    deletedCustomers: new Set(),
    invoices: new Table<Invoice>({ customer: (row) => row.customer }),
    invoiceItems: new Table<InvoiceItem>({
      invoice: (row) => row.invoice,
      pending: (row) => (row.invoice === null ? row.customer : null),
    }),
    events: new Table<StripeEvent>(),
    webhookEndpoints: new Table<WebhookEndpoint>(),
    undelivered: new Map(),
    pendingWebhooks: [],
    onWebhook: null,
    replies: new Map(),
    searchIndex: new Map(),
    searchChanges: [],
    finalizesAt: new Map(),
    switches: { searchLagMs: 0, crash: null, lockTimeout: null, gate: null },
    cause: null,
  }
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

export function mint(state: StripeState, prefix: string, length = 14): string {
  let id = `${prefix}_`
  for (let i = 0; i < length; i += 1) id += ALPHABET.charAt(Math.floor(state.random() * ALPHABET.length))
  return id
}

/** Unix seconds, as all of Stripe's times. */
export function seconds(state: StripeState): number {
  return Math.floor(state.now() / 1000)
}
