import type { Instant } from '../json.ts'

export type Point = { readonly day: string; readonly value: number }

const DAY_MS = 86_400_000

/** A day so many days before another: YYYY-MM-DD. */
export const daysBefore = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) - days * DAY_MS).toISOString().slice(0, 10)

/** The same moment so many months before, or of the last day of a month that is shorter: ISO 8601. */
export function monthsBefore(at: Instant, months: number): string {
  const then = new Date(at)
  const day = then.getUTCDate()
  then.setUTCMonth(then.getUTCMonth() - months)
  // 31 March less a month is 31 February, which JavaScript takes for 3 March.
  if (then.getUTCDate() !== day) then.setUTCDate(0)
  return then.toISOString()
}

/**
 * What a figure changed by since so many days ago; null where nothing was measured then. Days without a measurement
 * take that of the day before, up to a week back: a hub may have been off.
 */
export function changeSince(series: readonly Point[], today: string, days: number): number | null {
  const now = series.find(({ day }) => day === today)
  const [from, until] = [daysBefore(today, days + 7), daysBefore(today, days)]
  const then = series.findLast(({ day }) => day >= from && day <= until)
  return now === undefined || then === undefined ? null : now.value - then.value
}

const BARS = '▁▂▃▄▅▆▇█'

/** A curve of one line, from its least to its greatest value; the last `width` points. Empty with less than two. */
export function sparkline(values: readonly number[], width = 20): string {
  const last = values.slice(-width)
  const [least, greatest] = [Math.min(...last), Math.max(...last)]
  if (last.length < 2) return ''
  const bar = (value: number) =>
    greatest === least ? 0 : Math.round(((value - least) / (greatest - least)) * (BARS.length - 1))
  return last.map((value) => BARS[bar(value)] ?? '').join('')
}
