import type { Json } from '../../core/json.ts'
import type { RecordKind, Source } from '../../core/model.ts'
import { readItem, type InboxItem } from '../../store/inbox.ts'
import { kindOfRecord } from '../../store/records.ts'
import { wakeLinkById } from '../../store/link-work.ts'
import { wakePush } from '../../store/wake.ts'
import { editRecord } from '../edit.ts'
import type { Hub } from '../hub.ts'
import { linksById } from '../link-lookup.ts'
import { problemsOf } from './problems.ts'
import { closes, no, settleItem, stays, type ActionResult, type Settled } from './settle.ts'

type Values = Readonly<Record<string, Json>>

/** Sends a refused write once more. */
export const retryWrite = (hub: Hub, id: number, by: Source): Promise<ActionResult> =>
  settleItem(hub, id, 'retry', by, async (item) => {
    const link = await linkOf(hub, item)
    const target = hub.targets.find((t) => t.id === item.streamId)
    if (link === undefined || target === undefined) return no(`The link of item ${id} is gone.`)
    await wakeLinkById(hub.db.sql, link.id)
    await wakePush(hub.db.sql, [target.stream.connection])
    return closes(
      `sent again by ${by}`,
      `It is sent again at the next pass over ${target.stream.connection}.`,
    )
  })

async function linkOf(hub: Hub, item: InboxItem) {
  const id = Number(item.detail['link'])
  if (!Number.isSafeInteger(id)) return undefined
  const link = (await linksById(hub.db.sql, [id])).get(id)
  return link?.state === 'gone' ? undefined : link
}

/** Corrects the record whose write was refused; the change sends it again. */
export const editRefused = (hub: Hub, id: number, set: Values, by: Source): Promise<ActionResult> =>
  settleItem(hub, id, 'edit', by, async (item) => {
    const link = await linkOf(hub, item)
    const target = hub.targets.find((t) => t.id === item.streamId)
    if (link === undefined || target === undefined) return no(`The link of item ${id} is gone.`)
    const saved = await save(hub, item, set, by)
    if (typeof saved === 'string') return no(saved)
    // Also where the record says so already: whoever settles this wants it sent.
    await wakeLinkById(hub.db.sql, link.id)
    await wakePush(hub.db.sql, [target.stream.connection])
    return closes(`corrected by ${by}`, `${saved.kind} ${item.recordId} is corrected, and sent again.`)
  })

/** Fills in what is missing. The item closes once nothing of it is. */
export const fillIn = (hub: Hub, id: number, set: Values, by: Source): Promise<ActionResult> =>
  settleItem(hub, id, 'fill', by, async (item): Promise<Settled> => {
    if (item.recordId === null)
      return no('The item is about many records. Fix: fill them in at their source, or one by one.')
    const saved = await save(hub, item, set, by)
    if (typeof saved === 'string') return no(saved)
    const now = await readItem(hub.db.sql, id)
    return now?.state === 'done'
      ? closes(`filled in by ${by}`, `${saved.kind} ${item.recordId} has all it needs.`)
      : stays(`It is filled in. Still missing: ${now?.title ?? ''}`)
  })

async function save(
  hub: Hub,
  item: InboxItem,
  set: Values,
  by: Source,
): Promise<string | { readonly kind: RecordKind }> {
  if (Object.keys(set).length === 0) return 'No field was given. Fix: --set FIELD=VALUE.'
  const kind = item.recordId === null ? undefined : await kindOfRecord(hub.db.sql, item.recordId)
  if (item.recordId === null || kind === undefined) return 'The record is not there any more.'
  const edit = await editRecord(hub, kind, item.recordId, set, by, { rule: `inbox item ${item.id}` })
  return edit.kind === 'saved' ? { kind } : problemsOf(edit)
}
