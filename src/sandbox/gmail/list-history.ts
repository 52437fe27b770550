import { invalid, notFound } from './errors.ts'
import type { Change, GmailMailbox, GmailState } from './state.ts'

export type HistoryAsk = {
  readonly start: string | undefined
  readonly types: readonly string[]
  readonly labelId: string | undefined
  readonly maxResults: number
  readonly pageToken: string | undefined
}

/**
 * Records after `start`. Types and labels choose within a page, so that a page may be without `history` and still
 * have one after it. `historyId` is the mailbox's, not the page's.
 * https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.history/list
 */
export function listHistory(state: GmailState, mailbox: GmailMailbox, ask: HistoryAsk): object {
  const start = historyIdIn(ask.start)
  if (start < floorOf(state, mailbox) || start > mailbox.historyId) throw notFound()
  const token = ask.pageToken === undefined ? { after: start, isFilled: false } : tokenIn(ask.pageToken)
  const { after } = token
  const first = placeAfter(mailbox.history, after)
  const historyId = String(mailbox.historyId)
  if (state.switches.emptyHistoryPages && !token.isFilled && first < mailbox.history.length)
    return { nextPageToken: tokenOf(after, true), historyId }

  const scanned = mailbox.history.slice(first, first + ask.maxResults)
  const history = scanned
    .filter((change) => isAbout(mailbox, change, ask.labelId))
    .flatMap((change) => recordOf(change, ask.types))
  const last = scanned.at(-1)
  const isMore = last !== undefined && first + scanned.length < mailbox.history.length
  return {
    ...(history.length === 0 ? {} : { history }),
    ...(isMore ? { nextPageToken: tokenOf(last.id, false) } : {}),
    historyId,
  }
}

/** Ids below are forgotten: records older than they are kept for have gone, but for the newest of these. */
function floorOf(state: GmailState, mailbox: GmailMailbox): number {
  const limit = state.now() - state.switches.historyLifeMs
  let low = 0
  let high = mailbox.history.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((mailbox.history[middle]?.at ?? limit) < limit) low = middle + 1
    else high = middle
  }
  return Math.max(mailbox.historyFloor, mailbox.history[low - 1]?.id ?? 0)
}

function recordOf(change: Change, types: readonly string[]): readonly object[] {
  const wants = (type: string): boolean => types.length === 0 || types.includes(type)
  const bare = { id: change.messageId, threadId: change.threadId }
  const message = { ...bare, labelIds: change.labels }
  const { labelsAdded, labelsRemoved, what } = change
  const told = {
    ...(what === 'added' && wants('messageAdded') ? { messagesAdded: [{ message }] } : {}),
    ...(what === 'deleted' && wants('messageDeleted') ? { messagesDeleted: [{ message }] } : {}),
    ...(labelsAdded.length > 0 && wants('labelAdded')
      ? { labelsAdded: [{ message, labelIds: labelsAdded }] }
      : {}),
    ...(labelsRemoved.length > 0 && wants('labelRemoved')
      ? { labelsRemoved: [{ message, labelIds: labelsRemoved }] }
      : {}),
  }
  return Object.keys(told).length === 0 ? [] : [{ id: String(change.id), messages: [bare], ...told }]
}

function isAbout(mailbox: GmailMailbox, change: Change, labelId: string | undefined): boolean {
  if (labelId === undefined) return true
  const now = mailbox.byId.get(change.messageId)?.labels ?? []
  return [...now, ...change.labels, ...change.labelsRemoved].includes(labelId)
}

function placeAfter(history: readonly Change[], id: number): number {
  let low = 0
  let high = history.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((history[middle]?.id ?? id) <= id) low = middle + 1
    else high = middle
  }
  return low
}

function historyIdIn(start: string | undefined): number {
  if (start === undefined) throw invalid('Missing required parameter: startHistoryId')
  if (!/^\d+$/.test(start)) throw invalid(`Invalid value at 'start_history_id' (TYPE_UINT64), "${start}"`)
  return Number(start)
}

function tokenOf(after: number, isFilled: boolean): string {
  return Buffer.from(`${after}${isFilled ? '!' : ''}`).toString('base64url')
}

function tokenIn(token: string): { after: number; isFilled: boolean } {
  const [, after, filled] = /^(\d+)(!?)$/.exec(Buffer.from(token, 'base64url').toString()) ?? []
  if (after === undefined) throw invalid('Invalid pageToken')
  return { after: Number(after), isFilled: filled === '!' }
}
