import path from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type { Hub } from './hub.ts'

const MIGRATIONS = path.join(import.meta.dirname, '..', '..', 'migrations')
const PATIENCE_MS = 2_000
/** A job that nobody takes for so long is not a busy moment. */
const STUCK_MINUTES = 10

export type Readiness = { readonly ready: boolean; readonly reasons: readonly string[] }

/** Whether this hub can do its work now; the reasons are for an admin and name nothing secret. */
export async function readiness(hub: Hub): Promise<Readiness> {
  const reasons = hub.stopping.aborted ? ['Concord is stopping.'] : await within(PATIENCE_MS, reasonsOf(hub))
  return { ready: reasons.length === 0, reasons }
}

async function reasonsOf(hub: Hub): Promise<readonly string[]> {
  try {
    const applied = await lastMigration(hub)
    const newest = readMigrationFiles({ migrationsFolder: MIGRATIONS }).at(-1)?.folderMillis ?? 0
    if (applied < newest) return ['The database is older than this Concord. Fix: `concord migrate`.']
    const stuck = await stuckJobs(hub)
    if (stuck === 0) return []
    const jobs = stuck === 1 ? 'One job waits' : `${stuck} jobs wait`
    return [`${jobs} for more than ${STUCK_MINUTES} minutes. Fix: see that \`concord worker\` runs.`]
  } catch (error) {
    hub.log.warn({ err: error }, 'not ready')
    return [UNREACHABLE]
  }
}

const UNREACHABLE = 'The database does not answer.'

async function within(ms: number, work: Promise<readonly string[]>): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<readonly string[]>((resolve) => {
    timer = setTimeout(() => resolve([UNREACHABLE]), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

async function lastMigration(hub: Hub): Promise<number> {
  const [row] = await hub.db.sql<{ last: number | null }[]>`
    select max(created_at) as last from drizzle.__drizzle_migrations`
  return row?.last ?? 0
}

/** Jobs due that no worker took. Those behind a running job of their queue wait rightly: a backfill takes hours. */
async function stuckJobs(hub: Hub): Promise<number> {
  const [row] = await hub.db.sql<{ count: number }[]>`
    select count(*) as count from graphile_worker.jobs j
    where j.locked_at is null and j.attempts < j.max_attempts
      and j.run_at < now() - make_interval(mins => ${STUCK_MINUTES})
      and not exists (
        select from graphile_worker.jobs r where r.queue_name = j.queue_name and r.locked_at is not null)`
  return row?.count ?? 0
}
