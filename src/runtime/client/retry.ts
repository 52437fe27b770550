import type { Failure } from '../../connectors/connector.ts'
import { isIdempotent, isKeyed, type Outgoing } from './outgoing.ts'

export const MAX_ATTEMPTS = 4
/** Longer waits are for the database, not for a process. */
export const MAX_WAIT_MS = 20_000

const BASE_MS = 250
const CAP_MS = 8_000

/**
 * How a request failed: by a reply, by losing the connection or the time (`lost`), surely before it left (`unsent`),
 * or by our own rules (`refused`).
 */
export type FailedBy = 'reply' | 'lost' | 'unsent' | 'refused'

/** Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
export function backoffMs(attempt: number, random: () => number): number {
  return Math.ceil(random() * Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1)))
}

/**
 * Whether the same request may be sent again. A vendor that throttles has done nothing, whatever the method. A keyed
 * POST is not repeated after a 5xx *reply*: the vendor has stored it with the key and would only replay it
 * (https://docs.stripe.com/api/idempotent_requests).
 */
export function mayRepeat(request: Outgoing, failure: Failure, by: FailedBy): boolean {
  if (failure.kind === 'throttled') return true
  if (by === 'refused' || (failure.kind !== 'unavailable' && failure.kind !== 'malformed')) return false
  switch (by) {
    case 'unsent':
      return true
    case 'lost':
      return isIdempotent(request.method) || isKeyed(request)
    case 'reply':
      return isIdempotent(request.method)
  }
}
