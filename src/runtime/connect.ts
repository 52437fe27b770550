import { randomBytes } from 'node:crypto'
import type { JsonObject } from '../core/json.ts'
import { failureOf, VendorError, type Connector, type Io } from '../connectors/connector.ts'
import {
  listConnections,
  mergeSecrets,
  mergeSettings,
  readConnection,
  readSecrets,
  removeConnection,
  saveConnection,
  type Connection,
} from '../store/connections.ts'
import { hadStreams } from '../store/streams.ts'
import { closeOfConnection } from '../store/inbox.ts'
import { renewSubscriptions } from '../store/mail/mailboxes.ts'
import type { Secrets } from './client/auth.ts'
import { openClient } from './client/client.ts'
import { tokenSecrets, type TokenStore } from './client/oauth.ts'
import { openScrubber } from './client/redact.ts'
import { tokenStore } from './client/token-store.ts'
import { connectionRestored } from './cycle.ts'
import { holding } from './hold.ts'
import type { Hub } from './hub.ts'
import { fieldsOf, type Way, waysOf, withoutOthers } from './ways.ts'
import { WEBHOOK_URL } from './webhook-address.ts'

export type Connectors = Readonly<Record<string, Connector>>

/** A connection as the configuration names it, with its connector. */
export type Plug = {
  readonly name: string
  readonly connectorId: string
  readonly connector: Connector
  /** As in the YAML. */
  readonly settings: JsonObject
  /** How it may be authorised. */
  readonly ways: readonly Way[]
  /** Every credential that a person may give, whatever the way. */
  readonly fields: readonly string[]
  readonly hasWebhooks: boolean
}

export type Added =
  | { readonly kind: 'added'; readonly label: string; readonly accountId: string; readonly again: boolean }
  /** The vendor refuses the credentials or a setting; nothing was saved. */
  | { readonly kind: 'refused'; readonly field: string | null; readonly message: string }
  /** The credentials are of another account than before, whose objects the links name. */
  | { readonly kind: 'other-account'; readonly before: string; readonly now: string }

export type Given = {
  readonly secrets: Secrets
  readonly settings: JsonObject
  /** The way that the credentials are for: those of other ways are forgotten. */
  readonly way?: Way
  readonly transport?: typeof fetch
}

/** Undefined where the active configuration has no such connection. */
export function plugOf(hub: Hub, connectors: Connectors, name: string): Plug | undefined {
  const configured = hub.configuration.connections.find((c) => c.name === name)
  const connector = configured === undefined ? undefined : connectors[configured.connector]
  if (configured === undefined || connector === undefined) return undefined
  const ways = waysOf(connector.auth)
  return {
    name,
    connectorId: configured.connector,
    connector,
    settings: configured.settings,
    ways,
    fields: [...new Set(ways.flatMap(fieldsOf))],
    hasWebhooks: connector.webhooks?.subscribe !== undefined || connector.mail?.subscribe !== undefined,
  }
}

/** What is stored of a connection, before it is given anew. */
export type Stored = {
  readonly secrets: Secrets
  readonly settings: JsonObject
  /** Whether its vendor still takes what is stored. */
  readonly isAuthorised: boolean
}

export async function storedOf(hub: Hub, name: string): Promise<Stored> {
  const row = await readConnection(hub.db.sql, name)
  return {
    secrets: await readSecrets(hub.db.sql, hub.vault, name),
    settings: row?.settings ?? {},
    isAuthorised: row !== undefined && row.state !== 'unauthorised',
  }
}

export async function connectionsOf(hub: Hub): Promise<readonly Connection[]> {
  return listConnections(hub.db.sql)
}

/** Proves the credentials at the vendor, and saves them only then. What is not given anew stays as it was. */
/** Whether a connection is configured or added, or once was: what it did stays when it is removed. */
export async function isKnownConnection(hub: Hub, name: string): Promise<boolean> {
  const known = [...hub.configuration.connections, ...(await connectionsOf(hub))]
  return known.some((one) => one.name === name) || hadStreams(hub.session.q, name)
}

export async function addConnection(hub: Hub, plug: Plug, given: Given): Promise<Added> {
  const { auth } = plug.connector
  const before = await readConnection(hub.db.sql, plug.name)
  const joined = (stored: Secrets): Secrets => {
    const all = { ...stored, ...given.secrets }
    return given.way === undefined ? all : withoutOthers(auth, given.way, all)
  }
  const secrets = joined(await readSecrets(hub.db.sql, hub.vault, plug.name))
  const stored = { ...before?.settings, ...given.settings }
  const settings = { ...plug.settings, ...stored }
  const fresh = bringsTokens(given.secrets) ? passingTokens(plug.name, secrets) : null
  const checked = await check(
    clientOf(hub, plug, secrets, settings, given.transport, fresh?.store),
    plug.connector,
    secrets,
  )
  if (checked.kind === 'refused') return checked
  const { accountId, label } = checked
  const known = before?.accountId ?? null
  if (known !== null && auth.kind !== 'none' && known !== accountId) {
    return { kind: 'other-account', before: before?.label ?? known, now: label }
  }
  const connection = { name: plug.name, connector: plug.connectorId, accountId, label, settings: stored }
  await hub.db.sql.begin(async (tx) => {
    await tx`select 1 from connections where name = ${plug.name} for update`
    // Read again: tokens may have been refreshed meanwhile, here or by a worker, and the old ones used up by that.
    const now = joined(await readSecrets(tx, hub.vault, plug.name))
    await saveConnection(tx, hub.vault, connection, { ...now, ...fresh?.tokens() })
    // A setting such as Gmail's topic may be what they waited for.
    await renewSubscriptions(tx, plug.name)
  })
  await connectionRestored(hub, plug.name)
  return { kind: 'added', label, accountId, again: before !== undefined }
}

