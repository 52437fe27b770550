import type { Configuration } from '../core/stream.ts'
import {
  activeConfig,
  listenForVersions,
  newestVersion,
  type ConfigVersion,
} from '../store/config-versions.ts'
import { clear, raise } from './alarms/watch.ts'
import { adoptShapes } from './approval.ts'
import { ConfigError, type Booted } from './boot.ts'
import type { Hub } from './hub.ts'
import { startWorkers, type Workers } from './jobs.ts'

/** Word of a new version may be lost with the session that listens for it. */
const LOOK_MS = 5_000
const ALARM = 'configuration'

export type Running = {
  /** The hub of the newest configuration, for requests: a new version does not cut them short. */
  readonly hub: () => Hub
  /** What runs is finished. */
  stop(): Promise<void>
}

/** A hub, and what ends its work when another one takes its place. */
type Generation = {
  readonly version: number
  readonly hub: Hub
  readonly ending: AbortController
  /** What its jobs may go on beside: its own version, or a newer one that does not load here. */
  readonly known: { version: number }
}

/**
 * Works off jobs until stopped, with the newest configuration: within seconds of another version being applied, by any
 * process, what runs is finished or put back, and work goes on with a new hub. `use` is told of each new one before the
 * old one ends, for what must answer all the time. A version that does not load leaves the one before at work, and
 * raises an alarm.
 */
export async function keepRunning(
  booted: Pick<Booted, 'hub' | 'db' | 'configVersion' | 'compile' | 'reopen'>,
  use: (hub: Hub, version: number) => void = () => undefined,
): Promise<Running> {
  const { db } = booted
  const { log, stopping } = booted.hub
  let current = await open(booted, booted.hub.configuration, booted.configVersion)
  let workers: Workers | null = await startWorkers(current.hub)
  await clear(current.hub, ALARM)
  let isOver = false

  const takeUp = async (active: ConfigVersion) => {
    let configuration: Configuration
    try {
      configuration = booted.compile(active.files)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      current.known.version = active.version
      await refuse(current, active, error)
      return
    }
    // What has worked unasked was approved as it was, and not as it becomes.
    await adoptShapes(current.hub)
    const next = await open(booted, configuration, active.version)
    await adoptShapes(next.hub)
    use(forRequests(next.hub, stopping), next.version)
    const before = { ending: current.ending, workers }
    current = next
    workers = null
    before.ending.abort()
    await before.workers?.stop().catch((error: unknown) => log.error(error, 'work did not end in good order'))
    log.info({ version: next.version, by: active.appliedBy }, 'took up another version of the configuration')
    await clear(next.hub, ALARM)
  }
  const look = async () => {
    const newest = isOver ? null : await newestVersion(db.sql)
    if (newest !== null && newest !== current.known.version) {
      const active = await activeConfig(db.sql)
      if (active !== undefined) await takeUp(active)
    }
    if (!isOver) workers ??= await startWorkers(current.hub)
  }
  const looks = oneAtATime(look, (error) =>
    log.error(error, 'another configuration could not be taken up yet'),
  )
  const unlisten = await listenForVersions(db.sql, () => looks.ask())
  const timer = setInterval(() => looks.ask(), LOOK_MS)
  timer.unref()
  return {
    hub: () => forRequests(current.hub, stopping),
    async stop() {
      isOver = true
      clearInterval(timer)
      // Without a database nobody listens any more.
      await unlisten().catch(() => undefined)
      await looks.settled()
      await workers?.stop()
    },
  }
}

async function open(
  { hub, reopen }: Pick<Booted, 'hub' | 'reopen'>,
  configuration: Configuration,
  version: number,
): Promise<Generation> {
  const ending = new AbortController()
  const known = { version }
  const stopping = AbortSignal.any([hub.stopping, ending.signal])
  const knownVersion = () => known.version
  return { version, hub: await reopen(configuration, { knownVersion, stopping }), ending, known }
}

/** Requests under way end with the hub they began with; only the process's own end stops them. */
const forRequests = (hub: Hub, stopping: AbortSignal): Hub => ({ ...hub, stopping })

async function refuse(
  { hub, version }: Generation,
  refused: ConfigVersion,
  { problems }: ConfigError,
): Promise<void> {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const why = first === undefined ? '' : `: ${first.message}${more}`
  const title = `Version ${refused.version} of the configuration, applied by ${refused.appliedBy}, cannot be read by a running Concord${why}`
  hub.log.error({ version: refused.version, works: version }, title)
  await raise(hub, {
    key: ALARM,
    kind: 'configuration_unreadable',
    title,
    fix: `It works on with version ${version}. Where a newer Concord applied it: update this one. Else \`concord config export DIR\`, correct it, and \`concord config apply DIR\`.`,
  })
}

/** Runs `work` once for any number of calls that come before it begins. */
function oneAtATime(work: () => Promise<void>, failed: (error: unknown) => void) {
  let running = Promise.resolve()
  let isAsked = false
  return {
    ask(): void {
      if (isAsked) return
      isAsked = true
      running = running
        .then(() => {
          isAsked = false
          return work()
        })
        .catch(failed)
    },
    settled: () => running,
  }
}
