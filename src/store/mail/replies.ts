import type { Instant } from '../../core/json.ts'
import type { RecordId } from '../../core/model.ts'
import type { PendingQuery, Row } from 'postgres'
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
    select at from message_participants where contact_id = who.id and exchange = ${exchange} order by at desc limit 1)`
  const takesPart = q`exists (select from message_participants o where o.message_id = e.id and o.contact_id = who.id)`
  const asked = (limit: number) => q`(
    select p.message_id from (
      select message_id, at from message_participants
      where contact_id = who.id and exchange = 'received' order by at limit ${limit}
    ) p join messages m on m.id = p.message_id
    where not ${weBegan(q, takesPart)} order by p.at limit 1)`
  return repliesTo(q, ids, { last, asked, counts: takesPart })
}

/** As `contactReplies`, of the emails that are linked to deals. */
export async function dealReplies(q: Query, ids: readonly RecordId[]): Promise<readonly ReplyRow[]> {
  if (ids.length === 0) return []
  const emails = (order: 'asc' | 'desc', limit: number) => q`(
    select id, occurred_at from activities
    where deal_id = who.id and archived_at is null and occurred_at is not null
    order by occurred_at ${q.unsafe(order)} limit ${limit}) a join messages m on m.id = a.id and m.state = 'kept'`
  const newest = (direction: 'sent' | 'received', limit: number) => q`(
    select m.at from ${emails('desc', limit)} where m.direction = ${direction} order by a.occurred_at desc limit 1)`
  const last = (direction: 'sent' | 'received') =>
    q`coalesce(${newest(direction, SOME)}, ${newest(direction, MOST)})`
  const isLinked = q`e.state = 'kept'
    and exists (select from activities o where o.id = e.id and o.deal_id = who.id and o.archived_at is null)`
  const asked = (limit: number) => q`(
    select m.id from ${emails('asc', limit)}
    where m.direction = 'received' and not ${weBegan(q, isLinked)} order by a.occurred_at limit 1)`
  return repliesTo(q, ids, { last, asked, counts: isLinked })
}

type Fragment = PendingQuery<Row[]>

/** `who`: the record whose replies these are; `m`: what asks; `e`: another email of its thread that `counts`. */
async function repliesTo(
  q: Query,
  ids: readonly RecordId[],
  parts: {
    readonly last: (direction: 'sent' | 'received') => Fragment
    readonly asked: (limit: number) => Fragment
    readonly counts: Fragment
  },
): Promise<readonly ReplyRow[]> {
  const { last, asked, counts } = parts
  return q<ReplyRow[]>`
    select who.id, ${last('sent')} as "lastContactedAt", ${last('received')} as "lastRepliedAt",
      asked.at as "askedAt", (
        select e.at from messages e
        where e.thread_id = asked.thread_id and e.at >= asked.at and e.direction = 'sent' and ${counts}
        order by e.at limit 1) as "answeredAt"
    from unnest(${numbers(ids)}::bigint[]) as who(id)
    left join lateral (select coalesce(${asked(SOME)}, ${asked(MOST)}) as id) f on true
    left join messages asked on asked.id = f.id`
}

/** That we wrote in the thread of `m` before. */
const weBegan = (q: Query, counts: Fragment): Fragment => q`exists (
  select from messages e
  where e.thread_id = m.thread_id and e.at < m.at and e.direction = 'sent' and ${counts})`

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

/** Deals whose next step was due on a day `before` this one and that are not marked for it yet, by rising id. */
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
