import { AT, ATTRIBUTE_NAMES, type Agreement, type Attribute } from './attributes.ts'
import { compare } from './compare.ts'
import { evidenceOf, type Evidence } from './evidence.ts'
import { TERM_ATTRIBUTES, type Model, type TermAttribute } from './model.ts'
import type { Prepared } from './prepare.ts'
import { joined, wordsOf } from './text.ts'

export type Weighed = {
  /** Log2 of the odds that both are one: 0 is even, 10 is a thousand to one. */
  readonly weight: number
  /** The same as a probability, 0 to 1. */
  readonly probability: number
}
export type Scored = Weighed & { readonly evidence: readonly Evidence[] }

/** How likely two records are one, and why. Symmetric. */
export function score(model: Model, a: Prepared, b: Prepared): Scored {
  const agreement = compare(a, b)
  return { ...weigh(model, agreement, a, b), evidence: evidenceOf(model, agreement, a, b) }
}

/** As `score`, of an agreement at hand and without the evidence: for millions of pairs. */
export function weigh(model: Model, agreement: Agreement, a: Prepared, b: Prepared): Weighed {
  const compiled = compiledOf(model)
  let weight = compiled.prior
  let shifts: number[] | null = null
  for (let at = 0; at < agreement.length; at++) {
    const level = agreement[at] ?? -1
    if (level < 0) continue
    const likely = compiled.m[at]?.[level] ?? 0
    let chance = compiled.u[at]?.[level] ?? 0
    const term = compiled.terms[at]
    if (term !== undefined && level === 0)
      chance = Math.max(chance - RARER, Math.log2(frequencyOf(model, term, a, b)))
    else if (term === 'given' || term === 'family')
      chance = Math.max(chance, Math.min(likely + 1, byChance(model, term, level, a, b)))
    weight += likely - chance
    for (let k = 0; k < compiled.bonds.length; k++) {
      const bond = compiled.bonds[k]?.u[at]?.[level]
      if (bond === undefined) continue
      shifts ??= compiled.bonds.map(() => 0)
      // Never likelier among relatives than for one and the same: agreeing must not speak against.
      shifts[k] =
        (shifts[k] ?? 0) + Math.min(bond, at === AT.nameOrder ? bond : likely) - Math.min(chance, likely)
    }
  }
  if (shifts !== null) weight -= Math.log2(strangers(compiled, shifts))
  return { weight, probability: probabilityOf(weight) }
}

/** How much likelier an agreement becomes among those who are not one, once bonds are reckoned with. */
function strangers(compiled: Compiled, shifts: readonly number[]): number {
  let likelier = compiled.unbound
  for (let k = 0; k < shifts.length; k++) likelier += (compiled.bonds[k]?.share ?? 0) * 2 ** (shifts[k] ?? 0)
  return likelier
}

export const probabilityOf = (weight: number): number => 1 / (1 + 2 ** -weight)
/** The weight of a probability; bounded, so that 0 and 1 are numbers too. */
export const weightOf = (probability: number): number => {
  const bounded = Math.min(1 - 1e-12, Math.max(1e-12, probability))
  return Math.log2(bounded / (1 - bounded))
}

/** A value may count as at most 2^6 times rarer than the usual one. */
const RARER = 6

type Compiled = {
  readonly prior: number
  readonly m: readonly (readonly number[])[]
  readonly u: readonly (readonly number[])[]
  readonly terms: readonly (TermAttribute | undefined)[]
  readonly unbound: number
  readonly bonds: readonly {
    readonly share: number
    readonly u: readonly (readonly number[] | undefined)[]
  }[]
}
const compiledModels = new WeakMap<Model, Compiled>()

