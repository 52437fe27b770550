import type { Instant, Json, JsonObject } from '../../core/json.ts'
import type { Mailbox } from '../../core/mail/message.ts'
import { lists, numbers, texts } from '../columns.ts'
import { jsonText, type Query } from '../database.ts'

/** How far what was in a mailbox before has been read. */
export type Backfill = {
  /** Ids met so far, and the vendor's estimate of all; null where it gives none. */
  readonly listed: number
  readonly total: number | null
  readonly startedAt: Instant
  /** The last page, and the time spent on all of them, without the pauses in between. */
  readonly at: Instant
  readonly activeMs: number
  readonly done: boolean
  /** What was read before is listed anew: what is not in it any more is gone. */
  readonly again?: true
}

export type MailboxRow = {
  /** Of its row in `streams`. */
  readonly id: number
  readonly connection: string
  readonly remoteId: string
  readonly address: string
  readonly addresses: readonly string[]
  readonly cursor: JsonObject | null
  /** The rules all of it was last read under; null: it was never read. */
  readonly rules: JsonObject | null
  readonly review: JsonObject | null
  readonly backfill: Backfill | null
  readonly subscription: Json
  readonly renewBefore: Instant | null
  readonly foundAt: Instant
  readonly lostAt: Instant | null
  readonly checkedAt: Instant | null
  readonly movedAt: Instant | null
  readonly problem: string | null
}

const SELECT = `select m.stream_id as id, m.connection, m.remote_id as "remoteId", m.address, m.addresses, s.cursor,
  m.rules, m.review, m.backfill, m.subscription, m.renew_before as "renewBefore", m.found_at as "foundAt",
  m.lost_at as "lostAt", s.checked_at as "checkedAt", s.moved_at as "movedAt", s.problem
  from mailboxes m join streams s on s.id = m.stream_id`

export async function listMailboxes(q: Query, connection?: string): Promise<readonly MailboxRow[]> {
  return connection === undefined
    ? q<MailboxRow[]>`${q.unsafe(SELECT)} order by m.connection, m.address`
    : q<MailboxRow[]>`${q.unsafe(SELECT)} where m.connection = ${connection} order by m.address`
}

export async function readMailbox(q: Query, id: number): Promise<MailboxRow> {
  const [row] = await q<MailboxRow[]>`${q.unsafe(SELECT)} where m.stream_id = ${id}`
  if (row === undefined) throw new Error(`no mailbox has the id ${id}`)
  return row
}

export const streamName = (address: string): string => `mail/${address}`

/**
 * Takes down which mailboxes a connection shows: new ones get their rows, one whose main address changed keeps its
 * state under the new name, and those not shown any more are marked lost.
 */
export async function foundMailboxes(
  q: Query,
  connection: string,
  found: readonly Mailbox[],
  at: Instant,
): Promise<void> {
  const ids = texts(found.map((m) => m.id))
  const names = texts(found.map((m) => streamName(m.address)))
  // A name that a known mailbox takes over from another one, which may take over its own in turn.
  await q`
    update streams s set name = s.name || '#' || s.id
    from unnest(${ids}::text[], ${names}::text[]) as f(id, name)
    join mailboxes m on m.connection = ${connection} and m.remote_id = f.id
    where s.connection = ${connection} and s.name = f.name and s.id <> m.stream_id`
  await q`
    update streams s set name = f.name
    from unnest(${ids}::text[], ${names}::text[]) as f(id, name)
    join mailboxes m on m.connection = ${connection} and m.remote_id = f.id
    where s.id = m.stream_id and s.name <> f.name`
  await q`
    insert into streams (connection, name) select ${connection}, name from unnest(${names}::text[]) as f(name)
    on conflict do nothing`
  await q`
    insert into mailboxes (stream_id, connection, remote_id, address, addresses, found_at)
    select s.id, ${connection}, f.id, f.address, f.addresses::text[], ${at}
    from unnest(${ids}::text[], ${names}::text[], ${texts(found.map((m) => m.address))}::text[],
      ${lists(found.map((m) => m.addresses))}::text[]) as f(id, name, address, addresses)
    join streams s on s.connection = ${connection} and s.name = f.name
    on conflict (stream_id) do update set remote_id = excluded.remote_id, address = excluded.address,
      addresses = excluded.addresses, found_at = excluded.found_at, lost_at = null`
  await q`
    update mailboxes set lost_at = ${at}
    where connection = ${connection} and lost_at is null and remote_id <> all(${ids}::text[])`
}

/** The cursor of a page with what it says of the backfill, in the transaction of the page. */
export async function savePage(
  q: Query,
  id: number,
  page: {
    readonly cursor: JsonObject
    readonly backfill: Backfill
    /** Set where the mailbox is read for the first time. */
    readonly rules: JsonObject
    /** Whether the page held anything, or moved on. */
    readonly moved: boolean
  },
  at: Instant,
): Promise<void> {
  await q`
    with page as (
      update mailboxes set backfill = ${jsonText(page.backfill)}::text::jsonb,
        rules = coalesce(rules, ${jsonText(page.rules)}::text::jsonb) where stream_id = ${id}
    )
    update streams set cursor = ${jsonText(page.cursor)}::text::jsonb, checked_at = ${at}, problem = null,
      moved_at = case when ${page.moved} then ${at} else moved_at end
    where id = ${id}`
}

/** Everything is listed again from the start; what was read before is known by its sightings. */
export async function startOver(q: Query, id: number): Promise<void> {
  await q`
    with anew as (update mailboxes set backfill = null where stream_id = ${id})
    update streams set cursor = null where id = ${id}`
}

export async function saveReview(
  q: Query,
  id: number,
  review: JsonObject | null,
  /** Given when the review is over. */
  rules: JsonObject | null = null,
): Promise<void> {
  await q`
    update mailboxes set review = ${review === null ? null : jsonText(review)}::text::jsonb,
      rules = coalesce(${rules === null ? null : jsonText(rules)}::text::jsonb, rules)
    where stream_id = ${id}`
}

export async function saveSubscription(
  q: Query,
  id: number,
  kept: Json,
  renewBefore: Instant | null,
): Promise<void> {
  await q`
    update mailboxes set subscription = ${kept === null ? null : jsonText(kept)}::text::jsonb,
      renew_before = ${renewBefore}
    where stream_id = ${id}`
}

/** The vendor is asked for notifications anew when these mailboxes are read next. */
export async function renewSubscriptions(q: Query, connection: string): Promise<void> {
  await q`update mailboxes set renew_before = null where connection = ${connection} and renew_before is not null`
}

export type VerdictCount = { readonly id: number; readonly verdict: string; readonly count: number }

/** How the sightings of mailboxes came out. */
export async function countVerdicts(q: Query, ids: readonly number[]): Promise<readonly VerdictCount[]> {
  if (ids.length === 0) return []
  return q<VerdictCount[]>`
    select stream_id as id, verdict, count(*) as count from sightings
    where stream_id = any(${numbers(ids)}::int[]) group by 1, 2`
}
