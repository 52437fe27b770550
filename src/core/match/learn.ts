import type { Agreement } from './attributes.ts'
import { bundle, fitMatches, fitStrangers, type Session } from './em.ts'
import { KEY_FAMILIES, type KeyFamily } from './keys.ts'
import { DEFAULT_MODELS, forRecords, type Model } from './model.ts'
import { ordered } from './ordered.ts'
import { overallShares } from './shares.ts'
import { termsOf, type TermCounts } from './terms.ts'
import type { Subject } from './traits.ts'

/** What a model is learned from: no labels, only how far pairs agree. */
export type Training = {
  /** How many records the whole set has. */
  readonly records: number
  /** Pairs taken at random: what strangers are like. */
  readonly random: readonly Agreement[]
  /** Pairs that share a blocking key of the family. */
  readonly blocked: readonly BlockedPair[]
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
  if (training.records < FEWEST_RECORDS || training.blocked.length < FEWEST_PAIRS) return sized
  const u = fitStrangers(sized, bundle(training.random))
  const m = fitMatches({ ...sized, u }, sessionsOf(training.blocked)).m
  const levels = ordered({ ...sized, m, u })
  const all = bundle(training.blocked.filter((pair) => pair.first).map((pair) => pair.agreement))
  const shared = overallShares(levels, all, training)
  return {
    ...shared,
    terms: termsOf(training.terms, shared),
    learned: { records: training.records, pairs: training.blocked.length },
  }
}

function sessionsOf(pairs: readonly BlockedPair[]): readonly Session[] {
  const families = new Map<KeyFamily, Agreement[]>()
  for (const { family, agreement } of pairs) {
    const own = families.get(family)
    if (own === undefined) families.set(family, [agreement])
    else own.push(agreement)
  }
  return [...families].map(([family, own]) => ({ patterns: bundle(own), consumed: KEY_FAMILIES[family] }))
}