function compiledOf(model: Model): Compiled {
  const known = compiledModels.get(model)
  if (known !== undefined) return known
  const logs = (chances: readonly number[]) => chances.map((chance) => Math.log2(Math.max(chance, 1e-9)))
  const compiled: Compiled = {
    prior: weightOf(model.prior),
    m: ATTRIBUTE_NAMES.map((name) => logs(model.m[name])),
    u: ATTRIBUTE_NAMES.map((name) => logs(model.u[name])),
    terms: ATTRIBUTE_NAMES.map((name) =>
      TERM_ATTRIBUTES.find((term) => term === name && model.terms[term] !== undefined),
    ),
    unbound: 1 - model.bonds.reduce((sum, bond) => sum + bond.share, 0),
    bonds: model.bonds.map((bond) => ({
      share: bond.share,
      u: ATTRIBUTE_NAMES.map((name) => boundLevels(model, name, bond.u[name])),
    })),
  }
  compiledModels.set(model, compiled)
  return compiled
}

/** The levels of a bond, such that a better level never speaks less for one and the same than a worse one. */
function boundLevels(
  model: Model,
  name: Attribute,
  u: readonly number[] | undefined,
): readonly number[] | undefined {
  if (u === undefined) return undefined
  let ceiling = Number.POSITIVE_INFINITY
  return u.map((chance, level) => {
    const likely = model.m[name][level] ?? chance
    ceiling = Math.min(ceiling, likely / chance)
    return Math.log2(Math.max(likely / ceiling, 1e-9))
  })
}

function frequencyOf(model: Model, attribute: TermAttribute, a: Prepared, b: Prepared): number {
  const terms = model.terms[attribute]
  if (terms === undefined) return 1
  const frequency = (value: string): number =>
    Object.hasOwn(terms.listed, value) ? (terms.listed[value] ?? terms.rest) : terms.rest
  const [own, others] = [valuesOf(attribute, a), valuesOf(attribute, b)]
  const shared = own.filter((value) => others.includes(value))
  if (shared.length > 0) {
    const least = Math.min(...shared.map(frequency))
    return attribute === 'organisation' ? Math.max(least, byWords(model, a)) : least
  }
  // Written otherwise, as swapped names are: "Smith" is rare only where first names stand.
  return Math.max(...own.map(frequency), ...others.map(frequency))
}

/** How likely somebody else makes a name of the same common words: "Summit Construction" is rare, its words are not. */
function byWords(model: Model, { organisation }: Prepared): number {
  const terms = model.terms.word
  const words = wordsOf(organisation)
  if (terms === undefined || words.length < 2) return 0
  return words.reduce(
    (chance, word) => chance * (Object.hasOwn(terms.listed, word) ? (terms.listed[word] ?? 0) : terms.rest),
    1,
  )
}

/** How many ways there are to get a name wrong; a nickname is one of a few. */
const WAYS: Readonly<Record<'given' | 'family', readonly number[]>> = {
  given: [0, 100, 2, 0, 0, 100],
  family: [0, 100, 0, 100],
}

/**
 * How likely strangers have two names so alike (log2): a slip makes a name that hardly anybody has, so where many have
 * either of the two they are two names. Of p(slip) = common * wrong / ways against common * other, the other remains.
 */
function byChance(
  model: Model,
  attribute: 'given' | 'family',
  level: number,
  a: Prepared,
  b: Prepared,
): number {
  const ways = WAYS[attribute][level] ?? 0
  const listed = model.terms[attribute]?.listed
  const [one, two] = [joined(a[attribute]), joined(b[attribute])]
  if (ways === 0 || listed === undefined || !Object.hasOwn(listed, one) || !Object.hasOwn(listed, two))
    return Number.NEGATIVE_INFINITY
  return Math.log2(ways * Math.min(listed[one] ?? 0, listed[two] ?? 0))
}

/** The values of a record whose frequency counts. */
export function valuesOf(attribute: TermAttribute, record: Prepared): readonly string[] {
  switch (attribute) {
    case 'given':
    case 'family':
    case 'organisation':
    case 'street':
    case 'city':
      return record[attribute] === '' ? [] : [joined(record[attribute])]
    case 'birth':
    case 'postalCode':
      return record[attribute] === '' ? [] : [record[attribute]]
    case 'email':
      return record.emails
    case 'phone':
      return record.phones
    case 'domain':
      return record.domains
    case 'word':
      return [...new Set(wordsOf(record.organisation))]
  }
}
