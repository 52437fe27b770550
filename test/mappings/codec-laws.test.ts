import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { same, type Json } from '../../src/core/json.ts'
import type { Codec } from '../../src/mappings/codec.ts'
import { address } from '../../src/mappings/codecs/address.ts'
import { boolean } from '../../src/mappings/codecs/boolean.ts'
import { country } from '../../src/mappings/codecs/country.ts'
import { DATE_FORMATS, date, MONTHDAY_FORMATS, monthday } from '../../src/mappings/codecs/date.ts'
import { domain } from '../../src/mappings/codecs/domain.ts'
import { email } from '../../src/mappings/codecs/email.ts'
import { instant } from '../../src/mappings/codecs/instant.ts'
import { integer } from '../../src/mappings/codecs/integer.ts'
import { lines } from '../../src/mappings/codecs/lines.ts'
import { list } from '../../src/mappings/codecs/list.ts'
import { money } from '../../src/mappings/codecs/money.ts'
import { name } from '../../src/mappings/codecs/name.ts'
import { phone } from '../../src/mappings/codecs/phone.ts'
import { picklist } from '../../src/mappings/codecs/picklist.ts'
import { cleanText, text } from '../../src/mappings/codecs/text.ts'

const DEFAULTS = { country: 'US', currency: 'USD' }

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,9}$/)
const cleaned = (multiline = false) =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    .map((s) => cleanText(s, multiline))
    .filter((s) => s !== '')
const day = fc
  .date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((d) => d.toISOString().slice(0, 10))
const monthDay = fc
  .date({ min: new Date('2024-01-01'), max: new Date('2024-12-31'), noInvalidDate: true })
  .map((d) => d.toISOString().slice(5, 10))
const address_ = fc
  .tuple(word, word, fc.constantFrom('com', 'org', 'co.uk'))
  .map(([a, b, c]) => `${a}@${b}.${c}`)
const domain_ = fc.tuple(word, fc.constantFrom('com', 'org', 'co.uk')).map(([a, b]) => `${a}.${b}`)
const number = fc.integer({ min: 1000, max: 9999 }).map((n) => `+1415555${n}`)
const amount = fc.record({
  amount: fc.oneof(fc.integer({ min: -10_000_000, max: 10_000_000 }), fc.maxSafeInteger()),
  currency: fc.constantFrom('EUR', 'USD', 'JPY', 'KWD', 'ISK', 'CHF'),
})
const code = fc.constantFrom('DE', 'US', 'GB', 'CI', 'KR', 'CD', 'XK', 'BQ', 'TR')
const postal = fc.record(
  {
    line1: cleaned(),
    line2: cleaned(),
    city: cleaned(),
    region: cleaned(),
    postalCode: cleaned(),
    country: code,
  },
  { requiredKeys: ['city'] },
)
const line = fc.record({
  description: cleaned(),
  quantity: fc.integer({ min: 1, max: 1000 }),
  unitAmount: fc.integer({ min: -100_000, max: 10_000_000 }),
})
const set = (member: fc.Arbitrary<Json>) => fc.uniqueArray(member, { minLength: 1, maxLength: 5 })
const STAGES = { new: 'New', neu: 'New', won: 'Won', 'closed won': 'Won' }

/** Codec and the canonical values it must carry there and back. */
const EXACT: readonly (readonly [string, Codec, fc.Arbitrary<Json>])[] = [
  ['text', text(), cleaned()],
  ['text, null for empty', text({}, null), cleaned()],
  ['text of many lines', text({ multiline: true }), cleaned(true)],
  ['email', email(), address_],
  ['domain', domain(), domain_],
  ['phone', phone('US'), number],
  ['phone elsewhere', phone('DE'), number],
  ...DATE_FORMATS.map((format) => [`date ${format}`, date([format]), day] as const),
  ['date in ISO form', date(), day],
  ...MONTHDAY_FORMATS.map((format) => [`monthday ${format}`, monthday(format), monthDay] as const),
  ['instant', instant(), fc.integer({ min: 0, max: 4e12 })],
  ['instant in ms', instant({ unit: 'ms' }), fc.integer({ min: 0, max: 4e12 })],
  ['instant in s', instant({ unit: 's' }), fc.integer({ min: 0, max: 4e9 }).map((s) => s * 1000)],
  ['money as one text', money({}, DEFAULTS, false), amount],
  ['money with decimal commas', money({ decimal: ',' }, DEFAULTS, false), amount],
  ['money with decimal points', money({ decimal: '.' }, DEFAULTS, false), amount],
  ['money of one currency', money({ currency: 'KWD' }, DEFAULTS, false), amount],
  ['money in two parts', money({}, DEFAULTS, true), amount],
  ['money in minor units', money({ unit: 'minor' }, DEFAULTS, true), amount],
  ['country', country(), code],
  ['country as alpha-3', country('alpha3'), code],
  ['country by name', country('name'), code],
  ['picklist', picklist({ values: STAGES }), fc.constantFrom('New', 'Won', 'Something else')],
  ['strict picklist', picklist({ values: STAGES, unknown: 'invalid' }), fc.constantFrom('New', 'Won')],
  ['list of emails', list(email()), set(address_)],
  ['list of phones in one text', list(phone('US'), { separator: ';' }), set(number)],
  ['list of tags in one text', list(text(), { separator: ',' }), set(word)],
  ['list of tag objects', list(text(), { property: 'name' }), set(cleaned())],
  ['boolean', boolean(), fc.constantFrom('true', 'false')],
  ['boolean in words', boolean({ yes: 'Ja', no: 'Nein' }), fc.constantFrom('true', 'false')],
  ['address', address(), postal],
  ['address, alpha-3 country', address('alpha3', null), postal],
  ['lines', lines(), fc.array(line, { minLength: 1, maxLength: 4 })],
  [
    'lines with other names',
    lines({ description: 'd', quantity: 'q', unitAmount: 'u' }),
    fc.array(line, { minLength: 1 }),
  ],
  ['lines as text', lines({ as: 'text' }), fc.array(line, { minLength: 1, maxLength: 4 })],
  ['integer', integer(), fc.integer({ min: -2_147_483_647, max: 2_147_483_647 })],
]

