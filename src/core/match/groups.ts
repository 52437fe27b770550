import type { Weighed } from './score.ts'

export type Pair<Id> = { readonly a: Id; readonly b: Id; readonly weight: Weighed['weight'] }

/** More members are not looked at one against one: the first of each side stand for the others. */
const LOOKED_AT = 12

/**
 * Puts records into groups, each with two members or more. Pairs join in order of falling weight (ties by id), down
 * to `threshold`; `contradicts` may refuse to join two groups whose members speak against each other, so that a chain
 * of weak links does not melt ten people into one. Same result for every order of `pairs`.
 */
export function groups<Id extends number | string>(
  pairs: readonly Pair<Id>[],
  threshold: number,
  contradicts: (left: readonly Id[], right: readonly Id[]) => boolean,
): readonly (readonly Id[])[] {
  const groupOf = new Map<Id, Id[]>()
  const found = (id: Id): Id[] => {
    const group = groupOf.get(id) ?? [id]
    groupOf.set(id, group)
    return group
  }
  const usable = pairs.filter((pair) => pair.weight >= threshold).map(inOrder)
  for (const { a, b } of usable.toSorted(
    (x, y) => y.weight - x.weight || compareIds(x.a, y.a) || compareIds(x.b, y.b),
  )) {
    const [left, right] = [found(a), found(b)]
    if (left === right) continue
    if (left.length + right.length > 2 && contradicts(left.slice(0, LOOKED_AT), right.slice(0, LOOKED_AT)))
      continue
    const [larger, smaller] = left.length >= right.length ? [left, right] : [right, left]
    for (const id of smaller) {
      larger.push(id)
      groupOf.set(id, larger)
    }
  }
  return [...new Set(groupOf.values())]
    .filter((group) => group.length > 1)
    .map((group) => group.toSorted(compareIds))
    .toSorted((x, y) => compareIds(x[0] ?? 0, y[0] ?? 0))
}

const compareIds = (a: number | string, b: number | string): number => (a < b ? -1 : a > b ? 1 : 0)
const inOrder = <Id extends number | string>(pair: Pair<Id>): Pair<Id> =>
  pair.a <= pair.b ? pair : { a: pair.b, b: pair.a, weight: pair.weight }

/** Members of both sides are on average at most this likely one (log2 of the odds): somewhat against, but not much. */
const AGAINST = -3

/** The usual contradiction: members of both sides speak against being one on average. Unknown pairs do not speak. */
export function speakAgainst<Id>(
  weightBetween: (a: Id, b: Id) => number | undefined,
  least = AGAINST,
): (left: readonly Id[], right: readonly Id[]) => boolean {
  return (left, right) => {
    const weights = left.flatMap((a) => right.flatMap((b) => weightBetween(a, b) ?? []))
    // One strong link must not outvote the rest.
    const sum = weights.reduce((total, weight) => total + Math.min(12, Math.max(-12, weight)), 0)
    return weights.length > 0 && sum / weights.length < least
  }
}
