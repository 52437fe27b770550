import { EventEmitter } from 'node:events'
import {
  Logger as WorkerLogger,
  run,
  type Runner,
  type Task,
  type TaskList,
  type WorkerEvents,
} from 'graphile-worker'
import cron, { type ScheduledTask } from 'node-cron'
import { z } from 'zod'
import { ensureHistoryPartitions } from '../store/history.ts'
import { forgetDeliveries, wakeAlarms, wakeAlerts } from '../store/alert-deliveries.ts'
import { forgetReconciliations } from '../store/reconciliations.ts'
import { forgetLines } from '../store/plans.ts'
import { queueAgain, queueSync, wakeMail, wakePush, type PassJob } from '../store/wake.ts'
import { forgetEvents } from '../store/webhook-events.ts'
import { listConnections } from '../store/connections.ts'
import { waitingGates } from './approval.ts'
import { followHints, mailConnection, pushConnection, syncConnection, type Passed } from './cycle.ts'
import { watchAlarms } from './alarms/watch.ts'
import { sendAlerts } from './alerts/send.ts'
import { reviewRecords } from './governance/review.ts'
import type { Hub } from './hub.ts'
import { openLiveness } from './liveness.ts'
import { reviewKeys } from './matching/review-keys.ts'
import { matchWaiting } from './matching/step.ts'
import { trainWhenDue } from './matching/train.ts'
import { openListeners } from './mail/listen.ts'
import { noteOverdue } from './mail/overdue.ts'
import { watchMailboxes } from './mail/watch.ts'
import { reviewMerged } from './merge/review.ts'
import { newerVersion, SupersededError } from './superseded.ts'
import { finishErasures } from './privacy/finish.ts'
import { enforceRetention } from './privacy/retention.ts'
import { measureQuality } from './quality/measure.ts'

/** Connections worked on at once by one process; each connection is one process's at a time. */
const CONCURRENCY = 4
const DAY_MS = 86_400_000
/** The newest plans of the same connections keep their lines; of others only the counts stay. */
const PLANS_KEPT = 3
const EVENTS_KEPT_MS = 30 * DAY_MS
const COMPARISONS_KEPT_MS = 400 * DAY_MS

const payloadSchema = z.object({ connection: z.string() })

export type Workers = { stop(): Promise<void> }

/**
 * Works off jobs until stopped, and fires the schedules of the configuration. Jobs are only wake-ups: losing one loses
 * no work. Every process fires every schedule; the job's key makes that one job. `stop` lets running jobs finish.
 */
export async function startWorkers(hub: Hub): Promise<Workers> {
  await ensureHistoryPartitions(hub.db.sql, hub.clock.now())
  const liveness = await openLiveness(hub)
  const events: WorkerEvents = new EventEmitter()
  // Jobs are locked in the name of the pool, not of one of its workers.
  events.on('pool:create', ({ workerPool }) => liveness.add(workerPool.id))
  const runner: Runner = await run({
    events,
    connectionString: hub.db.url,
    concurrency: CONCURRENCY,
    // One session to listen and one to ask: so a job that ended has freed its queue before the next one is looked for.
    maxPoolSize: 2,
    noHandleSignals: true,
    pollInterval: 2_000,
    taskList: tasks(hub),
    logger: new WorkerLogger(() => (level, message) => {
      if (level === 'error') hub.log.error(message)
      else hub.log.trace(message)
    }),
  })
  const schedules = schedule(hub)
  const listeners = openListeners(hub)
  // New rules of quality, of survivorship and of matching are taken up by one process.
  await hub.db.sql`select graphile_worker.add_job('review', job_key := 'review')`
  // Work that a stopped hub left behind is taken up at once.
  const names = (await listConnections(hub.db.sql)).map((c) => c.name)
  await wakePush(hub.db.sql, names)
  await wakeMail(
    hub.db.sql,
    names.filter((name) => hub.mails.some((mail) => mail.connection === name)),
  )
  return {
    async stop() {
      for (const task of schedules) await task.destroy()
      // At once: a job that ends now is followed by none.
      await Promise.all([listeners.stop(), runner.stop()])
      await liveness.stop()
    },
  }
}

