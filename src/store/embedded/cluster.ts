import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Binaries } from './binaries.ts'
import { EmbeddedError, errorCode } from './errors.ts'
import { commandLine, handOver, type Launcher } from './launcher.ts'
import { isAlive } from './postmaster.ts'

/** A data folder made by initdb, with its superuser's password kept beside it (mode 0600). */
export type Cluster = { home: string; pgdata: string; password: string }

export const USER = 'concord'
const MAJOR = '18'
const ROOM_NEEDED_BYTES = 64 * 1024 * 1024
/** pg_trgm drops every non-ASCII letter where LC_CTYPE is plain C, so that one comes last. */
const CTYPES = ['C.UTF-8', 'en_US.UTF-8', 'C']

type Making = { dir: string; binaries: Binaries; launcher: Launcher; durable: boolean }

/**
 * The cluster in `dir`, made when there is none. It is made aside and renamed into place, so it is there
 * whole or not at all, whoever else is making it at the same moment and wherever a crash falls.
 */
export async function ensureCluster(making: Making): Promise<Cluster> {
  const home = path.join(making.dir, 'postgres')
  const found = await readCluster(home)
  if (found !== null) return found

  await removeAbandoned(making.dir)
  const aside = path.join(making.dir, `init-${process.pid}-${randomBytes(4).toString('hex')}`)
  try {
    await makeCluster(making, aside)
    await rename(aside, home).catch(ignoreTaken)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  const made = await readCluster(home)
  if (made === null) throw new EmbeddedError('start-failed', `The database folder ${home} vanished.`)
  return made
}

async function readCluster(home: string): Promise<Cluster | null> {
  const pgdata = path.join(home, 'data')
  try {
    const major = (await readFile(path.join(pgdata, 'PG_VERSION'), 'utf8')).trim()
    if (major !== MAJOR) throw otherMajor(pgdata, major)
    return { home, pgdata, password: (await readFile(path.join(home, 'password'), 'utf8')).trim() }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

function otherMajor(pgdata: string, major: string): EmbeddedError {
  return new EmbeddedError(
    'other-major',
    `The data in ${pgdata} was made by PostgreSQL ${major}, and this Concord carries ${MAJOR}. ` +
      `Dump it with the Concord that made it and load the dump here, or serve it from a PostgreSQL ${major} and set DATABASE_URL.`,
  )
}

async function makeCluster({ dir, binaries, launcher, durable }: Making, aside: string): Promise<void> {
  const passwordFile = path.join(aside, 'password')
  await mkdir(aside, { mode: 0o700 })
  await writeFile(passwordFile, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 })
  await handOver(launcher, [dir, aside, passwordFile])

  const args = ['-D', path.join(aside, 'data'), '-U', USER, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256']
  args.push('-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8')
  if (!durable) args.push('--no-sync')

  let said = ''
  for (const ctype of CTYPES) {
    const {
      command,
      args: line,
      options,
    } = commandLine(launcher, binaries.initdb, [...args, `--lc-ctype=${ctype}`])
    const { code, output } = await run(command, line, options ?? {})
    if (code === 0) return
    said = output
  }
  await failIfFull(dir)
  throw new EmbeddedError(
    'start-failed',
    `PostgreSQL could not create its data in ${dir}:\n${said.slice(-2000)}`,
  )
}

/** Throws `no-space` where `dir` has no room for a server to work in. */
export async function failIfFull(dir: string): Promise<void> {
  const { bavail, bsize } = await statfs(dir)
  if (bavail * bsize >= ROOM_NEEDED_BYTES) return
  const free = Math.floor((bavail * bsize) / (1024 * 1024))
  throw new EmbeddedError(
    'no-space',
    `Only ${free} MB free for the database in ${dir}: it needs at least 64 MB.`,
  )
}

function run(
  command: string,
  args: readonly string[],
  options: object,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    // In its own process group: Ctrl-C must not leave half a data folder behind.
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Someone else put a cluster there first: theirs is as good. */
function ignoreTaken(error: unknown): void {
  const code = errorCode(error)
  if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
}

async function removeAbandoned(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const maker = /^init-(\d+)-/.exec(name)?.[1]
    if (maker === undefined || isAlive(Number(maker))) continue
    await rm(path.join(dir, name), { recursive: true, force: true })
  }
}
