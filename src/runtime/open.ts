import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Configuration } from '../core/stream.ts'
import type { Connector, Io } from '../connectors/connector.ts'
import { clientFingerprint, readConnection, readSecrets, pauseUntil } from '../store/connections.ts'
import type { Database } from '../store/database.ts'
import { mailHasher, type Hasher } from '../store/mail/key.ts'
import type { Vault } from '../store/secrets.ts'
import { ensureStreams, listStreams } from '../store/streams.ts'
import { ALL_MAIL } from './approval.ts'
import { openClient } from './client/client.ts'
import { tokenStore } from './client/token-store.ts'
import { systemClock, type Clock } from './clock.ts'
import { databaseSession, type Hub, type MailTarget, type Progress, type Target } from './hub.ts'

export type HubOptions = {
  readonly db: Database
  readonly vault: Vault
  readonly log: Logger
  readonly connectors: Readonly<Record<string, Connector>>
  readonly configuration: Configuration
  /** See `Hub`. */
  readonly knownVersion?: () => number
  /** How requests leave; the real `fetch` unless a test or the simulation stands in. */
  readonly transport?: typeof fetch
  readonly clock?: Clock
  readonly random?: () => number
  readonly uuid?: () => string
  readonly stopping?: AbortSignal
  readonly progress?: (event: Progress) => void
}

/** Puts a hub together over a migrated database. Makes the rows of streams that are new in the configuration. */
export async function openHub(options: HubOptions): Promise<Hub> {
  const { db, configuration, connectors } = options
  const clock = options.clock ?? systemClock
  const stopping = options.stopping ?? new AbortController().signal
  const clients = new Map<string, { readonly fingerprint: string; readonly io: Promise<Io> }>()
  let hasher: Promise<Hasher> | undefined
  const hub: Hub = {
    db,
    session: databaseSession(db),
    clock,
    random: options.random ?? Math.random,
    uuid: options.uuid ?? randomUUID,
    log: options.log,
    vault: options.vault,
    configuration,
    knownVersion: options.knownVersion ?? (() => null),
    targets: await openTargets(db, configuration, connectors),
    mails: mailsOf(configuration, connectors),
    mailHash() {
      hasher ??= mailHasher(db.beside, options.vault)
      // A key that could not be opened may be there at the next call.
      hasher.catch(() => (hasher = undefined))
      return hasher
    },
    async io(connection) {
      // Credentials and settings may be given anew, by another process too.
      const fingerprint = await clientFingerprint(db.sql, options.vault, connection)
      const known = clients.get(connection)
      if (known !== undefined && known.fingerprint === fingerprint) return known.io
      const io = openIo(hub, options, connection, stopping)
      clients.set(connection, { fingerprint, io })
      // A connection added later is found at the next call.
      io.catch(() => clients.delete(connection))
      return io
    },
    stopping,
    progress: options.progress ?? (() => undefined),
    preview: false,
    planning: null,
  }
  return hub
}

async function openTargets(
  db: Database,
  configuration: Configuration,
  connectors: Readonly<Record<string, Connector>>,
): Promise<readonly Target[]> {
  const streams = configuration.connections.flatMap((c) =>
    c.streams.map((stream) => ({ stream, connector: c.connector })),
  )
  const mailed = configuration.connections.filter(({ mail }) => mail !== null)
  await ensureStreams(db.sql, [
    ...streams.map(({ stream }) => ({ connection: stream.connection, name: stream.name })),
    ...mailed.map(({ name }) => ({ connection: name, name: ALL_MAIL })),
  ])
  const ids = new Map((await listStreams(db.sql)).map((row) => [`${row.connection}/${row.name}`, row.id]))
  return streams.flatMap(({ stream, connector: name }): Target[] => {
    const label = `${stream.connection}/${stream.name}`
    const connector = connectors[name]
    const resource = connector?.resources[stream.resource]
    const id = ids.get(label)
    if (connector === undefined || resource === undefined || id === undefined) {
      throw new Error(`${label}: connector ${name} has no resource ${stream.resource}`)
    }
    const push = stream.direction === 'in' ? null : (resource.push ?? null)
    return [{ id, stream, connector, resource, push, label }]
  })
}

function mailsOf(
  configuration: Configuration,
  connectors: Readonly<Record<string, Connector>>,
): readonly MailTarget[] {
  return configuration.connections.flatMap(({ name, connector: id, mail: config }): MailTarget[] => {
    if (config === null) return []
    const connector = connectors[id]
    if (connector?.mail === undefined)
      throw new Error(`${name}: connector ${id} has no mail. Fix: take \`mail:\` out of its file.`)
    return [{ connection: name, connector, mail: connector.mail, config }]
  })
}

/** The client of a connection, with what the store knows of it. */
async function openIo(hub: Hub, options: HubOptions, name: string, signal: AbortSignal): Promise<Io> {
  const row = await readConnection(hub.db.sql, name)
  const connector = row === undefined ? undefined : options.connectors[row.connector]
  if (row === undefined || connector === undefined) throw new Error(`no connection is called ${name}`)
  const configured = hub.configuration.connections.find((c) => c.name === name)?.settings ?? {}
  const { io } = openClient({
    connector,
    connection: name,
    secrets: await readSecrets(hub.db.sql, hub.vault, name),
    settings: { ...configured, ...row.settings },
    transport: options.transport ?? fetch,
    clock: hub.clock,
    random: hub.random,
    log: (entry) => hub.log.debug(entry, 'request'),
    pauseUntil: (until) => pauseUntil(hub.db.sql, name, until),
    tokens: tokenStore({ sql: hub.db.sql, vault: hub.vault, connection: name }),
    signal,
  })
  return io
}
