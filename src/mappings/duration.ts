import type { Report } from './problem.ts'

const MINUTE_MS = 60_000
const UNITS: Readonly<Record<string, number>> = { m: MINUTE_MS, h: 60 * MINUTE_MS, d: 1_440 * MINUTE_MS }

const msOf = (text: string): number => {
  const [, count, unit = ''] = /^(\d{1,6}) ?([mhd])$/.exec(text.trim()) ?? []
  return Number(count) * (UNITS[unit] ?? Number.NaN)
}

/** A length of time in milliseconds, such as `6h`, within bounds that are written so too; undefined, and reported, else. */
export function durationMs(
  said: string,
  { from, to, such }: { readonly from: string; readonly to: string; readonly such: string },
  report: Report,
): number | undefined {
  const ms = msOf(said)
  const isShort = ms < msOf(from)
  if (!isShort && ms <= msOf(to)) return ms
  const message = Number.isNaN(ms)
    ? `"${said}" is not a length of time`
    : `"${said}" is too ${isShort ? 'short' : 'long'}`
  report([], message, `Write minutes, hours or days, from ${from} to ${to}: "${such}".`)
  return undefined
}
