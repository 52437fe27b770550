import type { Instant } from '../core/json.ts'
import type { RecordKind } from '../core/model.ts'
import { listConnections, type ConnectionState } from '../store/connections.ts'
import { listItems, openCounts, readItem, type InboxItem, type ItemFilter } from '../store/inbox.ts'
import { listRuns, type Run } from '../store/runs.ts'
import { listStreams } from '../store/streams.ts'
import { waitingGates } from './approval.ts'
import type { Hub } from './hub.ts'

export type { InboxItem } from '../store/inbox.ts'
export type { Run } from '../store/runs.ts'

export type StreamStatus = {
  readonly stream: string
  readonly record: RecordKind
  readonly direction: 'in' | 'out' | 'both'
  readonly linked: number
  /** Writes that wait to be sent. */
  readonly waiting: number
  readonly checkedAt: Instant | null
  /** When it last read something new. */
  readonly movedAt: Instant | null
  readonly held: boolean
  /** It writes nothing before a plan of it was approved. */
  readonly needsPlan: boolean
  readonly problem: string | null
}

export type ConnectionStatus = {
  readonly name: string
  readonly connector: string
  readonly label: string | null
  /** `missing`: named in the configuration, but never added. */
  readonly state: ConnectionState | 'missing'
  readonly problem: string | null
  readonly pausedUntil: Instant | null
  readonly streams: readonly StreamStatus[]
}

export type HubStatus = {
  readonly connections: readonly ConnectionStatus[]
  readonly records: Readonly<Record<RecordKind, number>>
  readonly inbox: Readonly<Record<string, number>>
  /** Writes whose outcome nobody knows yet. */
  readonly uncertain: number
}

/** How the hub is doing, connection by connection. */
export async function hubStatus(hub: Hub): Promise<HubStatus> {
  const q = hub.db.sql
  const [rows, streams, links, inbox, records, [open]] = await Promise.all([
    listConnections(q),
    listStreams(q),
    q<{ stream: number; linked: number; waiting: number }[]>`
      select stream_id as stream, count(*) filter (where state = 'linked') as linked,
        count(*) filter (where wake > settled and state in ('pending', 'linked')) as waiting
      from links group by stream_id`,
    openCounts(q, hub.clock.now()),
    q<{ kind: RecordKind; count: number }[]>`
      select 'contact' as kind, count(*) as count from contacts where archived_at is null
      union all select 'company', count(*) from companies where archived_at is null
      union all select 'deal', count(*) from deals where archived_at is null
      union all select 'activity', count(*) from activities where archived_at is null
      union all select 'invoice', count(*) from invoices where archived_at is null`,
    q<{ count: number }[]>`select count(*) as count from outbox where state in ('sending', 'uncertain')`,
  ])
  const waits = new Set((await waitingGates(hub)).map((gate) => gate.id))
  const now = hub.clock.now()
  const counted = new Map(links.map((row) => [row.stream, row]))
  const counts = new Map(records.map((row) => [row.kind, row.count]))
  const connections = hub.configuration.connections.map((configured): ConnectionStatus => {
    const row = rows.find((r) => r.name === configured.name)
    return {
      name: configured.name,
      connector: configured.connector,
      label: row?.label ?? null,
      state: row?.state ?? 'missing',
      problem: row?.problem ?? null,
      pausedUntil: (row?.notBefore ?? 0) > now ? (row?.notBefore ?? null) : null,
      streams: hub.targets
        .filter((target) => target.stream.connection === configured.name)
        .map((target): StreamStatus => {
          const stream = streams.find((s) => s.id === target.id)
          return {
            stream: target.label,
            record: target.stream.record,
            direction: target.stream.direction,
            linked: counted.get(target.id)?.linked ?? 0,
            waiting: counted.get(target.id)?.waiting ?? 0,
            checkedAt: stream?.checkedAt ?? null,
            movedAt: stream?.movedAt ?? null,
            held: stream?.held ?? false,
            needsPlan: waits.has(target.id),
            problem: stream?.problem ?? null,
          }
        }),
    }
  })
  // Added once, but not in the configuration any more: told, so that nobody wonders why it stands still.
  const stray = rows.filter((row) => !connections.some((c) => c.name === row.name))
  return {
    connections: [
      ...connections,
      ...stray.map(
        (row): ConnectionStatus => ({
          name: row.name,
          connector: row.connector,
          label: row.label,
          state: row.state,
          problem: row.problem ?? 'the configuration does not name it any more, so it stands still',
          pausedUntil: row.notBefore,
          streams: [],
        }),
      ),
    ],
    records: {
      contact: counts.get('contact') ?? 0,
      company: counts.get('company') ?? 0,
      deal: counts.get('deal') ?? 0,
      activity: counts.get('activity') ?? 0,
      invoice: counts.get('invoice') ?? 0,
    },
    inbox,
    uncertain: open?.count ?? 0,
  }
}

export async function recentRuns(hub: Hub, limit: number, connection?: string): Promise<readonly Run[]> {
  return listRuns(hub.db.sql, limit, connection)
}

/** What the runs since `after` counted, by connection: created, linked, updated, conflicts, sent, … */
export async function countedSince(
  hub: Hub,
  after: number,
): Promise<ReadonlyMap<string, Readonly<Record<string, number>>>> {
  const found = await hub.db.sql<{ connection: string; name: string; count: number }[]>`
    select s.connection, c.key as name, sum(c.value::numeric)::bigint as count
    from runs r join streams s on s.id = r.stream_id cross join lateral jsonb_each_text(r.counts) c
    where r.id > ${after} group by 1, 2`
  const byConnection = new Map<string, Record<string, number>>()
  for (const { connection, name, count } of found) {
    const counts = byConnection.get(connection) ?? {}
    counts[name] = count
    byConnection.set(connection, counts)
  }
  return byConnection
}

export async function lastRun(hub: Hub): Promise<number> {
  const [latest] = await listRuns(hub.db.sql, 1)
  return latest?.id ?? 0
}

export async function inboxItems(
  hub: Hub,
  filter: ItemFilter & { readonly limit: number; readonly below?: number },
): Promise<readonly InboxItem[]> {
  return listItems(hub.db.sql, filter)
}

/** Open items by kind, without those that are snoozed. */
export const inboxCounts = (hub: Hub): Promise<Readonly<Record<string, number>>> =>
  openCounts(hub.db.sql, hub.clock.now())

/** The id of a stream by its label, `connection/stream`. */
export const streamNamed = (hub: Hub, label: string): number | undefined =>
  hub.targets.find((target) => target.label === label)?.id

export async function inboxItem(hub: Hub, id: number): Promise<InboxItem | undefined> {
  return readItem(hub.db.sql, id)
}
