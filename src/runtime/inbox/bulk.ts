import type { Source } from '../../core/model.ts'
import { itemIds, newestItem, readItem, type InboxItem, type ItemFilter } from '../../store/inbox.ts'
import type { Hub } from '../hub.ts'
import { actionsOf, describeKind, type ActionName } from './kinds.ts'
import { NO_SIDE, perform, type ActionInput } from './perform.ts'

/** What an action over many items came to. Only the first of what was refused is named. */
export type BulkResult = {
  readonly matched: number
  readonly done: number
  /** Closed before their turn came: merging two records settles all other questions about them. */
  readonly closed: number
  readonly refused: number
  readonly problems: readonly { readonly id: number; readonly message: string }[]
  readonly dryRun: boolean
}

const CHUNK = 200
const MOST_NAMED = 100

/**
 * Does one action on every open item that a filter names, one after the other; one that is refused stops none. What
 * comes in meanwhile is left alone: a vendor that refuses at once what is sent again would keep it going for ever.
 */
export async function performAll(
  hub: Hub,
  filter: Omit<ItemFilter, 'state'>,
  action: ActionName,
  input: ActionInput,
  by: Source,
  dryRun = false,
): Promise<BulkResult> {
  const counts = { matched: 0, done: 0, closed: 0, refused: 0 }
  const problems: { id: number; message: string }[] = []
  const newest = await newestItem(hub.db.sql)
  for (let after = 0; !hub.stopping.aborted; ) {
    const open = await itemIds(hub.db.sql, { ...filter, state: 'open' }, after, CHUNK)
    const ids = open.filter((id) => id <= newest)
    const last = ids.at(-1)
    if (last === undefined) break
    after = last
    for (const id of ids) {
      if (hub.stopping.aborted) break
      counts.matched++
      const item = await readItem(hub.db.sql, id)
      if (item === undefined || item.state === 'done') {
        counts.closed++
        continue
      }
      const message = dryRun ? wouldRefuse(item, action, input) : await refusal(hub, id, action, input, by)
      if (message === null) counts.done++
      else counts.refused++
      if (message !== null && problems.length < MOST_NAMED) problems.push({ id, message })
    }
  }
  return { ...counts, problems, dryRun }
}

async function refusal(
  hub: Hub,
  id: number,
  action: ActionName,
  input: ActionInput,
  by: Source,
): Promise<string | null> {
  try {
    const result = await perform(hub, id, action, input, by)
    return result.kind === 'refused' ? result.message : null
  } catch (error) {
    hub.log.error({ err: error, item: id, action }, 'an inbox action failed')
    return error instanceof Error ? error.message : String(error)
  }
}

function wouldRefuse(item: InboxItem, action: ActionName, { take }: ActionInput): string | null {
  if (action === 'resolve' && take === undefined) return NO_SIDE
  return actionsOf(item).some((one) => one.action === action)
    ? null
    : `a ${describeKind(item.kind)} has no "${action}"`
}
