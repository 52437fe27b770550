import type { RecordId, Source } from '../../core/model.ts'
import { lockMessages, setState } from '../../store/mail/messages.ts'
import { forgetMessage, recheckMessage } from '../../store/mail/sightings.ts'
import { wakeMail, wakePush } from '../../store/wake.ts'
import type { Hub } from '../hub.ts'
import { withRaces } from '../races.ts'
import { openRun } from '../run.ts'
import { withdraw } from './withdraw.ts'

export type ActionOutcome = 'done' | 'already' | 'unknown'

/**
 * Makes one message private, whatever its mailboxes say later: its content and its people are erased, its activity is
 * archived. `unknown`: no message has this record id.
 */
export const makePrivate = (hub: Hub, recordId: RecordId, by: Source): Promise<ActionOutcome> =>
  takeOut(hub, recordId, by, 'private')

/** As `makePrivate`, said of a message that should never have been logged. */
export const removeMessage = (hub: Hub, recordId: RecordId, by: Source): Promise<ActionOutcome> =>
  takeOut(hub, recordId, by, 'removed')

async function takeOut(
  hub: Hub,
  recordId: RecordId,
  by: Source,
  state: 'private' | 'removed',
): Promise<ActionOutcome> {
  const run = openRun(hub, null, 'edit')
  const outcome = await withRaces(hub, () =>
    hub.session.begin(async (tx): Promise<ActionOutcome> => {
      const [message] = await lockMessages(tx, [recordId])
      if (message === undefined) return 'unknown'
      if (message.state === state) return 'already'
      const rule = state === 'private' ? `made private by ${by}` : `removed by ${by}`
      await wakePush(tx, await withdraw(hub, tx, [recordId], { state, by, rule }, await run.id()))
      await forgetMessage(tx, recordId, rule)
      return 'done'
    }),
  )
  run.count({ withdrawn: outcome === 'done' ? 1 : 0 })
  await run.end(null)
  return outcome
}

/** Takes back either of them: the mailboxes that showed the message are asked for it again. */
export async function restoreMessage(hub: Hub, recordId: RecordId, by: Source): Promise<ActionOutcome> {
  return hub.session.begin(async (tx): Promise<ActionOutcome> => {
    const [message] = await lockMessages(tx, [recordId])
    if (message === undefined) return 'unknown'
    if (message.state === 'kept' || message.state === 'withdrawn') return 'already'
    await setState(tx, recordId, 'withdrawn', by, hub.clock.now())
    await wakeMail(tx, await recheckMessage(tx, recordId))
    return 'done'
  })
}
