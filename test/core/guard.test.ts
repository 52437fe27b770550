import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addHarm, DEFAULT_LIMITS, guard, NO_HARM, type Harm } from '../../src/core/guard.ts'

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
