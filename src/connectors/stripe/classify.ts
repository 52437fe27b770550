import { z } from 'zod'
import type { Instant } from '../../core/json.ts'
import type { Failure, HttpReply } from '../connector.ts'

const errorBody = z.object({
  error: z.object({
    type: z.string().nullish(),
    code: z.string().nullish(),
    param: z.string().nullish(),
    message: z.string().nullish(),
  }),
})

/** https://docs.stripe.com/rate-limits names no waiting time; a second is what its limits are counted in. */
const PAUSE_MS = 1000

/**
 * What a reply that is not 2xx means: https://docs.stripe.com/api/errors, https://docs.stripe.com/error-low-level.
 *
 * A 5xx may have been carried out, also where it says `Idempotent-Replayed`: the first answer to a key is kept and
 * repeated for a day, 500s included (https://docs.stripe.com/api/idempotent_requests). Only looking it up tells.
 */
export function classify(reply: HttpReply, now: Instant): Failure {
  const { code, param, message } = readError(reply)
  const { status } = reply
  if (status === 401 || status === 403 || code === 'api_key_expired') return { kind: 'auth', message }
  if (status === 429 || status === 409)
    return { kind: 'throttled', retryAt: retryAt(reply.headers, now), message }
  if (status === 404 || (code === 'resource_missing' && param === 'id')) return { kind: 'missing', message }
  if (status >= 500 || status === 408 || status === 424)
    return { kind: 'unavailable', committed: reply.method === 'GET' ? 'no' : 'unknown', message }
  if (status >= 400) return { kind: 'rejected', code: code ?? String(status), field: param, message }
  return { kind: 'malformed', committed: reply.method === 'GET' ? 'no' : 'unknown', message }
}

function readError(reply: HttpReply): { code: string | null; param: string | null; message: string } {
  const read = errorBody.safeParse(parsed(reply.body))
  const error = read.success ? read.data.error : {}
  const requestId = reply.headers.get('request-id')
  const said = error.message ?? `Stripe answered ${reply.status}`
  return {
    // An idempotency_error has no code of its own, and means more than any other.
    code:
      error.type === 'idempotency_error' && reply.status === 400 ? 'idempotency_error' : (error.code ?? null),
    param: error.param ?? null,
    message: requestId === null ? said : `${said} (${requestId})`,
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Seconds or an HTTP date; a second from now where there is none. */
function retryAt(headers: Headers, now: Instant): Instant {
  const said = headers.get('retry-after')?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(said)) return now + Math.ceil(Number(said) * 1000)
  const date = Date.parse(said)
  return Number.isNaN(date) ? now + PAUSE_MS : Math.max(date, now)
}
