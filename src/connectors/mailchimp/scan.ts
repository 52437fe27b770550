import { z } from 'zod'
import { type BadRow, failureOf, type Io, type Observation } from '../connector.ts'
import type { Instant } from '../../core/json.ts'
import { bodyText, type Call, malformed, parseReply, request } from './api.ts'
import { changedAt, observe } from './member.ts'
import { noSuchList, type Target } from './settings.ts'
import { member, type Member, MEMBER_FIELDS, memberList } from './wire.ts'

/** The contacts of one status (null: all but the archived) that changed at `since` or later, oldest change first. */
export type Scan = { readonly status: 'archived' | null; readonly since: Instant | null }

/**
 * Where a scan goes on: at the contacts changed at `from` or later, after skipping `offset` of them.
 *
 * Going by the time of the last change, not by offset alone, keeps the place when contacts are deleted or changed
 * underneath. Only where more contacts share one second than fit on a page (an import) does `offset` grow. Then the
 * pages overlap, and `anchors` are contacts of the page before: while one of them shows, nobody between the pages is
 * skipped; when none does, that second is read again from its start. Where that never helps (the vendor promises no
 * order within a second), the scan goes on and owns up to the hole.
 */
export const PLACE = z.object({
  from: z.number().nullable(),
  offset: z.number(),
  anchors: z.array(z.string()).readonly(),
  /** How often this second was begun again. */
  restarts: z.number(),
})
export type Place = Readonly<z.infer<typeof PLACE>>

export type Scanned = {
  readonly observations: readonly Observation[]
  readonly bad: readonly BadRow[]
  /** The vendor's time (or the caller's, if earlier) when this was asked for, in whole seconds. */
  readonly askedAt: Instant
  /** Contacts from `from` on. */
  readonly total: number
  /** Null: the scan is complete. */
  readonly next: Place | null
  /** Somebody between this page and the one before may have been skipped. */
  readonly hole: boolean
}

/** https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination */
const PAGE_SIZE = 1000
const ANCHORS = 10
const RESTARTS_MAX = 5

export function startOf(scan: Scan): Place {
  return { from: scan.since, offset: 0, anchors: [], restarts: 0 }
}

export async function readScan(io: Io, target: Target, scan: Scan, at: Place): Promise<Scanned> {
  const call: Call = {
    method: 'GET',
    path: `/lists/${encodeURIComponent(target.list)}/members`,
    query: queryOf(scan, at),
  }
  const askedAt = io.now()
  const response = await request(io, target, call).catch((error: unknown) => {
    throw failureOf(error)?.kind === 'missing' ? noSuchList(target) : error
  })
  const reply = parseReply(await bodyText(response, call), call, memberList)
  if (reply.members.length === 0 && reply.total_items > 0 && at.offset === 0) {
    throw malformed(call, `${reply.total_items} contacts, but none is listed`)
  }
  const rows = reply.members.map(readRow)
  const members = rows.flatMap((row) => (row.kind === 'member' ? [row.member] : []))
  return {
    observations: members.map(observe),
    bad: rows.flatMap((row) => (row.kind === 'bad' ? [row.bad] : [])),
    askedAt: wholeSecond(Math.min(askedAt, serverTime(response) ?? askedAt)),
    total: reply.total_items,
    ...nextPlace(at, rows, members, reply.total_items),
  }
}

function queryOf(scan: Scan, at: Place): Record<string, string> {
  return {
    count: String(PAGE_SIZE),
    offset: String(at.offset),
    sort_field: 'last_changed',
    sort_dir: 'ASC',
    fields: ['total_items', ...MEMBER_FIELDS.map((field) => `members.${field}`)].join(),
    ...(scan.status === null ? {} : { status: scan.status }),
    // "Since" may or may not mean the second itself: a second earlier is right both ways.
    ...(at.from === null ? {} : { since_last_changed: isoSecond(at.from - 1000) }),
  }
}

type Row =
  | { readonly kind: 'member'; readonly member: Member }
  | { readonly kind: 'bad'; readonly bad: BadRow }

function readRow(raw: unknown): Row {
  const parsed = member.safeParse(raw)
  if (parsed.success) return { kind: 'member', member: parsed.data }
  const named = NAMED.safeParse(raw).data
  const [issue] = parsed.error.issues
  const bad = {
    where: `contact ${named?.email_address ?? named?.contact_id ?? 'without a name'}`,
    id: named?.contact_id ?? null,
    problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unreadable'}`,
    raw: JSON.stringify(raw).slice(0, 10_000),
  }
  return { kind: 'bad', bad }
}
const NAMED = z.object({
  contact_id: z.string().optional().catch(undefined),
  email_address: z.string().optional().catch(undefined),
})

type Onward = Pick<Scanned, 'next' | 'hole'>

function nextPlace(at: Place, rows: readonly Row[], members: readonly Member[], total: number): Onward {
  const lost = at.anchors.length > 0 && !members.some((seen) => at.anchors.includes(seen.contactId))
  if (lost && at.restarts < RESTARTS_MAX) {
    return { next: { from: at.from, offset: 0, anchors: [], restarts: at.restarts + 1 }, hole: false }
  }
  // A full page is followed by another look, in case the vendor counts too few.
  const complete = rows.length < PAGE_SIZE && at.offset + rows.length >= total
  if (complete || rows.length === 0) return { next: null, hole: lost }

  const last = members.map(changedAt).findLast((time) => time !== null) ?? null
  if (last !== null && (at.from === null || last > at.from)) {
    return { next: { from: last, offset: 0, anchors: [], restarts: 0 }, hole: lost }
  }
  const overlap = Math.min(ANCHORS, Math.floor(rows.length / 2))
  const anchors = rows.slice(rows.length - overlap).flatMap((row) => {
    return row.kind === 'member' ? [row.member.contactId] : []
  })
  const offset = at.offset + rows.length - overlap
  return { next: { from: at.from, offset, anchors, restarts: at.restarts }, hole: lost }
}

function serverTime(response: Response): Instant | null {
  const at = Date.parse(response.headers.get('date') ?? '')
  return Number.isNaN(at) ? null : at
}

function wholeSecond(at: Instant): Instant {
  return Math.floor(at / 1000) * 1000
}

function isoSecond(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19)}+00:00`
}
