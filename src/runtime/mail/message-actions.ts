import type { RecordId, Source } from '../../core/model.ts'
import type { Hub } from '../hub.ts'

export type ActionOutcome = 'done' | 'already' | 'unknown'

/** Makes one message private, for good: its content and its people are erased, its activity archived. */
export async function makePrivate(_hub: Hub, _recordId: RecordId, _by: Source): Promise<ActionOutcome> {
  throw new Error('in the making')
}

/** As `makePrivate`, said of a message that should never have been logged. */
export async function removeMessage(_hub: Hub, _recordId: RecordId, _by: Source): Promise<ActionOutcome> {
  throw new Error('in the making')
}

/** Takes back either of them: the mailboxes that showed the message are asked for it again. */
export async function restoreMessage(_hub: Hub, _recordId: RecordId, _by: Source): Promise<ActionOutcome> {
  throw new Error('in the making')
}
