import { Hono } from 'hono'
import { type FaultSwitch, faultMiddleware, faultSwitch } from '../faults.ts'
import { type Limiter, rateLimit } from '../rate-limit.ts'
import { access } from './access.ts'
import { accountRoutes } from './account-routes.ts'
import { type StripeAdmin, stripeAdmin } from './admin.ts'
import { autoDeliver } from './auto-deliver.ts'
import { customerRoutes } from './customer-routes.ts'
import { refuse } from './endpoint.ts'
import { errorBody, Refusal, rateLimited, serverError } from './errors.ts'
import { eventRoutes } from './event-routes.ts'
import { invoiceItemRoutes } from './invoice-item-routes.ts'
import { invoiceRoutes } from './invoice-routes.ts'
import { createState, mint, type StripeState } from './state.ts'
import type { Delivery } from './types.ts'
import { type Deliver, flushWebhooks, rotateSecret, type SignedWebhook, signWebhook } from './webhooks.ts'
import { webhookEndpointRoutes } from './webhook-endpoint-routes.ts'

export type { StripeAdmin } from './admin.ts'
export type { StripeState } from './state.ts'
export type { Delivery } from './types.ts'
export type { Deliver, SignedWebhook } from './webhooks.ts'

export type StripeSandbox = {
  readonly app: Hono
  /** Faults between caller and vendor. For a 500 the vendor keeps and replays, see `state.switches.crash`. */
  readonly faults: FaultSwitch
  readonly state: StripeState
  readonly admin: StripeAdmin
  readonly limiter: Limiter
  /** Waiting deliveries; a simulation may shuffle, repeat or drop them in place. */
  readonly pendingWebhooks: Delivery[]
  flushWebhooks(deliver: Deliver): Promise<number>
  signWebhook(delivery: Delivery): SignedWebhook | null
  rotateSecret(endpointId: string, overlapMs?: number): string
  /** Delivers as events arise, by `send`; returns a stop. */
  autoDeliver(send?: typeof fetch): () => void
}

export type StripeSandboxOptions = {
  now: () => number
  random: () => number
  apiKey?: string
  /** 25 in a sandbox, 100 live: https://docs.stripe.com/rate-limits */
  requestsPerSecond?: number
}

/** A local stand-in for Stripe's API v1, with state. Serve `app`, or call it through `sandboxFetch`. */
export function createStripeSandbox(options: StripeSandboxOptions): StripeSandbox {
  const { now, random, apiKey = 'sk_test_sandbox', requestsPerSecond = 25 } = options
  const state = createState({ now, random, apiKey })
  const faults = faultSwitch()
  const limiter = rateLimit({
    now,
    permits: requestsPerSecond,
    windowMs: 1_000,
    refusal: () => tooMany(state),
  })
  const app = new Hono()
  app.use(faultMiddleware(faults))
  app.use(access(state))
  app.use(limiter)
  const api = { app, state }
  for (const routes of [
    accountRoutes,
    customerRoutes,
    invoiceItemRoutes,
    invoiceRoutes,
    eventRoutes,
    webhookEndpointRoutes,
  ])
    routes(api)
  app.notFound((c) => refuse(state, c, unknownUrl(c.req.method, c.req.path)))
  app.onError((error, c) => {
    // Not a simulated failure but a bug here: it must not pass for one.
    console.error(error)
    return refuse(state, c, serverError())
  })
  return {
    app,
    faults,
    state,
    admin: stripeAdmin(state),
    limiter,
    pendingWebhooks: state.pendingWebhooks,
    flushWebhooks: (deliver) => flushWebhooks(state, deliver),
    signWebhook: (delivery) => signWebhook(state, delivery),
    rotateSecret: (endpointId, overlapMs) => rotateSecret(state, endpointId, overlapMs),
    autoDeliver: (send) => autoDeliver(state, send),
  }
}

function tooMany(state: StripeState): Response {
  const refusal = rateLimited()
  const headers = { 'content-type': 'application/json', 'request-id': mint(state, 'req'), ...refusal.headers }
  return new Response(errorBody(refusal), { status: refusal.status, headers })
}

function unknownUrl(method: string, path: string): Refusal {
  const message = `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`
  return new Refusal(404, 'invalid_request_error', message, {}, { executed: false })
}
