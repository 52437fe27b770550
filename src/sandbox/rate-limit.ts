import type { MiddlewareHandler } from 'hono'

/** What a limiter did so far. A conformant client keeps `refused` at 0. */
export type LimitCounters = { allowed: number; refused: number }

/** A limiter is a middleware that can be read: `app.use(limit)`, then `limit.refused`. */
export type Limiter = MiddlewareHandler & Readonly<LimitCounters>

type Refusal = () => Response

/**
 * A sliding window: at most `permits` requests in any `windowMs`. `now` is in epoch milliseconds. `refusal`
 * makes the vendor's own 429; the plain one has a `Retry-After` in whole seconds.
 */
export function rateLimit(options: {
  now: () => number
  permits: number
  windowMs: number
  refusal?: Refusal
}): Limiter {
  const { now, permits, windowMs } = options
  const admittedAt: number[] = []
  const counters: LimitCounters = { allowed: 0, refused: 0 }
  return readable(counters, async (_c, next) => {
    const at = now()
    while (admittedAt[0] !== undefined && admittedAt[0] <= at - windowMs) admittedAt.shift()
    if (admittedAt.length >= permits) {
      counters.refused += 1
      const waitMs = (admittedAt[0] ?? at) + windowMs - at
      return options.refusal?.() ?? tooMany({ 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) })
    }
    admittedAt.push(at)
    counters.allowed += 1
    return next()
  })
}

/** At most `max` requests at the same time. */
export function concurrencyLimit(options: { max: number; refusal?: Refusal }): Limiter {
  let running = 0
  const counters: LimitCounters = { allowed: 0, refused: 0 }
  return readable(counters, async (_c, next) => {
    if (running >= options.max) {
      counters.refused += 1
      return options.refusal?.() ?? tooMany({})
    }
    running += 1
    counters.allowed += 1
    try {
      return await next()
    } finally {
      running -= 1
    }
  })
}

function readable(counters: LimitCounters, middleware: MiddlewareHandler): Limiter {
  return Object.defineProperties(Object.assign(middleware, { allowed: 0, refused: 0 }), {
    allowed: { get: () => counters.allowed },
    refused: { get: () => counters.refused },
  })
}

function tooMany(headers: Record<string, string>): Response {
  return new Response('Too Many Requests', { status: 429, headers })
}
