import type { Instant } from '../core/json.ts'
import type { RecordId, Source } from '../core/model.ts'
import { numbers } from './columns.ts'
import type { Query } from './database.ts'

/** Where merged records live now, through any number of merges; records that were not merged are left out. */
export async function survivorsOf(
  q: Query,
  ids: readonly RecordId[],
): Promise<ReadonlyMap<RecordId, RecordId>> {
  if (ids.length === 0) return new Map()
  const found = await q<{ id: RecordId; survivor: RecordId }[]>`
    with recursive up as (
      select loser_id as id, survivor_id as survivor, 1 as depth from merges
      where loser_id = any(${numbers([...new Set(ids)])}::bigint[]) and state = 'merged'
      union all
      select up.id, m.survivor_id, up.depth + 1 from up
      join merges m on m.loser_id = up.survivor and m.state = 'merged'
    )
    select distinct on (id) id, survivor from up order by id, depth desc`
  return new Map(found.map((row) => [row.id, row.survivor]))
}

type Pair = readonly [RecordId, RecordId]
const ordered = ([a, b]: Pair): Pair => (a < b ? [a, b] : [b, a])

/** Somebody said that two records are two: no rule merges them, and nobody is asked again. */
export async function keepApart(q: Query, a: RecordId, b: RecordId, by: Source, at: Instant): Promise<void> {
  const [low, high] = ordered([a, b])
  await q`insert into kept_apart (a, b, by, at) values (${low}, ${high}, ${by}, ${at}) on conflict do nothing`
}

/** Which of the pairs somebody keeps apart, each with the lower id first. */
export async function isKeptApart(q: Query, pairs: readonly Pair[]): Promise<readonly Pair[]> {
  if (pairs.length === 0) return []
  const low = pairs.map(ordered)
  const found = await q<{ a: RecordId; b: RecordId }[]>`
    select k.a, k.b from kept_apart k
    join unnest(${numbers(low.map(([a]) => a))}::bigint[], ${numbers(low.map(([, b]) => b))}::bigint[]) as p(a, b)
      on k.a = p.a and k.b = p.b`
  return found.map(({ a, b }) => [a, b])
}
