import type { Connector, Failure, HttpReply } from '../../src/connectors/connector.ts'
import { VendorError } from '../../src/connectors/connector.ts'
import { retryAfter } from '../../src/connectors/retry-after.ts'
import { type ClientOptions, openClient } from '../../src/runtime/client/client.ts'
import type { RequestEntry } from '../../src/runtime/client/request-log.ts'
import type { Clock } from '../../src/runtime/clock.ts'

export const START = Date.UTC(2026, 0, 1)
export const ORIGIN = 'https://api.vendor.example'

export type TestClock = Clock & { readonly slept: number[] }

/** Jumps to the next sleeper as soon as nothing else is left to do. */
export function testClock(): TestClock {
  let now = START
  const sleepers: { at: number; wake: () => void }[] = []
  const slept: number[] = []
  let isPumping = false
  const pump = () => {
    sleepers.sort((a, b) => a.at - b.at)
    const next = sleepers.shift()
    isPumping = next !== undefined
    if (next === undefined) return
    now = Math.max(now, next.at)
    next.wake()
    setImmediate(pump)
  }
  return {
    slept,
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(new Error('aborted'))
        slept.push(ms)
        const sleeper = { at: now + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          const at = sleepers.indexOf(sleeper)
          if (at !== -1) sleepers.splice(at, 1)
          reject(new Error('aborted'))
        })
        if (isPumping) return
        isPumping = true
        setImmediate(pump)
      }),
  }
}

export type Seen = { method: string; url: string; headers: Headers; body: string; at: number }
export type Answer = (seen: Seen, count: number) => Response | Promise<Response>

/** A client over a vendor that answers as told. */
export function world(
  answer: Answer,
  options: Omit<Partial<ClientOptions>, 'clock'> & { limits?: Connector['limits']; clock?: TestClock } = {},
) {
  const clock = options.clock ?? testClock()
  const seen: Seen[] = []
  const log: RequestEntry[] = []
  const paused: number[] = []
  const transport: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const one = {
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: await request.text(),
      at: clock.now(),
    }
    seen.push(one)
    return answer(one, seen.length)
  }
  const { io, stats } = openClient({
    connector: vendor(options.limits === undefined ? {} : { limits: options.limits }),
    connection: 'books',
    secrets: {},
    settings: {},
    transport,
    random: () => 0.5,
    log: (entry) => void log.push(entry),
    pauseUntil: async (until) => void paused.push(until),
    ...options,
    clock,
  })
  return { io, stats, clock, seen, log, paused }
}

export function vendor(over: Partial<Connector> = {}): Connector {
  return {
    id: 'vendor',
    auth: { kind: 'apiKey', fields: ['apiKey'] },
    limits: [],
    resources: {},
    check: async () => ({ accountId: '1', label: 'one' }),
    classify,
    ...over,
  }
}

export const OAUTH = {
  kind: 'oauth2',
  grants: ['code'],
  authorizeUrl: `${ORIGIN}/authorize`,
  tokenUrl: `${ORIGIN}/token`,
  scopes: [],
  rotates: true,
} as const

function classify(reply: HttpReply, now: number): Failure {
  const message = `${reply.method} ${reply.url}: ${reply.status} ${reply.body}`
  if (reply.status === 401) return { kind: 'auth', message }
  if (reply.status === 429)
    return { kind: 'throttled', retryAt: retryAfter(reply.headers, now) ?? now, message }
  if (reply.status === 404) return { kind: 'missing', message }
  if (reply.status >= 500) {
    return { kind: 'unavailable', committed: reply.method === 'GET' ? 'no' : 'unknown', message }
  }
  return { kind: 'rejected', code: String(reply.status), field: null, message }
}

/** What Node's fetch throws. */
export function networkError(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${code}`), { code }) })
}

/** The failure a call is thrown with. */
export async function failureFrom(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof VendorError) return error.failure
  throw new Error('It did not fail as a vendor error', { cause: error })
}
