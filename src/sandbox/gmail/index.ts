import { createPublicKey } from 'node:crypto'
import { Hono } from 'hono'
import { type FaultSwitch, faultMiddleware, faultSwitch } from '../faults.ts'
import { SCOPES } from './access.ts'
import { answered, consentRoutes } from './consent.ts'
import { directoryRoutes } from './directory.ts'
import { GoogleError, notFound, OAuthError } from './errors.ts'
import { mailRoutes } from './mail-routes.ts'
import {
  type Deliver,
  deliverAlways,
  deliverByFetch,
  type Delivery,
  deliveryOf,
  flush,
  takeDue,
} from './notifications.ts'
import { OidcKeys, rsaKey } from './oidc.ts'
import { createPeople, type GmailPeople } from './people.ts'
import { Meter } from './quota.ts'
import {
  addMailbox,
  createState,
  type GmailState,
  type MailboxSeed,
  mailboxOf,
  type Notification,
  type Switches,
} from './state.ts'
import { type Issued, issueAccess, issueRefresh, tokenRoutes } from './tokens.ts'

export type { Delivery } from './notifications.ts'
export type { GmailPeople } from './people.ts'
export type { MailboxSeed, Switches } from './state.ts'

export type GmailOptions = {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** From 0 to 1, as Math.random: ids and gaps between history ids come from it. */
  readonly random: () => number
  readonly mailboxes?: readonly MailboxSeed[]
  /** The Cloud project's OAuth client. Any redirect address is taken where none is named. */
  readonly client?: {
    readonly id: string
    readonly secret: string
    readonly redirectUris?: readonly string[]
  }
  /** What a service account's assertion must be made out to. */
  readonly tokenUrl?: string
  /** Units a minute of one user: 6,000 for projects made since 1 May 2026. */
  readonly unitsPerUser?: number
  /** Units a minute of the whole project. */
  readonly unitsPerProject?: number
  /** Posts notifications; by HTTP when left out. */
  readonly deliver?: Deliver
  /** Notifications leave by themselves instead of waiting for `flushNotifications` or `deliveries`. */
  readonly autoDeliver?: boolean
}

export type ServiceAccountKey = {
  readonly type: 'service_account'
  readonly client_email: string
  /** PKCS 8 in PEM. */
  readonly private_key: string
  readonly private_key_id: string
  readonly token_uri: string
}

export type GmailSandbox = {
  readonly app: Hono
  readonly faults: FaultSwitch
  readonly state: GmailState
  readonly switches: Switches
  readonly people: GmailPeople
  /** Counted calls; a client that keeps to the quota has 0 `refused`. */
  readonly quota: GmailState['counts']['quota']
  /** A person has allowed the application to read this mailbox: tokens as the code flow gives them. */
  signIn(address: string, scopes?: readonly string[]): Issued
  /** The person's answer to an authorisation URL: where the browser goes. Null: they refuse. */
  consent(authorizeUrl: string, address: string | null): string
  /** A service account that the domain's admin lets act for every user. Its key file. */
  serviceAccount(email?: string, scopes?: readonly string[]): ServiceAccountKey
  /** A Pub/Sub topic with a push subscription. The audience is the endpoint unless said. */
  createTopic(
    name: string,
    push: { readonly endpoint: string; readonly audience?: string; readonly serviceAccount?: string },
  ): void
  /** Notifications not delivered yet: shuffle, repeat or drop them at will. */
  readonly pendingNotifications: Notification[]
  /** Takes the notifications that are due, signed, to be posted by the test. */
  deliveries(): Promise<readonly Delivery[]>
  /** Posts what is due; answers how many were acknowledged. The others stay. */
  flushNotifications(): Promise<number>
  /** Google signs with a new key from now on. */
  rotateKeys(): void
}

/** A stateful stand-in for Gmail, with Google's sign-in, directory and Pub/Sub pushes around it. */
export function createGmailSandbox(options: GmailOptions): GmailSandbox {
  const { now, random, client } = options
  const state = createState({
    now,
    random,
    client: { id: 'sandbox-client', secret: 'sandbox-secret', redirectUris: [], ...client },
    tokenUrl: options.tokenUrl ?? 'https://oauth2.googleapis.com/token',
  })
  for (const seed of options.mailboxes ?? []) addMailbox(state, seed)
  const meter = new Meter({
    now,
    perUser: options.unitsPerUser ?? 6_000,
    perProject: options.unitsPerProject ?? 1_200_000,
    counters: state.counts.quota,
  })
  const keys = new OidcKeys()
  const faults = faultSwitch()
  const deliver = options.deliver ?? deliverByFetch
  if (options.autoDeliver === true) deliverAlways(state, keys, deliver)

  return {
    app: appOf(state, meter, keys, faults),
    faults,
    state,
    switches: state.switches,
    people: createPeople(state),
    quota: state.counts.quota,
    signIn(address, scopes = [SCOPES.readonly]) {
      const mailbox = mailboxOf(state, address)?.address
      if (mailbox === undefined) throw new Error(`No mailbox ${address}`)
      const given = { mailbox, scopes: new Set(scopes) }
      return {
        accessToken: issueAccess(state, { ...given, actor: null }),
        refreshToken: issueRefresh(state, given),
      }
    },
    consent: (authorizeUrl, address) => answered(state, new URL(authorizeUrl).searchParams, address),
    serviceAccount(
      email = 'concord@sandbox.iam.gserviceaccount.com',
      scopes = [SCOPES.readonly, SCOPES.directory],
    ) {
      const key = rsaKey(100)
      const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
      state.serviceAccounts.set(email, { email, publicKey, scopes: new Set(scopes) })
      return {
        type: 'service_account',
        client_email: email,
        private_key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
        private_key_id: 'sandbox-service-account-key',
        token_uri: state.tokenUrl,
      }
    },
    createTopic(
      name,
      { endpoint, audience = endpoint, serviceAccount = 'push@sandbox.iam.gserviceaccount.com' },
    ) {
      const subscription = `${name.replace('/topics/', '/subscriptions/')}-push`
      state.topics.set(name, {
        name,
        subscription,
        endpoint,
        audience,
        pusher: serviceAccount,
        granted: true,
      })
    },
    pendingNotifications: state.pending,
    async deliveries() {
      const signed = takeDue(state).map((notification) => deliveryOf(state, keys, notification))
      return (await Promise.all(signed)).filter((delivery) => delivery !== null)
    },
    flushNotifications: () => flush(state, keys, deliver),
    rotateKeys: () => keys.rotate(),
  }
}

function appOf(state: GmailState, meter: Meter, keys: OidcKeys, faults: FaultSwitch): Hono {
  const app = new Hono()
  app.use(faultMiddleware(faults))
  app.route('/', tokenRoutes(state))
  app.route('/', consentRoutes(state))
  app.route('/', directoryRoutes(state))
  app.route('/', mailRoutes(state, meter))
  app.get('/oauth2/v3/certs', async (c) =>
    c.json(await keys.jwks(), 200, { 'cache-control': 'public, max-age=19204, must-revalidate' }),
  )
  app.notFound(() => notFound().response())
  app.onError((error) => {
    if (error instanceof GoogleError || error instanceof OAuthError) return error.response()
    throw error
  })
  return app
}
