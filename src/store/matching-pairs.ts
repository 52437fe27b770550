import type { MatchedKind } from '../core/duplicates.ts'
import type { Instant } from '../core/json.ts'
import type { RecordId } from '../core/model.ts'
import { numbers } from './columns.ts'
import type { Query } from './database.ts'
import { pairKey, type LikelyPair, type Pair } from './matching.ts'

/** Pairs that a person said are two are not shown, whatever else is known of them. */
const OPEN = `from match_pairs m
  where m.kind = $1 and not exists (select from kept_apart k where k.a = m.a and k.b = m.b)`
const OF_RECORD = 'and ($2::bigint is null or m.a = $2 or m.b = $2)'
const BEST = 'order by m.probability desc nulls last, m.a, m.b'

export type PairPlace = Pick<LikelyPair, 'probability' | 'a' | 'b'>

/** Pairs of a kind that look like one, likeliest first; of one record with `recordId`; what follows `after`. */
export async function listPairs(
  q: Query,
  kind: MatchedKind,
  page: { readonly recordId: RecordId | null; readonly after: PairPlace | null; readonly limit: number },
): Promise<readonly LikelyPair[]> {
  const { recordId, after, limit } = page
  return q.unsafe<LikelyPair[]>(
    `select m.a, m.b, m.probability, m.evidence ${OPEN}
      ${OF_RECORD}
      and ($3::float8 is null or m.probability < $3 or (m.probability = $3 and (m.a, m.b) > ($4::bigint, $5::bigint)))
    ${BEST} limit $6`,
    [kind, recordId, after?.probability ?? null, after?.a ?? 0, after?.b ?? 0, limit],
    { prepare: true },
  )
}

/** How many there are; of one record with `recordId`. */
export async function countPairs(q: Query, kind: MatchedKind, recordId: RecordId | null): Promise<number> {
  const [row] = await q.unsafe<{ count: number }[]>(`select count(*) as count ${OPEN} ${OF_RECORD}`, [
    kind,
    recordId,
  ])
  return row?.count ?? 0
}

/** Pairs found or changed since a time, likeliest first, and how many there are. */
export async function pairsSince(
  q: Query,
  kind: MatchedKind,
  since: Instant,
  limit: number,
): Promise<{ readonly count: number; readonly first: readonly LikelyPair[] }> {
  const found = await q.unsafe<(LikelyPair & { count: number })[]>(
    `select m.a, m.b, m.probability, m.evidence, count(*) over () as count ${OPEN} and m.at >= $2 ${BEST} limit $3`,
    [kind, since, limit],
  )
  return { count: found[0]?.count ?? 0, first: found.map(({ count: _, ...pair }) => pair) }
}

/** Whether a person is to be asked about pairs of a kind, or an item that sums up the rest of them is open. */
export async function pairsWait(q: Query, kind: MatchedKind, sumKey: string): Promise<boolean> {
  const [row] = await q<{ waits: boolean }[]>`
    select exists (select from match_pairs where kind = ${kind} and not asked)
      or exists (select from inbox where state = 'open' and key = ${sumKey}) as waits`
  return row?.waits ?? false
}

/** The likeliest pairs that nobody was asked about yet. */
export async function bestUnasked(
  q: Query,
  kind: MatchedKind,
  limit: number,
): Promise<readonly LikelyPair[]> {
  return q.unsafe<LikelyPair[]>(
    `select m.a, m.b, m.probability, m.evidence ${OPEN} and not m.asked ${BEST} limit $2`,
    [kind, limit],
  )
}

/** Pairs found or changed since a time that nobody was asked about yet, likeliest first. */
export async function unaskedSince(
  q: Query,
  kind: MatchedKind,
  since: Instant,
  limit: number,
): Promise<readonly LikelyPair[]> {
  return q.unsafe<LikelyPair[]>(
    `select m.a, m.b, m.probability, m.evidence ${OPEN} and not m.asked and m.at >= $2 ${BEST} limit $3`,
    [kind, since, limit],
  )
}

export async function countUnasked(q: Query, kind: MatchedKind): Promise<number> {
  const [row] = await q.unsafe<{ count: number }[]>(`select count(*) as count ${OPEN} and not m.asked`, [
    kind,
  ])
  return row?.count ?? 0
}

export async function markAsked(q: Query, pairs: readonly Pair[]): Promise<void> {
  if (pairs.length === 0) return
  await q`
    update match_pairs m set asked = true
    from unnest(${numbers(pairs.map((p) => p.a))}::bigint[], ${numbers(pairs.map((p) => p.b))}::bigint[]) as p(a, b)
    where m.a = p.a and m.b = p.b`
}

/** Open questions that rest on likeness, of one kind of record. */
export async function countAsked(q: Query, kind: MatchedKind): Promise<number> {
  const [row] = await q<{ count: number }[]>`
    select count(*) as count from inbox
    where kind = 'duplicate' and state = 'open' and detail->>'kind' = ${kind} and detail ? 'probability'`
  return row?.count ?? 0
}

/** Of the pairs, those whose open question rests on a key that both hold: likeness adds nothing to it. */
export async function askedByKey(q: Query, pairs: readonly Pair[]): Promise<ReadonlySet<string>> {
  if (pairs.length === 0) return new Set()
  const found = await q<{ key: string }[]>`
    select key from inbox where state = 'open' and key = any(${pairs.map(pairKey)}) and detail ? 'by'`
  return new Set(found.map((row) => row.key))
}

/** Closes questions that rest on likeness alone. */
export async function closeLikeness(
  q: Query,
  pairs: readonly Pair[],
  resolution: string,
  at: Instant,
): Promise<void> {
  if (pairs.length === 0) return
  await q`
    update inbox set state = 'done', resolution = ${resolution}, updated_at = ${at}
    where state = 'open' and key = any(${pairs.map(pairKey)}) and not detail ? 'by'`
}

/** Whether records wait to be compared, and pairs to be asked about. */
export async function matchingWaits(
  q: Query,
): Promise<{ readonly records: boolean; readonly pairs: boolean }> {
  const [row] = await q<{ records: boolean; pairs: boolean }[]>`
    select exists (select from match_queue) as records, exists (select from match_pairs where not asked) as pairs`
  return row ?? { records: false, pairs: false }
}

/** Whether a summary with this title is open already. */
export async function isTitled(q: Query, key: string, title: string): Promise<boolean> {
  const [row] = await q<{ title: string }[]>`select title from inbox where key = ${key} and state = 'open'`
  return row?.title === title
}
