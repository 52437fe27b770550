import type { Source } from '../../core/model.ts'
import { concludeItem, readItem, type InboxItem } from '../../store/inbox.ts'
import type { Hub } from '../hub.ts'
import { holdingItem } from '../hold.ts'
import { describeKind, infoOf, type ActionName } from './kinds.ts'

export type ActionResult =
  | { readonly kind: 'done'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
export const refused = (message: string): ActionResult => ({ kind: 'refused', message })

/** How an action ended. `open`: something was done, and the item still waits. */
export type Settled =
  | { readonly kind: 'closes'; readonly resolution: string; readonly message: string }
  | { readonly kind: 'open'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
export const closes = (resolution: string, message: string): Settled => ({
  kind: 'closes',
  resolution,
  message,
})
export const stays = (message: string): Settled => ({ kind: 'open', message })
export const no = (message: string): Settled => ({ kind: 'refused', message })

/** Both do again what did not work: send it, or read it. */
const MEANT: Partial<Record<ActionName, ActionName>> = { replay: 'retry', retry: 'replay' }

/** Does one action on one open item. Of two people who act on the same item, the second is told what the first did. */
export async function settleItem(
  hub: Hub,
  id: number,
  action: ActionName,
  by: Source,
  work: (item: InboxItem) => Promise<Settled>,
): Promise<ActionResult> {
  return holdingItem(hub, id, async () => {
    const item = await readItem(hub.db.sql, id)
    if (item === undefined) return refused(`The inbox has no item ${id}. Fix: \`concord inbox\` lists them.`)
    if (item.state === 'done') return refused(`Item ${id} is closed already: ${item.resolution ?? ''}`)
    const { actions } = infoOf(item.kind)
    if (!actions.some((one) => one.action === action)) {
      const meant = actions.find((one) => one.action === MEANT[action])
      const known = [...new Set(actions.map((one) => one.action))].join(', ')
      const fix =
        meant === undefined
          ? `What can be done: ${known}.`
          : `Fix: "${meant.action}" is meant: \`concord inbox ${meant.command.replace('ID', String(id))}\`.`
      return refused(
        `Item ${id} is of the kind "${describeKind(item.kind)}", which has no "${action}". ${fix}`,
      )
    }
    const settled = await work(item)
    if (settled.kind === 'refused') return settled
    hub.log.info({ item: id, action, by }, 'inbox action')
    const isOver =
      settled.kind === 'open' || (await concludeItem(hub.db.sql, item, settled.resolution, hub.clock.now()))
    const again = isOver ? '' : ` Its cause has come back meanwhile: item ${id} stays open.`
    return { kind: 'done', message: `${settled.message}${again}` }
  })
}
