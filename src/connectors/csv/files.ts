import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Instant } from '../../core/json.ts'
import { VendorError } from '../connector.ts'
import { type Settings, sameFolder } from './settings.ts'
import type { ResourceName } from './table.ts'

/** What tells one state of a file from another without reading it. */
export type Stamp = {
  readonly file: string
  readonly size: number
  readonly mtimeMs: number
  readonly inode: number
}

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.file === b.file && a.size === b.size && a.mtimeMs === b.mtimeMs && a.inode === b.inode
}

/** Somebody may still be writing it. A clock that is a little off on a file server does no harm. */
export function isSettling(stamp: Stamp, now: Instant, settleMs: number): boolean {
  return Math.abs(now - stamp.mtimeMs) < settleMs
}

/** The newest export of a resource: by modification time, then by name. Null where there is none. */
export async function newestExport(settings: Settings, resource: ResourceName): Promise<Stamp | null> {
  const names = await atPath(settings.folder, () => readdir(settings.folder))
  const matches = namePattern(settings, resource)
  let newest: Stamp | null = null
  for (const file of names.filter((name) => matches.test(name))) {
    const stamp = await stampOf(settings.folder, file)
    if (stamp === null) continue
    const order = newest === null ? 1 : stamp.mtimeMs - newest.mtimeMs || (file > newest.file ? 1 : -1)
    if (order > 0) newest = stamp
  }
  return newest
}

/** As `newestExport`; throws `rejected` where there is none. */
export async function currentExport(settings: Settings, resource: ResourceName): Promise<Stamp> {
  const found = await newestExport(settings, resource)
  if (found !== null) return found
  const wanted = settings.files?.[resource] ?? `${resource}*.csv`
  throw new VendorError({
    kind: 'rejected',
    code: 'no-file',
    field: null,
    message: `No ${resource} in ${settings.folder}: put a file named ${wanted} there, or set files.${resource}.`,
  })
}

function namePattern(settings: Settings, resource: ResourceName): RegExp {
  const pattern = settings.files?.[resource]
  if (pattern === undefined) return new RegExp(`^${resource}.*\\.(csv|tsv)$`, 'i')
  const literal = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`, 'i')
}

/** Null where the file is gone or is not a plain file. */
export async function stampOf(folder: string, file: string): Promise<Stamp | null> {
  const found = await atPath(folder, () => stat(path.join(folder, file)).catch(unlessMissing))
  if (found === null || !found.isFile()) return null
  return { file, size: found.size, mtimeMs: found.mtimeMs, inode: found.ino }
}

function unlessMissing(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null
  throw error
}

/** Opens a file for the time of `use`. Null where it is not there. */
export async function withFile<T>(
  folder: string,
  file: string,
  use: (handle: FileHandle) => Promise<T>,
): Promise<T | null> {
  const whole = path.join(folder, file)
  const handle = await atPath(whole, () => open(whole).catch(unlessMissing))
  if (handle === null) return null
  try {
    return await atPath(whole, () => use(handle))
  } finally {
    await handle.close()
  }
}

/** The folder's canonical path. Throws where it does not exist, or is the one the hub writes to. */
export async function resolveFolder(settings: Settings): Promise<string> {
  const folder = await atPath(settings.folder, () => realpath(settings.folder))
  if (settings.out !== undefined) {
    const out = await realpath(settings.out).catch(unlessMissing)
    if (out === folder) throw sameFolder(settings.folder)
  }
  return folder
}

/** What the file system refused, as a `VendorError` that names the path and what to do about it. */
export async function atPath<T>(where: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const code = codeOf(error)
    if (code === null) throw error
    throw new VendorError(failure(code, where), { cause: error })
  }
}

function failure(code: string, where: string): VendorError['failure'] {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR': {
      const message = `${where} does not exist. Make the folder, or correct its path in the settings.`
      return { kind: 'rejected', code: 'no-folder', field: 'folder', message }
    }
    case 'EACCES':
    case 'EPERM':
      return { kind: 'auth', message: `${where} may not be accessed. Give the hub's user the right to.` }
    default:
      return { kind: 'unavailable', committed: 'no', message: `${where}: ${code}` }
  }
}

/** Node's code of a system error, such as `ENOENT`. https://nodejs.org/api/errors.html#common-system-errors */
function codeOf(error: unknown): string | null {
  const system = error instanceof Error && !(error instanceof VendorError) && 'syscall' in error
  return system && 'code' in error && typeof error.code === 'string' ? error.code : null
}
