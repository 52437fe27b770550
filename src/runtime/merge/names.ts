import { fieldType, type FieldName, type Fields, type RecordId, type RecordKind } from '../../core/model.ts'
import type { Facet, Golden, MergedKind } from '../../core/survivorship.ts'
import type { Query } from '../../store/database.ts'
import type { RootedFacet } from '../../store/facets.ts'
import { namedFirst, type Naming } from '../../store/merge-names.ts'
import { survivorsOf } from '../../store/merges.ts'

// Members keep the names they said: a company that was merged into another one stays named in them, so that both merges
// can be taken back in any order. Wherever a record is worked out, the survivor is meant.

/** The records that these fields name. */
export const namesIn = (kind: RecordKind, fields: Fields): readonly (readonly [FieldName, RecordId])[] =>
  Object.entries(fields).flatMap(([field, value]) =>
    typeof value === 'number' && typeof fieldType(kind, field) === 'object' ? [[field, value] as const] : [],
  )

/** The fields with other records in place of those they name; the very same where they name none of them. */
export function renamed(kind: RecordKind, fields: Fields, where: ReadonlyMap<RecordId, RecordId>): Fields {
  const moved = namesIn(kind, fields).flatMap(([field, id]) => {
    const into = where.get(id)
    return into === undefined ? [] : [[field, into] as const]
  })
  return moved.length === 0 ? fields : { ...fields, ...Object.fromEntries(moved) }
}

/** Members with the records in place of those they name that are left by now. One query, none where nothing is named. */
export async function withLiveNames<F extends Facet>(
  q: Query,
  kind: MergedKind,
  facets: readonly F[],
): Promise<readonly F[]> {
  const named = facets.flatMap((facet) => namesIn(kind, facet.fields).map(([, id]) => id))
  const where = await survivorsOf(q, named)
  return facets.map((facet) => {
    const fields = renamed(kind, facet.fields, where)
    return fields === facet.fields ? facet : { ...facet, fields }
  })
}

/** What records said that name a survivor only because what they named was merged into it. */
export async function withFirstNames(
  q: Query,
  kind: MergedKind,
  facets: readonly RootedFacet[],
): Promise<readonly RootedFacet[]> {
  const namings = facets.flatMap(({ id, fields }) =>
    namesIn(kind, fields).map(([field, named]): Naming => ({ id, field, named })),
  )
  const first = Map.groupBy(await namedFirst(q, kind, namings), (naming) => naming.id)
  return facets.map((facet) => {
    const mine = first.get(facet.id) ?? []
    const said = Object.fromEntries(mine.map(({ field, named }) => [field, named]))
    return mine.length === 0 ? facet : { ...facet, fields: { ...facet.fields, ...said } }
  })
}

/** Members that were edited with live names: what was not edited is named as before. */
export const keepingNames =
  (kind: MergedKind, said: readonly Facet[], live: readonly Facet[]) =>
  <F extends Facet>(facet: F): F => {
    const [mine, seen] = [said, live].map((all) => all.find((one) => one.id === facet.id))
    if (mine === undefined || seen === undefined || mine === seen) return facet
    const kept = namesIn(kind, mine.fields).filter(
      ([field]) => facet.fields[field] === seen.fields[field] && facet.fields[field] !== undefined,
    )
    return { ...facet, fields: { ...facet.fields, ...Object.fromEntries(kept) } }
  }

/** What the record names, by the words of the members whose values stand. */
export const namesOf = (
  kind: MergedKind,
  id: RecordId,
  said: readonly Facet[],
  merged: Golden['merged'],
): readonly Naming[] =>
  merged.flatMap(({ field, from }) => {
    const [whose] = from
    const stands = said.find((facet) => facet.id === whose)
    const name = stands === undefined ? undefined : namesIn(kind, stands.fields).find(([f]) => f === field)
    return name === undefined ? [] : [{ id, field, named: name[1] }]
  })

/** What a record names that is one by itself. */
export const ownNames = (kind: MergedKind, { id, fields }: Facet): readonly Naming[] =>
  namesIn(kind, fields).map(([field, named]) => ({ id, field, named }))
