import type { Instant } from '../json.ts'

const HOUR_MS = 3_600_000
const HOURS_A_WEEK = 168
/** What lies further back says little about how a stream moves now. */
export const LEARNED_MS = 35 * 24 * HOUR_MS
/** With less to go by, nothing is said: two whole weeks, and some moves in them. */
const SHORTEST_SPAN_H = 14 * 24
const FEWEST_MOVES = 10
/** Nobody is told of a quiet that is shorter, however lively the stream. */
export const SHORTEST_QUIET_MS = 24 * HOUR_MS
/** How many times the longest usual quiet it takes. */
const PATIENCE = 3
/** Of the rate of the whole week, in hours that were always quiet: else a stop at the weekend would last for ever. */
const FLOOR = 0.1

/**
 * Whether a stream has been quiet for longer than it ever is. Quiet is measured in the moves that its own week lets
 * expect, hour by hour, so that a weekend without any counts for little and a Tuesday for much: it is unusual from three
 * times the longest that occurred. `moves` are the times at which it brought news, ascending; false where they tell too
 * little.
 */
export function isUnusuallyQuiet(moves: readonly Instant[], now: Instant): boolean {
  const last = moves.at(-1)
  if (last === undefined || now - last < SHORTEST_QUIET_MS) return false
  const hours = [...new Set(moves.filter((at) => at > last - LEARNED_MS).map(hourOf))]
  const first = hours[0] ?? 0
  const end = hourOf(last)
  if (hours.length < FEWEST_MOVES || end - first < SHORTEST_SPAN_H) return false
  const rates = weekOf(hours, first, end)
  const expected = (from: number, to: number): number => {
    let sum = 0
    for (let hour = from + 1; hour < to; hour++) sum += rates[hour % HOURS_A_WEEK] ?? 0
    return sum
  }
  const usual = hours.slice(1).map((hour, i) => expected(hours[i] ?? hour, hour))
  return expected(end, hourOf(now)) > PATIENCE * Math.max(1, ...usual)
}

const hourOf = (at: Instant): number => Math.floor(at / HOUR_MS)

/** How likely each hour of the week is to bring a move, smoothed over its neighbours. */
function weekOf(hours: readonly number[], first: number, last: number): readonly number[] {
  const moved = Array.from({ length: HOURS_A_WEEK }, () => 0)
  const passed = Array.from({ length: HOURS_A_WEEK }, () => 0)
  for (const hour of hours) moved[hour % HOURS_A_WEEK] = (moved[hour % HOURS_A_WEEK] ?? 0) + 1
  for (let hour = first; hour <= last; hour++)
    passed[hour % HOURS_A_WEEK] = (passed[hour % HOURS_A_WEEK] ?? 0) + 1
  const rate = (hour: number): number => {
    const slot = (hour + HOURS_A_WEEK) % HOURS_A_WEEK
    return (moved[slot] ?? 0) / Math.max(1, passed[slot] ?? 0)
  }
  const overall = hours.length / (last - first + 1)
  return moved.map((_, hour) =>
    Math.max(FLOOR * overall, (rate(hour - 1) + 2 * rate(hour) + rate(hour + 1)) / 4),
  )
}
