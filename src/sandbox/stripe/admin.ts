import {
  type CustomerFieldsGiven,
  type CustomerSeed,
  createCustomer,
  deleteCustomer,
  seedCustomers,
  updateCustomer,
} from './customers.ts'
import { advanceDrafts, payInvoice, voidInvoice } from './invoice-lifecycle.ts'
import { invoiceWire } from './invoice-wire.ts'
import type { StripeState } from './state.ts'
import type { Customer, Invoice, WebhookEndpoint } from './types.ts'
import { createWebhookEndpoint, type WebhookEndpointGiven } from './webhook-endpoint-routes.ts'

export type StripeAdmin = ReturnType<typeof stripeAdmin>

/** What people do at the vendor's dashboard: the same effects and events, but no API request behind them. */
export function stripeAdmin(state: StripeState) {
  const found = (idOrEmail: string): string => {
    if (state.customers.get(idOrEmail)) return idOrEmail
    const [id] = state.customers.idsBy('email', idOrEmail)
    if (id === undefined) throw new Error(`no customer ${idOrEmail}`)
    return id
  }
  const current = <T>(act: () => T): T => {
    advanceDrafts(state)
    return act()
  }
  return {
    createCustomer: (fields: CustomerFieldsGiven): Customer => createCustomer(state, fields),
    editCustomer: (idOrEmail: string, fields: CustomerFieldsGiven): Customer =>
      updateCustomer(state, found(idOrEmail), fields),
    deleteCustomer: (idOrEmail: string): void => void deleteCustomer(state, found(idOrEmail)),
    payInvoice: (id: string): Invoice => current(() => payInvoice(state, id, { paidOutOfBand: true })),
    voidInvoice: (id: string): Invoice => current(() => voidInvoice(state, id)),
    /** Oldest first, without the deleted. */
    customers: (): Customer[] => [...state.customers.all()],
    /** As the API would show them, oldest first. */
    invoices: () => current(() => [...state.invoices.all()].map((invoice) => invoiceWire(state, invoice))),
    addWebhookEndpoint: (given: WebhookEndpointGiven): WebhookEndpoint & { secret: string } => {
      const created = createWebhookEndpoint(state, given)
      return { ...created, secret: created.secrets[0]?.value ?? '' }
    },
    seed: (customers: readonly CustomerSeed[]): Customer[] => seedCustomers(state, customers),
  }
}
