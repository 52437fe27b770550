/** What a page or run would do that is hard to take back. Counts are records, not fields. */
export type Harm = { readonly deletes: number; readonly blanks: number; readonly optIns: number }
export const NO_HARM: Harm = { deletes: 0, blanks: 0, optIns: 0 }

/** Harm may reach `share` of the stream's records, or `atLeast` records where that is more. */
export type GuardLimits = { readonly share: number; readonly atLeast: number }
export const DEFAULT_LIMITS: GuardLimits = { share: 0.1, atLeast: 25 }

export type Verdict =
  | { readonly kind: 'pass' }
  | {
      readonly kind: 'hold'
      readonly what: keyof Harm
      readonly count: number
      readonly allowed: number
      readonly population: number
    }

/** From this many records on, losing or blanking all of them is held, however small the stream. */
const WHOLE_STREAM = 5

/** Stops mass deletes, mass blanking and mass opt-ins before they are written. `harm` is the run's total so far. */
export function guard(harm: Harm, population: number, limits: GuardLimits): Verdict {
  // 0.29 * 100 is 28.999999999999996.
  const share = Math.max(limits.atLeast, Math.floor(population * limits.share + 1e-9))
  for (const what of ['deletes', 'blanks', 'optIns'] as const) {
    const spares = what !== 'optIns' && population >= WHOLE_STREAM
    const allowed = spares ? Math.min(share, population - 1) : share
    if (harm[what] > allowed) return { kind: 'hold', what, count: harm[what], allowed, population }
  }
  return { kind: 'pass' }
}

export function addHarm(a: Harm, b: Harm): Harm {
  return { deletes: a.deletes + b.deletes, blanks: a.blanks + b.blanks, optIns: a.optIns + b.optIns }
}
