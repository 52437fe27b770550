import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatMoney, minorDigits, moneyOf, splitAmount } from '../../src/core/money.ts'

test.each([
  [123456, 'EUR', '1,234.56 EUR'],
  [5, 'eur', '0.05 EUR'],
  [-123456789, 'USD', '-1,234,567.89 USD'],
  [1234567, 'JPY', '1,234,567 JPY'],
  [0, 'JPY', '0 JPY'],
  [1234567, 'KWD', '1,234.567 KWD'],
  [100, 'XYZ', '100 (minor units) XYZ'],
])('%i %s reads %s', (amount, currency, text) => expect(formatMoney({ amount, currency })).toBe(text))

test('currencies of today have their digits, others have none', () => {
  expect(['EUR', 'jpy', 'TND', 'HUF', 'XCG', 'DEM', 'ABC', '', 'XAU'].map(minorDigits)).toEqual([
    2,
    0,
    3,
    2,
    2,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('what is no money is not read as money', () => {
  expect([moneyOf(null), moneyOf(12), moneyOf({ amount: '12', currency: 'EUR' })]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

test('parts add up exactly to the whole, and none is off by more than one minor unit', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), weights, (amount, weights) => {
      const sum = weights.reduce((a, b) => a + b, 0)
      const shares = weights.map((weight) => weight / sum)
      const parts = splitAmount(amount, shares)
      expect(parts.reduce((a, b) => a + b, 0)).toBe(amount)
      parts.forEach((part, i) => expect(Math.abs(part - amount * (shares[i] ?? 0))).toBeLessThan(1.001))
    }),
    { numRuns: 1_000 },
  )
})

test('thirds of a euro, and shares that are not quite one', () => {
  expect(splitAmount(100, [1 / 3, 1 / 3, 1 / 3])).toEqual([33, 33, 34])
  expect(splitAmount(10_000, [0.3, 0.7])).toEqual([3_000, 7_000])
  expect(splitAmount(10_000, [0.33, 0.33, 0.33])).toEqual([3_300, 3_300, 3_400])
})
