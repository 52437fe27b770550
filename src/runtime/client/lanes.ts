import type { RateLimit } from '../../connectors/connector.ts'
import type { Instant } from '../../core/json.ts'
import type { Clock } from '../clock.ts'
import { openLane, type Lane, type LaneLimits } from './lane.ts'

/** The lanes of one connection, by what the vendor counts for. A lane that is not used is forgotten. */
export type Lanes = {
  of(key: string): KeyedLane
  /** How many are remembered. */
  readonly size: number
}

export type KeyedLane = Lane & { paused: { until: Instant } }

const SWEEP_MS = 60_000

export function openLanes(limits: readonly RateLimit[], clock: Clock): Lanes {
  const lanes = new Map<string, KeyedLane>()
  const each = laneLimits(limits)
  let sweepAt = clock.now() + SWEEP_MS

  function sweep(now: Instant): void {
    if (now < sweepAt) return
    sweepAt = now + SWEEP_MS
    for (const [key, lane] of lanes) if (lane.isIdle() && lane.paused.until <= now) lanes.delete(key)
  }

  return {
    of(key) {
      const known = lanes.get(key)
      if (known !== undefined) return known
      sweep(clock.now())
      const lane = { ...openLane(each, clock), paused: { until: 0 } }
      lanes.set(key, lane)
      return lane
    },
    get size() {
      return lanes.size
    },
  }
}

function laneLimits(limits: readonly RateLimit[]): LaneLimits {
  return {
    windows: limits.flatMap((limit) => ('permits' in limit ? [limit] : [])),
    concurrent: Math.min(
      Number.POSITIVE_INFINITY,
      ...limits.flatMap((limit) => ('concurrent' in limit ? [limit.concurrent] : [])),
    ),
  }
}
