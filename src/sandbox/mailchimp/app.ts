import { Hono } from 'hono'
import { faultMiddleware, faultSwitch, type FaultSwitch } from '../faults.ts'
import { idSource } from '../ids.ts'
import { concurrencyLimit, type Limiter } from '../rate-limit.ts'
import { createAdmin, type MailchimpAdmin } from './admin.ts'
import { requireKey } from './auth.ts'
import { batchSubscribeRoutes } from './batch-subscribe.ts'
import { batchResultRoutes, batchRoutes } from './batches.ts'
import type { Vendor } from './consent.ts'
import { listRoutes } from './lists.ts'
import { memberRoutes } from './members.ts'
import { standardMergeFields } from './merge-fields.ts'
import { notFound, Problem, problemResponse, tooManyConnections } from './problem.ts'
import { searchRoutes } from './search.ts'
import type { Audience, MailchimpState } from './state.ts'
import { tagRoutes } from './tags.ts'
import { deliverByFetch, WebhookQueue, type Deliver, type PendingWebhook } from './webhook-queue.ts'
import { webhookRoutes, type ProbeWebhook } from './webhooks.ts'

export type MailchimpOptions = {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** From 0 to 1, as Math.random: ids and the order of batch results come from it. */
  readonly random: () => number
  readonly apiKey?: string
  /** Requests at the same time; the vendor allows 10. */
  readonly concurrent?: number
  /** Members a page at most, though more are asked for. */
  readonly pageMax?: number
  /** Posts webhooks; by HTTP when left out. */
  readonly deliver?: Deliver
  /** Webhooks leave by themselves, with retries, instead of waiting for a flush. */
  readonly autoDeliver?: boolean
  /** Checks a new webhook's address; every address is taken when left out. */
  readonly probe?: ProbeWebhook
}

export type MailchimpSandbox = {
  readonly app: Hono
  readonly faults: FaultSwitch
  readonly state: MailchimpState
  /** The one audience there is. */
  readonly audience: Audience
  readonly admin: MailchimpAdmin
  readonly connections: Limiter
  /** Webhooks not delivered yet: shuffle, repeat or drop them at will. */
  readonly pendingWebhooks: PendingWebhook[]
  readonly flushWebhooks: () => Promise<void>
  readonly webhooks: WebhookQueue
}

/** A stateful stand-in for Mailchimp's Marketing API 3.0; paths begin `/3.0`. */
export function createMailchimpSandbox(options: MailchimpOptions): MailchimpSandbox {
  const state = createState(options)
  const audience = createAudience(state, 'Newsletter')
  const webhooks = new WebhookQueue(state, options.deliver ?? deliverByFetch, options.autoDeliver ?? false)
  const vendor: Vendor = { state, webhooks }
  const faults = faultSwitch()
  const max = options.concurrent ?? 10
  const connections = concurrencyLimit({
    max,
    refusal: () => problemResponse(tooManyConnections(max), state.ids.uuid()),
  })

  const resources = resourceRoutes(vendor, options)
  const app = errorsOf(new Hono(), state)
  app.use('/3.0/*', connections)
  app.use(faultMiddleware(faults))
  app.use('/3.0/*', async (_c, next) => (state.overloaded ? bareForbidden() : next()))
  app.use('/3.0/*', requireKey(state))
  app.route('/', batchResultRoutes(state))
  app.route(
    '/3.0',
    batchRoutes(state, options.random, (path, init) => resources.request(path, init)),
  )
  app.route('/3.0', resources)
  app.get('/3.0/', (c) => resources.request(`/${new URL(c.req.url).search}`))

  return {
    app,
    faults,
    state,
    audience,
    admin: createAdmin(vendor, audience),
    connections,
    pendingWebhooks: webhooks.pending,
    flushWebhooks: () => webhooks.flush(),
    webhooks,
  }
}

/** Everything but batches, so that the operations of a batch run without key, faults and limits. */
function resourceRoutes(vendor: Vendor, options: MailchimpOptions): Hono {
  const pageMax = options.pageMax ?? 1000
  const routes = errorsOf(new Hono(), vendor.state)
  routes.route('/', listRoutes(vendor.state))
  routes.route('/', memberRoutes(vendor, pageMax))
  routes.route('/', tagRoutes(vendor, pageMax))
  routes.route('/', batchSubscribeRoutes(vendor))
  routes.route('/', webhookRoutes(vendor.state, options.probe ?? (async () => true)))
  routes.route('/', searchRoutes(vendor.state))
  return routes
}

function errorsOf(app: Hono, state: MailchimpState): Hono {
  app.notFound(() => problemResponse(notFound(), state.ids.uuid()))
  app.onError((error) => {
    if (error instanceof Problem) return problemResponse(error, state.ids.uuid())
    throw error
  })
  return app
}

function bareForbidden(): Response {
  return new Response('<html><head><title>403 Forbidden</title></head></html>', {
    status: 403,
    headers: { 'content-type': 'text/html' },
  })
}

function createState(options: MailchimpOptions): MailchimpState {
  const ids = idSource(options.random)
  return {
    apiKey: options.apiKey ?? 'sandbox-us1',
    accountId: ids.hex(25),
    loginId: ids.hex(8),
    audiences: new Map(),
    batches: new Map(),
    overloaded: false,
    nextWebId: 1_000_001,
    ids,
    now: options.now,
  }
}

function createAudience(state: MailchimpState, name: string): Audience {
  const audience: Audience = {
    id: state.ids.hex(10),
    webId: state.nextWebId++,
    name,
    createdAt: state.now(),
    members: new Map(),
    membersByContactId: new Map(),
    order: [],
    version: 0,
    forgotten: new Set(),
    mergeFields: standardMergeFields(),
    marketingPermissions: [],
    tagIds: new Map(),
    webhooks: new Map(),
    confirmationMails: [],
  }
  state.audiences.set(audience.id, audience)
  return audience
}
