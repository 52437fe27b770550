import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ATTRIBUTE_NAMES, ATTRIBUTES, AT, MISSING } from '../../../src/core/match/attributes.ts'
import { compare } from '../../../src/core/match/compare.ts'
import { evidenceText } from '../../../src/core/match/evidence.ts'
import { blockingKeys, familyOf } from '../../../src/core/match/keys.ts'
import { DEFAULT_MODELS, forRecords } from '../../../src/core/match/model.ts'
import type { Prepared } from '../../../src/core/match/prepare.ts'
import { score, weigh } from '../../../src/core/match/score.ts'
import { traitsOf, type Traits } from '../../../src/core/match/traits.ts'
import { prepared, subject } from './arbitrary.ts'
import { prepare } from './prepare.ts'

const person = (traits: Traits): Prepared => prepare('person', traits)
const model = forRecords(DEFAULT_MODELS.person, 1_000)
const probability = (a: Traits, b: Traits): number => score(model, person(a), person(b)).probability
const why = (a: Traits, b: Traits): string => evidenceText(score(model, person(a), person(b)))

describe('a score', () => {
  it('is the same both ways round', () => {
    fc.assert(
      fc.property(
        subject.chain((kind) => fc.tuple(prepared(kind), prepared(kind))),
        ([a, b]) => {
          expect(compare(a, b)).toEqual(compare(b, a))
          const one = score(DEFAULT_MODELS[a.subject], a, b)
          const two = score(DEFAULT_MODELS[a.subject], b, a)
          expect(one.weight).toBeCloseTo(two.weight, 9)
          expect(evidenceText(one)).toBe(evidenceText(two))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('is the same both ways round where values are common, also of swapped names', () => {
    const terms = {
      given: { listed: { thomas: 0.1 }, rest: 0.001 },
      family: { listed: { thomas: 0.002, gabriel: 0.04 }, rest: 0.003 },
    }
    const trained = { ...model, terms }
    const [a, b] = [
      person({ givenName: 'Thomas', familyName: 'Gabriel' }),
      person({ givenName: 'Gabriel', familyName: 'Thomas' }),
    ]
    expect(score(trained, a, b).weight).toBeCloseTo(score(trained, b, a).weight, 9)
  })

  it('never falls when one attribute agrees better', () => {
    const level = (name: (typeof ATTRIBUTE_NAMES)[number]) =>
      fc.integer({ min: MISSING, max: ATTRIBUTES[name].levels.length - 1 })
    const agreement = fc.tuple(...ATTRIBUTE_NAMES.map(level))
    const nobody = person({})
    fc.assert(
      fc.property(agreement, fc.constantFrom(...ATTRIBUTE_NAMES), (levels, name) => {
        const at = AT[name]
        const weights = ATTRIBUTES[name].levels.map(
          (_, better) => weigh(model, levels.with(at, better), nobody, nobody).weight,
        )
        for (let i = 1; i < weights.length; i++)
          expect(weights[i - 1] ?? 0).toBeGreaterThanOrEqual((weights[i] ?? 0) - 1e-9)
      }),
      { numRuns: 400 },
    )
  })

  it('does not mind what nobody states', () => {
    expect(
      compare(person({}), person({ givenName: 'Ann', city: 'Leeds' })).every((level) => level === MISSING),
    ).toBe(true)
    expect(probability({ familyName: 'Lee' }, { familyName: 'Lee', phones: ['2125550100'] })).toBe(
      probability({ familyName: 'Lee' }, { familyName: 'Lee' }),
    )
  })

  it('takes "N/A", "unknown" and blanks for nothing', () => {
    const blank = compare(
      person({ givenName: 'N/A', city: 'unknown', birthDate: ' ' }),
      person({ givenName: 'N/A', city: 'unknown', birthDate: '' }),
    )
    expect(blank.every((level) => level === MISSING)).toBe(true)
  })

  it('says why in words', () => {
    const text = why(
      { givenName: 'Ann', familyName: 'Petersen', phones: ['+1 212 555 0100'], organisation: 'Acme Inc' },
      {
        givenName: 'Ann',
        familyName: 'Peterson',
        phones: ['(212) 555-0100'],
        organisation: 'Nordlicht GmbH',
      },
    )
    expect(text).toMatch(/^same phone; /)
    expect(text).toContain('surname 0.9')
    expect(text).toMatch(/company differs$/)
  })

  it.each<[string, Traits, Traits]>([
    [
      'a nickname',
      { givenName: 'Bob', familyName: 'Szczepański', emails: ['bob@x.org'] },
      { givenName: 'Robert', familyName: 'Szczepanski', emails: ['bob@x.org'] },
    ],
    [
      'swapped names',
      { givenName: 'Hall', familyName: 'Isla', birthDate: '1985-02-07' },
      { givenName: 'Isla', familyName: 'Hall', birthDate: '1985-02-07' },
    ],
    [
      'a particle',
      { givenName: 'Jan', familyName: 'van der Berg', birthDate: '1985-02-07' },
      { givenName: 'Jan', familyName: 'Berg', birthDate: '07/02/1985' },
    ],
    [
      'a whole name in one field',
      { fullName: 'Dr. Ann Lee', phones: ['2125550100'] },
      { fullName: 'Lee, Ann', phones: ['+1 (212) 555-0100'] },
    ],
    [
      'a wrong blank',
      { givenName: 'ja ck', familyName: 'Matthews', birthDate: '19081119' },
      { givenName: 'Jack', familyName: 'Matthews', birthDate: '19081119' },
    ],
    [
      'an address in one line',
      { familyName: 'Kowalski', givenName: 'Ewa', street: 'Hauptstr. 5', postalCode: '10115' },
      {
        familyName: 'Kowalski',
        givenName: 'Ewa',
        street: 'Hauptstraße',
        houseNumber: '5',
        postalCode: '10115',
      },
    ],
  ])('sees through %s', (_, a, b) => {
    expect(probability(a, b)).toBeGreaterThan(0.9)
  })

  it('does not take two of one family for one', () => {
    const home = {
      familyName: 'Okafor',
      street: '12 Main Street',
      city: 'Leeds',
      postalCode: 'LS1 4AP',
      phones: ['2079460000'],
    }
    expect(probability({ ...home, givenName: 'Chidi' }, { ...home, givenName: 'Adaeze' })).toBeLessThan(0.5)
  })

  it('does not take two colleagues for one', () => {
    const firm = {
      organisation: 'Acme',
      domains: ['acme.com'],
      phones: ['2079460000'],
      city: 'Leeds',
      postalCode: 'LS1 4AP',
    }
    expect(
      probability(
        { ...firm, givenName: 'Ann', familyName: 'Lee' },
        { ...firm, givenName: 'Tom', familyName: 'Baker' },
      ),
    ).toBeLessThan(0.1)
  })

  it('does not count a city again that the postal code told', () => {
    const weight = (a: Traits, b: Traits) => score(model, person(a), person(b)).weight
    const code = { familyName: 'Lee', postalCode: '62701' }
    const both = { ...code, city: 'Springfield' }
    expect(weight(both, both) - weight(code, code)).toBeLessThan(0.5)
  })

  it('does not count an address before the @ that the names are the source of', () => {
    const at = (domain: string): Traits => ({
      givenName: 'Ann',
      familyName: 'Lee',
      emails: [`ann.lee@${domain}`],
    })
    expect(why(at('acme.com'), at('nordlicht.de'))).not.toContain('email')
  })
})

describe('blocking keys', () => {
  it('are short, sorted, without repeats, and of a known family', () => {
    fc.assert(
      fc.property(subject.chain(prepared), (record) => {
        const keys = blockingKeys(record)
        expect(keys).toEqual([...new Set(keys)].toSorted())
        for (const key of keys) {
          expect(key.length).toBeLessThanOrEqual(40)
          familyOf(key)
        }
        const stored: Prepared = JSON.parse(JSON.stringify(record))
        expect(blockingKeys(stored)).toEqual(keys)
      }),
    )
  })

  it.each<[string, Traits, Traits]>([
    [
      'a slip in the surname',
      { givenName: 'Ann', familyName: 'Peterson', birthDate: '1970-01-31' },
      { givenName: 'Ann', familyName: 'Xeterson', birthDate: '1970-01-31' },
    ],
    ['swapped names', { givenName: 'Isla', familyName: 'Hall' }, { givenName: 'Hall', familyName: 'Isla' }],
    [
      'a slip in a name that is short for another',
      { givenName: 'Lisa', familyName: 'Hall' },
      { givenName: 'Llisa', familyName: 'Hall' },
    ],
    ['a nickname', { givenName: 'Bob', familyName: 'Hall' }, { givenName: 'Robert', familyName: 'Hall' }],
    [
      'another phone',
      { familyName: 'Hall', givenName: 'Ann', phones: ['2125550100'] },
      { familyName: 'Hall', givenName: 'Anna', phones: ['2125550199'] },
    ],
  ])('meet in spite of %s', (_, a, b) => {
    const others = blockingKeys(person(b))
    expect(blockingKeys(person(a)).some((key) => others.includes(key))).toBe(true)
  })
})

describe('two people who are easily taken for one', () => {
  const level = (name: 'given' | 'email' | 'domain' | 'nameOrder', a: Traits, b: Traits) =>
    compare(person(a), person(b))[AT[name]]

  it('share no domain because both end in more than three letters', () => {
    const of = (email: string): Traits => ({ emails: [email] })
    expect(level('domain', of('ann@birchlake.example'), of('bea@oakmill.example'))).toBe(2)
    expect(level('domain', of('ann@birchlake.shop'), of('bea@oakmill.shop'))).toBe(2)
    expect(level('domain', of('ann@birchlake.shop'), of('bea@birchlake.co.uk'))).toBe(1)
    expect(level('domain', of('ann@mail.birchlake.com'), of('bea@birchlake.info'))).toBe(1)
  })

  it('have no slip in an address that follows from their names; one person of one name has', () => {
    const sam = { givenName: 'Sam', familyName: 'Lee-Hart', emails: ['s.leehart@acme.com'] }
    const ida = { givenName: 'Ida', familyName: 'Lee-Hart', emails: ['i.leehart@acme.com'] }
    expect(level('email', sam, ida)).toBe(MISSING)
    expect(level('email', sam, { ...sam, emails: ['s.leheart@acme.com'] })).toBe(1)
  })

  it('have two names that people have, though a letter apart', () => {
    const levels: readonly string[] = ATTRIBUTES.given.levels
    const told = (a: string, b: string) => levels[level('given', { givenName: a }, { givenName: b }) ?? -1]
    expect(told('Mary', 'Gary')).toBe('similar')
    expect(told('Mark', 'Mary')).toBe('similar')
    expect(told('Mary', 'Mafy')).toBe('slip')
    expect(told('Steven', 'Stephen')).toBe('nickname')
  })

  it('have names that many have, where a slip would have made one that nobody has', () => {
    const terms = { family: { listed: { hansen: 0.01, jansen: 0.008 }, rest: 0.0001 } }
    const trained = { ...model, terms }
    const weight = (a: string, b: string) =>
      score(trained, person({ familyName: a }), person({ familyName: b })).weight
    expect(weight('Hansen', 'Jansen')).toBeLessThan(weight('Hansen', 'Hanzen') - 4)
    expect(weight('Hansen', 'Jansen')).toBeCloseTo(weight('Jansen', 'Hansen'), 9)
  })

  it('are not told apart by which name is first where one of them states one name only', () => {
    expect(level('nameOrder', { givenName: 'Barbingetti' }, { familyName: 'Barbingetti' })).toBe(MISSING)
  })
})

describe('the traits of a hub record', () => {
  it('are its fields', () => {
    const address = { line1: '1 High St', city: 'Leeds', postalCode: 'LS1', country: 'GB' }
    expect(
      traitsOf('contact', {
        givenName: 'Ann',
        emails: ['a@b.co'],
        companyName: 'Acme',
        address,
        familyName: null,
      }),
    ).toEqual({
      givenName: 'Ann',
      emails: ['a@b.co'],
      organisation: 'Acme',
      street: '1 High St',
      city: 'Leeds',
      postalCode: 'LS1',
      country: 'GB',
    })
    expect(traitsOf('company', { name: 'Acme', domains: [] })).toEqual({ organisation: 'Acme' })
  })

  it('takes no provider of mailboxes for an employer, neither large nor small', () => {
    const emails = ['ada@gmail.com', 'ada@posteo.de', 'ada@fastmail.com', 'ada@example.com', 'ada@acme.com']
    expect(person({ emails }).domains).toEqual(['acme.com'])
  })
})
