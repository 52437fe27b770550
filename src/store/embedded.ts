import { mkdir, readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { type Binaries, findBinaries } from './embedded/binaries.ts'
import { type Cluster, ensureCluster, failIfFull, USER } from './embedded/cluster.ts'
import { EmbeddedError, errorCode, fileSystemFailure } from './embedded/errors.ts'
import { chooseLauncher, type Launcher } from './embedded/launcher.ts'
import { choosePort, listenOnce } from './embedded/port.ts'
import { forget, sight } from './embedded/postmaster.ts'
import { logPath, startServer } from './embedded/server.ts'

export { EmbeddedError } from './embedded/errors.ts'

export type EmbeddedOptions = {
  /** Holds the data, the password and the server's log; made when missing. */
  readonly dir: string
  /** A loopback port to insist on; otherwise a free one. */
  readonly port?: number
  /** `false` trades safety for speed: tests only. */
  readonly durable?: boolean
  readonly log?: (line: string) => void
}

export type Embedded = {
  readonly url: string
  /** Whether this process started the server: then it ends with this process, however that ends. */
  readonly ownsServer: boolean
  readonly stop: () => Promise<void>
}

const DATABASE = 'concord'
const POLL_MS = 20
const RETRY_MS = 200
/** After a kill -9 of the server its memory may stay in use for a moment, and a start is refused. */
const KEEP_TRYING_MS = 8_000
/** How long another process's server may take to recover, or to shut down. */
const OTHERS_PATIENCE_MS = 180_000

/**
 * The embedded PostgreSQL of a folder: started when nobody has, otherwise joined. No lock of our own decides
 * who starts: PostgreSQL lets only one server have a data folder, and whoever loses joins the winner.
 * Throws EmbeddedError.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  try {
    return await open(options)
  } catch (error) {
    throw fileSystemFailure(error, options.dir)
  }
}

async function open({
  dir,
  port,
  durable = true,
  log = () => undefined,
}: EmbeddedOptions): Promise<Embedded> {
  const binaries = await findBinaries()
  await mkdir(path.dirname(dir), { recursive: true })
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const home = await realpath(dir)
  const launcher = await chooseLauncher(home)
  const cluster = await ensureCluster({ dir: home, binaries, launcher, durable })

  const serving: Serving = { cluster, binaries, launcher, durable }

  const openedAt = Date.now()
  let refusedAt: number | null = null
  for (;;) {
    const seen = await sight(cluster.pgdata)
    switch (seen.kind) {
      case 'ready': {
        const url = await join(cluster, seen.port)
        if (url === null) break
        log(`joined the embedded PostgreSQL on port ${seen.port}`)
        return { url, ownsServer: false, stop: async () => undefined }
      }
      case 'stale':
        await forget(cluster.pgdata, seen)
        break
      case 'starting':
      case 'stopping':
        if (Date.now() - openedAt > OTHERS_PATIENCE_MS) throw await startFailed(cluster)
        await sleep(POLL_MS)
        break
      case 'none': {
        const started = await start(serving, port)
        if (started !== null) {
          log(`started the embedded PostgreSQL, data in ${cluster.pgdata}`)
          return started
        }
        refusedAt ??= Date.now()
        if (Date.now() - refusedAt > KEEP_TRYING_MS) throw await startFailed(cluster)
        await sleep(RETRY_MS)
      }
    }
  }
}

type Serving = { cluster: Cluster; binaries: Binaries; launcher: Launcher; durable: boolean }

/** Null when another process was quicker, or PostgreSQL refused. */
async function start(serving: Serving, wanted: number | undefined): Promise<Embedded | null> {
  const { cluster } = serving
  if (wanted !== undefined && (await listenOnce(wanted)) === null) {
    if ((await sight(cluster.pgdata)).kind !== 'none') return null
    const message = `Port ${wanted} on 127.0.0.1 is taken, so ${cluster.pgdata} cannot be served there.`
    throw new EmbeddedError('port-in-use', message)
  }
  const server = await startServer({ ...serving, port: wanted ?? (await choosePort(cluster)) })
  if (server === null) return null
  let url: string | null = null
  try {
    url = await join(cluster, server.port)
  } finally {
    if (url === null) await server.stop()
  }
  return url === null ? null : { url, ownsServer: true, stop: server.stop }
}

async function startFailed(cluster: Cluster): Promise<EmbeddedError> {
  await failIfFull(cluster.home)
  const file = logPath(cluster)
  const tail = (await readFile(file, 'utf8').catch(() => '')).trim().split('\n').slice(-8).join('\n')
  return new EmbeddedError(
    'start-failed',
    `PostgreSQL does not start on ${cluster.pgdata}. From ${file}:\n${tail}`,
  )
}

/** The address of our database on that port, made when missing; null where no server answers (any more). */
async function join(cluster: Cluster, port: number): Promise<string | null> {
  const server = `postgres://${USER}:${cluster.password}@127.0.0.1:${port}`
  const sql = postgres(`${server}/postgres`, { max: 1, connect_timeout: 10, onnotice: () => undefined })
  try {
    const [row] = await sql<{ served: string; exists: boolean }[]>`
      select current_setting('data_directory') as served,
             exists (select from pg_database where datname = ${DATABASE}) as exists`
    if (row?.served !== cluster.pgdata) {
      throw new EmbeddedError('start-failed', `Port ${port} serves ${row?.served}, not ${cluster.pgdata}.`)
    }
    if (!row.exists) await sql.unsafe(`create database ${DATABASE}`).catch(ignoreExisting)
    return `${server}/${DATABASE}`
  } catch (error) {
    if (!GONE.has(errorCode(error) ?? '')) throw error
    await sleep(POLL_MS)
    return null
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Refused, cut off, shutting down (57P01), starting up or recovering (57P03). */
const GONE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  '57P01',
  '57P03',
])

/** Two processes creating it at once: duplicate_database, or its unique index. */
function ignoreExisting(error: unknown): void {
  const code = errorCode(error)
  if (code !== '42P04' && code !== '23505') throw error
}
