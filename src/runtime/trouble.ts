import { failureOf } from '../connectors/connector.ts'
import { EmbeddedError } from '../store/embedded.ts'
import { SecretError } from '../store/secrets.ts'
import { ConfigError } from './boot.ts'
import { SupersededError } from './superseded.ts'

/** An error that a person can do something about. `input`: what they gave is wrong. */
export type Trouble = {
  readonly kind: 'input' | 'outside'
  readonly message: string
  readonly fix: string | null
}

const DATABASE: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  ECONNREFUSED: [
    'No PostgreSQL answers there',
    'Start it, or correct the host and port in DATABASE_URL; without DATABASE_URL, Concord brings its own.',
  ],
  ENOTFOUND: ['The database host is not known', 'Correct the host in DATABASE_URL.'],
  EAI_AGAIN: ['The database host is not known', 'Correct the host in DATABASE_URL.'],
  CONNECT_TIMEOUT: [
    'The database does not answer in time',
    'Look at its address in DATABASE_URL and at firewalls.',
  ],
  CONNECTION_CLOSED: [
    'The database closed the connection',
    'Look at the log of the database; what was committed is kept, and nothing is sent twice.',
  ],
  CONNECTION_ENDED: ['The connection to the database has ended', 'Run the command again.'],
  '28P01': ['The database refuses the password', 'Correct it in DATABASE_URL.'],
  '28000': ['The database refuses the user', 'Correct the user in DATABASE_URL.'],
  '3D000': ['There is no such database', 'Create it, or correct the name in DATABASE_URL.'],
  '42501': ['The database user may not do that', 'Make it the owner of the database.'],
  '53300': ['The database has no connection left', 'Raise max_connections, or end other clients.'],
  '57P01': ['The database was shut down', 'Start it and run the command again.'],
  '57P03': ['The database is starting up or shutting down', 'Run the command again in a moment.'],
  '53100': ['The disk of the database is full', 'Make room and run the command again.'],
}

const FILES: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  ENOENT: ['There is no such file or folder', 'Correct the path.'],
  ENOTDIR: ['This is not a folder', 'Correct the path.'],
  EISDIR: ['This is a folder, not a file', 'Name a file.'],
  EACCES: ['This user may not read or write that', 'Give this user the right, or choose another place.'],
  EROFS: ['That place is read-only', 'Choose another place.'],
  ENOSPC: ['The disk is full', 'Make room.'],
}

/** Says an error in plain words; null for a bug of Concord's own. */
export function troubleOf(error: unknown): Trouble | null {
  if (error instanceof ConfigError) return { kind: 'input', message: error.message, fix: null }
  if (error instanceof SupersededError) return { kind: 'outside', message: error.message, fix: error.fix }
  if (error instanceof SecretError || error instanceof EmbeddedError)
    return { kind: 'outside', message: error.message, fix: null }
  const failure = failureOf(error)
  if (failure !== null) return { kind: 'outside', message: failure.message, fix: null }
  if (!(error instanceof Error)) return null
  const code = 'code' in error && typeof error.code === 'string' ? error.code : firstCode(error)
  const place = 'path' in error && typeof error.path === 'string' ? error.path : null
  const file = code === null || place === null ? undefined : FILES[code]
  if (file !== undefined) return { kind: 'input', message: `${file[0]}: ${place}`, fix: file[1] }
  if (code === 'EADDRINUSE')
    return {
      kind: 'outside',
      message: `The address is in use: ${error.message}`,
      fix: 'Choose another PORT, or stop what listens there.',
    }
  const known = code === null ? undefined : DATABASE[code]
  if (known !== undefined)
    return { kind: 'outside', message: `${known[0]} (${error.message || code})`, fix: known[1] }
  if (code === 'ERR_INVALID_URL')
    return {
      kind: 'input',
      message: 'DATABASE_URL is not a URL',
      fix: 'Write postgres://user:password@host/database.',
    }
  return null
}

/** Node tries every address of a host, and reports all failures as one. */
function firstCode(error: Error): string | null {
  if (!(error instanceof AggregateError)) return null
  const codes = error.errors.flatMap((e: unknown) =>
    e instanceof Error && 'code' in e && typeof e.code === 'string' ? [e.code] : [],
  )
  return codes[0] ?? null
}
