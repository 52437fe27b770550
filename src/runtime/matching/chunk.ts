import { isSameEvidence, verdictOn, type MatchedKind } from '../../core/duplicates.ts'
import type { RecordId } from '../../core/model.ts'
import type { Tx } from '../../store/database.ts'
import { openItems, openKeys } from '../../store/inbox.ts'
import {
  forgetPairs,
  loadRecognised,
  pairKey,
  pairOf,
  pairsWith,
  savePairs,
  streamsOf,
  takeWaiting,
  writeKeys,
  type LikelyPair,
} from '../../store/matching.ts'
import { isKeptApart } from '../../store/merges.ts'
import { askedByKey, closeLikeness, markAsked } from '../../store/matching-pairs.ts'
import type { Hub } from '../hub.ts'
import { candidatesFor } from './candidates.ts'
import { knownOf, type Comparer, type Known, type Likeness } from './comparer.ts'
import { itemFor } from './items.ts'
import { limitsOf, type Sources } from './thresholds.ts'

/** Two records and how alike they are. */
export type Alike = { readonly a: Known; readonly b: Known; readonly likeness: Likeness }

export type Chunk = {
  /** How many records were compared with the others; 0: none waits. */
  readonly records: number
  /** Pairs that are alike enough to be merged by rule, and may be. */
  readonly linkable: readonly Alike[]
  readonly sources: Sources
}

/**
 * Compares records off the queue with all others, keeps the pairs that look like one, and lets go of those that do no
 * longer. In the caller's transaction, which holds the kind's lock; a number of statements that does not grow with the
 * number of records.
 */
export async function matchChunk(
  hub: Hub,
  q: Tx,
  comparer: Comparer,
  limit: number,
  only: readonly RecordId[] | null,
): Promise<Chunk> {
  const { kind } = comparer
  const ids = await takeWaiting(q, kind, limit, only)
  if (ids.length === 0) return { records: 0, linkable: [], sources: new Map() }
  const fresh = knownOf(comparer, await loadRecognised(q, kind, ids))
  await writeKeys(
    q,
    ids,
    [...fresh.values()].flatMap(({ id, prepared }) => comparer.keys(prepared).map((key) => ({ id, key }))),
  )
  const before = await pairsWith(q, ids)
  const alike = await alikeOf(hub, q, comparer, fresh, before)
  const kept = await isKeptApart(
    q,
    alike.map(({ a, b }) => [a.id, b.id]),
  )
  const apart = new Set(kept.map(([a, b]) => pairKey({ a, b })))
  const open = alike.filter(({ a, b }) => !apart.has(pairKey(pairOf(a.id, b.id))))
  const sources = await streamsOf(
    q,
    open.flatMap(({ a, b }) => [a.id, b.id]),
  )
  const limits = limitsOf(hub, kind)
  const verdicts = open.map((pair) => {
    const streams = [...(sources.get(pair.a.id) ?? []), ...(sources.get(pair.b.id) ?? [])]
    return { pair, verdict: verdictOn(pair.likeness.probability, limits.of(streams)) }
  })
  const told = verdicts.filter(({ verdict }) => verdict !== 'none').map(({ pair }) => pair)
  await keep(hub, q, kind, before, told)
  return {
    records: ids.length,
    linkable: verdicts.filter(({ verdict }) => verdict === 'link').map(({ pair }) => pair),
    sources,
  }
}

/** The pairs of these records with any others that may be told to somebody, and those that once were. */
async function alikeOf(
  hub: Hub,
  q: Tx,
  comparer: Comparer,
  fresh: ReadonlyMap<RecordId, Known>,
  before: readonly LikelyPair[],
): Promise<readonly Alike[]> {
  const { least } = limitsOf(hub, comparer.kind)
  if (least === null) return []
  const candidates = await candidatesFor(q, comparer, [...fresh.values()])
  const pairs = new Map(
    [...candidates].flatMap(([id, others]) =>
      others.map((other) => {
        const pair = pairOf(id, other)
        return [pairKey(pair), pair] as const
      }),
    ),
  )
  for (const pair of before) pairs.set(pairKey(pair), pair)
  const missing = [...pairs.values()].flatMap(({ a, b }) => [a, b]).filter((id) => !fresh.has(id))
  const others = knownOf(comparer, await loadRecognised(q, comparer.kind, missing))
  const get = (id: RecordId) => fresh.get(id) ?? others.get(id)
  return [...pairs.values()].flatMap((pair): readonly Alike[] => {
    const a = get(pair.a)
    const b = get(pair.b)
    if (a === undefined || b === undefined) return []
    const likeness = comparer.compare(a.prepared, b.prepared)
    return likeness.probability >= least ? [{ a, b, likeness }] : []
  })
}

/** Pairs as they look now, in place of those that were known of the same records. */
async function keep(
  hub: Hub,
  q: Tx,
  kind: MatchedKind,
  before: readonly LikelyPair[],
  told: readonly Alike[],
): Promise<void> {
  const at = hub.clock.now()
  const was = new Map(before.map((pair) => [pairKey(pair), pair]))
  const pairs = told.map(({ a, b, likeness }) => {
    const pair = pairOf(a.id, b.id)
    const evidence = likeness.evidence()
    const last = was.get(pairKey(pair))
    const news = last === undefined || !isSameEvidence(last.evidence, evidence)
    const moved = last === undefined || percent(last.probability) !== percent(likeness.probability)
    return { ...pair, probability: likeness.probability, evidence, news, moved }
  })
  const still = new Set(pairs.map(pairKey))
  const over = before.filter((pair) => !still.has(pairKey(pair)))
  await forgetPairs(q, over)
  await closeLikeness(q, over, 'they do not look like one any more', at)
  await savePairs(q, kind, pairs, at)
  const changed = pairs.filter(({ news, moved }) => news || moved)
  // Questions that are open say at once what is known now; new ones are asked in their turn.
  const keys = changed.map(pairKey)
  const open = await openKeys(q, keys)
  const byKey = await askedByKey(q, changed)
  const known = new Map(told.flatMap(({ a, b }) => [[a.id, a] as const, [b.id, b] as const]))
  const asked = changed.filter((pair) => open.has(pairKey(pair)))
  const items = asked.filter((pair) => !byKey.has(pairKey(pair))).map((pair) => itemFor(kind, pair, known))
  await openItems(q, items, at)
  await markAsked(q, asked)
}

/** As a question shows it. */
const percent = (probability: number): number => Math.round(100 * probability)
