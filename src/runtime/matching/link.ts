import { verdictOn } from '../../core/duplicates.ts'
import { DEFAULT_LIMITS, guard, NO_HARM } from '../../core/guard.ts'
import { groups } from '../../core/match/groups.ts'
import type { RecordId } from '../../core/model.ts'
import type { Tx } from '../../store/database.ts'
import { sizeOf } from '../../store/match-models.ts'
import { following } from '../changes.ts'
import type { Hub } from '../hub.ts'
import { mergeWithin } from '../merge/merge.ts'
import type { RunLog } from '../run.ts'
import type { Alike, Chunk } from './chunk.ts'
import type { Comparer, Known } from './comparer.ts'
import { limitsOf } from './thresholds.ts'

const RULE = 'rule:likeness'

/** What merging by rule came to in one transaction. */
export type Linked = { readonly merged: number; readonly woken: ReadonlySet<string> }

/**
 * Merges what is alike enough, in the caller's transaction, each group into its oldest record. Only where all members
 * are alike enough with all others: what is not is left to a person, as is all that the guard does not let through.
 * `earlier` counts what this run has merged so far.
 */
export async function mergeAlike(
  hub: Hub,
  q: Tx,
  comparer: Comparer,
  chunk: Chunk,
  run: RunLog,
  earlier: number,
): Promise<Linked> {
  const { kind } = comparer
  const woken = new Set<string>()
  let merged = 0
  const found = groupsOf(hub, comparer, chunk)
  if (found.length === 0) return { merged, woken }
  const { records: population } = await sizeOf(q, kind)
  for (const [survivor, ...losers] of found) {
    if (survivor === undefined) continue
    const harm = { ...NO_HARM, deletes: earlier + merged + losers.length }
    if (guard(harm, population, DEFAULT_LIMITS).kind === 'hold') {
      hub.log.warn(
        { kind, merged: earlier + merged },
        'too many records look like one: the rest is asked about',
      )
      break
    }
    const request = {
      kind,
      survivor: survivor.id,
      losers: losers.map((loser) => loser.id),
      by: RULE,
      rule: ruleOf(comparer, survivor, losers),
    }
    // A refused one was merged or kept apart meanwhile; its question stands.
    const { result, woken: more } = await mergeWithin(
      following(hub, q, hub.preview ? null : await run.id()),
      request,
    )
    if (result.kind !== 'merged') continue
    merged += losers.length
    for (const name of more) woken.add(name)
  }
  return { merged, woken }
}

function groupsOf(hub: Hub, comparer: Comparer, chunk: Chunk): readonly (readonly Known[])[] {
  const limits = limitsOf(hub, comparer.kind)
  const streams = (id: RecordId) => chunk.sources.get(id) ?? []
  const isSound = (a: Known, b: Known, likeness: Alike['likeness']): boolean => {
    const [mine, theirs] = [streams(a.id), streams(b.id)]
    if (verdictOn(likeness.probability, limits.of([...mine, ...theirs])) !== 'link') return false
    // A system that keeps two objects of different names means two.
    return !likeness.contradicts && !(likeness.namesDiffer && mine.some((id) => theirs.includes(id)))
  }
  const sound = chunk.linkable.filter(({ a, b, likeness }) => isSound(a, b, likeness))
  const known = new Map(sound.flatMap(({ a, b }) => [[a.id, a] as const, [b.id, b] as const]))
  const tells = (left: RecordId, right: RecordId): boolean => {
    const [a, b] = [known.get(left), known.get(right)]
    return a !== undefined && b !== undefined && isSound(a, b, comparer.compare(a.prepared, b.prepared))
  }
  return groups(
    sound.map(({ a, b, likeness }) => ({ a: a.id, b: b.id, weight: likeness.weight })),
    Number.NEGATIVE_INFINITY,
    (left, right) => !left.every((one) => right.every((other) => tells(one, other))),
  ).map((ids) => ids.flatMap((id) => known.get(id) ?? []))
}

function ruleOf(comparer: Comparer, survivor: Known, losers: readonly Known[]): string {
  const [first] = losers
  if (first === undefined) return 'looks like one'
  const likeness = comparer.compare(survivor.prepared, first.prepared)
  return `looks like one (${likeness.probability.toFixed(4)}): ${likeness.evidence()}`
}
