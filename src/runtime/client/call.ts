import { type Connector, type Failure, failureOf } from '../../connectors/connector.ts'
import type { Instant } from '../../core/json.ts'
import type { Clock } from '../clock.ts'
import { type Exchanged, exchange, rejected, type Reply, vendorError, type Wire } from './exchange.ts'
import type { Bearer } from './oauth.ts'
import type { KeyedLane, Lanes } from './lanes.ts'
import { isRead, type Outgoing } from './outgoing.ts'
import { backoffMs, MAX_ATTEMPTS, MAX_WAIT_MS, mayRepeat } from './retry.ts'

const MAX_REDIRECTS = 5

/** What the requests of one connection share; `wire`, `bearer` and `user` are one user's where it acts for several. */
export type Caller = {
  readonly wire: Wire
  readonly connector: Pick<Connector, 'classify' | 'meter'>
  readonly lanes: Lanes
  readonly user: string | null
  readonly random: () => number
  readonly bearer: Bearer | null
  pauseUntil(until: Instant): Promise<void>
}

/** Whose limits a request counts against, and how much. */
type Way = { readonly key: string; readonly units: number; readonly lane: KeyedLane }

function wayOf({ connector, lanes, user }: Caller, { method, url }: Outgoing): Way {
  const metered = connector.meter?.({ method, url, user }) ?? { key: '', units: 1 }
  return { ...metered, lane: lanes.of(metered.key) }
}

/** Sends until there is an answer, or until sending again would be unsafe, useless or too slow. */
export async function call(caller: Caller, request: Outgoing, stop: AbortSignal): Promise<Reply> {
  const seen = { uncertain: false }
  try {
    return await attempts(caller, request, stop, seen)
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null || !seen.uncertain) throw error
    throw vendorError(stillUncertain(failure))
  }
}

/** That a later attempt did nothing says nothing about an earlier one whose reply was lost. */
function stillUncertain(failure: Failure): Failure {
  switch (failure.kind) {
    case 'auth':
    case 'throttled':
    case 'unavailable':
    case 'malformed':
      return {
        kind: 'unavailable',
        committed: 'unknown',
        message: `${failure.message} (an earlier attempt may have been carried out)`,
      }
    case 'missing':
    case 'stale':
    case 'cursor-expired':
    case 'rejected':
      return failure
  }
}

async function attempts(
  caller: Caller,
  request: Outgoing,
  stop: AbortSignal,
  seen: { uncertain: boolean },
): Promise<Reply> {
  const { wire, bearer } = caller
  let waitedMs = 0
  let isRenewed = false
  let last = neverSent(request)
  for (let attempt = 1; ; attempt++) {
    const way = wayOf(caller, request)
    throwIfPaused(caller, way)
    const token = await tokenFor(caller, request)
    const sent = await attemptOnce(caller, way, withToken(request, token), stop, attempt)
    if (sent.kind === 'stopped') throw vendorError(last)
    if (sent.kind === 'reply') return sent.reply
    last = sent.failure
    note(caller, way, seen, last)
    if (last.kind === 'auth' && token !== null && bearer !== null && !isRenewed && !stop.aborted) {
      isRenewed = true
      await bearer.renewed(token)
      wire.stats.retries += 1
      attempt -= 1
      continue
    }
    const waitMs = waitBefore(last, attempt, caller)
    const isOver = attempt >= MAX_ATTEMPTS || waitedMs + waitMs > MAX_WAIT_MS || stop.aborted
    if (isOver || !mayRepeat(request, last, sent.by)) {
      await keepPause(caller, way, last)
      throw vendorError(last)
    }
    waitedMs += waitMs
    wire.stats.retries += 1
    // What one request was told holds for all of its key.
    if (last.kind === 'throttled') way.lane.hold(wire.clock.now() + waitMs)
    else if (!(await slept(wire.clock, waitMs, stop))) throw vendorError(last)
  }
}

function neverSent({ method, url }: Outgoing): Failure {
  const message = `${method} ${url.host}: stopped before it was sent`
  return { kind: 'unavailable', committed: 'no', message }
}

function note({ wire }: Caller, { lane }: Way, seen: { uncertain: boolean }, failure: Failure): void {
  if ('committed' in failure && failure.committed === 'unknown') seen.uncertain = true
  if (failure.kind !== 'throttled') return
  wire.stats.throttled += 1
  lane.widen()
}

