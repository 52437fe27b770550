import { ATTRIBUTE_NAMES, type Attribute } from './attributes.ts'
import { COMPANY, PERSON, type Chances } from './defaults.ts'
import type { Subject } from './traits.ts'

/** Attributes whose values differ much in how common they are: two Smiths are weaker evidence than two Szczepańskis. */
export const TERM_ATTRIBUTES = [
  'given',
  'family',
  'birth',
  'email',
  'phone',
  'organisation',
  'word',
  'domain',
  'street',
  'postalCode',
  'city',
] as const
export type TermAttribute = (typeof TERM_ATTRIBUTES)[number]

/** How often a value occurs: the share of records that hold it, `rest` for a value that is not listed. */
export type Terms = { readonly listed: Readonly<Record<string, number>>; readonly rest: number }

/**
 * Two different people who share something for a reason: a household, an employer. `share` is how many of all pairs
 * are such, `u` how far they agree where that is not as among strangers.
 */
export type Bond = {
  readonly name: string
  readonly share: number
  readonly u: Readonly<Partial<Record<Attribute, readonly number[]>>>
}

/** A Fellegi-Sunter model. Plain JSON. */
export type Model = {
  readonly subject: Subject
  /** The probability that two records taken at random are one. */
  readonly prior: number
  /** By attribute and level: how often the same one agrees so far. */
  readonly m: Readonly<Record<Attribute, readonly number[]>>
  /** By attribute and level: how often two strangers agree so far. */
  readonly u: Readonly<Record<Attribute, readonly number[]>>
  readonly bonds: readonly Bond[]
  readonly terms: Readonly<Partial<Record<TermAttribute, Terms>>>
  /** What it learned from; null: as shipped. */
  readonly learned: { readonly records: number; readonly pairs: number } | null
}

function shipped(subject: Subject, chances: Chances): Model {
  const all = (side: 'm' | 'u') =>
    byAttribute((attribute) => normal(chances.levels[attribute][side === 'm' ? 0 : 1]))
  return { subject, prior: 1e-4, m: all('m'), u: all('u'), bonds: chances.bonds, terms: {}, learned: null }
}

const normal = (chances: readonly number[]): readonly number[] => {
  const sum = chances.reduce((total, chance) => total + chance, 0)
  return chances.map((chance) => chance / sum)
}

export function byAttribute<T>(make: (attribute: Attribute) => T): Record<Attribute, T> {
  const made: Partial<Record<Attribute, T>> = {}
  for (const attribute of ATTRIBUTE_NAMES) made[attribute] = make(attribute)
  if (!isWhole(made)) throw new Error('an attribute is missing in ATTRIBUTE_NAMES')
  return made
}
const isWhole = <T>(made: Partial<Record<Attribute, T>>): made is Record<Attribute, T> =>
  ATTRIBUTE_NAMES.every((attribute) => attribute in made)

/** What ships, for sets too small to learn from, and where learning starts. */
export const DEFAULT_MODELS: Readonly<Record<Subject, Model>> = {
  person: shipped('person', PERSON),
  company: shipped('company', COMPANY),
}

/** Of how many records one has a duplicate, before anything is known. */
const DUPLICATES = 0.1

/** A model for a set of `records`: the more there are, the rarer it is that two of them are one. */
export function forRecords(model: Model, records: number): Model {
  if (records < 2) return model
  const prior = Math.min(0.05, (2 * DUPLICATES) / (records - 1))
  const factor = prior / model.prior
  return {
    ...model,
    prior,
    bonds: model.bonds.map((bond) => ({ ...bond, share: Math.min(0.2, bond.share * factor) })),
  }
}
