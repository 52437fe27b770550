import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addHarm,
  DEFAULT_LIMITS,
  guard,
  NO_HARM,
  recentHarm,
  withRecent,
  type Harm,
  type Recent,
} from '../../src/core/guard.ts'

const count = fc.nat(1_000)
const harm: fc.Arbitrary<Harm> = fc.record({ deletes: count, blanks: count, optIns: count })

test.each([
  [25, 100, 'pass'],
  [26, 100, 'hold'],
  [100, 1_000, 'pass'],
  [101, 1_000, 'hold'],
])('%i deletes of %i records: %s', (deletes, population, verdict) => {
  expect(guard({ ...NO_HARM, deletes }, population, DEFAULT_LIMITS).kind).toBe(verdict)
})

test('a verdict names what is held, how many, and how many were allowed', () => {
  const verdict = guard({ deletes: 3, blanks: 101, optIns: 500 }, 1_000, DEFAULT_LIMITS)
  expect(verdict).toEqual({ kind: 'hold', what: 'blanks', count: 101, allowed: 100, population: 1_000 })
})

test('a share is not shaved by binary fractions', () => {
  expect(guard({ ...NO_HARM, deletes: 29 }, 100, { share: 0.29, atLeast: 0 }).kind).toBe('pass')
})

test('a small stream is not emptied or blanked unasked, however high the limit', () => {
  expect(guard({ ...NO_HARM, deletes: 20 }, 20, DEFAULT_LIMITS).kind).toBe('hold')
  expect(guard({ ...NO_HARM, blanks: 5 }, 5, DEFAULT_LIMITS).kind).toBe('hold')
  expect(guard({ ...NO_HARM, deletes: 19 }, 20, DEFAULT_LIMITS).kind).toBe('pass')
  expect(guard({ ...NO_HARM, deletes: 1 }, 1, DEFAULT_LIMITS).kind).toBe('pass')
})

test('more harm never turns a hold into a pass, and harm adds up in any order', () => {
  fc.assert(
    fc.property(harm, harm, fc.nat(20_000), (a, b, population) => {
      expect(addHarm(a, b)).toEqual(addHarm(b, a))
      expect(addHarm(a, NO_HARM)).toEqual(a)
      const [before, after] = [a, addHarm(a, b)].map((harm) => guard(harm, population, DEFAULT_LIMITS).kind)
      expect(before === 'hold' && after === 'pass').toBe(false)
    }),
  )
})

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Deletes as they are asked for, each in a run of its own that begins with it; those within the limit go through. */
function letThrough(limit: number, asked: readonly { readonly after: number; readonly deletes: number }[]) {
  const gone: { at: number; deletes: number }[] = []
  let recent: Recent = []
  let at = 1_800_000_000_000
  for (const { after, deletes } of asked) {
    at += after
    if (recentHarm(recent, at, false).deletes + deletes > limit) continue
    gone.push({ at, deletes })
    recent = withRecent(recent, { ...NO_HARM, deletes }, { at, startedAt: at, isHeld: false })
  }
  return { gone, recent, at }
}

const deletesOf = (gone: readonly { readonly deletes: number }[]) =>
  gone.reduce((sum, { deletes }) => sum + deletes, 0)

test('no sixty minutes see more than the limit: around the edge of a fixed hour it was twice that', () => {
  expect(
    deletesOf(
      letThrough(100, [
        { after: 0, deletes: 1 },
        { after: 59 * MINUTE, deletes: 99 },
        { after: MINUTE, deletes: 100 },
      ]).gone,
    ),
  ).toBe(100)
  const asked = fc.record({ after: fc.nat(20 * MINUTE), deletes: fc.integer({ min: 1, max: 60 }) })
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 60 }), (all) => {
      const { gone, recent, at } = letThrough(100, all)
      for (const { at: end } of gone)
        expect(deletesOf(gone.filter((one) => end - HOUR < one.at && one.at <= end))).toBeLessThanOrEqual(100)
      expect(recent.length).toBeLessThan(20)
      expect(recentHarm(recent, at + 65 * MINUTE, false)).toEqual(NO_HARM)
    }),
  )
})

test('a run forgets nothing of its own, nor what goes on while something is held; and neither list grows', () => {
  const startedAt = 1_800_000_000_000
  let long: Recent = []
  let held: Recent = []
  for (let i = 0; i < 600; i++) {
    const at = startedAt + i * MINUTE
    long = withRecent(long, { ...NO_HARM, deletes: 1 }, { at, startedAt, isHeld: false })
    held = withRecent(held, { ...NO_HARM, deletes: 1 }, { at, startedAt: at, isHeld: true })
  }
  const end = startedAt + 600 * MINUTE
  expect(recentHarm(long, startedAt, false).deletes).toBe(600)
  expect(recentHarm(held, end, true).deletes).toBe(600)
  expect(long.length).toBeLessThan(20)
  expect(held.length).toBeLessThan(20)
  // The next run knows of the last hour.
  const after = recentHarm(long, end, false).deletes
  expect(after).toBeGreaterThanOrEqual(59)
  expect(after).toBeLessThanOrEqual(65)
})