const bringsTokens = ({ refreshToken, accessToken }: Secrets): boolean =>
  refreshToken !== undefined || accessToken !== undefined

/** Tokens of a connection that is not saved yet: its row is no place for them, nor for those of another account. */
function passingTokens(name: string, secrets: Secrets): { readonly store: TokenStore; tokens(): Secrets } {
  let tokens: Secrets = {}
  return {
    tokens: () => tokens,
    store: {
      async refresh(_stale, refresh) {
        const refreshToken = tokens['refreshToken'] ?? secrets['refreshToken']
        if (refreshToken === undefined)
          throw new VendorError({
            kind: 'auth',
            message: `The accessToken is refused, and there is no refreshToken to renew it with. Give one as well, or authorise ${name} in a browser, with --browser.`,
          })
        const next = await refresh(refreshToken)
        tokens = { ...tokens, ...tokenSecrets(next) }
        return next.accessToken
      },
    },
  }
}

export type Checked =
  | { readonly kind: 'works'; readonly accountId: string; readonly label: string }
  | { readonly kind: 'refused'; readonly field: string | null; readonly message: string }

/** Whether a connection's stored credentials and settings work. Changes nothing. */
export async function checkConnection(hub: Hub, plug: Plug, transport?: typeof fetch): Promise<Checked> {
  const row = await readConnection(hub.db.sql, plug.name)
  if (row === undefined) return { kind: 'refused', field: null, message: `${plug.name} was not added yet` }
  const secrets = await readSecrets(hub.db.sql, hub.vault, plug.name)
  const settings = { ...plug.settings, ...row.settings }
  return check(clientOf(hub, plug, secrets, settings, transport), plug.connector, secrets)
}

/**
 * Asks the vendor to call `url`, and keeps it with the secret that such calls are verified with. Subscriptions of single
 * mailboxes are asked for when their mail is read.
 */
export async function subscribeWebhook(
  hub: Hub,
  plug: Plug,
  url: string,
  transport?: typeof fetch,
): Promise<Checked> {
  const { webhooks, mail } = plug.connector
  const row = await readConnection(hub.db.sql, plug.name)
  if (!plug.hasWebhooks || row === undefined) {
    return { kind: 'refused', field: null, message: `${plug.connectorId} sends no webhooks; it is polled` }
  }
  const secrets = await readSecrets(hub.db.sql, hub.vault, plug.name)
  const settings = { ...plug.settings, ...row.settings }
  const io = clientOf(hub, plug, secrets, settings, transport)
  const isOurs = webhooks?.secretInUrl === true || mail?.subscribe !== undefined
  const own = isOurs ? secrets['webhookSecret']?.trim() || randomBytes(24).toString('base64url') : null
  const address = new URL(url)
  if (own !== null && webhooks?.secretInUrl === true) address.searchParams.set('secret', own)
  const told = own === null ? [] : [own]
  try {
    // Kept first: the vendor may call while it is being asked.
    if (own !== null) await keep(hub, plug.name, own)
    const subscribed = await webhooks?.subscribe?.(io, address.href, own)
    if (subscribed !== undefined && subscribed.secret !== null) await keep(hub, plug.name, subscribed.secret)
    await mergeSettings(hub.db.sql, plug.name, { [WEBHOOK_URL]: url })
    await renewSubscriptions(hub.db.sql, plug.name)
    return { kind: 'works', accountId: row.accountId ?? '', label: url }
  } catch (error) {
    return refusedBy(error, [...Object.values(secrets), ...told])
  }
}

const keep = (hub: Hub, name: string, secret: string): Promise<void> =>
  hub.db.sql.begin(async (tx) => {
    await tx`select 1 from connections where name = ${name} for update`
    await mergeSecrets(tx, hub.vault, name, { webhookSecret: secret })
  })

/** Takes a connection out with its links; records and their history stay. False where there was none. */
export async function dropConnection(hub: Hub, name: string): Promise<boolean> {
  const gone = await holding(hub, [name], () =>
    hub.db.sql.begin(async (tx) => {
      await closeOfConnection(tx, name, hub.clock.now())
      return removeConnection(tx, name, hub.clock.now())
    }),
  )
  if (gone) await connectionRestored(hub, name)
  return gone
}

function clientOf(
  hub: Hub,
  plug: Plug,
  secrets: Secrets,
  settings: JsonObject,
  transport: typeof fetch = fetch,
  tokens: TokenStore = tokenStore({ sql: hub.db.sql, vault: hub.vault, connection: plug.name }),
): Io {
  const { io } = openClient({
    connector: plug.connector,
    connection: plug.name,
    secrets,
    settings,
    transport,
    clock: hub.clock,
    random: hub.random,
    log: (entry) => hub.log.debug(entry, 'request'),
    pauseUntil: async () => undefined,
    tokens,
    signal: hub.stopping,
  })
  return io
}

async function check(io: Io, connector: Connector, secrets: Secrets): Promise<Checked> {
  try {
    return { kind: 'works', ...(await connector.check(io)) }
  } catch (error) {
    return refusedBy(error, Object.values(secrets))
  }
}

/** What the vendor said, with no credential in it. A bug is thrown on. */
export function refusedBy(error: unknown, secrets: readonly string[]): Extract<Checked, { kind: 'refused' }> {
  const failure = failureOf(error)
  if (failure === null) throw error
  const field = failure.kind === 'rejected' ? failure.field : null
  return { kind: 'refused', field, message: openScrubber(secrets).scrub(failure.message) }
}
