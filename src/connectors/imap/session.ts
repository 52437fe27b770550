import { ImapFlow, type MailboxObject, type SearchObject } from 'imapflow'
import { type Io, VendorError } from '../connector.ts'
import { explained, isBroken } from './failure.ts'
import { type Account, accountOf } from './settings.ts'

const CONNECT_MS = 30_000
const GREETING_MS = 15_000
/** Nothing heard for so long while an answer is due. */
const SILENCE_MS = 90_000
/** IDLE is asked for anew before servers log a silent client out, after 30 minutes (RFC 2177). */
const IDLE_MS = 25 * 60_000
/** An unused session is closed after this. */
const REST_MS = 15_000

/** A signed-in session, with what the connector asks of it. Everything is asked one after another. */
export type Session = {
  readonly client: ImapFlow
  readonly account: Account
  readonly io: Io
}

export type Folder = MailboxObject

/** The session of a connection, if one is open, and what waits for it. */
type Line = {
  tail: Promise<unknown>
  session: Session | null
  rest: NodeJS.Timeout | undefined
}
const lines = new WeakMap<Io, Line>()

/**
 * Does something in the connection's session, after whatever else uses it. Like a kept-alive HTTP connection the session
 * stays open for the next page: signing in takes ten round trips and hosts count it, and a backfill has thousands of
 * pages. Nothing else is kept. A session that broke while nobody used it is replaced once.
 */
export function inSession<T>(io: Io, act: (session: Session) => Promise<T>): Promise<T> {
  const line = lines.get(io) ?? { tail: Promise.resolve(), session: null, rest: undefined }
  lines.set(io, line)
  const turn = line.tail.then(() => run(io, line, act))
  line.tail = turn.catch(() => undefined)
  return turn
}

async function run<T>(io: Io, line: Line, act: (session: Session) => Promise<T>): Promise<T> {
  clearTimeout(line.rest)
  const kept = line.session?.client.usable === true ? line.session : null
  line.session = null
  try {
    return await using(io, line, kept ?? (await connect(io)), act)
  } catch (error) {
    if (kept === null || !isBroken(error) || io.stopping?.aborted === true) throw worded(io, error)
  }
  try {
    return await using(io, line, await connect(io), act)
  } catch (error) {
    throw worded(io, error)
  }
}

async function using<T>(
  io: Io,
  line: Line,
  session: Session,
  act: (session: Session) => Promise<T>,
): Promise<T> {
  const stop = () => session.client.close()
  io.stopping?.addEventListener('abort', stop)
  try {
    const result = await act(session)
    line.session = session
    line.rest = setTimeout(stop, REST_MS)
    line.rest.unref()
    return result
  } catch (error) {
    session.client.close()
    throw error
  } finally {
    io.stopping?.removeEventListener('abort', stop)
  }
}

function worded(io: Io, error: unknown): unknown {
  if (io.stopping?.aborted === true && isBroken(error))
    return new VendorError({ kind: 'unavailable', committed: 'no', message: 'The hub is stopping.' })
  return explained(error, accountOf(io.settings), byToken(io), io.now())
}

const byToken = (io: Io): boolean => (io.secrets['password'] ?? '') === ''

/** A new session, signed in by password where there is one, else by token (XOAUTH2 or OAUTHBEARER). */
export async function connect(io: Io, isListener = false): Promise<Session> {
  const account = accountOf(io.settings)
  const password = io.secrets['password'] ?? ''
  const auth =
    password === ''
      ? { user: account.user, accessToken: await io.token() }
      : { user: account.user, pass: password }
  const client = new ImapFlow({
    host: account.host,
    port: account.port,
    secure: account.security === 'tls',
    doSTARTTLS: account.security === 'starttls',
    auth,
    // Its log has everything that is said, mail and all.
    logger: false,
    clientInfo: { name: 'Concord' },
    tls: { minVersion: 'TLSv1.2' },
    disableAutoIdle: true,
    qresync: !isListener,
    maxIdleTime: IDLE_MS,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: GREETING_MS,
    socketTimeout: SILENCE_MS,
  })
  const stop = () => client.close()
  // Whatever waits for an answer is rejected as well; without this, Node takes it for an uncaught error.
  client.on('error', stop)
  io.stopping?.addEventListener('abort', stop)
  try {
    await client.connect()
    return { client, account, io }
  } catch (error) {
    client.close()
    throw worded(io, error)
  } finally {
    io.stopping?.removeEventListener('abort', stop)
  }
}

/** Opens a folder to read only (EXAMINE): nothing in it changes by being read. */
export async function examine({ client }: Session, path: string): Promise<Folder> {
  return await client.mailboxOpen(path, { readOnly: true })
}

/** UIDs, rising. */
export async function search({ client }: Session, query: SearchObject): Promise<readonly number[]> {
  const found = await client.search(query, { uid: true })
  // imapflow gives false for a failure of any kind.
  if (found !== false && found !== undefined) return found
  if (!client.usable) throw Object.assign(new Error('The connection broke'), { code: 'NoConnection' })
  const message = 'The server refused to search a folder. It is asked again later.'
  throw new VendorError({ kind: 'unavailable', committed: 'no', message })
}
