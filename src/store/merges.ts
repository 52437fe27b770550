import type { Instant } from '../core/json.ts'
import type { RecordId, Source } from '../core/model.ts'
import type { MergedKind } from '../core/survivorship.ts'
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

/**
 * Holds contacts and companies that others are about to name: none of them is merged before the transaction ends.
 * Companies first, as a merge of companies goes on to their contacts. Returns those that are archived, maybe by a merge
 * that was waited for.
 */
export async function holdNamed(q: Query, ids: readonly RecordId[]): Promise<readonly RecordId[]> {
  if (ids.length === 0) return []
  const named = numbers([...new Set(ids)])
  const held = await q<{ id: RecordId; isArchived: boolean }[]>`
    with company as (
      select id, archived_at from companies where id = any(${named}::bigint[]) order by id for key share
    ), contact as (
      select id, archived_at from contacts where id = any(${named}::bigint[]) order by id for key share
    )
    select id, archived_at is not null as "isArchived" from company
    union all select id, archived_at is not null from contact`
  return held.filter((row) => row.isArchived).map((row) => row.id)
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

export type Merge = {
  readonly id: number
  readonly kind: MergedKind
  readonly survivor: RecordId
  readonly loser: RecordId
  readonly state: 'merged' | 'unmerged'
  readonly rule: string
  readonly by: Source
  readonly run: number
  readonly at: Instant
  readonly undoneBy: Source | null
  readonly undoneAt: Instant | null
}
const COLUMNS = `id, kind, survivor_id as survivor, loser_id as loser, state, rule, by, run_id as run, at,
  undone_by as "undoneBy", undone_at as "undoneAt"`

/** Notes that records were merged into one. Returns the id of each merge, by loser. */
export async function insertMerges(
  q: Query,
  merge: Omit<Merge, 'id' | 'loser' | 'state' | 'undoneBy' | 'undoneAt'>,
  losers: readonly RecordId[],
): Promise<ReadonlyMap<RecordId, number>> {
  const written = await q<{ id: number; loser: RecordId }[]>`
    insert into merges (kind, survivor_id, loser_id, state, rule, by, run_id, at)
    select ${merge.kind}, ${merge.survivor}, loser, 'merged', ${merge.rule}, ${merge.by}, ${merge.run}, ${merge.at}
    from unnest(${numbers(losers)}::bigint[]) as l(loser) returning id, loser_id as loser`
  return new Map(written.map((row) => [row.loser, row.id]))
}

export async function endMerge(
  q: Query,
  id: number,
  by: Source,
  run: number | null,
  at: Instant,
): Promise<void> {
  await q`
    update merges set state = 'unmerged', undone_by = ${by}, undone_run_id = ${run}, undone_at = ${at} where id = ${id}`
}

/** The merge that a record was lost in, while it stands. */
export async function mergeOf(q: Query, loser: RecordId): Promise<Merge | undefined> {
  const [found] = await q<Merge[]>`
    select ${q.unsafe(COLUMNS)} from merges where loser_id = ${loser} and state = 'merged'`
  return found
}

/** Merges that a record took part in, or all of them, latest first. */
export async function listMerges(
  q: Query,
  filter: {
    readonly kind?: MergedKind
    readonly record?: RecordId
    readonly before?: number
    readonly limit: number
  },
): Promise<readonly Merge[]> {
  const { kind, record, before, limit } = filter
  return q<Merge[]>`
    select ${q.unsafe(COLUMNS)} from merges
    where ${record === undefined ? q`true` : q`(survivor_id = ${record} or loser_id = ${record})`}
      ${kind === undefined ? q`` : q`and kind = ${kind}`} ${before === undefined ? q`` : q`and id < ${before}`}
    order by id desc limit ${limit}`
}

/** Records, each with everything that was merged into it and still is, by its id. */
export async function clustersOf(
  q: Query,
  ids: readonly RecordId[],
): Promise<ReadonlyMap<RecordId, readonly RecordId[]>> {
  const found = await q<{ root: RecordId; id: RecordId }[]>`
    with recursive down as (
      select id as root, id from unnest(${numbers([...new Set(ids)])}::bigint[]) as r(id)
      union all
      select down.root, m.loser_id from down join merges m on m.survivor_id = down.id and m.state = 'merged'
    )
    select root, id from down`
  const members = Map.groupBy(found, (row) => row.root)
  return new Map([...members].map(([root, rows]) => [root, rows.map((row) => row.id)]))
}

/** As `clustersOf`, of one record. */
export const membersUnder = async (q: Query, id: RecordId): Promise<readonly RecordId[]> =>
  (await clustersOf(q, [id])).get(id) ?? []

/** The merges that stand above a record: that in which it was lost, and so on to its survivor's. */
export async function mergesAbove(q: Query, id: RecordId): Promise<readonly number[]> {
  const found = await q<{ merge: number }[]>`
    with recursive up as (
      select id as merge, survivor_id as survivor from merges where loser_id = ${id} and state = 'merged'
      union all
      select m.id, m.survivor_id from up join merges m on m.loser_id = up.survivor and m.state = 'merged'
    )
    select merge from up`
  return found.map((row) => row.merge)
}
