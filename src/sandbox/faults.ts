import type { Hono, MiddlewareHandler } from 'hono'
import { isLostReply, lostReply } from './lost-reply.ts'

/** What can go wrong between a caller and a vendor. The kinds differ in whether the vendor committed. */
export type Fault =
  /** Answered before the handler runs: nothing happened at the vendor. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** The handler runs and commits, then this status is answered instead. */
  | { kind: 'after-commit'; status: number }
  /** The connection dies and nothing happened. */
  | { kind: 'timeout-before' }
  /** The handler runs and commits, then the reply is lost. */
  | { kind: 'timeout-after-commit' }
  /** 200 with an HTML page instead of JSON; nothing happened. */
  | { kind: 'html' }
  /** The handler runs and commits; the body arrives cut in half. */
  | { kind: 'truncated' }
  | { kind: 'slow'; ms: number }

/** Decides for each request; null means no fault. */
export type FaultPlan = (request: { method: string; path: string }) => Fault | null

/** A switch to change while the app runs. `fired` counts the faults that happened, by kind. */
export type FaultSwitch = { plan: FaultPlan | null; readonly fired: Map<string, number> }

type Sleep = (ms: number) => Promise<void>

export function faultSwitch(): FaultSwitch {
  return { plan: null, fired: new Map() }
}

/** `sleep` is injectable, so that a simulation with its own clock never really waits for a slow reply. */
export function faultMiddleware(faults: FaultSwitch, sleep: Sleep = realSleep): MiddlewareHandler {
  return async (c, next) => {
    const fault = faults.plan?.({ method: c.req.method, path: c.req.path }) ?? null
    if (fault === null) return next()
    faults.fired.set(fault.kind, (faults.fired.get(fault.kind) ?? 0) + 1)
    switch (fault.kind) {
      case 'status':
        return new Response(withoutBody(fault.status) ? null : (fault.body ?? ''), {
          status: fault.status,
          headers: fault.headers ?? {},
        })
      case 'html':
        return new Response(MAINTENANCE_PAGE, { headers: { 'content-type': 'text/html; charset=utf-8' } })
      case 'timeout-before':
        return lostReply()
      case 'timeout-after-commit':
        await next()
        return replace(c, lostReply())
      case 'after-commit':
        await next()
        return replace(c, new Response(null, { status: fault.status }))
      case 'truncated':
        await next()
        return replace(c, await cutInHalf(c.res))
      case 'slow':
        await sleep(fault.ms)
        return next()
      default:
        return unreachable(fault)
    }
  }
}

/**
 * A fetch against an app in the same process. A lost reply rejects with an error named 'TimeoutError', as
 * `AbortSignal.timeout` would; an aborted signal rejects at once, though the app finishes what it began.
 */
export function sandboxFetch(app: Hono): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { signal } = request
    signal.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const response = await Promise.race([app.fetch(request), aborted.promise])
      if (isLostReply(response)) throw new DOMException('The vendor did not answer in time', 'TimeoutError')
      return response
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

const MAINTENANCE_PAGE =
  '<!DOCTYPE html><html><head><title>Please wait</title></head><body><h1>We will be right back</h1></body></html>'

/** Setting `c.res` merges the old headers into the new response; clearing it first prevents that. */
function replace(c: { res: Response | undefined }, response: Response): void {
  c.res = undefined
  c.res = response
}

async function cutInHalf(response: Response): Promise<Response> {
  const whole = new Uint8Array(await response.arrayBuffer())
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  const half = withoutBody(response.status) ? null : whole.slice(0, Math.floor(whole.length / 2))
  return new Response(half, { status: response.status, headers })
}

function withoutBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304
}

function realSleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function unreachable(fault: never): never {
  throw new Error(`Unknown fault ${JSON.stringify(fault)}`)
}
