import { MATCHED_KINDS, type MatchedKind } from '../../core/duplicates.ts'
import type { Instant } from '../../core/json.ts'
import type { RecordId } from '../../core/model.ts'
import { loadRecognised, queueAll, type LikelyPair } from '../../store/matching.ts'
import { countPairs, listPairs, pairsSince, type PairPlace } from '../../store/matching-pairs.ts'
import type { Hub } from '../hub.ts'
import { titleOf } from '../title.ts'

export type { PairPlace } from '../../store/matching-pairs.ts'

/** Two records that look like one, named for people; `a` is the older one. */
export type NamedPair = LikelyPair & { readonly titleA: string; readonly titleB: string }

/** A page of the pairs that look like one, likeliest first; of one record with `recordId`. */
export async function likelyPairs(
  hub: Hub,
  kind: MatchedKind,
  page: { readonly recordId?: RecordId; readonly after?: PairPlace; readonly limit: number },
): Promise<readonly NamedPair[]> {
  const { recordId = null, after = null, limit } = page
  return named(hub, kind, await listPairs(hub.session.q, kind, { recordId, after, limit }))
}

const PAGE = 500

/** All of them, page by page. */
export async function* allLikelyPairs(hub: Hub, kind: MatchedKind): AsyncGenerator<NamedPair> {
  let after: PairPlace | undefined
  for (;;) {
    const page = await likelyPairs(hub, kind, { limit: PAGE, ...(after === undefined ? {} : { after }) })
    yield* page
    after = page.at(-1)
    if (page.length < PAGE) return
  }
}

export const countLikelyPairs = (
  hub: Hub,
  kind: MatchedKind,
  recordId: RecordId | null = null,
): Promise<number> => countPairs(hub.session.q, kind, recordId)

export type FoundPairs = {
  readonly kind: MatchedKind
  readonly count: number
  readonly first: readonly NamedPair[]
}

/** The pairs that came to look like one since a time, and still do: how many, and the likeliest few. */
export async function pairsFoundSince(hub: Hub, since: Instant, few: number): Promise<readonly FoundPairs[]> {
  const found: FoundPairs[] = []
  for (const kind of MATCHED_KINDS) {
    const { count, first } = await pairsSince(hub.session.q, kind, since, few)
    if (count > 0) found.push({ kind, count, first: await named(hub, kind, first) })
  }
  return found
}

/** Has all records of a kind compared anew at the next match step. Returns how many. */
export const rescan = (hub: Hub, kind: MatchedKind): Promise<number> => queueAll(hub.session.q, kind)

async function named(
  hub: Hub,
  kind: MatchedKind,
  pairs: readonly LikelyPair[],
): Promise<readonly NamedPair[]> {
  const records = await loadRecognised(
    hub.session.q,
    kind,
    pairs.flatMap(({ a, b }) => [a, b]),
  )
  const title = (id: RecordId) => titleOf({ id, kind, fields: records.get(id)?.fields ?? {} }, 'firm')
  return pairs.map((pair) => ({ ...pair, titleA: title(pair.a), titleB: title(pair.b) }))
}
