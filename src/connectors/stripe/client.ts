import Stripe from 'stripe'
import { VendorError, type Io } from '../connector.ts'

/**
 * The SDK over `io.fetch`, made anew for every call: it keeps nothing between connections. Its own retries, timer and
 * telemetry are off, because the runtime owns what they are for.
 *
 * Whatever `io.fetch` throws comes out of the SDK as a connection error with the original in `detail`, where
 * `failureOf` finds it.
 */
export function stripeFor(io: Io): Stripe {
  const apiKey = io.secrets['apiKey']
  if (apiKey === undefined || apiKey === '')
    throw new VendorError({
      kind: 'auth',
      message: 'The connection has no apiKey. Set it to a secret key of Stripe.',
    })
  return new Stripe(apiKey, {
    httpClient: Stripe.createFetchHttpClient(careful(io.fetch)),
    maxNetworkRetries: 0,
    telemetry: false,
    ...serverOf(io.settings['baseUrl']),
  })
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

function serverOf(baseUrl: unknown): { protocol: 'http' | 'https'; host: string; port: string } | object {
  if (baseUrl === undefined || baseUrl === null) return {}
  const url = typeof baseUrl === 'string' && URL.canParse(baseUrl) ? new URL(baseUrl) : null
  if (url === null || url.pathname !== '/' || url.search !== '')
    throw badBaseUrl('Set it to the origin of a server, such as https://api.stripe.com, or leave it out.')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.has(url.hostname)))
    throw badBaseUrl('Set it to an https address: a secret key is only sent over https, or to this machine.')
  const http = url.protocol === 'http:'
  return {
    protocol: http ? 'http' : 'https',
    host: url.hostname,
    port: url.port === '' ? (http ? '80' : '443') : url.port,
  }
}

function badBaseUrl(problem: string): VendorError {
  return new VendorError({
    kind: 'rejected',
    code: 'settings',
    field: 'baseUrl',
    message: `baseUrl: ${problem}`,
  })
}

/**
 * Three habits of the SDK that would get past the runtime: it sends a request again when the error has the code of a
 * closed connection, even with retries at 0; it aborts after 80 seconds, which may be spent waiting for a rate limit;
 * and it turns a 2xx that is not JSON into an error that looks like Stripe's own.
 */
function careful(fetch: Io['fetch']): Io['fetch'] {
  return async (input, init) => {
    const method = init?.method ?? 'GET'
    const { signal: _, ...rest } = init ?? {}
    try {
      const response = await fetch(input, rest)
      const text = await response.text()
      if (!isAnswer(text))
        throw new VendorError({
          kind: 'malformed',
          committed: method === 'GET' ? 'no' : 'unknown',
          message: `Stripe answered ${response.status} with something that is not JSON`,
        })
      return new Response(text, { status: response.status, headers: response.headers })
    } catch (error) {
      throw error instanceof VendorError ? error : new Error('The request to Stripe failed', { cause: error })
    }
  }
}

function isAnswer(text: string): boolean {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null && !('error' in answer)
  } catch {
    return false
  }
}
