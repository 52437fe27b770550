import type { MatchedKind } from '../../core/duplicates.ts'
import type { Json } from '../../core/json.ts'
import type { Fields, RecordId } from '../../core/model.ts'
import { isKeptApart } from '../../store/merges.ts'
import { loadRecognised } from '../../store/matching.ts'
import { normalised, type Problem } from '../edit.ts'
import type { Hub } from '../hub.ts'
import { candidatesFor } from './candidates.ts'
import { comparerOf, knownOf } from './comparer.ts'
import { titleOf } from '../title.ts'

/** A record that may be the one asked about. */
export type LikelyDuplicate = {
  readonly id: RecordId
  /** Who it is, for people. */
  readonly title: string
  /** From 0 to 1. */
  readonly probability: number
  /** Why, in words. */
  readonly evidence: string
}

/** Where nobody is asked about anything, a look-up still tells from here on. */
const TELL = 0.5
const MOST = 10
/** No record has it: what is only looked up is not stored. */
const NOBODY = 0

/**
 * The records that a record, or somebody with these fields in normal form, may be: likeliest first, at most ten. Tells
 * from the hub's own `ask` threshold on. Writes nothing, and leaves out whom a person said to be somebody else.
 */
export async function likelyDuplicates(
  hub: Hub,
  kind: MatchedKind,
  who: Fields | RecordId,
): Promise<readonly LikelyDuplicate[]> {
  const { q } = hub.session
  const comparer = await comparerOf(hub, kind)
  const self = typeof who === 'number' ? who : NOBODY
  const fields = typeof who === 'number' ? (await loadRecognised(q, kind, [who])).get(who)?.fields : who
  if (fields === undefined) return []
  const prepared = comparer.prepare(fields)
  const found = (await candidatesFor(q, comparer, [{ id: self, prepared }])).get(self) ?? []
  const others = knownOf(comparer, await loadRecognised(q, kind, found))
  const least = hub.configuration.duplicates.ask ?? TELL
  const likely = [...others.values()]
    .map((other) => ({ other, likeness: comparer.compare(prepared, other.prepared) }))
    .filter(({ likeness }) => likeness.probability >= least)
    .toSorted((a, b) => b.likeness.probability - a.likeness.probability || a.other.id - b.other.id)
  const apart = new Set(
    (
      await isKeptApart(
        q,
        likely.map(({ other }) => [self, other.id]),
      )
    ).flat(),
  )
  return likely
    .filter(({ other }) => !apart.has(other.id))
    .slice(0, MOST)
    .map(({ other, likeness }) => ({
      id: other.id,
      title: titleOf({ id: other.id, kind, fields: other.fields }, 'firm'),
      probability: likeness.probability,
      evidence: likeness.evidence(),
    }))
}

/** As `likelyDuplicates`, of values as a person or the API gives them; or everything that is wrong with them. */
export async function likelyFor(
  hub: Hub,
  kind: MatchedKind,
  given: Readonly<Record<string, Json>>,
): Promise<
  | { readonly kind: 'found'; readonly likely: readonly LikelyDuplicate[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
> {
  const checked = normalised(hub, kind, given)
  if (checked.kind === 'invalid') return checked
  return { kind: 'found', likely: await likelyDuplicates(hub, kind, checked.fields) }
}
