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

/**
 * What `replyFacts` (core/mail/replies.ts) needs of contacts' mail, each found from one end of an index, so that it
 * does not take longer for people with much mail. A contact wrote what it is the sender of; we wrote to a contact
 * whatever of ours it takes part in.
 */
export async function contactReplies(q: Query, ids: readonly RecordId[]): Promise<readonly ReplyRow[]> {
  if (ids.length === 0) return []
  const own = q`
    from message_participants p join messages m on m.id = p.message_id where p.contact_id = c.id and m.state = 'kept'`
  return q<ReplyRow[]>`
    select c.id, sent.at as "lastContactedAt", got.at as "lastRepliedAt", asked.at as "askedAt",
      answered.at as "answeredAt"
    from unnest(${numbers(ids)}::bigint[]) as c(id)
    left join lateral (select p.at ${own} and m.direction = 'sent' order by p.at desc limit 1) sent on true
    left join lateral (
      select p.at ${own} and m.direction = 'received' and p.role = 'from' order by p.at desc limit 1) got on true
    left join lateral (
      select m.at, m.thread_id ${own} and m.direction = 'received' and p.role = 'from' and not exists (
        select from messages e join message_participants ep on ep.message_id = e.id and ep.contact_id = c.id
        where e.thread_id = m.thread_id and e.direction = 'sent' and e.at < m.at and e.state = 'kept')
      order by p.at limit 1) asked on true
    left join lateral (
      select e.at from messages e join message_participants ep on ep.message_id = e.id and ep.contact_id = c.id
      where e.thread_id = asked.thread_id and e.direction = 'sent' and e.at >= asked.at and e.state = 'kept'
      order by e.at limit 1) answered on true`
}

/** As `contactReplies`, of the emails that are linked to deals. */
export async function dealReplies(q: Query, ids: readonly RecordId[]): Promise<readonly ReplyRow[]> {
  if (ids.length === 0) return []
  const own = q`
    from activities a join messages m on m.id = a.id
    where a.deal_id = d.id and a.archived_at is null and m.state = 'kept'`
  return q<ReplyRow[]>`
    select d.id, sent.at as "lastContactedAt", got.at as "lastRepliedAt", asked.at as "askedAt",
      answered.at as "answeredAt"
    from unnest(${numbers(ids)}::bigint[]) as d(id)
    left join lateral (select m.at ${own} and m.direction = 'sent' order by a.occurred_at desc limit 1) sent on true
    left join lateral (
      select m.at ${own} and m.direction = 'received' order by a.occurred_at desc limit 1) got on true
    left join lateral (
      select m.at, m.thread_id ${own} and m.direction = 'received' and not exists (
        select from messages e join activities ea on ea.id = e.id and ea.deal_id = d.id and ea.archived_at is null
        where e.thread_id = m.thread_id and e.direction = 'sent' and e.at < m.at and e.state = 'kept')
      order by a.occurred_at limit 1) asked on true
    left join lateral (
      select e.at from messages e join activities ea on ea.id = e.id and ea.deal_id = d.id and ea.archived_at is null
      where e.thread_id = asked.thread_id and e.direction = 'sent' and e.at >= asked.at and e.state = 'kept'
      order by e.at limit 1) answered on true`
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
