import { describe, expect, it } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import type { Codec } from '../../src/mappings/codec.ts'
import { address } from '../../src/mappings/codecs/address.ts'
import { boolean } from '../../src/mappings/codecs/boolean.ts'
import { country } from '../../src/mappings/codecs/country.ts'
import { date, monthday } from '../../src/mappings/codecs/date.ts'
import { domain } from '../../src/mappings/codecs/domain.ts'
import { email } from '../../src/mappings/codecs/email.ts'
import { instant } from '../../src/mappings/codecs/instant.ts'
import { integer } from '../../src/mappings/codecs/integer.ts'
import { lines } from '../../src/mappings/codecs/lines.ts'
import { list } from '../../src/mappings/codecs/list.ts'
import { money, type MoneyOptions } from '../../src/mappings/codecs/money.ts'
import { phone } from '../../src/mappings/codecs/phone.ts'
import { picklist } from '../../src/mappings/codecs/picklist.ts'
import { text } from '../../src/mappings/codecs/text.ts'

const DEFAULTS = { country: 'US', currency: 'USD' }

/** The value, or the problem's text. */
function read(codec: Codec, raw: Json): Json | undefined {
  const reading = codec.get(raw)
  if (reading.kind === 'absent') return undefined
  return reading.kind === 'value' ? reading.value : `! ${reading.problem}`
}

describe('an email address', () => {
  it.each([
    ['Ann@Example.COM', 'ann@example.com'],
    [' mailto:ann@example.com ', 'ann@example.com'],
    ['\u200bann@example.com', 'ann@example.com'],
    ["o'neil+tag@sub.example.co.uk", "o'neil+tag@sub.example.co.uk"],
    ['zoë@münchen.de', 'zoë@münchen.de'],
  ])('%j is read', (raw, address_) => expect(read(email(), raw)).toBe(address_))

  it.each([
    [
      'ann@example.com.',
      /"ann@example\.com\." is not an email address: it ends with a dot\. Write "ann@example\.com"\./,
    ],
    ['ann.@example.com', /a dot before the "@"/],
    ['a..b@example.com', /a dot before the "@"/],
    ['ann@example', /no dot/],
    ['ann@@example.com', /more than one "@"/],
    ['ann example.com', /no "@"/],
    ['@example.com', /nothing stands before/],
    ['ann@exam ple.com', /a space/],
    ['ann@-example.com', /cannot be part of a domain/],
    ['ann@example.1', /top-level domain/],
    ['Ann Lee <ann@example.com>', /Write only "ann@example\.com"/],
    ['ann@example.com, bo@example.com', /several addresses/],
    [`${'a'.repeat(300)}@example.com`, /254/],
    [7, /not text/],
  ])('%j is refused', (raw, problem) => expect(read(email(), raw)).toMatch(problem))
})

describe('text', () => {
  it.each([
    ['  Ann \n\t Lee ', 'Ann Lee'],
    ['Zoe\u0308', 'Zoë'],
    ['a\u0000b', 'ab'],
    ['half \ud83d', 'half \ufffd'],
    [7, '7'],
    [true, 'true'],
    ['\u00a0', null],
  ])('%j', (raw, clean) => expect(read(text(), raw)).toBe(clean))

  it('of ten megabytes is refused in a few words, not kept', () => {
    const reading = text().get('A'.repeat(10_485_760))
    expect(reading).toMatchObject({
      kind: 'invalid',
      problem: expect.stringContaining('10,485,760 characters'),
    })
    expect(JSON.stringify(reading).length).toBeLessThan(500)
  })

  it('is cut to what the remote takes, between characters', () => {
    expect(text({ max: 3 }).put('ab😀cd')).toBe('ab😀')
    expect(text({ max: 4 }).put('Ann Lee')).toBe('Ann')
  })

  it('keeps line breaks only where asked', () => {
    expect(read(text({ multiline: true }), 'a \r\n  b')).toBe('a\nb')
    expect(read(text(), 'a \r\n  b')).toBe('a b')
  })
})

