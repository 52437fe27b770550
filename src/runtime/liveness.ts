import type { Hub } from './hub.ts'

/** A worker takes its first job after its lock was asked for; younger job locks are left alone. */
const GRACE = '1 second'
const EVERY_MS = 3_000

export type Liveness = {
  /** Says that a worker of this process lives: a lock that ends with the process, however that ends. */
  add(workerId: string): void
  stop(): Promise<void>
}

/**
 * Frees the jobs and queues of workers that died. graphile-worker itself waits four hours, as it cannot tell a dead
 * worker from a slow one; here every living worker holds an advisory lock, so one whose lock is free is dead.
 */
export async function openLiveness(hub: Hub): Promise<Liveness> {
  const session = await hub.db.locks.reserve()
  const own = new Set<string>()
  const look = () =>
    unlockDead(hub, own).catch((error: unknown) => hub.log.error(error, 'dead workers were not looked for'))
  await look()
  const timer = setInterval(() => void look(), EVERY_MS)
  timer.unref()
  return {
    add(workerId) {
      own.add(workerId)
      session`select pg_advisory_lock(hashtextextended(${lockName(workerId)}, 0))`.catch((error: unknown) =>
        hub.log.error(error, 'a worker could not say that it lives'),
      )
    },
    async stop() {
      clearInterval(timer)
      await session`select pg_advisory_unlock_all()`
      session.release()
    },
  }
}

const lockName = (workerId: string): string => `concord worker ${workerId}`

async function unlockDead(hub: Hub, own: ReadonlySet<string>): Promise<void> {
  await hub.db.beside.begin(async (tx) => {
    const holders = await tx<{ id: string }[]>`
      select distinct locked_by as id from (
        select locked_by from graphile_worker._private_jobs where locked_at < now() - ${GRACE}::interval
        union all
        select locked_by from graphile_worker._private_job_queues where locked_at < now() - ${GRACE}::interval
      ) held`
    const others = holders.map((row) => row.id).filter((id) => !own.has(id))
    if (others.length === 0) return
    const dead = await tx<{ id: string }[]>`
      select id from unnest(${others}::text[]) as o(id)
      where pg_try_advisory_xact_lock(hashtextextended('concord worker ' || id, 0))`
    if (dead.length === 0) return
    hub.log.warn({ workers: dead.length }, 'took over the jobs of workers that died')
    await tx`select graphile_worker.force_unlock_workers(${dead.map((row) => row.id)}::text[])`
  })
}
