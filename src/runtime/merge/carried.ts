import type { RecordId } from '../../core/model.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import type { Query } from '../../store/database.ts'
import { countParticipants, countReferences, movedBy, REFERENCES } from '../../store/merge-moves.ts'
import { loadLinks, type Link } from '../../store/links.ts'
import type { Merge } from '../../store/merges.ts'
import { linkIdsOf } from '../../store/run-changes.ts'
import { archivedFor } from '../../store/twins.ts'
import type { Hub } from '../hub.ts'
import type { Carried } from './words.ts'

/** What a merge means for remote objects, references and messages. */
export async function carriedBy(
  hub: Hub,
  q: Query,
  kind: MergedKind,
  survivor: RecordId,
  losers: readonly RecordId[],
): Promise<readonly Carried[]> {
  const carried: Carried[] = []
  const seen = new Set<number>()
  const ids = [...new Set([survivor, ...losers])]
  const all = (await loadLinks(q, await linkIdsOf(q, ids))).toSorted((a, b) => a.id - b.id)
  const links = Map.groupBy(all, (link) => link.recordId)
  for (const link of ids.flatMap((id) => links.get(id) ?? [])) {
    const object = objectOf(hub, link, seen.has(link.streamId))
    if (object === null) continue
    seen.add(link.streamId)
    carried.push({ ...object, of: link.recordId })
  }
  for (const reference of REFERENCES[kind]) {
    const count = await countReferences(q, reference, losers)
    if (count > 0) carried.push({ kind: 'references', record: reference.kind, field: reference.field, count })
  }
  const messages = kind === 'contact' ? await countParticipants(q, losers) : 0
  return messages === 0 ? carried : [...carried, { kind: 'messages', count: messages }]
}

function objectOf(hub: Hub, link: Link, isTwin: boolean): Omit<Carried & { kind: 'object' }, 'of'> | null {
  const target = hub.targets.find((one) => one.id === link.streamId)
  if (target === undefined || link.remoteId === null || link.state !== 'linked') return null
  const archives = isTwin && target.stream.merges === 'archive'
  const does = target.push === null ? 'read' : archives ? 'archived' : 'agrees'
  return { kind: 'object', stream: target.label, remoteId: link.remoteId, does }
}

/** An object that was archived for the merge; its link may be gone with it. */
function stayingOf(hub: Hub, link: Link): Omit<Carried & { kind: 'object' }, 'of'> | null {
  const target = hub.targets.find((one) => one.id === link.streamId)
  if (target === undefined || link.remoteId === null) return null
  return { kind: 'object', stream: target.label, remoteId: link.remoteId, does: 'stays' }
}

/** What goes back when a merge is undone, as far as it was moved and may still stand at the survivor. */
export async function returnedBy(
  hub: Hub,
  q: Query,
  merge: Merge,
  survivor: RecordId,
): Promise<readonly Carried[]> {
  const { links, others } = await movedBy(q, merge.id, survivor)
  const away = new Set(await archivedFor(q, merge.id, survivor, merge.at))
  const objects = (await loadLinks(q, links)).flatMap((link): Carried | readonly [] => {
    const object = away.has(link.id) ? stayingOf(hub, link) : objectOf(hub, link, false)
    return object === null ? [] : { ...object, of: merge.loser }
  })
  return [
    ...objects,
    ...others.map(
      ({ what, kind, field, count }): Carried =>
        what === 'ref' && kind !== ''
          ? { kind: 'references', record: kind, field, count }
          : { kind: 'messages', count },
    ),
  ]
}
