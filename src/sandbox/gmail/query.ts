import { invalid } from './errors.ts'
import { headersOf, headerValue, idsIn, splitAt } from './headers.ts'
import type { GmailMailbox, Stored } from './state.ts'

/** What a `q` comes to: a span of time, which is searched by index, and a test of what lies within. */
export type Query = {
  /** Epoch milliseconds: included. */
  readonly from: number
  /** Excluded. */
  readonly to: number
  readonly wantsSpamAndTrash: boolean
  readonly keep: Test
}

type Test = (stored: Stored) => boolean

const ALL: Query = {
  from: Number.NEGATIVE_INFINITY,
  to: Number.POSITIVE_INFINITY,
  wantsSpamAndTrash: false,
  keep: () => true,
}

const PLACES: Readonly<Record<string, string>> = {
  inbox: 'INBOX',
  sent: 'SENT',
  draft: 'DRAFT',
  drafts: 'DRAFT',
  spam: 'SPAM',
  trash: 'TRASH',
  chat: 'CHAT',
  chats: 'CHAT',
  unread: 'UNREAD',
  starred: 'STARRED',
  important: 'IMPORTANT',
}

/**
 * The part of Gmail's search that a program needs; the rest is refused, so that nobody believes it was heeded.
 * https://support.google.com/mail/answer/7190
 */
export function parseQuery(mailbox: GmailMailbox, q: string, now: number): Query {
  return q
    .split(/\s+/)
    .filter((term) => term !== '')
    .reduce((query, term) => narrowed(query, mailbox, term, now), ALL)
}

function narrowed(query: Query, mailbox: GmailMailbox, term: string, now: number): Query {
  const isNot = term.startsWith('-')
  const [name = '', ...rest] = (isNot ? term.slice(1) : term).toLowerCase().split(':')
  const value = rest.join(':')
  if (!isNot && (name === 'after' || name === 'newer'))
    return { ...query, from: Math.max(query.from, startOf(term, value)) }
  if (!isNot && (name === 'before' || name === 'older'))
    return { ...query, to: Math.min(query.to, instant(term, value)) }
  if (!isNot && name === 'newer_than')
    return { ...query, from: Math.max(query.from, now - span(term, value)) }
  if (!isNot && name === 'older_than') return { ...query, to: Math.min(query.to, now - span(term, value)) }
  const test = testOf(mailbox, name, value, term)
  const { keep } = query
  return {
    ...query,
    wantsSpamAndTrash:
      query.wantsSpamAndTrash || (!isNot && name === 'in' && /^(spam|trash|anywhere)$/.test(value)),
    keep: (stored) => keep(stored) && test(stored) !== isNot,
  }
}

function testOf(mailbox: GmailMailbox, name: string, value: string, term: string): Test {
  switch (name) {
    case 'in':
    case 'is':
      if (value === 'anywhere') return () => true
      return hasLabel(PLACES[value] ?? labelNamed(mailbox, value), term)
    case 'label':
      return hasLabel(labelNamed(mailbox, value) ?? PLACES[value], term)
    case 'rfc822msgid':
      return (stored) => idOf(stored) === value.replaceAll(/[<>]/g, '')
    default:
      throw invalid(`This sandbox does not know the search term ${term}`)
  }
}

/** The vendor finds nothing for a label that does not exist; here it is a mistake. */
function hasLabel(id: string | undefined, term: string): Test {
  if (id === undefined) throw invalid(`This sandbox knows no label for the search term ${term}`)
  return (stored) => stored.labels.includes(id)
}

/** Spaces and slashes of a name are written as dashes in a search. */
function labelNamed(mailbox: GmailMailbox, written: string): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[\s/&]/g, '-')
  return [...mailbox.labels.values()].find(({ name }) => plain(name) === plain(written))?.id
}

function idOf(stored: Stored): string | null {
  const value = headerValue(headersOf(splitAt(stored.raw).header), 'message-id')
  return idsIn(value)[0]?.toLowerCase() ?? null
}

/** `after` a second leaves that second out; after a date begins with its day. */
function startOf(term: string, value: string): number {
  return instant(term, value) + (isSeconds(value) ? 1000 : 0)
}

const isSeconds = (value: string): boolean => /^\d{9,11}$/.test(value)

const PACIFIC_MS = 8 * 3_600_000

/** Epoch seconds, or a date, which begins at midnight of Pacific time. */
function instant(term: string, value: string): number {
  if (isSeconds(value)) return Number(value) * 1000
  const date = /^(\d{4})[/-](\d{1,2})[/-](\d{1,2})$/.exec(value)
  if (date === null) throw invalid(`This sandbox cannot read the time in ${term}`)
  return Date.UTC(Number(date[1]), Number(date[2]) - 1, Number(date[3])) + PACIFIC_MS
}

const DAYS: Readonly<Record<string, number>> = { d: 1, m: 30, y: 365 }

function span(term: string, value: string): number {
  const days = DAYS[value.slice(-1)]
  const count = Number(value.slice(0, -1))
  if (days === undefined || !Number.isInteger(count)) throw invalid(`This sandbox cannot read ${term}`)
  return count * days * 86_400_000
}