describe('a phone number', () => {
  it.each([
    ['(415) 555-2671', 'US', '+14155552671'],
    ['030 123456', 'DE', '+4930123456'],
    ['0049 30 123456', 'US', '+4930123456'],
    ['tel:+49-30-123456', 'US', '+4930123456'],
    ['+44 (0)20 7946 0958', 'US', '+442079460958'],
    [4155552671, 'US', '+14155552671'],
  ])('%j in %s', (raw, where, e164) => expect(read(phone(where), raw)).toBe(e164))

  it.each(['123', 'call me', '+999 123456', '1'.repeat(200)])('%j is refused', (raw) =>
    expect(read(phone('US'), raw)).toMatch(/is not a phone number/),
  )
})

describe('a date', () => {
  it.each([
    ['2026-11-22', [], '2026-11-22'],
    ['2026-11-22T23:30:00-08:00', [], '2026-11-22'],
    ['22.11.2026', ['dd.mm.yyyy'], '2026-11-22'],
    ['2.1.2026', ['dd.mm.yyyy'], '2026-01-02'],
    ['11/22/2026', ['mm/dd/yyyy'], '2026-11-22'],
    ['22/11/2026', ['dd/mm/yyyy'], '2026-11-22'],
    ['20261122', ['yyyymmdd'], '2026-11-22'],
    ['2024-02-29', [], '2024-02-29'],
  ] as const)('%j', (raw, formats, iso) => expect(read(date(formats), raw)).toBe(iso))

  it.each([
    ['2026-02-29', /does not exist/],
    ['2026-13-01', /does not exist/],
    ['0000-01-01', /does not exist/],
    ['22.11.2026', /name its form in formats/],
    ['tomorrow', /Write it as 2026-11-22/],
    [20261122, /is not a date/],
  ])('%j is refused', (raw, problem) => expect(read(date(), raw)).toMatch(problem))

  it('of a birthday has no year', () => {
    expect(read(monthday('mm/dd'), '2/29')).toBe('02-29')
    expect(read(monthday('dd.mm.'), '1.12.')).toBe('12-01')
    expect(read(monthday(), '1980-05-17')).toBe('05-17')
    expect(read(monthday(), '1980-05-17T11:59:00Z')).toBe('05-17')
    expect(read(monthday('mm/dd'), '13/01')).toMatch(/does not exist/)
    expect(monthday('mm/dd').put('02-29')).toBe('02/29')
  })
})

describe('a time', () => {
  const AT = Date.UTC(2026, 10, 22, 8, 30)
  it.each([
    ['2026-11-22T08:30:00Z', {}, AT],
    ['2026-11-22T09:30:00+01:00', {}, AT],
    ['2026-11-22 08:30:00', { zone: 'utc' }, AT],
    [AT / 1000, { unit: 's' }, AT],
    [String(AT), { unit: 'ms' }, AT],
  ] as const)('%j', (raw, options, at) => expect(read(instant(options), raw)).toBe(at))

  it.each([
    ['2026-11-22T08:30:00', {}],
    ['2026-02-30T08:30:00Z', {}],
    ['soon', { unit: 's' }],
  ] as const)('%j is refused', (raw, options) => expect(read(instant(options), raw)).toMatch(/is not a time/))
})

