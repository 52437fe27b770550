import type { Agreement } from './attributes.ts'
import { fitMatches, fitStrangers, openTally, type Pattern, type Session, type Tally } from './em.ts'
import { KEY_FAMILIES, type KeyFamily } from './keys.ts'
import { DEFAULT_MODELS, forRecords, type Model } from './model.ts'
import { ordered } from './ordered.ts'
import { overallShares } from './shares.ts'
import { termsOf, withoutPairs, type TermCounts } from './terms.ts'
import type { Subject } from './traits.ts'

/** What a model is learned from: no labels, only how far pairs agree. */
export type Training = {
  /** How many records the whole set has. */
  readonly records: number
  /** Pairs taken at random: what strangers are like. */
  readonly random: readonly Pattern[]
  /** Pairs that share a blocking key. */
  readonly blocked: Blocked
  /** Which part of all pairs that share a key is in `blocked`: above 0, 1 at most. */
  readonly share: number
  readonly terms: TermCounts
}
export type BlockedPair = {
  readonly family: KeyFamily
  readonly agreement: Agreement
  /** Under the first of the keys that both share: every pair is such under exactly one of its keys. */
  readonly first: boolean
}

export type Blocked = {
  /** How many pairs were added. */
  readonly pairs: number
  readonly sessions: readonly Session[]
  /** Each pair once. */
  readonly all: readonly Pattern[]
}

/** Collects blocked pairs, one after the other, in little memory. */
export function openBlocked(): { readonly add: (pair: BlockedPair) => void; readonly done: () => Blocked } {
  const families = new Map<KeyFamily, Tally>()
  const all = openTally()
  let pairs = 0
  return {
    add({ family, agreement, first }) {
      const own = families.get(family) ?? openTally()
      families.set(family, own)
      own.add(agreement)
      if (first) all.add(agreement)
      pairs++
    },
    done: () => ({
      pairs,
      sessions: [...families].map(([family, own]) => ({
        patterns: own.patterns(),
        consumed: KEY_FAMILIES[family],
      })),
      all: all.patterns(),
    }),
  }
}

export function blockedOf(pairs: Iterable<BlockedPair>): Blocked {
  const blocked = openBlocked()
  for (const pair of pairs) blocked.add(pair)
  return blocked.done()
}

/** With fewer, nothing is learned: what ships stands. Chosen in docs/decisions/0021. */
export const FEWEST_RECORDS = 200
export const FEWEST_PAIRS = 200

/**
 * Learns how often the same one and how often strangers agree, by expectation maximisation without labels, from
 * `start`, which also counts as evidence of its own, so that a small or strange set cannot teach nonsense.
 * Deterministic: chance is in which pairs were taken.
 */
export function learn(subject: Subject, training: Training, start: Model = DEFAULT_MODELS[subject]): Model {
  const sized = forRecords(start, training.records)
  const { blocked } = training
  if (training.records < FEWEST_RECORDS || blocked.pairs < FEWEST_PAIRS) return sized
  const u = withoutPairs(fitStrangers(sized, training.random), training.terms)
  const { m, bonds } = fitMatches({ ...sized, u }, blocked.sessions)
  const levels = ordered({ ...sized, m, u, bonds })
  const shared = overallShares(levels, blocked.all, training)
  return {
    ...shared,
    terms: termsOf(training.terms, shared),
    learned: { records: training.records, pairs: blocked.pairs },
  }
}
