import { randomBytes } from 'node:crypto'
import type { JsonObject } from '../core/json.ts'
import { failureOf, type Connector, type Io } from '../connectors/connector.ts'
import {
  listConnections,
  mergeSecrets,
  readConnection,
  readSecrets,
  removeConnection,
  saveConnection,
  type Connection,
} from '../store/connections.ts'
import { openClient } from './client/client.ts'
import { openScrubber } from './client/redact.ts'
import { tokenStore } from './client/token-store.ts'
import { connectionRestored } from './cycle.ts'
import { holding } from './hold.ts'
import type { Hub } from './hub.ts'

export type Connectors = Readonly<Record<string, Connector>>
type Secrets = Readonly<Record<string, string>>

/** A connection as the configuration names it, with its connector. */
export type Plug = {
  readonly name: string
  readonly connectorId: string
  readonly connector: Connector
  /** As in the YAML. */
  readonly settings: JsonObject
  /** The credentials a person gives. */
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
  readonly transport?: typeof fetch
}

/** Undefined where the active configuration has no such connection. */
export function plugOf(hub: Hub, connectors: Connectors, name: string): Plug | undefined {
  const configured = hub.configuration.connections.find((c) => c.name === name)
  const connector = configured === undefined ? undefined : connectors[configured.connector]
  if (configured === undefined || connector === undefined) return undefined
  return {
    name,
    connectorId: configured.connector,
    connector,
    settings: configured.settings,
    fields: connector.auth.kind === 'apiKey' ? connector.auth.fields : [],
    hasWebhooks: connector.webhooks?.subscribe !== undefined,
  }
}

/** Which credentials are stored already, by field name. */
export async function storedFields(hub: Hub, name: string): Promise<readonly string[]> {
  return Object.keys(await readSecrets(hub.db.sql, hub.vault, name))
}

export async function connectionsOf(hub: Hub): Promise<readonly Connection[]> {
  return listConnections(hub.db.sql)
}

/** Proves the credentials at the vendor, and saves them only then. What is not given anew stays as it was. */
export async function addConnection(hub: Hub, plug: Plug, given: Given): Promise<Added> {
  const before = await readConnection(hub.db.sql, plug.name)
  const secrets = { ...(await readSecrets(hub.db.sql, hub.vault, plug.name)), ...given.secrets }
  const stored = { ...before?.settings, ...given.settings }
  const settings = { ...plug.settings, ...stored }
  const checked = await check(
    clientOf(hub, plug, secrets, settings, given.transport),
    plug.connector,
    secrets,
  )
  if (checked.kind === 'refused') return checked
  const { accountId, label } = checked
  const known = before?.accountId ?? null
  if (known !== null && plug.connector.auth.kind !== 'none' && known !== accountId) {
    return { kind: 'other-account', before: before?.label ?? known, now: label }
  }
  const connection = { name: plug.name, connector: plug.connectorId, accountId, label, settings: stored }
  await saveConnection(hub.db.sql, hub.vault, connection, secrets)
  await connectionRestored(hub, plug.name)
  return { kind: 'added', label, accountId, again: before !== undefined }
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

/** Asks the vendor to call `url` and keeps the secret that such calls are verified with. */
export async function subscribeWebhook(
  hub: Hub,
  plug: Plug,
  url: string,
  transport?: typeof fetch,
): Promise<Checked> {
  const { webhooks } = plug.connector
  const row = await readConnection(hub.db.sql, plug.name)
  if (webhooks?.subscribe === undefined || row === undefined) {
    return { kind: 'refused', field: null, message: `${plug.connectorId} sends no webhooks; it is polled` }
  }
  const secrets = await readSecrets(hub.db.sql, hub.vault, plug.name)
  const io = clientOf(hub, plug, secrets, { ...plug.settings, ...row.settings }, transport)
  const own =
    webhooks.secretInUrl === true ? (secrets['webhookSecret'] ?? randomBytes(24).toString('base64url')) : null
  const address = new URL(url)
  if (own !== null) address.searchParams.set('secret', own)
  const told = own === null ? [] : [own]
  try {
    // Kept first: the vendor may call while it is being asked.
    if (own !== null) await keep(hub, plug.name, own)
    const { secret } = await webhooks.subscribe(io, address.href, own)
    if (secret !== null) await keep(hub, plug.name, secret)
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
  const gone = await holding(hub, name, () => hub.db.sql.begin((tx) => removeConnection(tx, name)))
  if (gone) await connectionRestored(hub, name)
  return gone
}

function clientOf(
  hub: Hub,
  plug: Plug,
  secrets: Secrets,
  settings: JsonObject,
  transport: typeof fetch = fetch,
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
    tokens: tokenStore({ sql: hub.db.sql, vault: hub.vault, connection: plug.name }),
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
function refusedBy(error: unknown, secrets: readonly string[]): Checked {
  const failure = failureOf(error)
  if (failure === null) throw error
  const field = failure.kind === 'rejected' ? failure.field : null
  return { kind: 'refused', field, message: openScrubber(secrets).scrub(failure.message) }
}
