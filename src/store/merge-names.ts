import type { FieldName, RecordId, RecordKind } from '../core/model.ts'
import { numbers, texts } from './columns.ts'
import type { Query } from './database.ts'

/** A record that names another one in a field. */
export type Naming = { readonly id: RecordId; readonly field: FieldName; readonly named: RecordId }

const columnsOf = (namings: readonly Naming[]) =>
  [
    numbers(namings.map((one) => one.id)),
    texts(namings.map((one) => one.field)),
    numbers(namings.map((one) => one.named)),
  ] as const

/**
 * Notes that records, which are meant to name merged ones, name the survivors in their place: undoing those merges turns
 * the names back, as it does for records that named the merged ones at the time. One statement.
 */
export async function noteNamings(q: Query, kind: RecordKind, namings: readonly Naming[]): Promise<void> {
  if (namings.length === 0) return
  const [ids, fields, named] = columnsOf(namings)
  await q`
    insert into merge_moves (merge_id, what, kind, id, field)
    with recursive up as (
      select n.id, n.field, m.id as merge, m.survivor_id as survivor
      from unnest(${ids}::bigint[], ${fields}::text[], ${named}::bigint[]) as n(id, field, named)
      join merges m on m.loser_id = n.named and m.state = 'merged'
      union all
      select up.id, up.field, m.id, m.survivor_id from up
      join merges m on m.loser_id = up.survivor and m.state = 'merged'
    )
    select merge, 'ref', ${kind}, id, field from up
    on conflict do nothing`
}

/** Of records that name a survivor because what they named was merged into it: what they named. One statement. */
export async function namedFirst(
  q: Query,
  kind: RecordKind,
  namings: readonly Naming[],
): Promise<readonly Naming[]> {
  if (namings.length === 0) return []
  const [ids, fields, named] = columnsOf(namings)
  return q<Naming[]>`
    with recursive down as (
      select n.id, n.field, m.id as merge, m.loser_id as loser, 1 as depth
      from unnest(${ids}::bigint[], ${fields}::text[], ${named}::bigint[]) as n(id, field, named)
      join merges m on m.survivor_id = n.named and m.state = 'merged'
      union all
      select d.id, d.field, m.id, m.loser_id, d.depth + 1 from down d
      join merges m on m.survivor_id = d.loser and m.state = 'merged'
    )
    select distinct on (d.id, d.field) d.id, d.field, d.loser as named from down d
    join merge_moves mm on mm.merge_id = d.merge and mm.what = 'ref' and mm.kind = ${kind} and mm.id = d.id
      and mm.field = d.field
    order by d.id, d.field, d.depth desc, d.loser`
}
