import { setTimeout as wait } from 'node:timers/promises'
import type { Instant } from '../core/json.ts'

/** Time, as the runtime sees it. Injected everywhere, so that tests and the simulation own it. */
export type Clock = {
  now(): Instant
  /** Resolves after `ms` milliseconds; rejects at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Node fires a longer timer at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0; left -= LONGEST_TIMER_MS) {
      await wait(Math.min(left, LONGEST_TIMER_MS), undefined, signal === undefined ? {} : { signal })
    }
  },
}
