import cron from 'node-cron'
import type { HubFacts, ItemFacts, StreamFacts, Waiting } from '../../core/alarms/facts.ts'
import type { AlarmKind } from '../../core/alarms/kinds.ts'
import { LEARNED_MS, SHORTEST_QUIET_MS } from '../../core/alarms/rhythm.ts'
import type { Instant } from '../../core/json.ts'
import { withoutAddresses } from '../../connectors/vendor-words.ts'
import { leftOf } from '../../core/reconcile.ts'
import {
  standIns,
  lastMoves,
  moveHours,
  oldestItem,
  openPlans,
  unknownWrites,
  waitingWrites,
} from '../../store/alarm-facts.ts'
import { listConnections } from '../../store/connections.ts'
import type { Query } from '../../store/database.ts'
import { lastReconciliations } from '../../store/reconciliations.ts'
import { listStreams } from '../../store/streams.ts'
import { waitingGates } from '../approval.ts'
import type { Hub, Target } from '../hub.ts'

/** A plan that was just made is being looked at. */
const PLAN_MS = 3_600_000

/** How everything stands that alarms are about: a number of queries that depends on the configuration alone. */
export async function gatherFacts(hub: Hub, q: Query): Promise<HubFacts> {
  const now = hub.clock.now()
  const connections = await listConnections(q)
  const added = new Map(connections.map((connection) => [connection.name, connection]))
  const targets = hub.targets.filter(({ stream }) => added.has(stream.connection))
  const ids = targets.map(({ id }) => id)
  const rows = new Map((await listStreams(q)).map((row) => [row.id, row]))
  const moves = await movesOf(q, ids, now)
  const comparisons = Map.groupBy(await lastReconciliations(q, ids, 2), ({ streamId }) => streamId)
  const unknown = new Map((await unknownWrites(q)).map(({ streamId, ...rest }) => [streamId, rest]))
  // Neither read nor written before their plan is approved.
  const closed = new Set((await waitingGates(hub)).map(({ id }) => id))
  const streams: StreamFacts[] = []
  for (const target of targets) {
    const { id, label, stream } = target
    const row = rows.get(id)
    const begun = added.get(stream.connection)?.createdAt ?? now
    streams.push({
      id,
      label,
      connection: stream.connection,
      problem: told(row?.problem ?? null),
      held: row?.held ?? false,
      checkedAt: stream.direction === 'out' || closed.has(id) ? null : Math.max(row?.checkedAt ?? 0, begun),
      everyMs: longestPause(stream.schedule),
      quiet: stream.quiet,
      moves: moves.get(id) ?? [],
      comparisons: (comparisons.get(id) ?? []).map(({ drift }) => ({
        missed: drift.in === null || drift.in.first ? 0 : drift.in.missed,
        left: leftOf(drift)
          .filter((left) => left.isDrift)
          .map((left) => `${left.count} ${left.what}`),
      })),
      waiting: closed.has(id) ? null : await waitingOf(q, target),
      unknown: unknown.get(id) ?? null,
    })
  }
  const plans = (await openPlans(q)).filter(({ createdAt }) => now - createdAt > PLAN_MS)
  return {
    now,
    connections: connections.map((one) => ({ ...one, problem: told(one.problem) })),
    streams,
    items: (await standIns(q)).map(itemFacts),
    plans,
    inbox: await oldestItem(q),
  }
}

/** Of streams that moved within a day, the last move; of the others, their weeks before it. */
async function movesOf(
  q: Query,
  ids: readonly number[],
  now: Instant,
): Promise<ReadonlyMap<number, readonly Instant[]>> {
  const last = await lastMoves(q, ids)
  const moves = new Map<number, readonly Instant[]>()
  for (const { streamId, at } of last) {
    const isQuiet = now - at >= SHORTEST_QUIET_MS
    moves.set(streamId, isQuiet ? await moveHours(q, streamId, at - LEARNED_MS, at) : [at])
  }
  return moves
}

async function waitingOf(q: Query, { id, stream, push }: Target): Promise<Waiting | null> {
  const waiting = push === null ? null : await waitingWrites(q, id, stream.record)
  return waiting === null ? null : { ...waiting, why: told(waiting.why) }
}

/** Alarms leave the house: a vendor may have named somebody. */
const told = (problem: string | null): string | null => (problem === null ? null : withoutAddresses(problem))

const STANDS_FOR: readonly (readonly [prefix: string, kind: AlarmKind])[] = [
  ['mailbox:', 'mailbox_behind'],
  ['webhook_refused:', 'webhooks_refused'],
]

function itemFacts({
  key,
  title,
  fix,
}: {
  readonly key: string
  readonly title: string
  readonly fix: string
}): ItemFacts {
  const kind = STANDS_FOR.find(([prefix]) => key.startsWith(prefix))?.[1] ?? 'held'
  return { kind, key, title, fix }
}

const pauses = new Map<string, number>()
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Two years, so that what fires once a year fires twice; any two do, and the answer does not hang on today. */
const DAYS = 732
const FROM = Date.UTC(2000, 0, 1)

/**
 * The longest time between two firings of a schedule of five fields, in ms: over a night or weekend, where it rests then.
 * Infinity where it fires more seldom than once a year.
 */
export function longestPause(schedule: string): number {
  const known = pauses.get(schedule)
  if (known !== undefined) return known
  const { hour, minute } = cron.parse(schedule)
  const times = hour
    .flatMap((h) => minute.map((m) => (h * 60 + m) * MINUTE_MS))
    .toSorted((one, other) => one - other)
  const [first = 0, last = 0] = [times[0], times.at(-1)]
  const task = cron.createTask(schedule, () => undefined, { timezone: 'UTC' })
  const days = Array.from({ length: DAYS }, (_, i) => FROM + i * DAY_MS).filter((day) =>
    task.match(new Date(day + first)),
  )
  void task.destroy()
  // Each day that it fires on at all, it fires at the same times.
  const overnight = days.slice(1).map((day, i) => day + first - (days[i] ?? day) - last)
  const pause = overnight.length === 0 ? Infinity : Math.max(widest(times), ...overnight)
  pauses.set(schedule, pause)
  return pause
}

const widest = (times: readonly Instant[]): number =>
  Math.max(0, ...times.slice(1).map((at, i) => at - (times[i] ?? at)))
