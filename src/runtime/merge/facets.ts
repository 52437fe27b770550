import { editFacets } from '../../core/facet-edit.ts'
import type { RecordKind } from '../../core/model.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import type { Query } from '../../store/database.ts'
import { facetsOf, saveFacets } from '../../store/facets.ts'
import { homesOf } from '../../store/merge-moves.ts'
import type { Change } from '../change.ts'

export const isMergedKind = (kind: RecordKind): kind is MergedKind => kind === 'contact' || kind === 'company'

/**
 * Edits of merged records go where they belong, so that undoing the merge gives them to the right one. One indexed
 * query where none of the changed records is merged, none at all for new records.
 */
export async function keepFacets(q: Query, kind: RecordKind, changes: readonly Change[]): Promise<void> {
  if (!isMergedKind(kind)) return
  const edits = changes.filter((change) => change.before !== null && change.isRecomputed === undefined)
  const facets = await facetsOf(
    q,
    edits.map((change) => change.after.id),
  )
  if (facets.length === 0) return
  const byRoot = Map.groupBy(facets, (facet) => facet.root)
  const homes = await homesOf(
    q,
    edits.flatMap((change) => (byRoot.has(change.after.id) ? (change.origin ?? []) : [])),
    facets.map((facet) => facet.id),
  )
  const written = edits.flatMap(({ before, after, origin }) => {
    const members = byRoot.get(after.id)
    if (members === undefined || before === null) return []
    const editor = origin === null ? null : (homes.get(origin) ?? after.id)
    const changed = editFacets(kind, members, after.id, before, after, editor)
    return changed.map((facet) => ({ ...facet, root: after.id }))
  })
  await saveFacets(q, written)
}
