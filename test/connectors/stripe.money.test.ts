import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromStripe, toStripe, ZERO_DECIMAL } from '../../src/connectors/stripe/money.ts'

describe('amounts for Stripe', () => {
  it.each<[string, number, number]>([
    ['USD', 1099, 1099],
    ['eur', 1099, 1099],
    ['HUF', 1045, 1045],
    ['TWD', 80045, 80045],
    ['ISK', 5, 500],
    ['UGX', 12_000, 1_200_000],
    ['KWD', 5120, 5120],
    ['BHD', 10, 10],
    ['MGA', 120_000, 1200],
    ...ZERO_DECIMAL.map((code): [string, number, number] => [code, 500, 500]),
  ])('says %s %d as %d', (currency, iso, wire) => {
    expect(toStripe(iso, currency)).toEqual({ kind: 'amount', amount: wire })
    expect(fromStripe(wire, currency)).toEqual({ kind: 'amount', amount: iso })
  })

  it.each<[string, number, string]>([
    ['KWD', 5124, 'amount'],
    ['TND', 1, 'amount'],
    ['MGA', 150, 'amount'],
    ['EUR', 10.5, 'amount'],
    ['EUR', Number.NaN, 'amount'],
    ['EUR', 2 ** 53, 'amount'],
    ['XXZ', 100, 'currency'],
    ['', 100, 'currency'],
    ['IQD', 1000, 'currency'],
    ['LYD', 1000, 'currency'],
    ['CLF', 10_000, 'currency'],
  ])('has no %s %d', (currency, amount, code) => {
    expect(toStripe(amount, currency)).toMatchObject({ kind: 'refused', code })
  })

  it('reads no fraction of an ISO unit', () => {
    expect(fromStripe(550, 'isk')).toMatchObject({ kind: 'refused' })
  })

  it('has no zero-decimal currency that is unknown here', () => {
    for (const code of ZERO_DECIMAL) expect(toStripe(1, code).kind).toBe('amount')
  })

  it('comes back as it went, in every currency', () => {
    const currency = fc.constantFrom(...Intl.supportedValuesOf('currency'))
    fc.assert(
      fc.property(currency, fc.integer({ min: -99_999_999, max: 99_999_999 }), (code, amount) => {
        const there = toStripe(amount, code)
        if (there.kind === 'refused') return
        expect(fromStripe(there.amount, code)).toEqual({ kind: 'amount', amount })
      }),
    )
  })
})
