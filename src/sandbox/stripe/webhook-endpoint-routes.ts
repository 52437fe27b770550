import { type Api, endpoint } from './endpoint.ts'
import { notFound } from './errors.ts'
import { listWire, pageOf } from './listing.ts'
import { boolean, changeMetadata, clearable, expand, list, metadata, paging, text, z } from './params.ts'
import { mint, seconds, type StripeState } from './state.ts'
import type { WebhookEndpoint, Wire } from './types.ts'

const address = text().transform((value, ctx) => {
  if (/^https?:\/\/[^\s]+$/.test(value)) return value
  ctx.addIssue({
    code: 'custom',
    message: 'Invalid URL: An explicit scheme (such as https) must be provided.',
    params: { code: 'url_invalid' },
  })
  return z.NEVER
})
const fields = { ...expand, description: clearable().optional(), metadata: metadata.optional() }
const creation = z.strictObject({
  ...fields,
  api_version: text().optional(),
  connect: boolean.optional(),
  enabled_events: list(text()),
  url: address,
})
const update = z.strictObject({
  ...fields,
  disabled: boolean.optional(),
  enabled_events: list(text()).optional(),
  url: address.optional(),
})

/** https://docs.stripe.com/api/webhook_endpoints: the secret is told once, at creation. */
export function webhookEndpointRoutes(api: Api): void {
  const { state } = api
  endpoint(api, 'POST', '/v1/webhook_endpoints', creation, (params) => {
    const created = createWebhookEndpoint(state, params)
    return { ...endpointWire(created), secret: created.secrets[0]?.value }
  })
  endpoint(api, 'GET', '/v1/webhook_endpoints', z.strictObject({ ...paging, ...expand }), (params) => {
    const page = pageOf(state.webhookEndpoints, params, { kind: 'webhook endpoint' })
    return listWire('/v1/webhook_endpoints', page.rows.map(endpointWire), page.hasMore)
  })
  endpoint(api, 'GET', '/v1/webhook_endpoints/:id', z.strictObject(expand), (_, path) =>
    endpointWire(live(state, path('id'))),
  )
  endpoint(api, 'POST', '/v1/webhook_endpoints/:id', update, (params, path) => {
    const held = live(state, path('id'))
    const status = params.disabled === undefined ? held.status : params.disabled ? 'disabled' : 'enabled'
    const changed: WebhookEndpoint = {
      ...held,
      description: params.description === undefined ? held.description : params.description,
      enabled_events: params.enabled_events ?? held.enabled_events,
      metadata: changeMetadata(held.metadata, params.metadata),
      status,
      url: params.url ?? held.url,
    }
    return endpointWire(state.webhookEndpoints.put(changed))
  })
  endpoint(api, 'DELETE', '/v1/webhook_endpoints/:id', z.strictObject({}), (_, path) => {
    const { id } = live(state, path('id'))
    state.webhookEndpoints.remove(id)
    return { id, object: 'webhook_endpoint', deleted: true }
  })
}

export type WebhookEndpointGiven = {
  url: string
  enabled_events: readonly string[]
  api_version?: string | undefined
  description?: string | null | undefined
  metadata?: Parameters<typeof changeMetadata>[1]
  payload?: 'snapshot' | 'thin'
}

export function createWebhookEndpoint(state: StripeState, given: WebhookEndpointGiven): WebhookEndpoint {
  return state.webhookEndpoints.put({
    id: mint(state, 'we', 24),
    created: seconds(state),
    api_version: given.api_version ?? null,
    description: given.description ?? null,
    enabled_events: given.enabled_events,
    metadata: changeMetadata({}, given.metadata),
    status: 'enabled',
    url: given.url,
    payload: given.payload ?? 'snapshot',
    secrets: [{ value: mint(state, 'whsec', 32), expiresAtMs: null }],
  })
}

function endpointWire({ secrets: _s, payload: _p, ...held }: WebhookEndpoint): Wire {
  return { ...held, object: 'webhook_endpoint', application: null, livemode: false }
}

function live(state: StripeState, id: string): WebhookEndpoint {
  const found = state.webhookEndpoints.get(id)
  if (found === undefined) throw notFound('webhook endpoint', id)
  return found
}
