import { createHash } from 'node:crypto'
import type { Instant, JsonObject } from '../core/json.ts'
import { jsonText, type Query } from './database.ts'
import { blankWritesByKey } from './erase-rows.ts'
import type { Vault } from './secrets.ts'

export type ConnectionState = 'ready' | 'unauthorised' | 'paused'

export type Connection = {
  readonly name: string
  readonly connector: string
  readonly accountId: string | null
  readonly label: string | null
  readonly settings: JsonObject
  readonly state: ConnectionState
  readonly problem: string | null
  /** The vendor asked to be left alone until then. */
  readonly notBefore: Instant | null
  readonly createdAt: Instant
}

const COLUMNS = `name, connector, account_id as "accountId", label, settings, state, problem, not_before as "notBefore",
  created_at as "createdAt"`
const context = (name: string) => `connection ${name}`

export async function listConnections(q: Query): Promise<readonly Connection[]> {
  return q<Connection[]>`select ${q.unsafe(COLUMNS)} from connections order by name`
}

export async function readConnection(q: Query, name: string): Promise<Connection | undefined> {
  const [row] = await q<Connection[]>`select ${q.unsafe(COLUMNS)} from connections where name = ${name}`
  return row
}

/** What vendors replace by themselves. */
const PASSING = new Set(['accessToken', 'refreshToken', 'expiresAt'])

/** Tells one state of what a person gave a connection (credentials, settings) from another; empty where there is none. */
export async function clientFingerprint(q: Query, vault: Vault, name: string): Promise<string> {
  const row = await readConnection(q, name)
  if (row === undefined) return ''
  const { connector, createdAt, settings } = row
  const given = Object.entries(await readSecrets(q, vault, name)).filter(([field]) => !PASSING.has(field))
  const state = JSON.stringify([connector, createdAt, settings, given.sort(([a], [b]) => (a < b ? -1 : 1))])
  return createHash('sha256').update(state).digest('hex')
}

/** Adds a connection, or replaces the credentials and settings of one. */
export async function saveConnection(
  q: Query,
  vault: Vault,
  connection: Pick<Connection, 'name' | 'connector' | 'accountId' | 'label' | 'settings'>,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const sealed = vault.seal(JSON.stringify(secrets), context(connection.name))
  await q`
    insert into connections (name, connector, account_id, label, settings, secrets)
    values (${connection.name}, ${connection.connector}, ${connection.accountId}, ${connection.label},
      ${jsonText(connection.settings)}::text::jsonb, ${Buffer.from(sealed)})
    on conflict (name) do update set connector = excluded.connector, account_id = excluded.account_id,
      label = excluded.label, settings = excluded.settings, secrets = excluded.secrets, state = 'ready', problem = null,
      not_before = null`
}

/** The decrypted credentials. Throws a `SecretError` where no known key opens them. */
export async function readSecrets(
  q: Query,
  vault: Vault,
  name: string,
): Promise<Readonly<Record<string, string>>> {
  const [row] = await q<
    { secrets: Uint8Array | null }[]
  >`select secrets from connections where name = ${name}`
  if (row === undefined || row.secrets === null) return {}
  const parsed: unknown = JSON.parse(vault.open(row.secrets, context(name)))
  return Object.fromEntries(
    Object.entries(parsed ?? {}).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  )
}

/** Keeps new or rotated secrets beside the others. Call it in the transaction that holds the row's lock. */
export async function mergeSecrets(
  q: Query,
  vault: Vault,
  name: string,
  changed: Readonly<Record<string, string>>,
): Promise<void> {
  const secrets = { ...(await readSecrets(q, vault, name)), ...changed }
  const sealed = vault.seal(JSON.stringify(secrets), context(name))
  await q`update connections set secrets = ${Buffer.from(sealed)} where name = ${name}`
}

export async function mergeSettings(q: Query, name: string, changed: JsonObject): Promise<void> {
  await q`update connections set settings = settings || ${jsonText(changed)}::text::jsonb where name = ${name}`
}

/** Encrypts every secret anew with the current key; returns how many were under an older one. */
export async function rotateSecrets(q: Query, vault: Vault): Promise<number> {
  const found = await q<{ name: string; secrets: Uint8Array }[]>`
    select name, secrets from connections where secrets is not null for update`
  const old = found.filter((row) => vault.isOld(row.secrets))
  for (const row of old) {
    const sealed = vault.seal(vault.open(row.secrets, context(row.name)), context(row.name))
    await q`update connections set secrets = ${Buffer.from(sealed)} where name = ${row.name}`
  }
  return old.length
}

export async function setConnectionState(
  q: Query,
  name: string,
  state: ConnectionState,
  problem: string | null,
): Promise<void> {
  await q`update connections set state = ${state}, problem = ${problem} where name = ${name}`
}

/** A pause the vendor asked for outlives the process. */
export async function pauseUntil(q: Query, name: string, until: Instant | null): Promise<void> {
  await q`update connections set not_before = ${until} where name = ${name}`
}

/**
 * Removes a connection with its streams and links. Records, history and the outbox stay; of writes with an outcome that
 * nobody knows, nobody asks any more.
 */
export async function removeConnection(q: Query, name: string, at: Instant): Promise<boolean> {
  const lost = await q<{ key: string; erased: boolean }[]>`
    update outbox set state = 'abandoned', outcome = '{"message": "the connection was removed"}', settled_at = ${at}
    where state in ('sending', 'uncertain') and stream_id in (select id from streams where connection = ${name})
    returning key, record_id in (select unnest(records) from erasures) as erased`
  await blankWritesByKey(
    q,
    lost.flatMap(({ key, erased }) => (erased ? [key] : [])),
  )
  await q`delete from links where stream_id in (select id from streams where connection = ${name})`
  await q`delete from quarantine where stream_id in (select id from streams where connection = ${name})`
  await q`delete from held_changes where stream_id in (select id from streams where connection = ${name})`
  await q`delete from webhook_events where connection = ${name}`
  await q`
    update streams set cursor = null, needs_sweep = false, held = false, harmed = null, approved = null, checked_at = null,
      moved_at = null, problem = null, approved_shape = null, applied_shape = null, first_synced_at = null
    where connection = ${name}`
  const gone = await q`delete from connections where name = ${name} returning 1`
  return gone.length === 1
}
