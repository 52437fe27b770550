import { TERM_ATTRIBUTES, type Model, type TermAttribute, type Terms } from './model.ts'
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
const others = (count: number): number => Math.max(0, count - 2)

export function termsOf(counts: TermCounts, model: Model): Model['terms'] {
  const terms: Partial<Record<TermAttribute, Terms>> = {}
  for (const attribute of TERM_ATTRIBUTES) {
    const own = counts[attribute]
    if (own === undefined || own.records < 2 * KNOWN) continue
    const usual = model.u[attribute][0] ?? 0
    const frequency = (count: number): number =>
      (others(count) + Math.max(0.25, KNOWN * usual)) / (own.records + KNOWN)
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