describe('an amount', () => {
  const parts = (amount: Json, currency: Json) => ({ amount, currency })
  it.each<readonly [Json, MoneyOptions, number, string]>([
    ['1,234.56', {}, 123_456, 'USD'],
    ['1.234,56 €', {}, 123_456, 'EUR'],
    ['EUR 1 234,56', {}, 123_456, 'EUR'],
    ["CHF 1'234.50", {}, 123_450, 'CHF'],
    ['¥1,000', {}, 1_000, 'JPY'],
    ['1,234,567', {}, 123_456_700, 'USD'],
    ['1234.5', {}, 123_450, 'USD'],
    ['0.500', {}, 50, 'USD'],
    ['12345.670', {}, 1_234_567, 'USD'],
    ['(12.50)', {}, -1_250, 'USD'],
    ['-12.50', {}, -1_250, 'USD'],
    ['-€12.50', {}, -1_250, 'EUR'],
    ['€-12.50', {}, -1_250, 'EUR'],
    ['−5', {}, -500, 'USD'],
    ['1.234', { decimal: ',' }, 123_400, 'USD'],
    ['1,234', { decimal: '.' }, 123_400, 'USD'],
    ['1,2', { decimal: ',' }, 120, 'USD'],
    ['1.234 KWD', { decimal: '.' }, 1_234, 'KWD'],
    [0.1 + 0.2, {}, 30, 'USD'],
    [1.005, { currency: 'KWD' }, 1_005, 'KWD'],
    [1000, {}, 100_000, 'USD'],
    [-0, {}, 0, 'USD'],
    ['$5', { currency: 'AUD' }, 500, 'AUD'],
    [parts('1234,50', 'eur'), {}, 123_450, 'EUR'],
    [parts('1,000', 'JPY'), {}, 1_000, 'JPY'],
    [parts('12.50', ''), {}, 1_250, 'USD'],
    [parts(1234, 'kwd'), { unit: 'minor' }, 1_234, 'KWD'],
    [parts('1234', 'eur'), { unit: 'minor' }, 1_234, 'EUR'],
  ])('%j', (raw, options, amount, currency) =>
    expect(read(money(options, DEFAULTS, true), raw)).toEqual({ amount, currency }),
  )

  it.each<readonly [Json, MoneyOptions, RegExp]>([
    ['1.234', {}, /"1\.234" is not a clear amount: "\." may separate thousands or decimals.*set decimal/],
    ['1,234', {}, /"," may separate/],
    ['1.234 EUR', {}, /may separate/],
    ['12.345', { decimal: '.' }, /more decimals than USD \(2\)/],
    ['¥10.50', {}, /more decimals than JPY \(0\)/],
    ['1,23,456', {}, /grouped by three/],
    ['1.2.3', {}, /grouped by three/],
    ['ten', {}, /not an ISO 4217 currency/],
    ['12 EURO', {}, /Did you mean "EUR"/],
    ['€12 USD', {}, /not an amount/],
    ['99999999999999999999', {}, /too large/],
    [12.345, {}, /more decimals/],
    [parts('5', 'XXY'), {}, /"XXY" is not an ISO 4217 currency/],
    [parts('5', 7), {}, /7 is not an ISO 4217 currency/],
    [parts('€5', 'USD'), {}, /says EUR, but its currency field says USD/],
    [parts(12.5, 'eur'), { unit: 'minor' }, /whole number of minor units/],
    [true, {}, /not an amount/],
  ])('%j is refused', (raw, options, problem) =>
    expect(read(money(options, DEFAULTS, true), raw)).toMatch(problem),
  )

  it('is written plainly, with its currency', () => {
    const value = { amount: 123_456, currency: 'EUR' }
    expect(money({}, DEFAULTS, false).put(value)).toBe('1234.56 EUR')
    expect(money({ decimal: ',' }, DEFAULTS, false).put(value)).toBe('1234,56 EUR')
    expect(money({ currency: 'EUR' }, DEFAULTS, false).put(value)).toBe('1234.56')
    expect(money({}, DEFAULTS, true).put(value)).toEqual({ amount: '1234.56', currency: 'EUR' })
    expect(money({ unit: 'minor' }, DEFAULTS, true).put(value)).toEqual(value)
    expect(money({}, DEFAULTS, true).put(null)).toEqual({ amount: '' })
  })
})

