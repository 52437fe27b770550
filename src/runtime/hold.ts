import type { Hub } from './hub.ts'

/**
 * Holds a connection while `work` runs: no other process plans or sends for it meanwhile. A session-level advisory
 * lock, so a process that dies lets go. The wait ends when the holder is done.
 * https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
export async function holding<T>(hub: Hub, connection: string, work: () => Promise<T>): Promise<T> {
  const session = await hub.db.locks.reserve()
  try {
    await session`select pg_advisory_lock(hashtextextended(${`concord connection ${connection}`}, 0))`
    try {
      return await work()
    } finally {
      await session`select pg_advisory_unlock(hashtextextended(${`concord connection ${connection}`}, 0))`
    }
  } finally {
    session.release()
  }
}
