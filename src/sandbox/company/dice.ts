import { seeded } from '../seeded.ts'

/** Chance from a seed: the same seed throws the same dice. */
export type Dice = {
  /** Uniform in [0, 1). */
  next(): number
  /** True with probability `p`. */
  chance(p: number): boolean
  /** A whole number from 0 (included) to `n` (excluded). */
  below(n: number): number
  pick<T>(from: readonly [T, ...T[]]): T
  /** By weight; weights need not add up to 1. */
  weighted<T>(from: readonly [readonly [T, number], ...(readonly [T, number])[]]): T
}

export function dice(seed: number): Dice {
  const next = seeded(seed)
  const below = (n: number) => Math.floor(next() * n)
  return {
    next,
    below,
    chance: (p) => next() < p,
    pick: (from) => from[below(from.length)] ?? from[0],
    weighted(from) {
      let left = next() * from.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [value, weight] of from) {
        left -= weight
        if (left < 0) return value
      }
      return from[0][0]
    },
  }
}