/** What remotes might hold: sensible values, near misses and rubbish. */
const anything = fc.oneof(
  cleaned(),
  address_,
  number,
  day,
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.stringMatching(/^[-+(]?[€$]?[\d., ']{1,12}\)?( EUR)?$/),
  fc.stringMatching(/^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}$/),
  fc.stringMatching(/^[a-z.@ <>]{3,20}$/),
)

describe('an exact codec', () => {
  it.each(EXACT)('%s: reads back what it wrote', (_, codec, canonical) => {
    fc.assert(
      fc.property(canonical, (value) => {
        expect(codec.get(codec.put(value))).toEqual({ kind: 'value', value })
      }),
    )
  })

  it.each(EXACT)('%s: writes back what it read, up to the canonical form', (_, codec) => {
    fc.assert(
      fc.property(anything, (raw) => {
        const reading = codec.get(raw)
        if (reading.kind === 'absent') return true
        if (reading.kind === 'invalid') return /[.?]$/.test(reading.problem)
        return same(codec.get(codec.put(reading.value)), reading)
      }),
    )
  })

  it.each(EXACT)('%s: carries its own samples, and nothing', (_, codec) => {
    for (const value of codec.samples) expect(codec.get(codec.put(value))).toEqual({ kind: 'value', value })
    for (const empty of ['', ' ', null, []]) expect(codec.get(empty)).toEqual({ kind: 'value', value: null })
    expect(codec.get(codec.put(null))).toEqual({ kind: 'value', value: null })
  })
})

describe('the name codec', () => {
  const full = fc.oneof(
    fc
      .array(fc.constantFrom('Ann', 'van', 'der', 'Berg', 'de', 'la', 'Cruz', 'Jr.', 'Lee,', 'Van'), {
        maxLength: 6,
      })
      .map((w) => w.join(' ')),
    fc.string({ unit: 'grapheme', maxLength: 30 }),
  )
  const codec = name()

  it('loses at most once: reading what it wrote and writing that again changes nothing', () => {
    fc.assert(
      fc.property(full, (raw) => {
        const first = codec.get(raw)
        if (first.kind !== 'value') return true
        const written = codec.put(first.value)
        const second = codec.get(written)
        return second.kind === 'value' && same(codec.put(second.value), written)
      }),
    )
  })

  it.each([
    ['Ann Lee', 'Ann', 'Lee'],
    ['  Ann   Lee ', 'Ann', 'Lee'],
    ['Ludwig van Beethoven', 'Ludwig', 'van Beethoven'],
    ['Juan de la Cruz', 'Juan', 'de la Cruz'],
    ['Ursula von der Leyen', 'Ursula', 'von der Leyen'],
    ['Van Morrison', 'Van', 'Morrison'],
    ['van der Berg', null, 'van der Berg'],
    ['Mary Ann Smith', 'Mary Ann', 'Smith'],
    ['Smith, Mary Ann', 'Mary Ann', 'Smith'],
    ['Sammy Davis Jr.', 'Sammy', 'Davis Jr.'],
    ['Cher', 'Cher', null],
  ])('%s', (raw, givenName, familyName) => {
    expect(codec.get(raw)).toEqual({ kind: 'value', value: { givenName, familyName } })
  })
})
