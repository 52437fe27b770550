import { addTo, boundCounts, boundShares, likelihoods, normalised, tellsApart, type Pattern } from './em.ts'
import type { Model } from './model.ts'

/** Duplicates a record, before and beside what was seen. */
const EXPECTED = 0.02
const KNOWN_RECORDS = 0.05
/** No share changes by more from one round to the next. */
const SETTLED = 1e-3

/**
 * How many of all pairs are one, or have a bond: what the candidates add up to, because pairs that share no key are
 * strangers. Solved by repetition.
 */
export function overallShares(
  model: Model,
  patterns: readonly Pattern[],
  set: { readonly records: number; readonly share: number },
): Model {
  const pairs = (set.records * (set.records - 1)) / 2
  let mixture = mixtureOf(model)
  let { bonds: bound } = model
  for (let round = 0; round < 30; round++) {
    const sums = mixture.map(() => 0)
    const counts = model.bonds.map((bond) => boundCounts(bond.u))
    for (const { levels, count } of patterns) {
      normalised(likelihoods({ ...model, bonds: bound }, levels, mixture)).forEach((share, k) => {
        sums[k] = (sums[k] ?? 0) + (share * count) / set.share
        if (k > 1 && tellsApart(model.subject, levels)) addTo(counts[k - 2] ?? {}, levels, share * count, [])
      })
    }
    bound = bound.map((bond, k) => ({ ...bond, u: boundShares(counts[k] ?? {}) }))
    const matches = (sums[0] ?? 0) * (1 - KNOWN_RECORDS) + set.records * EXPECTED * KNOWN_RECORDS
    const prior = Math.min(0.1, matches / pairs)
    const bonds = model.bonds.map((bond, k) =>
      Math.min(0.2, ((sums[k + 2] ?? 0) + bond.share * pairs * KNOWN_RECORDS) / pairs),
    )
    const strangers = 1 - prior - bonds.reduce((sum, bond) => sum + bond, 0)
    const next = [prior, strangers, ...bonds]
    const isSettled = next.every((share, k) => Math.abs(share - (mixture[k] ?? 0)) <= SETTLED * share)
    mixture = next
    if (isSettled) break
  }
  const [prior = model.prior, , ...bonds] = mixture
  return {
    ...model,
    prior,
    bonds: bound.map((bond, k) => ({ ...bond, share: bonds[k] ?? bond.share })),
  }
}

function mixtureOf(model: Model): number[] {
  const bonds = model.bonds.map((bond) => bond.share)
  return [model.prior, 1 - model.prior - bonds.reduce((sum, bond) => sum + bond, 0), ...bonds]
}
