import type { RecordId, Source } from '../../core/model.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import { duplicateRecords, type InboxItem } from '../../store/inbox.ts'
import { keepApart } from '../../store/merges.ts'
import { loadRecords } from '../../store/records.ts'
import type { Hub } from '../hub.ts'
import { mergeRecords } from '../merge/merge.ts'
import { closes, no, settleItem, type ActionResult, type Settled } from './settle.ts'

/** Makes the two records of an item one. Without a survivor it is the one with more links, else the older one. */
export const mergeItem = (
  hub: Hub,
  id: number,
  by: Source,
  survivor: RecordId | null = null,
): Promise<ActionResult> => settleItem(hub, id, 'merge', by, (item) => merge(hub, item, by, survivor))

/** Says that the two records are two. They are not asked about again. */
export const keepItemApart = (hub: Hub, id: number, by: Source): Promise<ActionResult> =>
  settleItem(hub, id, 'keep-apart', by, async (item) => {
    const pair = duplicateRecords(item)
    if (pair === null) return no(UNNAMED)
    await keepApart(hub.db.sql, pair[0], pair[1], by, hub.clock.now())
    return closes(
      `kept apart by ${by}`,
      `Records ${pair.join(' and ')} stay two. Nobody is asked about them again.`,
    )
  })

const UNNAMED =
  'The item does not name two records. Fix: `concord sync` makes a new one where they still look alike.'

async function merge(hub: Hub, item: InboxItem, by: Source, wanted: RecordId | null): Promise<Settled> {
  const pair = duplicateRecords(item)
  if (pair === null) return no(UNNAMED)
  const kind: MergedKind = item.detail['kind'] === 'company' ? 'company' : 'contact'
  const survivor = wanted ?? (await defaultSurvivor(hub, pair))
  const losers = pair.filter((one) => one !== survivor)
  if (losers.length !== 1)
    return no(
      `Record ${survivor} is not one of the two. Fix: --survivor ${pair[0]} or --survivor ${pair[1]}.`,
    )
  const found = await loadRecords(hub.db.sql, kind, pair)
  const away = pair.filter((one) => found.get(one)?.archived !== false)
  if (away.length > 0) return no(`${kind} ${away.join(', ')} is archived, so there are no two to merge.`)
  const merged = await mergeRecords(hub, { kind, survivor, losers, by, rule: `inbox item ${item.id}` })
  if (merged.kind === 'refused') return no(merged.message)
  return closes(
    `merged into ${kind} ${survivor} by ${by}`,
    `${kind} ${losers.join(', ')} is part of ${kind} ${survivor} now. \`concord unmerge ${kind} ${losers.join(', ')}\` takes it back.`,
  )
}

async function defaultSurvivor(hub: Hub, [low, high]: readonly [RecordId, RecordId]): Promise<RecordId> {
  const found = await hub.db.sql<{ id: RecordId; links: number }[]>`
    select record_id as id, count(*) as links from links
    where record_id = any(${[low, high]}) and state = 'linked' group by record_id`
  const links = new Map(found.map((row) => [row.id, row.links]))
  return (links.get(high) ?? 0) > (links.get(low) ?? 0) ? high : low
}
