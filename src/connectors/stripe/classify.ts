import { z } from 'zod'
import { parsedJson, type Instant } from '../../core/json.ts'
import type { Failure, HttpReply } from '../connector.ts'
import { retryAfter } from '../retry-after.ts'
import { quoted } from '../vendor-words.ts'

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
  if (status === 401 || status === 403 || code === 'api_key_expired')
    return { kind: 'auth', message: `${message}. ${AUTH_FIX}` }
  if (status === 429 || status === 409)
    return { kind: 'throttled', retryAt: retryAfter(reply.headers, now) ?? now + PAUSE_MS, message }
  if (status === 404 || (code === 'resource_missing' && param === 'id')) return { kind: 'missing', message }
  if (status >= 500 || status === 408 || status === 424)
    return { kind: 'unavailable', committed: reply.method === 'GET' ? 'no' : 'unknown', message }
  if (status >= 400)
    return {
      kind: 'rejected',
      code: code ?? String(status),
      field: param,
      message: `${message}. ${fixFor(param)}`,
    }
  return { kind: 'malformed', committed: reply.method === 'GET' ? 'no' : 'unknown', message }
}

const AUTH_FIX =
  'Copy a current secret or restricted key from Developers > API keys in Stripe, and check its permissions.'

function fixFor(param: string | null): string {
  return param === null
    ? 'Correct the record, or look the request up in the Stripe dashboard.'
    : `Correct ${param} in the record.`
}

function readError(reply: HttpReply): { code: string | null; param: string | null; message: string } {
  const read = errorBody.safeParse(parsedJson(reply.body))
  const error = read.success ? read.data.error : {}
  const requestId = reply.headers.get('request-id')
  const said = quoted(error.message ?? `Stripe answered ${reply.status}`).replace(/\.$/, '')
  return {
    // An idempotency_error has no code of its own, and means more than any other.
    code:
      error.type === 'idempotency_error' && reply.status === 400 ? 'idempotency_error' : (error.code ?? null),
    param: error.param ?? null,
    message: requestId === null ? said : `${said} (${requestId})`,
  }
}
