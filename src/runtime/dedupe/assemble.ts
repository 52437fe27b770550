import { compare } from '../../core/match/compare.ts'
import { groups, speakAgainst, type Pair } from '../../core/match/groups.ts'
import type { Model } from '../../core/match/model.ts'
import { weigh } from '../../core/match/score.ts'
import { heldOf } from './blocks.ts'
import type { Scratch } from './scratch.ts'
import type { Sets } from './sets.ts'

/** Records of one group, each with the weight of its best link within. */
export type Group = readonly { readonly row: number; readonly weight: number }[]

/** Chains of more records are judged by the pairs that were compared, not by every pair there is. */
const ALL_PAIRS = 150
const CHUNK = 4_000

/**
 * Turns what hangs together into groups, one chain after the other: the members of a chain need not all be one
 * person. Holds one chain in memory.
 */
export async function* assemble(
  scratch: Scratch,
  sets: Sets,
  model: Model,
  threshold: number,
  stopping: AbortSignal,
): AsyncGenerator<readonly Group[]> {
  await saveMembers(scratch, sets)
  let pairs: Pair<number>[] = []
  let root = -1
  for await (const chunk of scratch.chains(CHUNK)) {
    stopping.throwIfAborted()
    const done: Pair<number>[][] = []
    for (const match of chunk) {
      if (match.root !== root && pairs.length > 0) {
        done.push(pairs)
        pairs = []
      }
      root = match.root
      pairs.push(match)
    }
    yield await groupsOf(scratch, done, model, threshold)
  }
  yield await groupsOf(scratch, [pairs], model, threshold)
}

async function saveMembers(scratch: Scratch, sets: Sets): Promise<void> {
  let rows: (readonly [number, number])[] = []
  for (const member of sets.members()) {
    rows.push(member)
    if (rows.length < CHUNK) continue
    await scratch.saveMembers(rows)
    rows = []
  }
  await scratch.saveMembers(rows)
  await scratch.membersReady()
}

const membersOf = (pairs: readonly Pair<number>[]): readonly number[] => [
  ...new Set(pairs.flatMap(({ a, b }) => [a, b])),
]

async function groupsOf(
  scratch: Scratch,
  chains: readonly (readonly Pair<number>[])[],
  model: Model,
  threshold: number,
): Promise<readonly Group[]> {
  const judged = chains.map(membersOf).filter((members) => members.length > 2 && members.length <= ALL_PAIRS)
  const stored = await scratch.payloads(judged.flat())
  const records = new Map(stored.map(({ id, payload }) => [id, heldOf(id, payload).prepared]))
  return chains.flatMap((pairs) => {
    const known = new Map(pairs.map((pair) => [keyOf(pair.a, pair.b), pair.weight]))
    const between = (one: number, two: number): number | undefined => {
      const key = keyOf(one, two)
      const before = known.get(key)
      if (before !== undefined) return before
      const [a, b] = [records.get(one), records.get(two)]
      if (a === undefined || b === undefined) return undefined
      const { weight } = weigh(model, compare(a, b), a, b)
      known.set(key, weight)
      return weight
    }
    return groups(pairs, threshold, speakAgainst(between)).map((rows) => withBest(rows, pairs))
  })
}

/** Two rows in one number, whichever is named first. */
export const keyOf = (a: number, b: number): number => Math.min(a, b) * 2 ** 26 + Math.max(a, b)

function withBest(rows: readonly number[], pairs: readonly Pair<number>[]): Group {
  const members = new Set(rows)
  const best = new Map<number, number>()
  for (const { a, b, weight } of pairs) {
    if (!members.has(a) || !members.has(b)) continue
    for (const row of [a, b]) best.set(row, Math.max(best.get(row) ?? weight, weight))
  }
  return rows.map((row) => ({ row, weight: best.get(row) ?? 0 }))
}
