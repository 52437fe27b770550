import type { Facet } from '../core/survivorship.ts'
import type { Provenances, RecordId } from '../core/model.ts'
import type { JsonObject } from '../core/json.ts'
import { lines, numbers } from './columns.ts'
import type { Query } from './database.ts'

/** A member's facet, with the record that it is part of now. */
export type RootedFacet = Facet & { readonly root: RecordId }

/** The facets of merged records, by the survivors' ids; a record that nothing was merged into has none. */
export async function facetsOf(q: Query, roots: readonly RecordId[]): Promise<readonly RootedFacet[]> {
  if (roots.length === 0) return []
  return q<RootedFacet[]>`
    select record_id as id, root_id as root, fields, provenance, overruled from facets
    where root_id = any(${numbers([...new Set(roots)])}::bigint[]) order by record_id`
}

/** Which of the records others were merged into. */
export async function mergedRoots(q: Query, ids: readonly RecordId[]): Promise<ReadonlySet<RecordId>> {
  if (ids.length === 0) return new Set()
  const found = await q<{ id: RecordId }[]>`
    select distinct root_id as id from facets where root_id = any(${numbers([...new Set(ids)])}::bigint[])`
  return new Set(found.map((row) => row.id))
}

/** A page of the records that others were merged into, contacts and companies, by rising id. */
export async function rootsAfter(q: Query, after: RecordId, limit: number): Promise<readonly RecordId[]> {
  const found = await q<{ id: RecordId }[]>`
    select distinct root_id as id from facets where root_id > ${after} order by root_id limit ${limit}`
  return found.map((row) => row.id)
}

/** Writes facets, new ones and those that changed. */
export async function saveFacets(q: Query, facets: readonly RootedFacet[]): Promise<void> {
  if (facets.length === 0) return
  const text = (of: (facet: RootedFacet) => JsonObject | Provenances) => lines(facets.map(of))
  await q`
    insert into facets (record_id, root_id, fields, provenance, overruled)
    select id, root, fields::json, provenance::json, overruled::json
    from unnest(${numbers(facets.map((f) => f.id))}::bigint[], ${numbers(facets.map((f) => f.root))}::bigint[],
      string_to_array(${text((f) => f.fields)}, E'\n', 'null'),
      string_to_array(${text((f) => f.provenance)}, E'\n', 'null'),
      string_to_array(${text((f) => f.overruled)}, E'\n', 'null')) as r(id, root, fields, provenance, overruled)
    on conflict (record_id) do update set root_id = excluded.root_id, fields = excluded.fields,
      provenance = excluded.provenance, overruled = excluded.overruled`
}

export async function dropFacets(q: Query, ids: readonly RecordId[]): Promise<void> {
  if (ids.length === 0) return
  await q`delete from facets where record_id = any(${numbers(ids)}::bigint[])`
}