type Attempted = Extract<Exchanged, { kind: 'reply' | 'failed' }> | { readonly kind: 'stopped' }

/** A place with leave to send, then off at once: waiting after the pacer would spoil its pace. */
async function attemptOnce(
  caller: Caller,
  way: Way,
  request: Outgoing,
  stop: AbortSignal,
  attempt: number,
): Promise<Attempted> {
  const place = await orStopped(way.lane.enter({ units: way.units, isLow: request.isLow }, stop), stop)
  if (place === null) return { kind: 'stopped' }
  try {
    let at = request
    let { ticket } = place
    for (let hop = 0; ; hop++) {
      throwIfPaused(caller, way)
      const { connector, wire } = caller
      const classify: Connector['classify'] = (reply, now) => connector.classify(reply, now)
      const exchanged = await exchange(wire, at, classify, attempt, () => ticket.replied())
      if (exchanged.kind !== 'redirect') return exchanged
      const problem = redirectProblem(at, exchanged.to, hop)
      if (problem !== null) {
        const message = `${at.method} ${at.url.host} was redirected to ${exchanged.to.host}: ${problem}`
        const { status } = exchanged
        return { kind: 'failed', by: 'refused', status, failure: rejected('redirect', message) }
      }
      at = { ...at, url: exchanged.to }
      const next = await orStopped(place.again(stop), stop)
      if (next === null) return { kind: 'stopped' }
      ticket = next
    }
  } finally {
    place.free()
  }
}

/** Credentials stay with their origin. Keys may be in any header, so only a request declared anonymous may leave it. */
function redirectProblem(request: Outgoing, to: URL, hop: number): string | null {
  if (!isRead(request.method)) return 'only reads are redirected.'
  if (!request.follows) return 'it asked not to follow.'
  if (hop >= MAX_REDIRECTS) return `more than ${MAX_REDIRECTS} redirects.`
  const isAnonymous = request.anonymous && !request.headers.has('authorization')
  return to.origin === request.url.origin || isAnonymous
    ? null
    : 'credentials do not follow to another origin.'
}

function throwIfPaused({ wire }: Caller, { key, lane }: Way): void {
  const { until } = lane.paused
  if (wire.clock.now() >= until) return
  const who = key === '' ? wire.connection : `${wire.connection} (${key})`
  throw vendorError({
    kind: 'throttled',
    retryAt: until,
    message: `${who} is paused until ${new Date(until).toISOString()}, as its vendor asked.`,
  })
}

/** A pause of the whole connection outlives the process; one mailbox's is its own, and found out again by one request. */
async function keepPause(caller: Caller, { key, lane }: Way, failure: Failure): Promise<void> {
  if (failure.kind !== 'throttled' || failure.retryAt <= caller.wire.clock.now()) return
  if (failure.retryAt <= lane.paused.until) return
  lane.paused.until = failure.retryAt
  if (key === '') await caller.pauseUntil(failure.retryAt)
}

function waitBefore(failure: Failure, attempt: number, { wire, random }: Caller): number {
  const toldMs = failure.kind === 'throttled' ? failure.retryAt - wire.clock.now() : 0
  return toldMs > 0 ? toldMs : backoffMs(attempt, random)
}

async function tokenFor({ bearer }: Caller, request: Outgoing): Promise<string | null> {
  if (bearer === null || request.anonymous || request.headers.has('authorization')) return null
  return bearer.current()
}

function withToken(request: Outgoing, token: string | null): Outgoing {
  if (token === null) return request
  const headers = new Headers(request.headers)
  headers.set('authorization', `Bearer ${token}`)
  return { ...request, headers }
}

/** Null: stopped. Anything else that goes wrong is a bug and stays one. */
async function orStopped<T>(wait: Promise<T>, stop: AbortSignal): Promise<T | null> {
  try {
    return await wait
  } catch (error) {
    if (stop.aborted) return null
    throw error
  }
}

async function slept(clock: Clock, ms: number, stop: AbortSignal): Promise<boolean> {
  await orStopped(clock.sleep(ms, stop), stop)
  return !stop.aborted
}
