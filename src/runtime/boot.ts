import { readdir, readFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Configuration } from '../core/stream.ts'
import type { Connector } from '../connectors/connector.ts'
import { loadConfiguration, type Catalog } from '../mappings/load.ts'
import { formatProblem, type Problem } from '../mappings/problem.ts'
import { activeConfig, applyConfig, type ConfigFiles } from '../store/config-versions.ts'
import { openDatabase, type Database } from '../store/database.ts'
import { openEmbedded } from '../store/embedded.ts'
import { migrate } from '../store/migrate.ts'
import { localKey, openVault, SecretError, type Vault } from '../store/secrets.ts'
import { adoptShapes } from './approval.ts'
import type { Clock } from './clock.ts'
import type { Hub, Progress } from './hub.ts'
import { keepHeapSmall } from './memory.ts'
import { openHub } from './open.ts'

/** What a process of Concord is told by its environment. */
export type Environment = {
  /** Holds the embedded database and its key. */
  readonly dir: string
  /** A server of one's own instead of the embedded database. */
  readonly databaseUrl: string | null
  /** Comma-separated, the current key first; required with `databaseUrl`. */
  readonly secretKeys: string | null
}

export type BootOptions = {
  readonly environment: Environment
  readonly connectors: Readonly<Record<string, Connector>>
  /** The folder with the configuration that ships; it becomes version 1 of an empty hub. */
  readonly shipped: string
  readonly log: Logger
  readonly stopping?: AbortSignal
  readonly progress?: (event: Progress) => void
  readonly clock?: Clock
  readonly transport?: typeof fetch
}

/** The migrated database with the key to its secrets; no configuration is read yet. */
export type OpenStore = {
  readonly db: Database
  readonly vault: Vault
  readonly url: string
  /** How many keys are known: more than one while one is rotated out. */
  readonly keys: number
  /** This process started the embedded server. */
  readonly ownsServer: boolean
  /**
   * Closes the database, and stops the embedded server where this process started it. Other processes that joined the
   * server are waited for, at most `patienceMs` and until `enough` aborts; `waiting` is called once if there are any.
   */
  close(patienceMs?: number, waiting?: () => void, enough?: AbortSignal): Promise<void>
}

export type Booted = OpenStore & {
  readonly hub: Hub
  /** Version of the active configuration. */
  readonly configVersion: number
  /** Compiles the files of another version. Throws a `ConfigError` with every problem. */
  compile(files: ConfigFiles): Configuration
  /** Another hub over the same state. */
  reopen(configuration: Configuration, options: ReopenOptions): Promise<Hub>
}

export type ReopenOptions = { readonly knownVersion: () => number; readonly stopping: AbortSignal }

