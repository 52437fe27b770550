import { editFacets } from '../../core/facet-edit.ts'
import type { FieldName, RecordKind } from '../../core/model.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import type { Query } from '../../store/database.ts'
import { facetsOf, saveFacets } from '../../store/facets.ts'
import { homesOf } from '../../store/merge-moves.ts'
import type { Change } from '../change.ts'
import { keepingNames, withLiveNames } from './names.ts'

export const isMergedKind = (kind: RecordKind): kind is MergedKind => kind === 'contact' || kind === 'company'

const originsOf = ({ origin, through }: Change): readonly number[] =>
  [origin, ...Object.values(through ?? {})].filter((link) => link !== null)

/**
 * Edits of merged records go where they belong, so that undoing the merge gives them to the right one. One indexed
 * query where none of the changed records is merged, none at all for new records.
 */
export async function keepFacets(q: Query, kind: RecordKind, changes: readonly Change[]): Promise<void> {
  if (!isMergedKind(kind)) return
  const edits = changes.filter((change) => change.before !== null && change.isRecomputed === undefined)
  const said = await facetsOf(
    q,
    edits.map((change) => change.after.id),
  )
  if (said.length === 0) return
  const facets = await withLiveNames(q, kind, said)
  const asSaid = keepingNames(kind, said, facets)
  const byRoot = Map.groupBy(facets, (facet) => facet.root)
  const homes = await homesOf(
    q,
    edits.flatMap((change) => (byRoot.has(change.after.id) ? originsOf(change) : [])),
    facets.map((facet) => facet.id),
  )
  const written = edits.flatMap((change) => {
    const { before, after } = change
    const members = byRoot.get(after.id)
    if (members === undefined || before === null) return []
    const editor = (field: FieldName) => {
      const origin = change.through?.[field] ?? change.origin
      return origin === null ? null : (homes.get(origin) ?? after.id)
    }
    const changed = editFacets(kind, members, after.id, before, after, editor)
    return changed.map((facet) => asSaid({ ...facet, root: after.id }))
  })
  await saveFacets(q, written)
}
