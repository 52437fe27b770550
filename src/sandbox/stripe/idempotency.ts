import { Refusal } from './errors.ts'
import type { StoredReply, StripeState } from './state.ts'

/** Keys may be pruned once they are 24 hours old: https://docs.stripe.com/api/idempotent_requests */
const KEPT_MS = 24 * 60 * 60 * 1000

export type Claim =
  | { kind: 'run'; slot: StoredReply | null }
  | { kind: 'replay'; reply: NonNullable<StoredReply['reply']> }

/** Takes the key for this request, or says what the first request with it was answered. */
export function claimKey(state: StripeState, key: string | null, fingerprint: string): Claim {
  if (key === null) return { kind: 'run', slot: null }
  if (key.length > 255) throw refused(400, 'Idempotency keys can have up to 255 characters.')
  forgetOld(state)
  const held = state.replies.get(key)
  if (held === undefined) {
    const slot: StoredReply = { fingerprint, storedAtMs: state.now(), reply: null }
    state.replies.set(key, slot)
    return { kind: 'run', slot }
  }
  if (held.fingerprint !== fingerprint)
    throw refused(
      400,
      `Keys for idempotent requests can only be used with the same endpoint and parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    )
  if (held.reply === null)
    throw new Refusal(
      409,
      'idempotency_error',
      `There is currently another in-progress request using this Idempotent Key (${key}). Please try again later.`,
      { code: 'idempotency_key_in_use' },
      { executed: false, headers: { 'stripe-should-retry': 'true' } },
    )
  return { kind: 'replay', reply: held.reply }
}

/** For a request refused before it ran: the key stays free. */
export function releaseKey(state: StripeState, key: string | null): void {
  if (key !== null && state.replies.get(key)?.reply === null) state.replies.delete(key)
}

function refused(status: number, message: string): Refusal {
  return new Refusal(status, 'idempotency_error', message, {}, { executed: false })
}

// The map holds its keys in the order they came.
function forgetOld(state: StripeState): void {
  for (const [key, held] of state.replies) {
    if (held.storedAtMs + KEPT_MS > state.now()) return
    state.replies.delete(key)
  }
}
