import { AT, ATTRIBUTE_NAMES, ATTRIBUTES, type Agreement, type Attribute } from './attributes.ts'
import { byAttribute, type Model } from './model.ts'

/** A pattern of agreement and how many pairs show it: millions of pairs make some thousand patterns. */
export type Pattern = { readonly levels: Agreement; readonly count: number }
export type Session = { readonly patterns: readonly Pattern[]; readonly consumed: readonly Attribute[] }
type Levels = Record<Attribute, number[]>

/** Counts agreements without keeping them: what it holds does not grow with the pairs, only with the patterns. */
export type Tally = {
  readonly add: (levels: Agreement) => void
  /** In an order of their own, so that the order of pairs does not count. */
  readonly patterns: () => readonly Pattern[]
}

/** How many levels each attribute has, with "missing". All together fit into one whole number (43 of 53 bits). */
const SIZES = ATTRIBUTE_NAMES.map((name) => ATTRIBUTES[name].levels.length + 1)

export function openTally(): Tally {
  const counts = new Map<number, number>()
  return {
    add(levels) {
      let packed = 0
      for (let at = 0; at < SIZES.length; at++) packed = packed * (SIZES[at] ?? 1) + (levels[at] ?? -1) + 1
      counts.set(packed, (counts.get(packed) ?? 0) + 1)
    },
    patterns: () =>
      [...counts]
        .toSorted(([a], [b]) => a - b)
        .map(([packed, count]) => ({ levels: unpacked(packed), count })),
  }
}

function unpacked(packed: number): Agreement {
  const levels: number[] = []
  let left = packed
  for (const size of SIZES.toReversed()) {
    levels.push((left % size) - 1)
    left = Math.floor(left / size)
  }
  return levels.toReversed()
}

export function bundle(agreements: Iterable<Agreement>): readonly Pattern[] {
  const tally = openTally()
  for (const levels of agreements) tally.add(levels)
  return tally.patterns()
}

const ROUNDS = 60
const ENOUGH = 1e-4
/** For how many pairs the shipped figures stand beside those seen. */
const STRANGERS_KNOWN = 20
const MATCHES_KNOWN = 30
const SHARES_KNOWN = 4

/** How strangers agree, from random pairs; the few that are one are reckoned out. */
export function fitStrangers(start: Model, patterns: readonly Pattern[]): Model['u'] {
  let u = start.u
  for (let round = 0; round < 4; round++) {
    const model = { ...start, u }
    const counts = priorCounts(start.u, STRANGERS_KNOWN)
    for (const { levels, count } of patterns) {
      const [match = 0, stranger = 0] = normalised(likelihoods(model, levels, [start.prior, 1 - start.prior]))
      if (match < 1) addTo(counts, levels, count * stranger, [])
    }
    u = shares(counts)
  }
  return u
}

/**
 * How the same one agrees, from pairs that share a key; each key's family is a mixture of its own of matches,
 * strangers and those with a bond, and teaches nothing of the attributes it was made by. `objective` is the logarithm
 * of the posterior after every round: it never falls.
 */
export function fitMatches(
  start: Model,
  sessions: readonly Session[],
): { readonly m: Model['m']; readonly objective: readonly number[] } {
  let m = start.m
  const usual = [0.4, 0.5, ...start.bonds.map(() => 0.1 / Math.max(1, start.bonds.length))]
  let mixtures = sessions.map(() => usual)
  const objective: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const model = { ...start, m }
    const counts = priorCounts(start.m, MATCHES_KNOWN)
    let sum = logPrior(m, start.m, MATCHES_KNOWN)
    mixtures = sessions.map(({ patterns, consumed }, s) => {
      const mixture = mixtures[s] ?? usual
      const expected = usual.map((share) => share * SHARES_KNOWN)
      sum += usual.reduce((total, share, k) => total + share * SHARES_KNOWN * Math.log(mixture[k] ?? 1), 0)
      for (const { levels, count } of patterns) {
        const likely = likelihoods(model, levels, mixture, consumed)
        sum += count * Math.log(likely.reduce((total, one) => total + one, 0))
        const classes = normalised(likely)
        classes.forEach((share, k) => (expected[k] = (expected[k] ?? 0) + share * count))
        addTo(counts, levels, count * (classes[0] ?? 0), consumed)
      }
      return normalised(expected)
    })
    objective.push(sum)
    m = recognisable(shares(counts), start.subject)
    const before = objective.at(-2)
    if (before !== undefined && sum - before < ENOUGH * Math.abs(sum) * 0.01) break
  }
  return { m, objective }
}

/**
 * How often the same one may differ at most in what makes somebody who they are. Without this, a set of many families
 * and few duplicates would teach that the same person has another first name: the class of matches would become that of
 * relatives, which fits as well.
 */
const DIFFERS_AT_MOST: Readonly<Partial<Record<Attribute, number>>> = {
  given: 0.12,
  family: 0.15,
  birth: 0.25,
}
/** A company is who its name says; the firms next door have its address, too. */
const COMPANY_DIFFERS_AT_MOST: typeof DIFFERS_AT_MOST = { organisation: 0.06 }

function recognisable(m: Model['m'], subject: Model['subject']): Model['m'] {
  const limits = subject === 'person' ? DIFFERS_AT_MOST : COMPANY_DIFFERS_AT_MOST
  return byAttribute((attribute) => {
    const chances = m[attribute]
    const most = limits[attribute]
    const differs = chances.at(-1) ?? 0
    if (most === undefined || differs <= most) return chances
    return chances.map((chance, level) =>
      level === chances.length - 1 ? most : (chance * (1 - most)) / (1 - differs),
    )
  })
}

/** How likely a pattern is of each class, times the class's share: matches, strangers, then each bond. */
export function likelihoods(
  { m, u, bonds }: Model,
  levels: Agreement,
  mixture: readonly number[],
  consumed: readonly Attribute[] = [],
): number[] {
  const found = [...mixture]
  for (const attribute of ATTRIBUTE_NAMES) {
    const level = levels[AT[attribute]] ?? -1
    if (level < 0 || consumed.includes(attribute)) continue
    const stranger = u[attribute][level] ?? 1e-9
    found[0] = (found[0] ?? 0) * (m[attribute][level] ?? 1e-9)
    for (let k = 1; k < found.length; k++)
      found[k] = (found[k] ?? 0) * (k === 1 ? stranger : (bonds[k - 2]?.u[attribute]?.[level] ?? stranger))
  }
  return found
}

export function normalised(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0)
  return sum > 0 ? values.map((value) => value / sum) : values.map(() => 0)
}

const priorCounts = (chances: Model['m'], strength: number): Levels =>
  byAttribute((attribute) => chances[attribute].map((chance) => chance * strength))

const logPrior = (chances: Model['m'], prior: Model['m'], strength: number): number =>
  ATTRIBUTE_NAMES.reduce(
    (sum, attribute) =>
      sum +
      prior[attribute].reduce(
        (part, chance, level) => part + chance * strength * Math.log(chances[attribute][level] ?? 1),
        0,
      ),
    0,
  )

function addTo(counts: Levels, levels: Agreement, weight: number, consumed: readonly Attribute[]): void {
  if (weight === 0) return
  for (const attribute of ATTRIBUTE_NAMES) {
    const level = levels[AT[attribute]] ?? -1
    if (level < 0 || consumed.includes(attribute)) continue
    const own = counts[attribute]
    own[level] = (own[level] ?? 0) + weight
  }
}

const shares = (counts: Levels): Model['m'] => byAttribute((attribute) => normalised(counts[attribute]))
