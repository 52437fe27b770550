import type { Instant } from '../../core/json.ts'
import type { RecordId } from '../../core/model.ts'
import { numbers } from '../columns.ts'
import type { Query } from '../database.ts'

export type ReplyRow = {
  readonly id: RecordId
  readonly lastContactedAt: Instant | null
  readonly lastRepliedAt: Instant | null
  /** The first message of the earliest thread that they began, and our first one after it. */
  readonly askedAt: Instant | null
  readonly answeredAt: Instant | null
}

/** Threads that we began are passed over; who has more of those in a row than this has no first response to tell. */
const SOME = 20
const MOST = 500

/**
 * What `replyFacts` (core/mail/replies.ts) needs of contacts' mail. Each is found from one end of an index, a few rows
 * first, as the planner would rather sort all of a contact's mail: it must not take longer for who has much of it. A
 * contact wrote what it is the author of; we wrote to a contact whatever of ours it takes part in.
 */
export async function contactReplies(q: Query, ids: readonly RecordId[]): Promise<readonly ReplyRow[]> {
  if (ids.length === 0) return []
  const last = (exchange: 'sent' | 'received') => q`(
    select at from message_participants where contact_id = c.id and exchange = ${exchange} order by at desc limit 1)`
  const takesPart = q`exists (select from message_participants o where o.message_id = e.id and o.contact_id = c.id)`
  const asked = (limit: number) => q`(
    select p.message_id from (
      select message_id, at from message_participants
      where contact_id = c.id and exchange = 'received' order by at limit ${limit}
    ) p join messages m on m.id = p.message_id
    where not exists (
      select from messages e
      where e.thread_id = m.thread_id and e.at < m.at and e.direction = 'sent' and ${takesPart})
    order by p.at limit 1)`
  return q<ReplyRow[]>`
    select c.id, ${last('sent')} as "lastContactedAt", ${last('received')} as "lastRepliedAt", asked.at as "askedAt", (
      select e.at from messages e
      where e.thread_id = asked.thread_id and e.at >= asked.at and e.direction = 'sent' and ${takesPart}
      order by e.at limit 1) as "answeredAt"
    from unnest(${numbers(ids)}::bigint[]) as c(id)
    left join lateral (select coalesce(${asked(SOME)}, ${asked(MOST)}) as id) f on true
    left join messages asked on asked.id = f.id`
}

/** As `contactReplies`, of the emails that are linked to deals. */
export async function dealReplies(q: Query, ids: readonly RecordId[]): Promise<readonly ReplyRow[]> {
  if (ids.length === 0) return []
  const emails = (order: 'asc' | 'desc', limit: number) => q`(
    select id, occurred_at from activities
    where deal_id = d.id and archived_at is null and occurred_at is not null
    order by occurred_at ${q.unsafe(order)} limit ${limit}) a join messages m on m.id = a.id and m.state = 'kept'`
  const newest = (direction: 'sent' | 'received', limit: number) => q`(
    select m.at from ${emails('desc', limit)} where m.direction = ${direction} order by a.occurred_at desc limit 1)`
  const last = (direction: 'sent' | 'received') =>
    q`coalesce(${newest(direction, SOME)}, ${newest(direction, MOST)})`
  const isLinked = q`e.state = 'kept'
    and exists (select from activities o where o.id = e.id and o.deal_id = d.id and o.archived_at is null)`
  const asked = (limit: number) => q`(
    select m.id from ${emails('asc', limit)}
    where m.direction = 'received' and not exists (
      select from messages e
      where e.thread_id = m.thread_id and e.at < m.at and e.direction = 'sent' and ${isLinked})
    order by a.occurred_at limit 1)`
  return q<ReplyRow[]>`
    select d.id, ${last('sent')} as "lastContactedAt", ${last('received')} as "lastRepliedAt", asked.at as "askedAt", (
      select e.at from messages e
      where e.thread_id = asked.thread_id and e.at >= asked.at and e.direction = 'sent' and ${isLinked}
      order by e.at limit 1) as "answeredAt"
    from unnest(${numbers(ids)}::bigint[]) as d(id)
    left join lateral (select coalesce(${asked(SOME)}, ${asked(MOST)}) as id) f on true
    left join messages asked on asked.id = f.id`
}

export type DealStep = {
  readonly id: RecordId
  readonly contact: RecordId | null
  readonly pipeline: string | null
  readonly stage: string | null
  readonly nextStep: string | null
  readonly nextStepDue: string | null
}

/** Deals with a next step that falls due: the given ones, or all of the given contacts. */
export async function stepsOf(
  q: Query,
  deals: readonly RecordId[],
  contacts: readonly RecordId[],
): Promise<readonly DealStep[]> {
  return q<DealStep[]>`
    select id, contact_id as contact, pipeline, stage, next_step as "nextStep", next_step_due as "nextStepDue"
    from deals
    where (id = any(${numbers(deals)}::bigint[]) or contact_id = any(${numbers(contacts)}::bigint[]))
      and archived_at is null and next_step_due is not null`
}

/** Deals whose next step was due on a day in [from, to): those that become late when the day ends. */
export async function dealsDue(
  q: Query,
  before: string,
  after: RecordId,
  limit: number,
): Promise<readonly RecordId[]> {
  const found = await q<{ id: RecordId }[]>`
    select id from deals
    where next_step_due < ${before}::text::date and next_step_overdue_since is null and archived_at is null
      and id > ${after} order by id limit ${limit}`
  return found.map((row) => row.id)
}

export type DealRow = {
  readonly id: RecordId
  readonly contact: RecordId | null
  readonly company: RecordId | null
  readonly pipeline: string | null
  readonly stage: string | null
}

/** Deals of contacts or companies, closed ones too: what a stage means, the configuration says. */
export async function dealsOf(
  q: Query,
  contacts: readonly RecordId[],
  companies: readonly RecordId[],
): Promise<readonly DealRow[]> {
  if (contacts.length === 0 && companies.length === 0) return []
  return q<DealRow[]>`
    select id, contact_id as contact, company_id as company, pipeline, stage from deals
    where (contact_id = any(${numbers(contacts)}::bigint[]) or company_id = any(${numbers(companies)}::bigint[]))
      and archived_at is null`
}
