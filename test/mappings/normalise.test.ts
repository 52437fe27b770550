import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { same, type Json } from '../../src/core/json.ts'
import { CATALOG, RECORD_KINDS, type RecordKind } from '../../src/core/model.ts'
import { normalise } from '../../src/mappings/normalise.ts'

const DEFAULTS = { country: 'DE', currency: 'EUR' }
const written = (kind: RecordKind, field: string, value: Json) => {
  const result = normalise(kind, field, value, DEFAULTS)
  return result.kind === 'value' ? result.value : `! ${result.problem}`
}

describe('what people write into a field', () => {
  it.each<readonly [RecordKind, string, Json, Json]>([
    ['contact', 'emails', 'Ann@Example.com', ['ann@example.com']],
    ['contact', 'emails', ['A@b.org', 'a@b.org', 'c@d.org'], ['a@b.org', 'c@d.org']],
    ['contact', 'phones', '030 123456', ['+4930123456']],
    ['contact', 'givenName', '  Ann ', 'Ann'],
    ['contact', 'givenName', '', null],
    ['contact', 'tags', [], null],
    ['contact', 'company', '42', 42],
    ['contact', 'birthday', '02-29', '02-29'],
    ['contact', 'address', { city: 'Bonn', country: 'germany' }, { city: 'Bonn', country: 'DE' }],
    ['contact', 'custom.shoe_size', 43, '43'],
    ['company', 'domains', 'https://www.Example.com/', ['example.com']],
    ['company', 'employees', '1,200', 1200],
    ['deal', 'amount', '1.234,50 €', { amount: 123_450, currency: 'EUR' }],
    ['deal', 'amount', { amount: '12.5', currency: 'usd' }, { amount: 1_250, currency: 'USD' }],
    ['deal', 'amount', { amount: 1_250, currency: 'USD' }, { amount: 1_250, currency: 'USD' }],
    ['deal', 'amount', '1000', { amount: 100_000, currency: 'EUR' }],
    ['deal', 'closeDate', '2026-11-22', '2026-11-22'],
    ['deal', 'nextStep', 'call\nthen write', 'call\nthen write'],
    ['activity', 'occurredAt', '2026-11-22T08:30:00Z', Date.UTC(2026, 10, 22, 8, 30)],
  ])('%s.%s: %j', (kind, field, value, canonical) => expect(written(kind, field, value)).toEqual(canonical))

  it.each<readonly [RecordKind, string, Json, RegExp]>([
    [
      'contact',
      'emails',
      'ann@example.com.',
      /^! emails: "ann@example\.com\." is not an email address: it ends with a dot/,
    ],
    ['contact', 'emialConsent', 'in', /has no field "emialConsent"\. Did you mean "emailConsent"/],
    ['contact', 'emailConsent', 'in', /computed by the hub/],
    ['contact', 'custom.', 'x', /After "custom\."/],
    ['contact', 'company', 0, /not a record id/],
    ['contact', 'company', 1.5, /not a record id/],
    ['contact', 'constructor', 'x', /has no field/],
    ['deal', 'closeDate', '2026-02-30', /does not exist/],
    ['deal', 'amount', '1.234', /not a clear amount/],
    ['deal', 'amount', 1000, /1000 may be whole units or minor ones\. Write "12\.34 EUR"/],
    ['deal', 'amount', { amount: 12.5, currency: 'EUR' }, /whole number of minor units/],
    ['deal', 'paymentStatus', 'paid', /computed by the hub/],
    ['company', 'name', { a: 1 }, /not text/],
  ])('%s.%s: %j is refused', (kind, field, value, problem) =>
    expect(written(kind, field, value)).toMatch(problem),
  )

  it('is in normal form after one step', () => {
    const fields = RECORD_KINDS.flatMap((kind) =>
      Object.keys(CATALOG[kind]).map((field) => [kind, field] as const),
    )
    const said = fc.oneof(
      fc.constantFrom(
        'Ann@Example.com',
        '030 123456',
        '2026-11-22',
        '5',
        'https://x.org',
        '1.234,50',
        '2026-11-22T08:30:00Z',
      ),
      fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...fields), said, ([kind, field], raw) => {
        const once = normalise(kind, field, raw, DEFAULTS)
        return once.kind === 'invalid' || same(normalise(kind, field, once.value, DEFAULTS), once)
      }),
      { numRuns: 2000 },
    )
  })
})
