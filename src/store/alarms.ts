import { createHash } from 'node:crypto'
import type { Alarm, AlarmKind } from '../core/alarms/kinds.ts'
import { hasItem } from '../core/alarms/kinds.ts'
import type { AlertEvent } from '../core/alerts.ts'
import type { Instant } from '../core/json.ts'
import { rows, type Query } from './database.ts'
import { closeItems, openItems } from './inbox.ts'

export type AlarmRow = Alarm & {
  readonly since: Instant
  /** Null while it lasts. */
  readonly recoveredAt: Instant | null
}

/** What is told of an alarm. No data of customers is in it, beyond names of streams and mailboxes. */
export type AlertPayload = {
  readonly type: `alarm.${AlertEvent}` | 'test'
  /** ISO 8601. */
  readonly timestamp: string
  readonly data: {
    readonly key: string
    readonly kind: string
    readonly title: string
    readonly fix: string
    readonly since: string
  }
}

const COLUMNS = `key, kind, title, fix, since, recovered_at as "recoveredAt"`

/**
 * Raises alarms and leaves word of those that are new for whoever is to be told, in the caller's transaction. One that
 * is raised already only gets its newest words. Returns how many are new.
 */
export async function raiseAlarms(q: Query, alarms: readonly Alarm[], at: Instant): Promise<number> {
  if (alarms.length === 0) return 0
  const latest = [...new Map(alarms.map((alarm) => [alarm.key, alarm])).values()]
  const given = rows(latest)
  await q`
    update alarms a set title = g.title, fix = g.fix
    from jsonb_to_recordset(${given}::text::jsonb) as g(key text, title text, fix text)
    where a.key = g.key and a.recovered_at is null and (a.title, a.fix) is distinct from (g.title, g.fix)`
  const raised = await q<AlarmRow[]>`
    insert into alarms (key, kind, title, fix, since)
    select key, kind, title, fix, ${at}
    from jsonb_to_recordset(${given}::text::jsonb) as g(key text, kind text, title text, fix text) order by key
    on conflict (key) do update set kind = excluded.kind, title = excluded.title, fix = excluded.fix,
      since = excluded.since, recovered_at = null
    where alarms.recovered_at is not null
    returning ${q.unsafe(COLUMNS)}`
  await tell(q, raised, 'raised', at)
  await openItems(q, raised.filter(({ kind }) => !hasItem(kind)).map(itemOf), at)
  return raised.length
}

/** Raises one alarm. */
export async function raiseAlarm(q: Query, alarm: Alarm, at: Instant): Promise<boolean> {
  return (await raiseAlarms(q, [alarm], at)) === 1
}

/** Takes alarms back whose cause is gone, and leaves word of it. Returns how many were raised. */
export async function clearAlarms(q: Query, keys: readonly string[], at: Instant): Promise<number> {
  if (keys.length === 0) return 0
  const cleared = await q<AlarmRow[]>`
    update alarms set recovered_at = ${at} where key = any(${[...keys]}) and recovered_at is null
    returning ${q.unsafe(COLUMNS)}`
  await tell(q, cleared, 'recovered', at)
  await closeItems(
    q,
    cleared.map(({ key }) => itemKey(key)),
    'its cause is gone',
    at,
  )
  return cleared.length
}

export async function clearAlarm(q: Query, key: string, at: Instant): Promise<boolean> {
  return (await clearAlarms(q, [key], at)) === 1
}

const itemKey = (key: string): string => `alarm:${key}`

const itemOf = ({ key, kind, title, fix }: AlarmRow) => ({
  kind: 'alarm' as const,
  key: itemKey(key),
  title,
  fix: `${fix} The item closes by itself when the cause is gone.`,
  detail: { alarm: key, about: kind },
  streamId: null,
  recordId: null,
})

/** The channel of what is told, before it is known to whom. */
export const ANYBODY = ''

/** Word of alarms, once each: the id of the message follows from what it says. */
export async function tell(
  q: Query,
  alarms: readonly AlarmRow[],
  event: AlertEvent,
  at: Instant,
  /** Tells repeats of one event apart. */
  round = 0,
): Promise<number> {
  if (alarms.length === 0) return 0
  const told = alarms.map((alarm) => ({
    id: messageId([alarm.key, alarm.since, event, round]),
    payload: payloadOf(alarm, event, at),
  }))
  const written = await q`
    insert into alert_deliveries (message_id, channel, payload, not_before)
    select id, ${ANYBODY}, payload, ${at} from jsonb_to_recordset(${rows(told)}::text::jsonb) as r(id text, payload jsonb)
    on conflict (message_id, channel) do nothing`
  return written.count
}

/** Without a full stop, which separates the parts of what is signed. */
export function messageId(parts: readonly (string | number)[]): string {
  return `msg_${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 32)}`
}

const isoOf = (at: Instant): string => new Date(at).toISOString()

function payloadOf({ key, kind, title, fix, since }: AlarmRow, event: AlertEvent, at: Instant): AlertPayload {
  return {
    type: `alarm.${event}`,
    timestamp: isoOf(at),
    data: { key, kind, title, fix, since: isoOf(since) },
  }
}

/** Raised alarms, those of some kinds alone where they are given. */
export async function raisedAlarms(
  q: Query,
  kinds: readonly AlarmKind[] | null = null,
): Promise<readonly AlarmRow[]> {
  return q<AlarmRow[]>`
    select ${q.unsafe(COLUMNS)} from alarms
    where recovered_at is null and (${kinds === null}::boolean or kind = any(${[...(kinds ?? [])]}::text[])) order by since, key`
}

/** Alarms that are over, the latest first. */
export async function pastAlarms(q: Query, limit: number): Promise<readonly AlarmRow[]> {
  return q<AlarmRow[]>`
    select ${q.unsafe(COLUMNS)} from alarms where recovered_at is not null
    order by recovered_at desc, key limit ${limit}`
}

/** One process at a time works out which alarms there are. Held to the end of the transaction. */
export async function lockAlarms(q: Query): Promise<void> {
  await q`select pg_advisory_xact_lock(hashtextextended('concord alarms', 0))`
}
