import type { RecordId } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { holdersOf } from '../../store/matching.ts'
import type { Comparer, Known } from './comparer.ts'

/** A key that more records share tells nobody apart: nearly all pairs that it would bring are strangers. */
export const LARGEST_BLOCK = 50
/**
 * One key alone brings two together only where so few share it. More candidates would be met in a larger hub, and hardly
 * any who is one: those share a second key nearly always (docs/decisions/0015).
 */
const FEW = 5
/** Of a record that shares keys with more, those that share the most, and the rarest, are compared. */
const MOST_CANDIDATES = 100

/**
 * The records that share a key with each of these, likeliest first, in one query. A record's own keys need not be
 * stored.
 */
export async function candidatesFor(
  q: Query,
  comparer: Comparer,
  records: readonly Pick<Known, 'id' | 'prepared'>[],
): Promise<ReadonlyMap<RecordId, readonly RecordId[]>> {
  const keys = new Map(records.map(({ id, prepared }) => [id, comparer.keys(prepared)]))
  const holders = await holdersOf(q, [...new Set([...keys.values()].flat())], LARGEST_BLOCK)
  const candidates = new Map<RecordId, readonly RecordId[]>()
  for (const [id, own] of keys) {
    const shared = new Map<RecordId, number>()
    for (const key of own) {
      const block = holders.get(key) ?? []
      const worth = block.length <= FEW ? 2 : 1
      for (const other of block)
        if (other !== id) shared.set(other, (shared.get(other) ?? 0) + worth + 1 / block.length)
    }
    const all = [...shared.keys()].filter((other) => (shared.get(other) ?? 0) >= 2)
    candidates.set(
      id,
      all.length <= MOST_CANDIDATES
        ? all
        : all
            .toSorted((a, b) => (shared.get(b) ?? 0) - (shared.get(a) ?? 0) || a - b)
            .slice(0, MOST_CANDIDATES),
    )
  }
  return candidates
}
