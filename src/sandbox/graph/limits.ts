import type { MiddlewareHandler } from 'hono'
import { concurrencyLimit, type Limiter, rateLimit } from '../rate-limit.ts'
import type { Env } from './access.ts'
import { GraphError } from './errors.ts'
import type { GraphState } from './state.ts'

export type MailboxLimits = {
  /** https://learn.microsoft.com/en-us/graph/throttling-limits#outlook-service-limits */
  readonly permits: number
  readonly windowMs: number
  readonly concurrent: number
}

export const OUTLOOK_LIMITS: MailboxLimits = { permits: 10_000, windowMs: 600_000, concurrent: 4 }

export type LimitCounts = {
  readonly middleware: MiddlewareHandler<Env>
  refused(): number
}

/** Per application and mailbox; what one application is refused in one mailbox leaves all others alone. */
export function mailboxLimits(
  state: GraphState,
  { permits, windowMs, concurrent }: MailboxLimits,
  refuse: (error: GraphError) => Response,
): LimitCounts {
  const pairs = new Map<string, { readonly rate: Limiter; readonly together: Limiter }>()
  const pairFor = (key: string) => {
    const known = pairs.get(key)
    if (known !== undefined) return known
    const pair = {
      rate: rateLimit({ now: state.now, permits, windowMs }),
      together: concurrencyLimit({
        max: concurrent,
        refusal: () => refuse(throttled(state, 'MailboxConcurrency', '1')),
      }),
    }
    pairs.set(key, pair)
    return pair
  }
  return {
    refused: () =>
      [...pairs.values()].reduce((sum, { rate, together }) => sum + rate.refused + together.refused, 0),
    middleware: async (c, next) => {
      const { rate, together } = pairFor(`${c.get('access').appId} ${c.get('mailbox').user.id}`)
      return together(c, async () => {
        const refused = await rate(c, async () => {
          await state.switches.gate?.()
          await next()
        })
        if (refused instanceof Response)
          c.res = refuse(throttled(state, 'RequestLimit', refused.headers.get('retry-after') ?? '1'))
      })
    },
  }
}

function throttled({ switches }: GraphState, limit: string, retryAfter: string): GraphError {
  const headers = { 'retry-after': retryAfter }
  return switches.throttleStatus === 429
    ? new GraphError(429, 'ApplicationThrottled', `Application is over its ${limit} limit.`, headers)
    : new GraphError(503, 'ErrorServerBusy', 'The server is busy. Please try again later.', headers)
}
