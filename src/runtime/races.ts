import postgres from 'postgres'
import { RaceError } from './change.ts'
import type { Hub } from './hub.ts'

/** Serialisation failures and deadlocks: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html */
const RETRIED = new Set(['40001', '40P01'])
/** Each race means that somebody else's work is done, so a busy moment ends by itself; only a mistake races this often. */
const ATTEMPTS = 60
const LONGEST_PAUSE_MS = 250

/** Runs a transaction again when another one got in its way. The work must read everything anew each time. */
export async function withRaces<T>(hub: Hub, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const race =
        error instanceof RaceError || (error instanceof postgres.PostgresError && RETRIED.has(error.code))
      if (!race || attempt >= ATTEMPTS) throw error
      await hub.clock.sleep(hub.random() * Math.min(20 * attempt, LONGEST_PAUSE_MS))
    }
  }
}
