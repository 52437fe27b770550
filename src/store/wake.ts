import type { Instant } from '../core/json.ts'
import type { Query } from './database.ts'

/**
 * Queues the push of connections, in the transaction that made the work: commit and wake-up are one. A second
 * wake-up of the same connection is the same job; one that comes while it runs is queued behind it.
 */
export async function wakePush(
  q: Query,
  connections: Iterable<string>,
  at: Instant | null = null,
): Promise<void> {
  const names = [...connections]
  if (names.length === 0) return
  await q`
    select graphile_worker.add_job('push', json_build_object('connection', name), queue_name := 'connection:' || name,
      run_at := coalesce(${at}::timestamptz, now()), job_key := 'push:' || name || ${at === null ? '' : ':later'}::text,
      max_attempts := 1000)
    from unnest(${names}::text[]) as n(name)`
}

/** Queues a pass over a connection that was added; `sweep` compares everything. */
export async function queueSync(q: Query, connection: string, sweep: boolean): Promise<void> {
  const job = sweep ? 'sweep' : 'sync'
  await q`
    select graphile_worker.add_job(${job}, json_build_object('connection', name),
      queue_name := 'connection:' || name, job_key := ${`${job}:`}::text || name, max_attempts := 3)
    from connections where name = ${connection}`
}

/** Queues the webhook hints of a connection to be followed, before anything else that waits for it. */
export async function wakeHints(q: Query, connection: string): Promise<void> {
  await q`
    select graphile_worker.add_job('hints', json_build_object('connection', ${connection}::text),
      queue_name := 'connection:' || ${connection}::text, job_key := 'hints:' || ${connection}::text, priority := -1,
      max_attempts := 1000)`
}

/**
 * Queues the mail of those connections that were added to be read on, after all other work that waits for them: a
 * backfill takes its time in slices, between which the rest gets its turn.
 */
export async function wakeMail(q: Query, connections: Iterable<string>): Promise<void> {
  const names = [...connections]
  if (names.length === 0) return
  await q`
    select graphile_worker.add_job('mail', json_build_object('connection', name), queue_name := 'connection:' || name,
      job_key := 'mail:' || name, priority := 1, max_attempts := 25)
    from connections where name = any(${names}::text[])`
}

/** Jobs that are one pass over a connection. */
export type PassJob = 'sync' | 'sweep' | 'push' | 'hints' | 'mail'

const ATTEMPTS: Readonly<Record<PassJob, number>> = { sync: 3, sweep: 3, push: 1000, hints: 1000, mail: 25 }
const PRIORITY: Readonly<Record<PassJob, number>> = { sync: 0, sweep: 0, push: 0, hints: -1, mail: 1 }

/** Queues a pass that was cut short, or not begun, once more: in a second, for whoever works then. */
export async function queueAgain(q: Query, job: PassJob, connection: string): Promise<void> {
  await q`
    select graphile_worker.add_job(${job}, json_build_object('connection', name), queue_name := 'connection:' || name,
      run_at := now() + interval '1 second', job_key := ${`${job}:`}::text || name, priority := ${PRIORITY[job]}::int,
      max_attempts := ${ATTEMPTS[job]}::int)
    from connections where name = ${connection}`
}

/** Whether other work than its mail waits for a connection: webhook hints, writes, a pass over its streams. */
export async function isWaitedFor(q: Query, connection: string): Promise<boolean> {
  const [row] = await q<{ waits: boolean }[]>`
    select exists (select from webhook_events where connection = ${connection} and processed_at is null)
      or exists (
        select from graphile_worker.jobs
        where queue_name = ${`connection:${connection}`} and locked_at is null and run_at <= now() and priority < 1
          and attempts < max_attempts
      ) as waits`
  return row?.waits ?? false
}

/** Queues the comparison of records that wait for it. */
export async function queueMatchStep(q: Query): Promise<void> {
  await q`select graphile_worker.add_job('match', job_key := 'match', max_attempts := 25)`
}
