import type { Instant } from './json.ts'
import type { Source } from './model.ts'

/** `out` also stands for bounced addresses. `pending`: asked to confirm, not answered. */
export type ConsentState = 'in' | 'out' | 'pending' | 'unknown'

/** One statement of the append-only ledger, about one address on one channel (`email`) for one audience. */
export type Statement = {
  readonly address: string
  readonly channel: string
  readonly audience: string
  readonly state: ConsentState
  /** When it became true at its source; the time it was seen where the source does not say. */
  readonly at: Instant
  /** The person did it themselves and the source can prove when (a confirmed form). Only such an `in` can end an `out`. */
  readonly explicit: boolean
  readonly source: Source
  readonly reason: string | null
}

/**
 * The state that a set of statements adds up to; their order does not matter. Most restrictive wins: an `out` stands
 * until an explicit `in` that is later than every `out`, and an unanswered question outweighs an `in` nobody can prove.
 */
export function effectiveConsent(statements: readonly Statement[]): ConsentState {
  const out = Math.max(...statements.filter((s) => s.state === 'out').map((s) => s.at))
  const explicitIn = Math.max(...statements.filter((s) => s.state === 'in' && s.explicit).map((s) => s.at))
  if (out !== Number.NEGATIVE_INFINITY) return explicitIn > out ? 'in' : 'out'
  if (explicitIn !== Number.NEGATIVE_INFINITY) return 'in'
  const states = new Set(statements.map((s) => s.state))
  return states.has('pending') ? 'pending' : states.has('in') ? 'in' : 'unknown'
}

const STRICTNESS: readonly ConsentState[] = ['in', 'unknown', 'pending', 'out']

/** A person's consent over all their addresses: the strictest, where anything is known at all. */
export function strictest(states: readonly ConsentState[]): ConsentState {
  const known = states.filter((state) => state !== 'unknown')
  return known.toSorted((a, b) => STRICTNESS.indexOf(b) - STRICTNESS.indexOf(a))[0] ?? 'unknown'
}

/** What one remote object says about consent; null where it says nothing. */
export type ConsentReading = {
  /** Null where the object has no readable one: it says so of whoever it will be written to. */
  readonly address: string | null
  readonly state: ConsentState
  readonly explicitAt: Instant | null
  readonly reason: string | null
}

/**
 * What a reading adds to the ledger: nothing when it repeats what this source said last, or says it of no address. `previous` is the state the
 * link last read, so that re-reading an old profile never adds a statement. `at` is when it was read: an opt-in dated
 * later (a wrong clock) counts from then, or it would outlast every opt-out until its date has come.
 */
export function statementFrom(
  reading: ConsentReading,
  previous: ConsentState | null,
  at: Instant,
  where: { readonly channel: string; readonly audience: string; readonly source: Source },
): Statement | null {
  const { address, state } = reading
  if (address === null || state === previous || state === 'unknown') return null
  const explicit = state === 'in' && reading.explicitAt !== null
  return {
    ...where,
    address,
    state,
    at: explicit && reading.explicitAt !== null ? Math.min(reading.explicitAt, at) : at,
    explicit,
    reason: reading.reason,
  }
}

/**
 * Whether to tell a remote, and what. An opt-out is always told. An opt-in is told only where the stream says so and
 * the remote does not itself say `out`: whoever left there comes back there.
 */
export function consentToSend(
  hub: ConsentState,
  remote: ConsentState | null,
  sends: readonly ConsentState[],
): ConsentState | null {
  if (hub === remote || !sends.includes(hub)) return null
  if (hub === 'in' && remote === 'out') return null
  return hub === 'out' || hub === 'in' ? hub : null
}
