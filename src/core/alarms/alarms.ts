import type { Alerts } from '../alerts.ts'
import type { Instant } from '../json.ts'
import type { ConnectionFacts, HubFacts, StreamFacts, Waiting } from './facts.ts'
import type { Alarm } from './kinds.ts'
import { isUnusuallyQuiet } from './rhythm.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** A pass that fails once is nothing: the next one may succeed. */
const FAILING_MS = 30 * MINUTE_MS
/** The mark of a pass that found nothing is not written each time, and a pass takes its time. */
const BEHIND_SLACK_MS = 45 * MINUTE_MS
const RESTING_MS = HOUR_MS
const UNKNOWN_MS = HOUR_MS

export type Limits = Pick<Alerts, 'writesMs' | 'inboxMs'>

/** Everything that somebody should know, from how things stand. Nothing is said twice: a cause keeps its effects quiet. */
export function alarmsOf(facts: HubFacts, limits: Limits): readonly Alarm[] {
  const stopped = new Set<string>()
  const alarms: Alarm[] = []
  for (const connection of facts.connections) {
    const alarm = ofConnection(connection, facts.now)
    if (alarm === null) continue
    alarms.push(alarm)
    stopped.add(connection.name)
  }
  const planned = new Set(facts.plans.flatMap(({ connections }) => connections))
  for (const stream of facts.streams) {
    alarms.push(...found(stream))
    if (stopped.has(stream.connection)) continue
    const alarm = read(stream, facts.now)
    if (alarm !== null) alarms.push(alarm)
    if (!planned.has(stream.connection) && !stream.held) alarms.push(...written(stream, facts.now, limits))
  }
  for (const { id, connections } of facts.plans)
    alarms.push({
      key: `plan:${id}`,
      kind: 'plan_waiting',
      title: `Plan ${id} for ${connections.join(', ')} waits to be approved`,
      fix: `Until then nothing is written there. See \`concord plan show ${id}\`, then approve or reject it.`,
    })
  alarms.push(...facts.items)
  const { inbox } = facts
  if (inbox !== null && limits.inboxMs !== null && facts.now - inbox.since > limits.inboxMs)
    alarms.push({
      key: 'inbox',
      kind: 'inbox_waiting',
      title: `${things(inbox.count, 'item')} of the inbox ${inbox.count === 1 ? 'has' : 'have'} waited for more than ${length(limits.inboxMs)}`,
      fix: '`concord inbox` lists them.',
    })
  return alarms
}

function ofConnection({ name, state, problem, notBefore }: ConnectionFacts, now: Instant): Alarm | null {
  if (state === 'unauthorised')
    return {
      key: `connection:${name}`,
      kind: 'connection_refused',
      title: `${name} refuses its credentials${problem === null ? '' : `: ${problem}`}`,
      fix: `Nothing is read from or sent to ${name} until it has new ones: \`concord connections add ${name}\`.`,
    }
  if (state === 'paused')
    return {
      key: `paused:${name}`,
      kind: 'connection_paused',
      title: `${name} is paused`,
      fix: `Nothing is read from or sent to ${name} until somebody lets it go on.`,
    }
  if (notBefore !== null && notBefore - now > RESTING_MS)
    return {
      key: `resting:${name}`,
      kind: 'connection_resting',
      title: `${name} has asked to be left alone until ${minute(notBefore)}`,
      fix: `Nothing is lost; it goes on then. If this comes often, ask the vendor for a higher limit, or let other programs ask less.`,
    }
  return null
}

