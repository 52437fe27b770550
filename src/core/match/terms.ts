import { byAttribute, TERM_ATTRIBUTES, type Model, type TermAttribute, type Terms } from './model.ts'
import type { Prepared } from './prepare.ts'
import { valuesOf } from './score.ts'

/** How often each value was seen, in how many records that state one. */
export type TermCounts = Readonly<
  Partial<Record<TermAttribute, { readonly records: number; readonly values: ReadonlyMap<string, number> }>>
>

/** The most common values are kept; all others count as one. */
const LISTED = 1_000
/** How many records the usual frequency stands for beside those counted. */
const KNOWN = 50
/** How many strangers hold a value beside the two at hand, where none was seen. */
const UNSEEN = 0.03

export function countTerms(records: Iterable<Prepared>): TermCounts {
  const counts: Partial<Record<TermAttribute, { records: number; values: Map<string, number> }>> = {}
  for (const record of records) {
    for (const attribute of TERM_ATTRIBUTES) {
      const values = valuesOf(attribute, record)
      if (values.length === 0) continue
      const own = (counts[attribute] ??= { records: 0, values: new Map() })
      own.records++
      for (const value of values) own.values.set(value, (own.values.get(value) ?? 0) + 1)
    }
  }
  return counts
}

/** The two records at hand hold the value themselves: only others show how common it is. */
const leftOut = (count: number): number => Math.max(0, count - 2)

export function termsOf(counts: TermCounts, model: Model): Model['terms'] {
  const terms: Partial<Record<TermAttribute, Terms>> = {}
  for (const attribute of TERM_ATTRIBUTES) {
    const own = counts[attribute]
    if (own === undefined || own.records < 2 * KNOWN) continue
    const usual = attribute === 'word' ? 0 : (model.u[attribute][0] ?? 0)
    const frequency = (count: number): number =>
      (leftOut(count) + Math.max(UNSEEN, KNOWN * usual)) / (own.records + KNOWN)
    const common = [...own.values]
      .filter(([, count]) => count > 3)
      .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    const rarest = common[LISTED]?.[1] ?? 2
    terms[attribute] = {
      listed: Object.fromEntries(common.slice(0, LISTED).map(([value, count]) => [value, frequency(count)])),
      rest: frequency(rarest),
    }
  }
  return terms
}

/**
 * How often strangers have one value, from how many records hold each: of every value two holders are left out, who may
 * be one. Random pairs cannot tell the doubles of a column of many values from strangers; where they say less, they stand.
 */
export function withoutPairs(u: Model['u'], counts: TermCounts): Model['u'] {
  const told: Record<string, readonly number[]> = { ...u }
  for (const attribute of TERM_ATTRIBUTES) {
    if (attribute === 'word') continue
    const own = counts[attribute]
    const [exact = 0, ...others] = u[attribute]
    if (own === undefined || own.records < 2 * KNOWN) continue
    let pairs = 1
    for (const count of own.values.values()) pairs += count * leftOut(count)
    const chance = Math.min(exact, pairs / own.records ** 2)
    told[attribute] = [chance, ...others.map((one) => (one * (1 - chance)) / (1 - exact))]
  }
  return byAttribute((attribute) => told[attribute] ?? u[attribute])
}
