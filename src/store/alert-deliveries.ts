import type { AlertChannel } from '../core/alerts.ts'
import type { Instant } from '../core/json.ts'
import { ANYBODY, type AlertPayload } from './alarms.ts'
import { texts } from './columns.ts'
import { rows, type Query, type Tx } from './database.ts'

export type Delivery = {
  readonly id: number
  readonly messageId: string
  readonly channel: string
  readonly payload: AlertPayload
  /** This one included. */
  readonly attempts: number
}

/**
 * Addresses what was told to the channels that want it. Two processes at once take different messages; one that dies
 * leaves them as they were. Returns how many were addressed.
 */
export async function address(
  tx: Tx,
  channelsFor: (payload: AlertPayload) => readonly Pick<AlertChannel, 'name'>[],
  at: Instant,
  limit: number,
): Promise<number> {
  const told = await tx<{ id: number; messageId: string; payload: AlertPayload }[]>`
    select id, message_id as "messageId", payload from alert_deliveries
    where delivered_at is null and given_up_at is null and channel = ${ANYBODY}
    order by id limit ${limit} for update skip locked`
  const letters = told.flatMap(({ messageId: id, payload }) =>
    channelsFor(payload).map(({ name }) => ({ id, channel: name, payload })),
  )
  await tx`
    insert into alert_deliveries (message_id, channel, payload, not_before)
    select id, channel, payload, ${at} from jsonb_to_recordset(${rows(letters)}::text::jsonb)
      as r(id text, channel text, payload jsonb)
    on conflict (message_id, channel) do nothing`
  await tx`update alert_deliveries set delivered_at = ${at} where id = any(${told.map(({ id }) => id)})`
  return told.length
}

/**
 * Takes the next due message of a channel for `leaseMs`: who dies with it leaves it to be taken again, under the same
 * id. What is told of one alarm goes out in its order.
 */
export async function takeDelivery(
  q: Query,
  channel: string,
  at: Instant,
  leaseMs: number,
): Promise<Delivery | undefined> {
  const [taken] = await q<Delivery[]>`
    update alert_deliveries set attempts = attempts + 1, not_before = ${at + leaseMs}
    where id = (
      select id from alert_deliveries d
      where delivered_at is null and given_up_at is null and channel = ${channel} and not_before <= ${at}
        and not exists (
          select from alert_deliveries e
          where e.delivered_at is null and e.given_up_at is null and e.channel = d.channel and e.id < d.id
            and e.payload->'data'->>'key' = d.payload->'data'->>'key')
      order by id limit 1 for update skip locked)
    returning id, message_id as "messageId", channel, payload, attempts`
  return taken
}

export async function delivered(q: Query, id: number, at: Instant): Promise<void> {
  await q`update alert_deliveries set delivered_at = ${at}, problem = null where id = ${id}`
}

export async function postponed(q: Query, id: number, notBefore: Instant, problem: string): Promise<void> {
  await q`update alert_deliveries set not_before = ${notBefore}, problem = ${problem} where id = ${id}`
}

export async function givenUp(q: Query, id: number, at: Instant, problem: string): Promise<void> {
  await q`update alert_deliveries set given_up_at = ${at}, problem = ${problem} where id = ${id}`
}

/** Everything that waits for a channel is given up: there is nobody any more. */
export async function giveUpChannel(q: Query, channel: string, at: Instant, problem: string): Promise<void> {
  await q`
    update alert_deliveries set given_up_at = ${at}, problem = ${problem}
    where channel = ${channel} and delivered_at is null and given_up_at is null`
}

/** When the next message is due, of these channels or of none yet; null: nothing waits. */
export async function nextDue(q: Query, channels: readonly string[]): Promise<Instant | null> {
  const [row] = await q<{ at: Instant | null }[]>`
    select min(not_before) as at from alert_deliveries
    where delivered_at is null and given_up_at is null and channel = any(${[ANYBODY, ...channels]}::text[])`
  return row?.at ?? null
}

export type ChannelCount = {
  readonly channel: string
  readonly waiting: number
  readonly givenUp: number
  readonly lastAt: Instant | null
  /** Of what waits. */
  readonly problem: string | null
}

export async function countDeliveries(q: Query): Promise<readonly ChannelCount[]> {
  return q<ChannelCount[]>`
    select channel, count(*) filter (where delivered_at is null and given_up_at is null) as waiting,
      count(*) filter (where given_up_at is not null) as "givenUp", max(delivered_at) as "lastAt",
      max(problem) filter (where delivered_at is null and given_up_at is null) as problem
    from alert_deliveries where channel <> ${ANYBODY} group by channel order by channel`
}

/** Forgets what is over, and what waits for channels that there are no more: nobody takes it. */
export async function forgetDeliveries(
  q: Query,
  before: Instant,
  channels: readonly Pick<AlertChannel, 'name'>[],
): Promise<void> {
  const known = texts([ANYBODY, ...channels.map(({ name }) => name)])
  await q`
    delete from alert_deliveries
    where coalesce(delivered_at, given_up_at, not_before) < ${before}
      and (delivered_at is not null or given_up_at is not null or channel <> all(${known}::text[]))`
}

/**
 * Queues the sending of what waits, `afterMs` from now where given. A length, not a time: by a clock behind the
 * database's, a job that comes too early would ask for itself without an end.
 */
export async function wakeAlerts(q: Query, afterMs: number | null = null): Promise<void> {
  await q`
    select graphile_worker.add_job('alerts', job_key := ${afterMs === null ? 'alerts' : 'alerts:later'}::text,
      queue_name := 'alerts', run_at := now() + make_interval(secs => ${(afterMs ?? 0) / 1000}::float8),
      max_attempts := 25)`
}

/** Queues another look at which alarms there are. */
export async function wakeAlarms(q: Query): Promise<void> {
  await q`
    select graphile_worker.add_job('alarms', job_key := 'alarms', queue_name := 'alarms', max_attempts := 3)`
}