/** Whether a stream is read as it should be. One answer: what fails is not also called late or still. */
function read(stream: StreamFacts, now: Instant): Alarm | null {
  const { id, label, connection, problem, checkedAt, everyMs, quiet, moves, held } = stream
  if (checkedAt === null || held) return null
  const late = now - checkedAt
  if (problem !== null && late > FAILING_MS)
    return {
      key: `failing:${id}`,
      kind: 'stream_failing',
      title: `${label} has not been read since ${minute(checkedAt)}`,
      fix: `The last pass said: ${problem}`,
    }
  if (problem === null && late > everyMs + BEHIND_SLACK_MS)
    return {
      key: `behind:${id}`,
      kind: 'stream_behind',
      title: `${label} was due, and nobody has looked at it since ${minute(checkedAt)}`,
      fix: 'See that `concord start` or a `concord worker` runs, and what it works on: `concord runs`.',
    }
  const last = moves.at(-1)
  if (last === undefined || quiet.kind === 'never') return null
  const isStill = quiet.kind === 'after' ? now - last > quiet.ms : isUnusuallyQuiet(moves, now)
  if (!isStill) return null
  const usual =
    quiet.kind === 'after' ? `${length(quiet.ms)}, as configured` : 'three times its longest usual quiet'
  return {
    key: `still:${id}`,
    kind: 'stream_still',
    title: `${label} is read without a problem, but has brought nothing since ${minute(last)}`,
    fix: `That is more than ${usual}. Look whether people still work at ${connection}, whether an export stopped, and whether its filters or permissions changed; \`concord reconcile ${connection}\` compares everything. If it may be so quiet, write quiet: into the stream.`,
  }
}

/** What full comparisons found. */
function found({ id, label, connection, comparisons }: StreamFacts): readonly Alarm[] {
  const [latest, before] = comparisons
  const alarms: Alarm[] = []
  if (latest !== undefined && before !== undefined && latest.missed > 0 && before.missed > 0)
    alarms.push({
      key: `missed:${id}`,
      kind: 'changes_missed',
      title: `The last two full comparisons of ${label} found changes that nobody had reported: ${latest.missed} in the last one`,
      fix: `They were taken in. But until the next comparison others are late: look at the webhooks of ${connection} (\`concord doctor\`) and at what its account may see.`,
    })
  if (latest !== undefined && latest.left.length > 0)
    alarms.push({
      key: `drift:${id}`,
      kind: 'drift',
      title: `${label} and the hub differ after a full comparison: ${latest.left.join('; ')}`,
      fix: `\`concord reconcile ${connection} --no-sweep\` tells what is left and why.`,
    })
  return alarms
}

/** Whether what is to be written gets there. */
function written(
  { id, label, waiting, unknown }: StreamFacts,
  now: Instant,
  limits: Limits,
): readonly Alarm[] {
  const alarms: Alarm[] = []
  if (waiting !== null && now - waiting.since > limits.writesMs)
    alarms.push({
      key: `writes:${id}`,
      kind: 'writes_waiting',
      title: `${things(waiting.count, 'change')} for ${label} ${waiting.count === 1 ? 'has' : 'have'} waited for more than ${length(limits.writesMs)}`,
      fix: because(waiting, 'See that `concord start` or a `concord worker` runs (`concord status`).'),
    })
  if (unknown !== null && now - unknown.since > UNKNOWN_MS)
    alarms.push({
      key: `unknown:${id}`,
      kind: 'outcome_unknown',
      title: `Nobody knows what became of ${things(unknown.count, 'write')} to ${label} since ${minute(unknown.since)}`,
      fix: because(unknown, 'They are looked up, and not sent again, at each pass; see `concord runs`.'),
    })
  return alarms
}

const because = ({ why }: Waiting, otherwise: string): string =>
  why === null ? otherwise : `The last attempt said: ${why}`

const minute = (at: Instant): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const things = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

const UNITS = [
  [24 * HOUR_MS, 'day'],
  [HOUR_MS, 'hour'],
  [MINUTE_MS, 'minute'],
] as const

function length(ms: number): string {
  const [unitMs, unit] = UNITS.find(([size]) => ms >= size && ms % size === 0) ?? UNITS[2]
  return things(Math.round(ms / unitMs), unit)
}
