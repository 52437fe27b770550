import { conversationSubject, headersOf, headerValue, idsIn, splitAt } from './headers.ts'
import { notify } from './notifications.ts'
import type { Change, GmailMailbox, GmailState, Stored } from './state.ts'

/** Puts a message into the mailbox and tells of it. */
export function addMessage(
  state: GmailState,
  mailbox: GmailMailbox,
  raw: Buffer,
  labels: readonly string[],
  at: number = state.now(),
): Stored {
  const headers = headersOf(splitAt(raw).header)
  const id = freshId(state, mailbox, at)
  const subject = conversationSubject(headerValue(headers, 'subject'))
  const related = [
    ...idsIn(headerValue(headers, 'in-reply-to')),
    ...idsIn(headerValue(headers, 'references')).toReversed(),
  ]
  const threadId = threadOf(mailbox, subject, related) ?? id
  const stored: Stored = { id, threadId, raw, labels, at, order: mailbox.nextOrder++, historyId: 0 }
  mailbox.byId.set(id, stored)
  insertByDate(mailbox.byDate, stored)
  const thread = mailbox.threads.get(threadId) ?? { subject, ids: new Set() }
  thread.ids.add(id)
  mailbox.threads.set(threadId, thread)
  const [messageId] = idsIn(headerValue(headers, 'message-id'))
  if (messageId !== undefined && !mailbox.threadOf.has(messageId)) mailbox.threadOf.set(messageId, threadId)
  record(state, mailbox, stored, { what: 'added' })
  return stored
}

/** A message joins a conversation that it refers to, if the subject is the same. */
function threadOf(mailbox: GmailMailbox, subject: string, related: readonly string[]): string | undefined {
  return related
    .map((id) => mailbox.threadOf.get(id))
    .find((id) => id !== undefined && mailbox.threads.get(id)?.subject === subject)
}

/** For good: not what happens to a message that goes to the trash. */
export function removeMessage(state: GmailState, mailbox: GmailMailbox, stored: Stored): void {
  mailbox.byId.delete(stored.id)
  const place = placeOf(mailbox.byDate, stored)
  mailbox.byDate.splice(place, 1)
  const thread = mailbox.threads.get(stored.threadId)
  thread?.ids.delete(stored.id)
  if (thread?.ids.size === 0) mailbox.threads.delete(stored.threadId)
  record(state, mailbox, stored, { what: 'deleted' })
}

/** Labels by id. What is there already, or is not there, changes nothing and tells nobody. */
export function relabel(
  state: GmailState,
  mailbox: GmailMailbox,
  stored: Stored,
  add: readonly string[],
  remove: readonly string[],
): void {
  const labelsAdded = add.filter((id) => !stored.labels.includes(id))
  const labelsRemoved = remove.filter((id) => stored.labels.includes(id))
  if (labelsAdded.length === 0 && labelsRemoved.length === 0) return
  stored.labels = [...stored.labels.filter((id) => !labelsRemoved.includes(id)), ...labelsAdded]
  record(state, mailbox, stored, { what: 'relabelled', labelsAdded, labelsRemoved })
}

function record(
  state: GmailState,
  mailbox: GmailMailbox,
  stored: Stored,
  change: Pick<Change, 'what'> & Partial<Change>,
): void {
  mailbox.historyId = nextHistoryId(state, mailbox)
  stored.historyId = mailbox.historyId
  mailbox.history.push({
    labelsAdded: [],
    labelsRemoved: [],
    ...change,
    id: mailbox.historyId,
    at: state.now(),
    messageId: stored.id,
    threadId: stored.threadId,
    labels: stored.labels,
  })
  notify(state, mailbox, [...stored.labels, ...(change.labelsRemoved ?? [])])
}

/** Ids rise, with gaps. */
export function nextHistoryId(state: GmailState, mailbox: GmailMailbox): number {
  return mailbox.historyId + 1 + Math.floor(state.random() * 40)
}

/** Sixteen hexadecimal digits that rise with time, as the vendor's do. */
function freshId(state: GmailState, mailbox: GmailMailbox, at: number): string {
  const time = Math.max(0, Math.floor(at)).toString(16).padStart(11, '0').slice(-11)
  let id = time + state.ids.hex(5)
  while (mailbox.byId.has(id)) id = time + state.ids.hex(5)
  return id
}

function insertByDate(rows: Stored[], row: Stored): void {
  const last = rows.at(-1)
  if (last === undefined || compare(last, row) < 0) rows.push(row)
  else rows.splice(placeOf(rows, row), 0, row)
}

/** The place of the first row that is not before this one. */
export function placeOf(rows: readonly Stored[], row: Pick<Stored, 'at' | 'order'>): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const there = rows[middle]
    if (there !== undefined && compare(there, row) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function compare(a: Pick<Stored, 'at' | 'order'>, b: Pick<Stored, 'at' | 'order'>): number {
  return a.at - b.at || a.order - b.order
}
