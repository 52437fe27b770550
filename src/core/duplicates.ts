import type { RecordKind } from './model.ts'

/** The kinds of record that are compared with one another. */
export type MatchedKind = Extract<RecordKind, 'contact' | 'company'>
export const MATCHED_KINDS = ['contact', 'company'] as const satisfies readonly MatchedKind[]

export const isMatched = (kind: RecordKind): kind is MatchedKind => kind === 'contact' || kind === 'company'

/**
 * What the probability that two records are one must reach, from 0 to 1: to merge them by rule, and to ask a person.
 * Null: never. `link` is above `ask`.
 */
export type Thresholds = { readonly link: number | null; readonly ask: number | null }

/** Nothing is merged by its score alone unless an admin says so (docs/decisions/0015). */
export const DEFAULT_THRESHOLDS: Thresholds = { link: null, ask: 0.8 }

/** Two records that came through several streams keep to the strictest of them. */
export function strictest(all: readonly Thresholds[], otherwise: Thresholds): Thresholds {
  const higher = (a: number | null, b: number | null) => (a === null || b === null ? null : Math.max(a, b))
  const [first, ...rest] = all
  if (first === undefined) return otherwise
  return rest.reduce(
    (strict, next) => ({ link: higher(strict.link, next.link), ask: higher(strict.ask, next.ask) }),
    first,
  )
}

export type Verdict = 'link' | 'ask' | 'none'

export function verdictOn(probability: number, { link, ask }: Thresholds): Verdict {
  if (link !== null && probability >= link) return 'link'
  return ask !== null && probability >= ask ? 'ask' : 'none'
}

/**
 * Whether two texts of evidence say the same: what weighs most stands first, and a model learned anew weighs otherwise.
 */
export function isSameEvidence(one: string, other: string): boolean {
  const parts = (text: string) => text.split('; ').toSorted().join('; ')
  return parts(one) === parts(other)
}
