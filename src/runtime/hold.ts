import type { Sql } from '../store/database.ts'
import type { Hub } from './hub.ts'

/**
 * Holds connections while `work` runs: no other process plans or sends for them meanwhile. The wait ends when the
 * holder is done. Several are taken in the order they are given in: it must be everybody's order.
 */
export const holding = <T>(hub: Hub, connections: readonly string[], work: () => Promise<T>): Promise<T> =>
  locked(
    hub.db.locks,
    connections.map((name) => `concord connection ${name}`),
    work,
  )

/** Holds an item of the inbox: of two people who act on the same item, the second waits here for the first. */
export const holdingItem = <T>(hub: Hub, id: number, work: () => Promise<T>): Promise<T> =>
  locked(hub.db.actions, [`concord inbox item ${id}`], work)

/**
 * Session-level advisory locks, so that a process that dies lets go, and `work` may take transactions of its own.
 * https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
async function locked<T>(sessions: Sql, names: readonly string[], work: () => Promise<T>): Promise<T> {
  const session = await sessions.reserve()
  try {
    try {
      for (const name of names) await session`select pg_advisory_lock(hashtextextended(${name}, 0))`
      return await work()
    } finally {
      await session`select pg_advisory_unlock_all()`
    }
  } finally {
    session.release()
  }
}
