export type EmbeddedFailure =
  | 'package-missing'
  | 'dir-not-writable'
  | 'other-major'
  | 'no-space'
  | 'port-in-use'
  | 'start-failed'

/** Why the embedded PostgreSQL cannot be used; the message names the path and what to do about it. */
export class EmbeddedError extends Error {
  readonly kind: EmbeddedFailure

  constructor(kind: EmbeddedFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'EmbeddedError'
    this.kind = kind
  }
}

/** The `code` of a Node or PostgreSQL error (`ENOENT`, `42P04`), or null where there is none. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'])

/** Turns what the file system said about `dir` into a failure a person can act on. */
export function fileSystemFailure(error: unknown, dir: string): unknown {
  const code = errorCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EmbeddedError('no-space', `No space left for the database in ${dir}.`, error)
  }
  if (code !== null && REFUSED.has(code)) {
    const message = `Cannot write the database folder ${dir} (${code}): give this user the folder, or choose another.`
    return new EmbeddedError('dir-not-writable', message, error)
  }
  return error
}