describe('the smaller codecs', () => {
  it('know countries by code and English name', () => {
    for (const [raw, code] of [
      ['de', 'DE'],
      ['DEU', 'DE'],
      ['Germany', 'DE'],
      ['united states of america', 'US'],
      ['UK', 'GB'],
      ["Côte d'Ivoire", 'CI'],
    ])
      expect(read(country(), raw ?? '')).toBe(code)
    expect(read(country(), 'Germny')).toMatch(/"Germny" is not a country\. Did you mean DE/)
    expect(country('alpha3').put('DE')).toBe('DEU')
  })

  it('reduce a web address to its domain', () => {
    expect(read(domain(), 'https://www.Example.com/about?x=1')).toBe('example.com')
    expect(read(domain(), 'example.com.')).toBe('example.com')
    expect(read(domain(), 'ann@example.com')).toMatch(/what follows the "@"/)
    expect(read(domain(), 'localhost')).toMatch(/no dot/)
  })

  it('write the first listed choice', () => {
    const stages = picklist({ values: { new: 'New', neu: 'New', won: 'Won' }, unknown: 'invalid' })
    expect(read(stages, 'NEU')).toBe('New')
    expect(stages.put('New')).toBe('new')
    expect(read(stages, 'wonn')).toMatch(/not on the list\. Did you mean "won"/)
    expect(read(picklist({ values: { a: 'b' } }), 'Else')).toBe('Else')
  })

  it('split and join lists', () => {
    const tags = list(text(), { separator: ',' })
    expect(read(tags, 'a, b,,a ')).toEqual(['a', 'b'])
    expect(tags.put(['a', 'b'])).toBe('a, b')
    expect(read(list(text(), { property: 'name' }), [{ name: 'vip', id: 3 }])).toEqual(['vip'])
    expect(read(list(email()), ['ann@example.com', 'nobody'])).toMatch(/"nobody" is not an email/)
  })

  it('know yes from no', () => {
    expect(read(boolean(), 'Yes')).toBe('true')
    expect(read(boolean(), 0)).toBe('false')
    expect(read(boolean({ yes: 'Ja', no: 'Nein' }), 'Ja')).toBe('true')
    expect(read(boolean(), 'perhaps')).toMatch(/neither yes nor no/)
  })

  it('read whole numbers of 32 bits', () => {
    expect(read(integer(), '1,200')).toBe(1200)
    expect(read(integer(), '1.200')).toMatch(/not a whole number/)
    expect(read(integer(), '10-50')).toMatch(/not a whole number/)
    expect(read(integer(), 3e9)).toMatch(/out of range/)
  })

  it('keep the parts of an address together', () => {
    expect(read(address(), { line1: ' 1 High St ', city: '', country: 'Germany' })).toEqual({
      line1: '1 High St',
      country: 'DE',
    })
    expect(read(address(), { line1: '', country: null })).toBeNull()
    expect(read(address(), { street: ' 1 High St \r\n\nFlat 2\nBack yard', city: 'Bonn' })).toEqual({
      line1: '1 High St',
      line2: 'Flat 2, Back yard',
      city: 'Bonn',
    })
    expect(read(address(), { street: '1 High St' })).toEqual({ line1: '1 High St' })
    expect(address().put({ line1: '1 High St', line2: 'Flat 2' })).toMatchObject({
      street: '1 High St\nFlat 2',
    })
    expect(read(address(), { town: 'Bonn' })).toMatch(/no part "town"/)
    expect(read(address(), { country: 'Atlantis' })).toMatch(/"Atlantis" is not a country/)
  })

  it("read a vendor's page of lines, but not a part of it", () => {
    const stripe = lines({ unitAmount: 'unit_amount', amount: 'amount', list: 'data' })
    const page = (has_more: boolean) => ({
      has_more,
      data: [{ description: 'Widget', quantity: 2, amount: 2_000 }],
    })
    expect(read(stripe, page(false))).toEqual([{ description: 'Widget', quantity: 2, unitAmount: 1_000 }])
    expect(stripe.get(page(true))).toEqual({ kind: 'absent' })
    expect(stripe.put([{ description: 'W', quantity: 1, unitAmount: 5 }])).toEqual([
      { description: 'W', quantity: 1, unit_amount: 5 },
    ])
    expect(read(lines({ as: 'text' }), '2 x Widget')).toMatch(/not a list of lines/)
    expect(read(lines(), [{ description: 'W', quantity: 0, unitAmount: 1 }])).toMatch(/is not a line/)
  })
})
