import { type Api, endpoint } from './endpoint.ts'
import { expand, z } from './params.ts'

/** https://docs.stripe.com/api/accounts/retrieve: the account of the key itself. */
export function accountRoutes(api: Api): void {
  const { account } = api.state
  endpoint(api, 'GET', '/v1/account', z.strictObject(expand), () => ({
    id: account.id,
    object: 'account',
    business_profile: { mcc: null, name: account.name, support_email: account.email, url: null },
    business_type: 'company',
    capabilities: { card_payments: 'active', transfers: 'active' },
    charges_enabled: true,
    country: account.country,
    default_currency: account.currency,
    details_submitted: true,
    email: account.email,
    metadata: {},
    payouts_enabled: true,
    settings: { dashboard: { display_name: account.name, timezone: 'Etc/UTC' } },
    type: 'standard',
  }))
}
