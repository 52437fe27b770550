import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openSample } from '../../../src/runtime/dedupe/sample.ts'

const sampleOf = (texts: readonly string[], size: number): readonly string[] => {
  const sample = openSample<string>(size)
  for (const text of texts) sample.add(text, text)
  return sample.taken()
}

it('takes the same ones in whatever order they come, and never more than asked for', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string(), { maxLength: 200 }),
      fc.integer({ min: 1, max: 50 }),
      (all, size) => {
        const taken = sampleOf(all, size)
        expect(sampleOf(all.toReversed(), size)).toEqual(taken)
        expect(taken.length).toBeLessThanOrEqual(size)
        expect(all.length > size || taken.length === all.length).toBe(true)
      },
    ),
  )
})

it('takes from everywhere alike', () => {
  const taken = sampleOf(
    Array.from({ length: 40_000 }, (_, n) => `record ${n}`),
    2_000,
  )
  expect(taken.length).toBeGreaterThan(900)
  const early = taken.filter((text) => Number(text.slice(7)) < 20_000).length
  expect(early / taken.length).toBeGreaterThan(0.45)
  expect(early / taken.length).toBeLessThan(0.55)
})
