import type { RemoteId } from '../connector.ts'
import { isIdle } from './labels.ts'
import type { HistoryWire } from './wire.ts'

export const HISTORY_TYPES = ['messageAdded', 'messageDeleted', 'labelAdded', 'labelRemoved']

export type Changes = { readonly read: readonly RemoteId[]; readonly gone: readonly RemoteId[] }

/**
 * What a page of the history asks for: messages to be read as they are now, each once, and those deleted for good.
 * Being put into the trash is a label. A page may have no `history` at all although more pages follow.
 * https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.history/list
 */
export function changesOf(history: HistoryWire['history']): Changes {
  const read = new Set<RemoteId>()
  const gone = new Set<RemoteId>()
  for (const record of history ?? []) {
    for (const { message } of record.messagesAdded ?? []) read.add(message.id)
    for (const { message, labelIds } of [...(record.labelsAdded ?? []), ...(record.labelsRemoved ?? [])])
      if (!areIdle(labelIds ?? [])) read.add(message.id)
    for (const { message } of record.messagesDeleted ?? []) gone.add(message.id)
  }
  return { read: [...read.difference(gone)], gone: [...gone] }
}

function areIdle(labelIds: readonly string[]): boolean {
  return labelIds.length > 0 && labelIds.every(isIdle)
}
