import { Hono, type MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Instant } from '../../core/json.ts'
import { faultMiddleware, type FaultSwitch, faultSwitch } from '../faults.ts'
import { type AccessTokens, type Env, mailboxOf, requireToken, selfOf, userOf } from './access.ts'
import { answerBatch } from './batch.ts'
import { contactRoutes } from './contact-routes.ts'
import type { DeltaTokens } from './delta.ts'
import { errorResponse, GraphError, noSuchPath } from './errors.ts'
import { folderRoutes } from './folder-routes.ts'
import { mailboxLimits, type MailboxLimits, OUTLOOK_LIMITS } from './limits.ts'
import { messageRoutes } from './message-routes.ts'
import { createMint } from './mint.ts'
import { type Delivery, NotificationQueue, type PendingNotification } from './notifications.ts'
import { normalPath } from './path.ts'
import { type GraphPeople, graphPeople } from './people.ts'
import type { GraphState } from './state.ts'
import { subscriptionRoutes } from './subscription-routes.ts'
import { noTraps, type Switches } from './switches.ts'
import { type Application, entra } from './token-routes.ts'
import { userRoutes } from './user-routes.ts'
import { type GraphVendor, vendorActs } from './vendor-acts.ts'

export type { GraphPeople } from './people.ts'
export type { Delivery, PendingNotification } from './notifications.ts'
export type { GraphState } from './state.ts'
export { type Switches, TRAPS } from './switches.ts'

export type GraphOptions = {
  /** Epoch milliseconds. */
  readonly now: () => Instant
  /** From 0 to 1, as Math.random: ids, orders and traps come from it. */
  readonly random: () => number
  /** Addresses of the people of the tenant; more by `people.addUser`. */
  readonly users?: readonly string[]
  readonly tenant?: { readonly id: string; readonly domain: string }
  /** The application that may ask for tokens. Without redirect addresses, any is taken. */
  readonly application?: Partial<Application>
  readonly tokenSeconds?: number
  readonly limits?: MailboxLimits
  /** Posts notifications and asks for proof of their receivers; by HTTP when left out. */
  readonly deliver?: typeof fetch
  /** Notifications leave by themselves, with retries, instead of waiting for a flush. */
  readonly autoDeliver?: boolean
  /** How long a receiver has to prove itself; the vendor gives it 10 seconds. */
  readonly handshakeMs?: number
  readonly switches?: Partial<Switches>
}

export type GraphSandbox = {
  readonly app: Hono
  readonly faults: FaultSwitch
  readonly state: GraphState
  readonly switches: Switches
  readonly application: Application
  /** What people do. */
  readonly people: GraphPeople
  /** What the vendor does by itself. */
  readonly vendor: GraphVendor
  /** A token without asking for one: the application's own, or one of a person (address). */
  token(user?: string): string
  /** Every token issued so far has expired. */
  expireTokens(): void
  /** Refresh and access tokens of a person are no good any more. */
  revoke(user: string): void
  /** Requests refused for being too many. A conformant client keeps it at 0. */
  refused(): number
  /** Notifications not delivered yet: shuffle, repeat or drop them at will. */
  readonly pendingNotifications: PendingNotification[]
  /** Posts what is due; answers how many POSTs went well. */
  flushNotifications(): Promise<number>
  /** The POSTs of notifications so far, and what came of them. */
  deliveries(): readonly Delivery[]
}

const TENANT = { id: '6f0e2c1a-0b6e-4d1c-9a55-3c1d5f7e8a90', domain: 'contoso.example' }
const APPLICATION: Application = {
  id: '1b4f7d8e-52a3-4c0f-8d6b-7e9a0c2f4b61',
  secret: 'sandbox-secret',
  redirectUris: [],
}

/**
 * A stateful stand-in for Microsoft Graph v1.0 (mail, contacts, subscriptions) and Entra's token endpoint:
 * `/v1.0/...` and `/{tenant}/oauth2/v2.0/...` of one app.
 */
