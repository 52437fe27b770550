import { readFile, readlink, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { errorCode } from './errors.ts'

/** What `postmaster.pid` says about the server of a data folder. */
export type Sighting =
  | { kind: 'none' }
  | { kind: 'starting'; pid: number }
  | { kind: 'ready'; pid: number; port: number }
  | { kind: 'stopping'; pid: number }
  | { kind: 'stale'; text: string }

/** PostgreSQL creates the file and fills it at once; one left empty this long is a crash's remnant. */
const EMPTY_IS_STALE_MS = 2_000

/**
 * Looks for the server of `pgdata` (a real path, without symlinks). Where processes may be inspected a file
 * left by a crash whose process id now belongs to another program (usual in containers, where ids are few)
 * is `stale`; PostgreSQL alone would refuse to start over it.
 * The file's lines: https://www.postgresql.org/docs/18/storage-file-layout.html
 */
export async function sight(pgdata: string): Promise<Sighting> {
  const text = await readFile(pidFile(pgdata), 'utf8').catch(nullWhenMissing)
  if (text === null) return { kind: 'none' }
  const lines = text.split('\n')
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10))
  const port = Number.parseInt(lines[3] ?? '', 10)
  if (!Number.isInteger(pid)) return sightEmpty(pgdata, text)
  if (!isAlive(pid)) return { kind: 'none' }
  if (!(await mayServe(pid, pgdata))) return { kind: 'stale', text }

  const status = lines[7]?.trim() ?? ''
  if (status === 'ready' && Number.isInteger(port)) return { kind: 'ready', pid, port }
  return { kind: status === 'stopping' ? 'stopping' : 'starting', pid }
}

/** Removes a stale file, unless it has changed since it was sighted. */
export async function forget(pgdata: string, stale: { text: string }): Promise<void> {
  const text = await readFile(pidFile(pgdata), 'utf8').catch(nullWhenMissing)
  if (text === stale.text) await unlink(pidFile(pgdata)).catch(nullWhenMissing)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** PostgreSQL works from inside its data folder; a zombie works from nowhere. */
async function mayServe(pid: number, pgdata: string): Promise<boolean> {
  if (process.platform !== 'linux') return true
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === pgdata
  } catch (error) {
    return errorCode(error) !== 'ENOENT'
  }
}

async function sightEmpty(pgdata: string, text: string): Promise<Sighting> {
  const found = await stat(pidFile(pgdata)).catch(nullWhenMissing)
  const isOld = found !== null && Date.now() - found.mtimeMs > EMPTY_IS_STALE_MS
  return isOld ? { kind: 'stale', text } : { kind: 'none' }
}

function pidFile(pgdata: string): string {
  return path.join(pgdata, 'postmaster.pid')
}

function nullWhenMissing(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null
  throw error
}
