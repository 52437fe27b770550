import type { MiddlewareHandler } from 'hono'
import { refuse, versionProblem } from './endpoint.ts'
import { Refusal } from './errors.ts'
import type { StripeState } from './state.ts'

/** https://docs.stripe.com/api/authentication: the key as bearer token, or as the user of basic auth. */
export function access(state: StripeState): MiddlewareHandler {
  return async (c, next) => {
    const problem =
      keyProblem(state, givenKey(c.req.header('authorization'))) ??
      versionProblem(c.req.header('stripe-version'))
    return problem === null ? next() : refuse(state, c, problem)
  }
}

function keyProblem(state: StripeState, key: string | null): Refusal | null {
  if (key === state.apiKey) return null
  const message =
    key === null
      ? "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
      : `Invalid API Key provided: ${key.slice(0, 8)}${'*'.repeat(8)}${key.slice(-4)}`
  return new Refusal(401, 'invalid_request_error', message, {}, { executed: false })
}

function givenKey(header: string | undefined): string | null {
  const [scheme = '', value = ''] = (header ?? '').split(' ')
  if (scheme.toLowerCase() === 'bearer') return value || null
  if (scheme.toLowerCase() === 'basic') return Buffer.from(value, 'base64').toString().split(':')[0] || null
  return null
}
