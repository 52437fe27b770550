import Stripe from 'stripe'
import { sandboxFetch } from '../../../src/sandbox/faults.ts'
import { createStripeSandbox, type StripeSandbox } from '../../../src/sandbox/stripe/index.ts'
import { seeded } from '../../../src/sandbox/seeded.ts'

export const START = Date.UTC(2026, 10, 22, 9)
export const HOUR = 60 * 60 * 1000
export const DAY = 24 * HOUR

export type World = StripeSandbox & {
  stripe: Stripe
  advance(ms: number): void
  raw(
    path: string,
    init?: { method?: string; body?: string; key?: string; headers?: Record<string, string> },
  ): Promise<Response>
}

/** A sandbox on its own clock, with the vendor's SDK (its retries switched off) on top. */
export function world(options: { requestsPerSecond?: number } = {}): World {
  let nowMs = START
  const sandbox = createStripeSandbox({
    now: () => nowMs,
    random: seeded(7),
    requestsPerSecond: 10_000,
    ...options,
  })
  const call = sandboxFetch(sandbox.app)
  const stripe = new Stripe('sk_test_sandbox', {
    httpClient: Stripe.createFetchHttpClient(call),
    maxNetworkRetries: 0,
  })
  return {
    ...sandbox,
    stripe,
    advance: (ms) => {
      nowMs += ms
    },
    raw: (path, init = {}) =>
      call(`https://api.stripe.com${path}`, {
        method: init.method ?? (init.body === undefined ? 'GET' : 'POST'),
        headers: {
          authorization: 'Bearer sk_test_sandbox',
          ...(init.key === undefined ? {} : { 'idempotency-key': init.key }),
          ...init.headers,
        },
        ...(init.body === undefined ? {} : { body: init.body }),
      }),
  }
}

/** What the SDK throws, as far as tests look at it. */
export async function refusal(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Stripe.errors.StripeError)) throw new Error('was not refused')
  return {
    status: error.statusCode,
    type: error.rawType,
    code: error.code,
    param: error.param,
    message: error.message,
  }
}
