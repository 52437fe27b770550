import type { Instant } from '../core/json.ts'
import type { RecordKind } from '../core/model.ts'
import type { Query } from './database.ts'
import { TABLE } from './records.ts'

/** Passes that bring what is new; what a full comparison finds is what they missed. */
const BRINGS_NEWS = `kind in ('observe', 'hints') and counts ?| array['created', 'linked', 'updated', 'gone']`
/** Runs looked through for a stream's last move: those before changed something without bringing news. */
const LOOKED_THROUGH = 2_000

/** When each stream last brought news. */
export async function lastMoves(
  q: Query,
  streams: readonly number[],
): Promise<readonly { readonly streamId: number; readonly at: Instant }[]> {
  if (streams.length === 0) return []
  return q<{ streamId: number; at: Instant }[]>`
    select s.id as "streamId", max(r.started_at) as at from unnest(${[...streams]}::int[]) as s(id)
    cross join lateral (
      select * from runs where stream_id = s.id order by started_at desc limit ${LOOKED_THROUGH}
    ) r where ${q.unsafe(BRINGS_NEWS)} group by s.id`
}

/** Hours in which a stream brought news, each by its last move, ascending. */
export async function moveHours(
  q: Query,
  stream: number,
  from: Instant,
  to: Instant,
): Promise<readonly Instant[]> {
  const found = await q<{ at: Instant }[]>`
    select max(started_at) as at from runs
    where stream_id = ${stream} and started_at between ${from} and ${to} and ${q.unsafe(BRINGS_NEWS)}
    group by date_trunc('hour', started_at, 'UTC') order by 1`
  return found.map(({ at }) => at)
}

/** Links looked at to say since when changes wait; those that wait longest come first. */
const OLDEST = 200

/** Changes that wait for a stream, since when at least, and why, where an attempt failed; null: none. */
export async function waitingWrites(
  q: Query,
  stream: number,
  kind: RecordKind,
): Promise<{ readonly count: number; readonly since: Instant; readonly why: string | null } | null> {
  const [row] = await q<{ count: number; since: Instant | null; why: string | null }[]>`
    with waiting as (
      select id, record_id, problem from links
      where stream_id = ${stream} and wake > settled and state in ('pending', 'creating', 'linked')
    ), oldest as (select * from waiting order by id limit ${OLDEST})
    select (select count(*) from waiting) as count, min(r.updated_at) as since, max(o.problem) as why
    from oldest o join ${q(TABLE[kind])} r on r.id = o.record_id`
  return row === undefined || row.since === null ? null : { ...row, since: row.since }
}

/** Writes of each stream whose outcome is open. */
export async function unknownWrites(q: Query): Promise<
  readonly {
    readonly streamId: number
    readonly count: number
    readonly since: Instant
    readonly why: string | null
  }[]
> {
  return q`
    select stream_id as "streamId", count(*) as count, min(created_at) as since, null as why from outbox
    where state in ('sending', 'uncertain') group by stream_id`
}

/** Open items of the inbox that are alarms as well. */
export async function standIns(
  q: Query,
): Promise<readonly { readonly key: string; readonly title: string; readonly fix: string }[]> {
  return q<{ key: string; title: string; fix: string }[]>`
    select key, title, fix from inbox
    where state = 'open' and (kind = 'mass_change' or key like 'mailbox:%' or key like 'webhook\_refused:%')
    order by id limit 500`
}

/** Plans that nobody has decided about. */
export async function openPlans(
  q: Query,
): Promise<
  readonly { readonly id: number; readonly connections: readonly string[]; readonly createdAt: Instant }[]
> {
  return q<{ id: number; connections: string[]; createdAt: Instant }[]>`
    select id, connections, created_at as "createdAt" from plans where state = 'open' order by id`
}

/** How many items wait in the inbox, and since when; alarms and what is snoozed aside. Null: none. */
export async function oldestItem(
  q: Query,
): Promise<{ readonly count: number; readonly since: Instant; readonly why: null } | null> {
  const [row] = await q<{ count: number; since: Instant | null }[]>`
    select count(*) as count, min(created_at) as since from inbox
    where state = 'open' and kind <> 'alarm' and snoozed_until is null`
  return row === undefined || row.since === null ? null : { count: row.count, since: row.since, why: null }
}
