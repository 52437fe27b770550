import { placeOf } from './changes.ts'
import { invalid } from './errors.ts'
import { parseQuery } from './query.ts'
import type { GmailMailbox, Stored } from './state.ts'

export type ListAsk = {
  readonly q: string
  readonly labelIds: readonly string[]
  readonly includeSpamTrash: boolean
  readonly maxResults: number
  readonly pageToken: string | undefined
  readonly now: number
}

/** Newest first. A page costs what it looks at, wherever it begins. */
export function listMessages(mailbox: GmailMailbox, ask: ListAsk): object {
  const query = parseQuery(mailbox, ask.q, ask.now)
  for (const id of ask.labelIds) if (!mailbox.labels.has(id)) throw invalid(`Invalid label: ${id}`)
  const seesAll =
    ask.includeSpamTrash ||
    query.wantsSpamAndTrash ||
    ask.labelIds.some((id) => id === 'SPAM' || id === 'TRASH')
  const wanted = (row: Stored): boolean =>
    (seesAll || !row.labels.some((id) => id === 'SPAM' || id === 'TRASH')) &&
    ask.labelIds.every((id) => row.labels.includes(id)) &&
    query.keep(row)

  const rows: Stored[] = []
  const { byDate } = mailbox
  const end = Math.min(placeOf(byDate, startOf(ask.pageToken)), placeOf(byDate, { at: query.to, order: -1 }))
  for (let place = end - 1; place >= 0 && rows.length <= ask.maxResults; place -= 1) {
    const row = byDate[place]
    if (row === undefined || row.at < query.from) break
    if (wanted(row)) rows.push(row)
  }
  const page = rows.slice(0, ask.maxResults)
  const last = page.at(-1)
  const isMore = rows.length > page.length
  return {
    ...(page.length === 0 ? {} : { messages: page.map(({ id, threadId }) => ({ id, threadId })) }),
    ...(isMore && last !== undefined ? { nextPageToken: tokenOf(last) } : {}),
    // The vendor's estimate is no count: it is often 201, whatever there is.
    resultSizeEstimate: isMore ? Math.max(201, page.length + 1) : page.length,
  }
}

function tokenOf({ at, order }: Stored): string {
  return Buffer.from(`${at}.${order}`).toString('base64url')
}

function startOf(token: string | undefined): Pick<Stored, 'at' | 'order'> {
  if (token === undefined) return { at: Number.POSITIVE_INFINITY, order: 0 }
  const [, at, order] = /^(-?\d+)\.(\d+)$/.exec(Buffer.from(token, 'base64url').toString()) ?? []
  if (at === undefined || order === undefined) throw invalid('Invalid pageToken')
  return { at: Number(at), order: Number(order) }
}
