import { invalidResource } from './problem.ts'
import type { Audience, Member } from './state.ts'

/** Query parameters of the member list that this sandbox understands; others are ignored. */
const FILTERS = [
  'status',
  'email_type',
  'since_last_changed',
  'before_last_changed',
  'since_timestamp_opt',
  'before_timestamp_opt',
  'unsubscribed_since',
  'unique_email_id',
  'vip_only',
  'sort_field',
  'sort_dir',
] as const

type Query = Readonly<Partial<Record<string, string>>>
type Listing = { readonly key: string; readonly version: number; readonly members: readonly Member[] }

const listings = new WeakMap<Audience, Listing>()

/**
 * Everybody who fits, in order. The pages of one unchanged listing share one scan, so that reading all pages
 * costs no more than reading one.
 */
export function listMembers(audience: Audience, query: Query): readonly Member[] {
  const key = JSON.stringify(FILTERS.map((name) => query[name] ?? null))
  const cached = listings.get(audience)
  if (cached?.key === key && cached.version === audience.version) return cached.members
  const members = sorted(audience.order.filter(predicate(query)), query)
  listings.set(audience, { key, version: audience.version, members })
  return members
}

/** "Since" is after, "before" is before: the second itself belongs to neither. */
function predicate(query: Query): (member: Member) => boolean {
  const { status, email_type: emailType, unique_email_id: uniqueEmailId } = query
  const changedAfter = instant(query, 'since_last_changed') ?? -Infinity
  const changedBefore = instant(query, 'before_last_changed') ?? Infinity
  const optedAfter = instant(query, 'since_timestamp_opt')
  const optedBefore = instant(query, 'before_timestamp_opt')
  const unsubscribedAfter = instant(query, 'unsubscribed_since')
  const vipOnly = query['vip_only'] === 'true'
  return (member) =>
    (status === undefined ? member.status !== 'archived' : member.status === status) &&
    member.lastChangedAt > changedAfter &&
    member.lastChangedAt < changedBefore &&
    (optedAfter === null || (member.optedInAt ?? -Infinity) > optedAfter) &&
    (optedBefore === null || (member.optedInAt ?? Infinity) < optedBefore) &&
    (unsubscribedAfter === null || (member.unsubscribed?.at ?? -Infinity) > unsubscribedAfter) &&
    (emailType === undefined || member.emailType === emailType) &&
    (uniqueEmailId === undefined || member.uniqueEmailId === uniqueEmailId) &&
    (!vipOnly || member.vip)
}

function sorted(members: Member[], query: Query): Member[] {
  const by = sortKey(query['sort_field'])
  if (by === null) return members
  const sign = query['sort_dir'] === 'DESC' ? -1 : 1
  return members.sort((a, b) => sign * (by(a) - by(b)))
}

function sortKey(field: string | undefined): ((member: Member) => number) | null {
  switch (field) {
    case undefined:
      return null
    case 'last_changed':
      return (member) => member.lastChangedAt
    case 'timestamp_opt':
      return (member) => member.optedInAt ?? 0
    case 'timestamp_signup':
      return (member) => member.signedUpAt ?? 0
    default:
      throw invalidResource([{ field: 'sort_field', message: 'This value is not one of the sort fields.' }])
  }
}

function instant(query: Query, field: string): number | null {
  const text = query[field]
  if (text === undefined || text === '') return null
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw invalidResource([{ field, message: 'This value is not a valid datetime.' }])
  return at
}
