import { type Connector, type Failure, type HttpReply, VendorError } from '../../connectors/connector.ts'
import type { Clock } from '../clock.ts'
import { BodyTooLarge, readBody } from './body.ts'
import { networkFailure } from './network.ts'
import { isRead, type Outgoing } from './outgoing.ts'
import { type Scrubber, safeUrl } from './redact.ts'
import type { RequestLog } from './request-log.ts'
import type { FailedBy } from './retry.ts'
import { refusalOf } from './target.ts'

/** What every request of one connection is sent with. */
export type Wire = {
  readonly connection: string
  readonly transport: typeof fetch
  readonly clock: Clock
  readonly timeoutMs: number
  readonly log: RequestLog
  readonly scrubber: Scrubber
  readonly settingsBaseUrl: string | null
  readonly stats: { requests: number; throttled: number; retries: number }
}

export type Reply = {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array<ArrayBuffer>
}
export type Exchanged =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: URL }
  | {
      readonly kind: 'failed'
      readonly failure: Failure
      readonly by: FailedBy
      readonly status: number | null
    }

/** One request and its whole reply, within the time limit, with one log entry. Never throws for what the network does. */
export async function exchange(
  wire: Wire,
  request: Outgoing,
  classify: Connector['classify'],
  attempt: number,
  onHeaders: () => void,
): Promise<Exchanged> {
  const url = wire.scrubber.scrub(safeUrl(request.url))
  const where = wire.scrubber.scrub(request.url.origin + request.url.pathname)
  const refused = refusalOf(request.url, wire.settingsBaseUrl)
  if (refused !== null)
    return failed(rejected('address', `${request.method} ${where}: ${refused}`), 'refused')

  const startedAt = wire.clock.now()
  wire.stats.requests += 1
  let got: { status: number; headers: Headers } | null = null
  let bytes = 0
  const exchanged = await received().catch((error: unknown) => lost(error))
  wire.log({
    connection: wire.connection,
    method: request.method,
    url,
    status: got === null ? null : statusOf(got),
    ms: wire.clock.now() - startedAt,
    attempt,
    bytes,
    failure: exchanged.kind === 'failed' ? exchanged.failure.kind : null,
    requestId: got === null ? null : requestIdOf(got),
  })
  return exchanged

  async function received(): Promise<Exchanged> {
    const whole = await withinTime(wire, request, async (signal) => {
      const response = await wire.transport(request.url.href, {
        method: request.method,
        headers: request.headers,
        body: request.body,
        redirect: 'manual',
        signal,
      })
      onHeaders()
      got = { status: response.status, headers: response.headers }
      const body = await readBody(response)
      bytes = body.byteLength
      return { status: response.status, headers: response.headers, bytes: body }
    })
    return sorted(whole)
  }

  function sorted(reply: Reply): Exchanged {
    if ((reply.status >= 200 && reply.status < 300) || reply.status === 304) return { kind: 'reply', reply }
    const to = redirectTarget(reply, request.url)
    if (to !== null) return { kind: 'redirect', status: reply.status, to }
    const seen: HttpReply = {
      status: reply.status,
      headers: reply.headers,
      body: new TextDecoder().decode(reply.bytes),
      method: request.method,
      url,
    }
    return failed(classify(seen, wire.clock.now()), 'reply', reply.status)
  }

  function lost(error: unknown): Exchanged {
    onHeaders()
    if (error instanceof BodyTooLarge) {
      const message = `${request.method} ${where}: ${error.message}`
      const committed = isRead(request.method) ? 'no' : 'unknown'
      return failed({ kind: 'malformed', committed, message }, 'refused')
    }
    const { failure, by } = networkFailure(error, request.method, where)
    return failed(failure, by)
  }

  function failed(failure: Failure, by: FailedBy, status: number | null = null): Exchanged {
    return { kind: 'failed', by, status, failure: scrubbed(failure) }
  }

  function scrubbed(failure: Failure): Failure {
    const message = wire.scrubber.scrub(failure.message)
    if (failure.kind !== 'rejected') return { ...failure, message }
    const field = failure.field === null ? null : wire.scrubber.scrub(failure.field)
    return { ...failure, message, field, code: wire.scrubber.scrub(failure.code) }
  }
}

export function rejected(code: string, message: string): Failure {
  return { kind: 'rejected', code, field: null, message }
}

/** A failure as thrown to connectors. Without a `cause`: that could quote headers, and reach a log. */
export const vendorError = (failure: Failure) => new VendorError(failure)

const statusOf = ({ status }: { status: number }) => status
const requestIdOf = ({ headers }: { headers: Headers }) =>
  headers.get('request-id') ?? headers.get('x-request-id')

/** Covers the body too. Also where a transport does not heed its signal. */
async function withinTime<T>(
  { timeoutMs }: Wire,
  request: Outgoing,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const { signal } = controller
  const timer = setTimeout(
    () => controller.abort(new DOMException(`no complete reply within ${timeoutMs} ms`, 'TimeoutError')),
    timeoutMs,
  )
  const giveUp = () => controller.abort(new DOMException('the caller gave up', 'AbortError'))
  request.signal?.addEventListener('abort', giveUp, { once: true })
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(abortReason(signal)), { once: true })
  })
  try {
    if (request.signal?.aborted) giveUp()
    return await Promise.race([task(signal), aborted])
  } finally {
    clearTimeout(timer)
    request.signal?.removeEventListener('abort', giveUp)
  }
}

const abortReason = ({ reason }: AbortSignal) =>
  reason instanceof Error ? reason : new DOMException('stopped', 'AbortError')

const REDIRECTS = new Set([301, 302, 303, 307, 308])

function redirectTarget({ status, headers }: Reply, from: URL): URL | null {
  const location = headers.get('location')
  if (!REDIRECTS.has(status) || location === null || !URL.canParse(location, from.href)) return null
  return new URL(location, from)
}