function tasks(hub: Hub): TaskList {
  const pass =
    (job: PassJob, work: (connection: string) => Promise<Passed>): Task =>
    async (payload) => {
      const { connection } = payloadSchema.parse(payload)
      const passed = await underway(hub, () => work(connection))
      // The job stands for work that is left: it waits for the new configuration, or for who works on after this stop.
      if (passed === null || hub.stopping.aborted) await queueAgain(hub.db.sql, job, connection)
      if (passed === null) return
      hub.log.info({ ...passed, woken: [...passed.woken] }, passed.problem ?? 'pass')
      if (passed.problem !== null || passed.held.length > 0) await wakeAlarms(hub.db.sql)
      await wakeLater(hub, connection)
      if (passed.mailWaits && !hub.stopping.aborted) await wakeMail(hub.db.sql, [connection])
    }
  return {
    sync: pass('sync', (connection) => syncConnection(hub, connection, 'changes')),
    sweep: pass('sweep', (connection) => syncConnection(hub, connection, 'sweep')),
    push: pass('push', (connection) => pushConnection(hub, connection)),
    hints: pass('hints', (connection) => followHints(hub, connection)),
    mail: pass('mail', (connection) => mailConnection(hub, connection)),
    match: async () => void (await matchWaiting(hub)),
    mail_watch: () => watchMailboxes(hub),
    alarms: async () => void (await watchAlarms(hub)),
    alerts: () => sendAlerts(hub),
    erasures: () => finishErasures(hub),
    review: async () => {
      await reviewRecords(hub)
      await reviewMerged(hub)
      await reviewKeys(hub)
    },
    housekeeping: async () => {
      await noteOverdue(hub)
      await finishErasures(hub)
      await enforceRetention(hub)
      await reviewRecords(hub, 'daily')
      await reviewMerged(hub, 'daily')
      await measureQuality(hub)
      await trainWhenDue(hub)
      await matchWaiting(hub)
      await ensureHistoryPartitions(hub.db.sql, hub.clock.now())
      await forgetEvents(hub.db.sql, hub.clock.now() - EVENTS_KEPT_MS)
      await forgetLines(hub.db.sql, PLANS_KEPT, hub.clock.now() - DAY_MS)
      const { channels } = hub.configuration.alerts
      await forgetDeliveries(hub.db.sql, hub.clock.now() - EVENTS_KEPT_MS, channels)
      await forgetReconciliations(hub.db.sql, hub.clock.now() - COMPARISONS_KEPT_MS)
    },
  }
}

/** The pass; null where it did not come to its end, as this process stops or is to take up another configuration. */
async function underway(hub: Hub, work: () => Promise<Passed>): Promise<Passed | null> {
  if (hub.stopping.aborted || (await newerVersion(hub, hub.db.sql)) !== null) return null
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SupersededError)) throw error
    hub.log.info(error.message)
    return null
  }
}

/** Writes that wait for their time, or for a look-up, bring their connection back by themselves. */
async function wakeLater(hub: Hub, connection: string): Promise<void> {
  // What waits for a plan is woken by its approval; asked for again and again, it would never come to rest.
  const waiting = (await waitingGates(hub, connection)).map((gate) => gate.id)
  const [due] = await hub.db.sql<{ at: number | null }[]>`
    select min(at) as at from (
      select l.not_before as at from links l join streams s on s.id = l.stream_id
      where s.connection = ${connection} and l.wake > l.settled and l.not_before is not null
        and s.id <> all(${waiting}::int[])
      union all
      select o.tried_at + make_interval(secs => 2 ^ least(o.attempts, 10)) from outbox o join streams s on s.id = o.stream_id
      where s.connection = ${connection} and o.state in ('sending', 'uncertain') and s.id <> all(${waiting}::int[])
    ) waiting`
  if (due !== undefined && due.at !== null)
    await wakePush(hub.db.sql, [connection], Math.max(due.at, hub.clock.now() + 1_000))
}

function schedule(hub: Hub): readonly ScheduledTask[] {
  const at = (expression: string, work: () => Promise<void>): ScheduledTask =>
    cron.schedule(
      expression,
      () => {
        work().catch((error: unknown) => hub.log.error(error, 'a schedule failed'))
      },
      { timezone: 'UTC' },
    )
  const times = new Map<string, () => Promise<void>>()
  for (const { stream } of hub.targets) {
    times.set(`${stream.schedule} sync ${stream.connection}`, () =>
      queueSync(hub.db.sql, stream.connection, false),
    )
    times.set(`${stream.sweep} sweep ${stream.connection}`, () =>
      queueSync(hub.db.sql, stream.connection, true),
    )
  }
  for (const { connection, config } of hub.mails)
    times.set(`${config.schedule} mail ${connection}`, () => wakeMail(hub.db.sql, [connection]))
  const scheduled = [...times].map(([name, work]) => at(name.split(' ').slice(0, -2).join(' '), work))
  const job = (name: string) => async () => {
    await hub.db.sql`select graphile_worker.add_job(${name}, job_key := ${name}::text)`
  }
  // What is due today is late as soon as the day is over.
  const housekeeping = [at('1 0 * * *', job('housekeeping')), at('17 3 * * *', job('housekeeping'))]
  const watch = hub.mails.length === 0 ? [] : [at('*/5 * * * *', job('mail_watch'))]
  // Sending asks for its own retries; this heals a lost job.
  const alarms = at('*/5 * * * *', async () => {
    await wakeAlarms(hub.db.sql)
    await wakeAlerts(hub.db.sql)
  })
  return [...scheduled, ...housekeeping, ...watch, alarms]
}
