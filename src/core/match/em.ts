import { AT, ATTRIBUTE_NAMES, ATTRIBUTES, type Agreement, type Attribute } from './attributes.ts'
import { byAttribute, type Bond, type Model } from './model.ts'

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
/** Many, so that a few persons of whom much was written otherwise do not pass for relatives. */
const BONDS_KNOWN = 300

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
): { readonly m: Model['m']; readonly bonds: Model['bonds']; readonly objective: readonly number[] } {
  let { m, bonds } = start
  const usual = [0.4, 0.5, ...start.bonds.map(() => 0.1 / Math.max(1, start.bonds.length))]
  let mixtures = sessions.map(() => usual)
  const objective: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const model = { ...start, m, bonds }
    const counts = priorCounts(start.m, MATCHES_KNOWN)
    const bound = start.bonds.map((bond) => boundCounts(bond.u))
    let sum = logPrior(m, start.m, MATCHES_KNOWN)
    bonds.forEach((bond, k) => (sum += logPrior(bond.u, start.bonds[k]?.u ?? {}, BONDS_KNOWN)))
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
        if (tellsApart(start.subject, levels, consumed))
          bound.forEach((own, k) => addTo(own, levels, count * (classes[k + 2] ?? 0), consumed))
      }
      return normalised(expected)
    })
    objective.push(sum)
    m = recognisable(shares(counts), start.subject)
    bonds = start.bonds.map((bond, k) => ({ ...bond, u: boundShares(bound[k] ?? {}) }))
    const before = objective.at(-2)
    if (before !== undefined && sum - before < ENOUGH * Math.abs(sum) * 0.01) break
  }
  return { m, bonds, objective }
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
/** Whatever both state, the same one agrees in it more often than not; strangers of one common name do not. */
const OTHERS_DIFFER_AT_MOST: typeof DIFFERS_AT_MOST = {
  email: 0.5,
  phone: 0.5,
  street: 0.5,
  postalCode: 0.5,
  city: 0.5,
}
/** A company is who its name says; the firms next door have its address, too. */
const COMPANY_DIFFERS_AT_MOST: typeof DIFFERS_AT_MOST = { organisation: 0.06, domain: 0.5 }

function recognisable(m: Model['m'], subject: Model['subject']): Model['m'] {
  const own = subject === 'person' ? DIFFERS_AT_MOST : COMPANY_DIFFERS_AT_MOST
  const limits = { ...OTHERS_DIFFER_AT_MOST, ...own }
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

/** Whether a pattern shows who somebody is: without the first name, relatives look like one, and one like relatives. */
export const tellsApart = (
  subject: Model['subject'],
  levels: Agreement,
  consumed: readonly Attribute[] = [],
): boolean => {
  const attribute = subject === 'person' ? 'given' : 'organisation'
  return (levels[AT[attribute]] ?? -1) >= 0 && !consumed.includes(attribute)
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

export function boundCounts(u: Bond['u']): Partial<Levels> {
  const counts: Partial<Levels> = {}
  for (const attribute of ATTRIBUTE_NAMES) {
    const chances = u[attribute]
    if (chances !== undefined) counts[attribute] = normalised(chances).map((chance) => chance * BONDS_KNOWN)
  }
  return counts
}
export function boundShares(counts: Partial<Levels>): Bond['u'] {
  const u: Partial<Levels> = {}
  for (const attribute of ATTRIBUTE_NAMES) {
    const own = counts[attribute]
    if (own !== undefined)
      u[attribute] = attribute === 'birth' ? mostlyNotTwins(normalised(own)) : normalised(own)
  }
  return u
}

/** However many twins a set seems to have: one person whose first name was written otherwise looks like two of them. */
const TWINS_AT_MOST = 0.1
const mostlyNotTwins = (chances: readonly number[]): number[] => {
  const [exact = 0] = chances
  if (exact <= TWINS_AT_MOST) return [...chances]
  return chances.map((chance, level) =>
    level === 0 ? TWINS_AT_MOST : (chance * (1 - TWINS_AT_MOST)) / (1 - exact),
  )
}

const logPrior = (chances: Bond['u'], prior: Bond['u'], strength: number): number =>
  ATTRIBUTE_NAMES.reduce(
    (sum, attribute) =>
      sum +
      (prior[attribute] ?? []).reduce(
        (part, chance, level) => part + chance * strength * Math.log(chances[attribute]?.[level] ?? 1),
        0,
      ),
    0,
  )

/** Fewer pairs teach nothing. */
const TELLING = 1e-7

export function addTo(
  counts: Partial<Levels>,
  levels: Agreement,
  weight: number,
  consumed: readonly Attribute[],
): void {
  if (weight < TELLING) return
  for (const attribute of ATTRIBUTE_NAMES) {
    const level = levels[AT[attribute]] ?? -1
    if (level < 0 || consumed.includes(attribute)) continue
    const own = counts[attribute]
    if (own !== undefined) own[level] = (own[level] ?? 0) + weight
  }
}

const shares = (counts: Levels): Model['m'] => byAttribute((attribute) => normalised(counts[attribute]))
