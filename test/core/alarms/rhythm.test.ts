import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isUnusuallyQuiet } from '../../../src/core/alarms/rhythm.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A Monday. */
const START = Date.parse('2026-03-02T00:00:00Z')

/** Moves of every hour of some weeks that a rule lets pass. */
function moves(
  weeks: number,
  moved: (day: number, hour: number, week: number) => boolean,
): readonly number[] {
  const found: number[] = []
  for (let hour = 0; hour < weeks * 168; hour++) {
    const at = START + hour * HOUR
    if (moved(Math.floor(hour / 24) % 7, hour % 24, Math.floor(hour / 168))) found.push(at + 600_000)
  }
  return found
}

const office = (day: number, hour: number) => day < 5 && hour >= 8 && hour < 17

/** The first hour after the last move at which it is unusual. */
function alarmAfter(found: readonly number[]): number {
  const last = found.at(-1) ?? 0
  for (let hours = 0; hours < 24 * 120; hours++)
    if (isUnusuallyQuiet(found, last + hours * HOUR)) return hours
  return Number.POSITIVE_INFINITY
}

describe('a stream that rests at weekends', () => {
  it('is not told of on any hour of a weekend, nor on the Monday morning after', () => {
    const found = moves(5, office)
    const friday = found.at(-1) ?? 0
    for (let hours = 0; hours < 64; hours++)
      expect(isUnusuallyQuiet(found, friday + hours * HOUR)).toBe(false)
  })

  it('is told of within two working days once it stops, on a Tuesday and over a weekend', () => {
    const tuesday = moves(5, office).filter((at) => at < START + 29 * DAY + 12 * HOUR)
    expect(alarmAfter(tuesday)).toBeGreaterThanOrEqual(24)
    expect(alarmAfter(tuesday)).toBeLessThanOrEqual(48)
    expect(alarmAfter(moves(5, office))).toBeLessThanOrEqual(24 * 4)
  })
})

it('knows the rhythm of a stream that moves once a week, and waits for three of them', () => {
  const weekly = moves(5, (day, hour) => day === 2 && hour === 9)
  expect(isUnusuallyQuiet(weekly, (weekly.at(-1) ?? 0) + 60 * DAY)).toBe(false)
  const twice = moves(5, (day, hour) => (day === 1 || day === 4) && hour === 9)
  expect(alarmAfter(twice)).toBeGreaterThan(7 * 24)
  expect(alarmAfter(twice)).toBeLessThan(22 * 24)
})

it('says nothing of a stream it knows too little of', () => {
  const lively = moves(1, () => true)
  expect(alarmAfter(lively)).toBe(Number.POSITIVE_INFINITY)
  expect(isUnusuallyQuiet([], START)).toBe(false)
})

it('never tells of less than a day, and tells of a stop sooner or later', () => {
  const arbitrary = fc.array(fc.integer({ min: 0, max: 35 * 24 - 1 }), { minLength: 12, maxLength: 400 })
  fc.assert(
    fc.property(arbitrary, (hours) => {
      const found = [...new Set(hours)].toSorted((a, b) => a - b).map((hour) => START + hour * HOUR)
      const [first = 0, last = 0] = [found[0], found.at(-1)]
      expect(isUnusuallyQuiet(found, last + DAY - 1)).toBe(false)
      const tells = found.length >= 10 && last - first >= 15 * DAY
      expect(isUnusuallyQuiet(found, last + 4_000 * DAY) || !tells).toBe(true)
    }),
  )
})

it('does not tell of a quiet that the stream has had before', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 30, maxLength: 60 })
  fc.assert(
    fc.property(gaps, (lengths) => {
      let at = START
      const found = lengths.map((hours) => (at += hours * HOUR))
      const recent = found.filter((one) => one > at - 34 * DAY)
      const longest = Math.max(...recent.slice(1).map((one, i) => one - (recent[i] ?? one)))
      expect(isUnusuallyQuiet(found, at + longest)).toBe(false)
    }),
  )
})