/** The active configuration does not load any more, or the shipped one never did. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Opens the database (embedded unless a server is named) and brings it up to date. */
export async function openStore(environment: Environment, log: Logger): Promise<OpenStore> {
  if (environment.databaseUrl !== null && environment.secretKeys === null) {
    throw new SecretError(
      'CONCORD_SECRET_KEY is not set. Fix: with DATABASE_URL it is required, as the key must not live beside the data; make one with `openssl rand -base64 32`.',
    )
  }
  const server = await openServer(environment, log)
  try {
    await migrate(server.url)
    const keys = await keysOf(environment)
    const vault = openVault(keys)
    const db = openDatabase(server.url)
    return {
      db,
      vault,
      url: server.url,
      keys: keys.length,
      ownsServer: server.ownsServer,
      async close(patienceMs = Number.POSITIVE_INFINITY, waiting = () => undefined, enough) {
        await db.close()
        if (server.ownsServer) await othersLeave(server.url, patienceMs, waiting, enough)
        await server.stop()
      },
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** Opens the store and puts the hub together. */
export async function boot(options: BootOptions): Promise<Booted> {
  keepHeapSmall()
  const store = await openStore(options.environment, options.log)
  try {
    const active = await activeOrShipped(store.db, options)
    const configuration = compile(active.files, options.connectors)
    const open = { ...options, db: store.db, vault: store.vault }
    const hub = await openHub({ ...open, configuration, knownVersion: () => active.version })
    await adoptShapes(hub)
    return {
      ...store,
      hub,
      configVersion: active.version,
      compile: (files) => compile(files, options.connectors),
      reopen: (other, more) => openHub({ ...open, ...more, configuration: other }),
    }
  } catch (error) {
    await store.close(0)
    throw error
  }
}

const OTHERS_POLL_MS = 250

/** Waits for the other processes that work on our embedded server: it goes down with us. */
async function othersLeave(
  url: string,
  patienceMs: number,
  waiting: () => void,
  enough?: AbortSignal,
): Promise<void> {
  const db = openDatabase(url, 1)
  try {
    const until = Date.now() + patienceMs
    for (let told = false; Date.now() < until && enough?.aborted !== true; told = true) {
      const [others] = await db.sql<{ count: number }[]>`
        select count(*) as count from pg_stat_activity
        where datname = current_database() and application_name = 'concord' and pid <> pg_backend_pid()`
      if ((others?.count ?? 0) === 0) return
      if (!told) waiting()
      await sleep(OTHERS_POLL_MS)
    }
  } finally {
    await db.close()
  }
}

async function openServer(
  { databaseUrl, dir }: Environment,
  log: Logger,
): Promise<{ readonly url: string; readonly ownsServer: boolean; stop(): Promise<void> }> {
  if (databaseUrl !== null) return { url: databaseUrl, ownsServer: false, stop: async () => undefined }
  await mkdir(dir, { recursive: true })
  return openEmbedded({ dir: path.join(dir, 'postgres'), log: (line) => log.debug(line) })
}

async function keysOf({ secretKeys, dir }: Environment): Promise<readonly string[]> {
  if (secretKeys === null) return [await localKey(path.join(dir, 'secret.key'))]
  return secretKeys
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
}

/** The connectors and their resources, as the configuration may name them. */
export function catalogOf(connectors: Readonly<Record<string, Connector>>): Catalog {
  return {
    connectors: Object.fromEntries(
      Object.entries(connectors).map(([id, connector]) => [id, Object.keys(connector.resources)]),
    ),
    keepsArchived: Object.fromEntries(
      Object.entries(connectors).map(([id, { resources }]) => [
        id,
        Object.fromEntries(
          Object.entries(resources).flatMap(([name, { push }]) =>
            push?.keepsArchived === undefined ? [] : [[name, push.keepsArchived]],
          ),
        ),
      ]),
    ),
    mail: Object.keys(connectors).filter((id) => connectors[id]?.mail !== undefined),
  }
}

/** Compiles a configuration's files. Throws a `ConfigError` with every problem. */
export function compile(files: ConfigFiles, connectors: Readonly<Record<string, Connector>>): Configuration {
  const sources = Object.entries(files).map(([name, text]) => ({ name, text }))
  const loaded = loadConfiguration(sources, catalogOf(connectors))
  if (loaded.kind === 'problems') throw new ConfigError(loaded.problems)
  return loaded.configuration
}

/** The YAML files of a folder, by name. */
export async function readConfigFolder(folder: string): Promise<ConfigFiles> {
  const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).toSorted()
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')))
  return Object.fromEntries(names.map((name, i) => [name, texts[i] ?? '']))
}

/** The active configuration; of an empty hub, the shipped one as version 1. */
export async function activeOrShipped(
  db: Database,
  { shipped }: Pick<BootOptions, 'shipped'>,
): Promise<{ readonly version: number; readonly files: ConfigFiles }> {
  const active = await activeConfig(db.sql)
  if (active !== undefined) return active
  const files = await readConfigFolder(shipped)
  await applyConfig(db.sql, 0, files, 'shipped', Date.now())
  return (await activeConfig(db.sql)) ?? { version: 1, files }
}