export function createGraphSandbox(options: GraphOptions): GraphSandbox {
  const state = createState(options)
  const application = { ...APPLICATION, ...options.application }
  const accessTokens: AccessTokens = new Map()
  const tokenSeconds = options.tokenSeconds ?? 3_599
  const login = entra(state, accessTokens, application, tokenSeconds)
  const faults = faultSwitch()
  const refuse = (error: GraphError, clientRequestId?: string) => {
    const requestId = state.mint.uuid()
    return errorResponse(error, { requestId, clientRequestId: clientRequestId ?? requestId, at: state.now() })
  }
  const errorsOf = <T extends Hono>(app: T): T => {
    app.notFound((c) => refuse(noSuchPath(c.req.path.split('/').at(-1) ?? '')))
    app.onError((error, c) => {
      if (error instanceof GraphError) return refuse(error, c.req.header('client-request-id'))
      // Not a simulated failure but a bug here: it must not pass for one.
      console.error(error)
      return refuse(new GraphError(500, 'generalException', 'The sandbox itself failed.'))
    })
    return app
  }
  const getPath = (request: Request) => normalPath(new URL(request.url).pathname)
  const limits = mailboxLimits(state, options.limits ?? OUTLOOK_LIMITS, refuse)
  const deltaTokens: DeltaTokens = new Map()
  const handshakeMs = options.handshakeMs ?? 10_000

  const resources = errorsOf(new Hono({ getPath }))
  resources.use('/v1.0/*', requireToken(state, accessTokens))
  resources.route('/v1.0', userRoutes(state))
  resources.route('/v1.0', subscriptionRoutes(state, handshakeMs))
  for (const base of ['/v1.0/me', '/v1.0/users/:user']) {
    resources.use(`${base}/*`, mailboxRequests(state, limits.middleware))
    for (const routes of [folderRoutes, messageRoutes, contactRoutes])
      resources.route(base, routes(state, deltaTokens))
  }

  const app = errorsOf(new Hono({ getPath }))
  app.use(faultMiddleware(faults))
  app.route('/', login.routes)
  app.post('/v1.0/$batch', requireToken(state, accessTokens), (c) =>
    answerBatch(state, c, async (request) => resources.fetch(request)),
  )
  app.all('/v1.0/*', (c) => resources.fetch(c.req.raw))

  const people = graphPeople(state)
  for (const address of options.users ?? []) people.addUser(address)
  const named = (address: string) => {
    const user = state.users.find((one) => one.address === address.toLowerCase())
    if (user === undefined) throw new Error(`No user ${address}`)
    return user
  }
  return {
    app,
    faults,
    state,
    switches: state.switches,
    application,
    people,
    vendor: vendorActs(state),
    token(address) {
      const text = `eyJ0.${state.mint.token()}.${state.mint.token()}`
      const access =
        address === undefined
          ? ({ kind: 'application', appId: application.id } as const)
          : ({ kind: 'delegated', appId: application.id, user: named(address) } as const)
      accessTokens.set(text, { access, expiresAt: state.now() + tokenSeconds * 1000 })
      return text
    },
    expireTokens() {
      for (const [text, { access }] of accessTokens)
        accessTokens.set(text, { access, expiresAt: state.now() })
    },
    revoke: (address) => login.revoke(named(address)),
    refused: () => limits.refused(),
    pendingNotifications: state.notifications.pending,
    flushNotifications: () => state.notifications.flush(),
    deliveries: () => state.notifications.deliveries(),
  }
}

function mailboxRequests(state: GraphState, limit: MiddlewareHandler<Env>) {
  return createMiddleware<Env>(async (c, next) => {
    const access = c.get('access')
    const name = c.req.param('user')
    // The user as such is the directory's, not the mailbox's.
    if (c.req.path.split('/').length <= (name === undefined ? 3 : 4)) return next()
    const user = name === undefined ? selfOf(access) : userOf(state, access, name)
    c.set('mailbox', mailboxOf(state, access, user))
    return limit(c, next)
  })
}

function createState(options: GraphOptions): GraphState {
  const state: GraphState = {
    now: options.now,
    random: options.random,
    mint: createMint(options.random),
    switches: { ...noTraps(), ...options.switches },
    tenant: options.tenant ?? TENANT,
    users: [],
    mailboxes: new Map(),
    subscriptions: new Map(),
    notifications: new NotificationQueue(() => state, options.deliver ?? fetch, options.autoDeliver ?? false),
    nextKey: 1,
  }
  return state
}
