import { unreachable, type Json } from '../../core/json.ts'
import type { RecordId, Source } from '../../core/model.ts'
import type { Chosen } from '../../store/held.ts'
import { acceptValue } from '../governance/accept.ts'
import type { Hub } from '../hub.ts'
import { takeSide } from './conflict.ts'
import { editRefused, fillIn, retryWrite } from './correct.ts'
import { keepItemApart, mergeItem } from './duplicate.ts'
import type { ActionName } from './kinds.ts'
import { lookUp, replayUnreadable } from './look-again.ts'
import { ALL, approve, reject } from './mass-change.ts'
import { refused, type ActionResult } from './settle.ts'
import { dismiss } from './tend.ts'

/** What is given with an action. */
export type ActionInput = {
  readonly take?: 'hub' | 'remote' | 'value'
  readonly set?: Readonly<Record<string, Json>>
  readonly survivor?: RecordId
  /** Of `accept`: the value of the picklist that it is another word for. */
  readonly as?: string
  readonly chosen?: Chosen
}

export const NO_SIDE = 'Say whose value stands: hub, remote or value.'

/** Does any action on an item. Refusals say what to do instead; nothing was done then. */
export async function perform(
  hub: Hub,
  id: number,
  action: ActionName,
  input: ActionInput,
  by: Source,
): Promise<ActionResult> {
  const { take, set = {}, survivor = null, as = null, chosen = ALL } = input
  switch (action) {
    case 'approve':
      return approve(hub, id, by, chosen)
    case 'reject':
      return reject(hub, id, by, chosen)
    case 'merge':
      return mergeItem(hub, id, by, survivor)
    case 'keep-apart':
      return keepItemApart(hub, id, by)
    case 'resolve':
      if (take === undefined) return refused(NO_SIDE)
      return takeSide(hub, id, take === 'value' ? { side: take, set } : { side: take }, by)
    case 'retry':
      return retryWrite(hub, id, by)
    case 'edit':
      return editRefused(hub, id, set, by)
    case 'fill':
      return fillIn(hub, id, set, by)
    case 'accept':
      return acceptValue(hub, id, as, by)
    case 'look-up':
      return lookUp(hub, id, by)
    case 'replay':
      return replayUnreadable(hub, id, by)
    case 'dismiss':
      return dismiss(hub, id, by)
    default:
      return unreachable(action)
  }
}
