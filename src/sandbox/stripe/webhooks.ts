import { createHmac } from 'node:crypto'
import { mint, type StripeState } from './state.ts'
import type { Delivery, StripeEvent, WebhookEndpoint, Wire } from './types.ts'

export type SignedWebhook = { eventId: string; url: string; headers: Record<string, string>; body: string }
/** True when the receiver answered 2xx. */
export type Deliver = (webhook: SignedWebhook) => Promise<boolean>

/** A sandbox is retried three times over a few hours: https://docs.stripe.com/webhooks#retries */
const MAX_ATTEMPTS = 3

export function enqueueWebhooks(state: StripeState, event: StripeEvent): void {
  for (const endpoint of state.webhookEndpoints.all()) {
    if (endpoint.status !== 'enabled' || !wants(endpoint, event.type)) continue
    const waiting = state.undelivered.get(event.id) ?? new Set<string>()
    state.undelivered.set(event.id, waiting.add(endpoint.id))
    state.pendingWebhooks.push({
      eventId: event.id,
      endpointId: endpoint.id,
      body: bodyFor(state, endpoint, event),
      attempts: 0,
    })
  }
  if (state.pendingWebhooks.length > 0) state.onWebhook?.()
}

/** Delivers all that waits, once each. What fails waits for the next flush until its attempts are used up. */
export async function flushWebhooks(state: StripeState, deliver: Deliver): Promise<number> {
  const batch = state.pendingWebhooks.splice(0)
  let delivered = 0
  for (const delivery of batch) {
    const signed = signWebhook(state, delivery)
    if (signed === null) continue
    const accepted = await deliver(signed).catch(() => false)
    if (accepted) {
      delivered += 1
      settle(state, delivery)
    } else if (delivery.attempts + 1 < MAX_ATTEMPTS) {
      state.pendingWebhooks.push({ ...delivery, attempts: delivery.attempts + 1 })
    }
  }
  return delivered
}

/** Each attempt is signed afresh. Null when the endpoint is gone or disabled. */
export function signWebhook(state: StripeState, delivery: Delivery): SignedWebhook | null {
  const endpoint = state.webhookEndpoints.get(delivery.endpointId)
  if (endpoint === undefined || endpoint.status === 'disabled') return null
  return {
    eventId: delivery.eventId,
    url: endpoint.url,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      'stripe-signature': signatureHeader(delivery.body, liveSecrets(state, endpoint), state.now()),
    },
    body: delivery.body,
  }
}

/** https://docs.stripe.com/webhooks#verify-manually: one v1 for every secret that is still valid. */
export function signatureHeader(body: string, secrets: readonly string[], nowMs: number): string {
  const t = Math.floor(nowMs / 1000)
  const signatures = secrets.map((secret) =>
    createHmac('sha256', secret).update(`${t}.${body}`, 'utf8').digest('hex'),
  )
  return [`t=${t}`, ...signatures.map((hex) => `v1=${hex}`)].join(',')
}

/** The old secret keeps signing beside the new one for `overlapMs` (24 hours at the vendor's most). */
export function rotateSecret(
  state: StripeState,
  endpointId: string,
  overlapMs = 24 * 60 * 60 * 1000,
): string {
  const endpoint = state.webhookEndpoints.get(endpointId)
  if (endpoint === undefined) throw new Error(`no webhook endpoint ${endpointId}`)
  const value = mint(state, 'whsec', 32)
  const expiresAtMs = state.now() + overlapMs
  const older = endpoint.secrets.map((secret) =>
    secret.expiresAtMs === null ? { ...secret, expiresAtMs } : secret,
  )
  state.webhookEndpoints.put({ ...endpoint, secrets: [{ value, expiresAtMs: null }, ...older] })
  return value
}

/** Thin payload: https://docs.stripe.com/event-destinations#thin-payload */
export function thinEvent(event: StripeEvent): Wire {
  const { id, object } = event.data.object
  const folder = `${String(object)}s`
  return {
    id: event.id,
    object: 'v2.core.event',
    type: `v1.${event.type}`,
    created: new Date(event.created * 1000).toISOString(),
    livemode: false,
    reason:
      event.request.id === null
        ? null
        : {
            type: 'request',
            request: { id: event.request.id, idempotency_key: event.request.idempotency_key ?? '' },
          },
    related_object: { id, type: object, url: `/v1/${folder}/${String(id)}` },
  }
}

function bodyFor(state: StripeState, endpoint: WebhookEndpoint, event: StripeEvent): string {
  if (endpoint.payload === 'thin') return JSON.stringify(thinEvent(event))
  const pending = state.undelivered.get(event.id)?.size ?? 1
  const api_version = endpoint.api_version ?? event.api_version
  return JSON.stringify({ ...event, api_version, pending_webhooks: pending }, null, 2)
}

function liveSecrets(state: StripeState, endpoint: WebhookEndpoint): string[] {
  const live = endpoint.secrets.filter(({ expiresAtMs }) => expiresAtMs === null || expiresAtMs > state.now())
  return live.map(({ value }) => value)
}

function wants(endpoint: WebhookEndpoint, type: string): boolean {
  return endpoint.enabled_events.some((wanted) => wanted === '*' || wanted === type)
}

function settle(state: StripeState, delivery: Delivery): void {
  const waiting = state.undelivered.get(delivery.eventId)
  waiting?.delete(delivery.endpointId)
  if (waiting?.size === 0) state.undelivered.delete(delivery.eventId)
}
