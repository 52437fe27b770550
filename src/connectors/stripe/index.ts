import type { Connector, Io } from '../connector.ts'
import { classify } from './classify.ts'
import { stripeFor } from './client.ts'
import { customers } from './customers.ts'
import { invoices } from './invoices.ts'
import { receive, subscribe } from './webhooks.ts'
import { accountWire, parse } from './wire.ts'

/** Stripe API v1 through its SDK, which pins the API version. Settings: `baseUrl` (another server, for tests). */
export const stripe: Connector = {
  id: 'stripe',
  auth: { kind: 'apiKey', fields: ['apiKey'] },
  // A live account may send 100 a second, but 25 to one endpoint: https://docs.stripe.com/rate-limits.
  limits: [{ permits: 25, windowMs: 1000 }],
  resources: { customers, invoices },
  webhooks: { receive, subscribe },
  check,
  classify,
}

async function check(io: Io): Promise<{ accountId: string; label: string }> {
  const account = parse(accountWire, await stripeFor(io).accounts.retrieveCurrent())
  const name =
    account.settings?.dashboard?.display_name || account.business_profile?.name || account.email || account.id
  return { accountId: account.id, label: `${name} (${modeOf(io.secrets['apiKey'] ?? '')})` }
}

/** An account does not say its mode; the key does: https://docs.stripe.com/keys. */
function modeOf(apiKey: string): 'test' | 'live' {
  return /^[a-z]+_live_/.test(apiKey) ? 'live' : 'test'
}
