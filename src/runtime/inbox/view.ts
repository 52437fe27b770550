import type { JsonObject } from '../../core/json.ts'
import { heldPage, type HeldRow } from '../../store/held.ts'
import type { InboxItem } from '../../store/inbox.ts'
import { iso, type Hub } from '../hub.ts'
import { columnsOf, type Columns } from './conflict.ts'
import { actionsOf, infoOf } from './kinds.ts'
import { sideOf } from './mass-change.ts'

const stamp = (at: number | null): string | null => (at === null ? null : iso(at))

/** An item as the command and the API answer it: what happened, why, what can be done. */
export function itemView(item: InboxItem): JsonObject {
  const { id, kind, state, title, fix, recordId, streamId, seen, detail, resolution, assignee } = item
  const { what, why, closes } = infoOf(kind)
  return {
    id,
    kind,
    state,
    title,
    what,
    why,
    fix,
    closes,
    actions: actionsOf(item).map((action) => ({
      ...action,
      command: `concord inbox ${action.command.replace(/\bID\b/, String(id))}`,
    })),
    recordId,
    streamId,
    seen,
    detail,
    resolution,
    assignee,
    snoozedUntil: stamp(item.snoozedUntil),
    createdAt: iso(item.createdAt),
    updatedAt: iso(item.updatedAt),
  }
}

/** The same for one item that is looked at: a conflict with what each side says now. */
export async function fullView(hub: Hub, item: InboxItem): Promise<JsonObject> {
  if (item.kind !== 'conflict' || item.state === 'done') return itemView(item)
  const columns = await columnsOf(hub, item)
  return columns === null ? itemView(item) : { ...itemView(item), columns: columnsView(columns) }
}

const columnsView = ({ field, hub, remote, agreed }: Columns): JsonObject => ({
  field,
  hub: { ...hub, at: stamp(hub.at) },
  remote: { ...remote, at: stamp(remote.at) },
  agreed,
})

export type HeldMark = { readonly what: string; readonly recordId: number }
export type HeldList = { readonly changes: readonly HeldRow[]; readonly next: HeldMark | null }

/** A stretch of the changes that an item holds; null where it holds none. */
export async function heldChanges(
  hub: Hub,
  item: InboxItem,
  after: HeldMark | null,
  limit: number,
): Promise<HeldList | null> {
  if (item.kind !== 'mass_change' || item.streamId === null) return null
  const found = await heldPage(hub.db.sql, item.streamId, sideOf(item), after, limit + 1)
  const changes = found.slice(0, limit)
  const last = changes.at(-1)
  const next =
    found.length > limit && last !== undefined ? { what: last.what, recordId: last.recordId } : null
  return { changes, next }
}

export const heldView = (row: HeldRow): JsonObject => ({
  what: row.what,
  record: row.recordId,
  remoteId: row.remoteId,
  title: row.title,
  changes: row.changes,
  verdict: row.verdict,
  decidedBy: row.decidedBy,
})
