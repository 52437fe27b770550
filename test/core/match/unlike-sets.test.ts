import { describe, expect, it } from 'vitest'
import { AT, ATTRIBUTES, MISSING } from '../../../src/core/match/attributes.ts'
import { compare } from '../../../src/core/match/compare.ts'
import { bundle } from '../../../src/core/match/em.ts'
import { blockingKeys, familyOf } from '../../../src/core/match/keys.ts'
import { blockedOf, learn, type BlockedPair } from '../../../src/core/match/learn.ts'
import { DEFAULT_MODELS, type Model } from '../../../src/core/match/model.ts'
import type { Prepared } from '../../../src/core/match/prepare.ts'
import { score } from '../../../src/core/match/score.ts'
import { countTerms } from '../../../src/core/match/terms.ts'
import type { Subject, Traits } from '../../../src/core/match/traits.ts'
import { seeded } from '../../../src/sandbox/seeded.ts'
import { FAMILY, GIVEN, pick, rareName } from '../../bench/identity/vocabulary.ts'
import { prepare } from './prepare.ts'

const person = (traits: Traits): Prepared => prepare('person', traits)

/** What is learned from records of which all pairs that share a key, and all pairs at random, are looked at. */
function learned(subject: Subject, all: readonly Traits[]): Model {
  const records = all.map((traits) => prepare(subject, traits))
  const keys = records.map(blockingKeys)
  const random = records.flatMap((a, i) => records.slice(0, i).map((b) => compare(a, b)))
  const blocked = records.flatMap((a, i) =>
    records.slice(0, i).flatMap((b, j): BlockedPair[] => {
      const agreement = compare(a, b)
      return (keys[i] ?? [])
        .filter((key) => keys[j]?.includes(key))
        .map((key, n) => ({ family: familyOf(key), agreement, first: n === 0 }))
    }),
  )
  return learn(subject, {
    records: records.length,
    random: bundle(random),
    blocked: blockedOf(blocked),
    share: 1,
    terms: countTerms(records),
  })
}
const probability = (model: Model, a: Traits, b: Traits): number =>
  score(model, prepare(model.subject, a), prepare(model.subject, b)).probability

const chance = seeded(41)
const born = (): string =>
  new Date(Date.UTC(1940, 0, 1 + Math.floor(chance() * 20_000))).toISOString().slice(0, 10)
const somebody = () => ({ givenName: pick(GIVEN, chance), familyName: rareName(chance), birthDate: born() })

describe('a set of one column', { timeout: 60_000 }, () => {
  it('has doubles where a value that hardly anybody has stands twice', () => {
    const emails = Array.from({ length: 500 }, (_, n) => `${rareName(chance)}${n}@mail${n % 40}.org`)
    const rows = [...emails, ...emails.slice(0, 200)].map((email) => ({ emails: [email] }))
    const model = learned('person', rows)
    const [email = ''] = emails
    expect(probability(model, { emails: [email] }, { emails: [email] })).toBeGreaterThan(0.8)
  })

  it('has none where many share a value', () => {
    const rows = Array.from({ length: 700 }, (_, n) => ({ emails: [`desk${n % 40}@mail.org`] }))
    const model = learned('person', rows)
    expect(probability(model, rows[0] ?? {}, rows[0] ?? {})).toBeLessThan(0.5)
  })
})

describe('names and birth dates alone', { timeout: 60_000 }, () => {
  it('take twins for two where hardly anybody stands twice', () => {
    const rows = Array.from({ length: 300 }, () => {
      const one = somebody()
      return [one, { ...one, givenName: pick(GIVEN, chance) }].filter(
        (row, n) => n === 0 || (row.givenName !== one.givenName && chance() < 0.3),
      )
    }).flat()
    const model = learned('person', rows)
    const one = { ...somebody(), givenName: 'Mary' }
    expect(probability(model, one, { ...one, givenName: 'Wolfgang' })).toBeLessThan(0.5)
  })

  it('take a first name that was written otherwise for one where many stand twice', () => {
    const rows = Array.from({ length: 300 }, (_, n) => {
      const one = somebody()
      return [one, { ...one, givenName: n % 15 === 0 ? pick(GIVEN, chance) : one.givenName }]
    }).flat()
    const model = learned('person', rows)
    const twins = model.bonds.map(({ u }) => u.birth?.[0] ?? 0)
    expect(Math.max(...twins)).toBeLessThanOrEqual(0.1)
    const one = { ...somebody(), givenName: 'Mary' }
    expect(probability(model, one, { ...one, givenName: 'Wolfgang' })).toBeGreaterThan(0.5)
  })
})

describe('families', { timeout: 60_000 }, () => {
  it('teach how much those share who are not one', () => {
    const rows = Array.from({ length: 150 }, (_, n) => {
      const home = {
        familyName: rareName(chance),
        street: `${n} ${rareName(chance)} Road`,
        phones: [`20794${10_000 + n}`],
      }
      return [0, 1, 2].map(() => ({ ...home, givenName: pick(GIVEN, chance), birthDate: born() }))
    }).flat()
    const household = learned('person', rows).bonds.find(({ name }) => name === 'household')
    const shipped = DEFAULT_MODELS.person.bonds.find(({ name }) => name === 'household')
    expect(household?.u.phone?.[0] ?? 0).toBeGreaterThan((shipped?.u.phone?.[0] ?? 1) + 0.1)
  })
})

describe('firms', { timeout: 60_000 }, () => {
  const firm = (organisation: string, domain: string): Traits => ({ organisation, domains: [domain] })

  it('of one name are not one because each has the domain of its name', () => {
    const level = (a: Traits, b: Traits) => compare(prepare('company', a), prepare('company', b))[AT.domain]
    expect(
      level(
        firm('Eastern Plumbing Ltd', 'easternplumbing.com'),
        firm('Eastern Plumbing', 'easternplumbing.de'),
      ),
    ).toBe(MISSING)
    expect(level(firm('Nordlicht', 'acme.com'), firm('Nordlicht GmbH', 'acme.de'))).toBe(1)
    expect(level(firm('Acme', 'acme.com'), firm('Acme', 'acme.com'))).toBe(0)
  })

  it('are less surely one where their name is made of words that many use', () => {
    const words = ['summit', 'pioneer', 'northern', 'royal', 'crown', 'golden', 'first', 'united']
    const trades = ['plumbing', 'bakery', 'legal', 'dental', 'printing', 'roofing', 'travel']
    const rows = Array.from({ length: 400 }, (_, n) => ({
      organisation:
        n < 120
          ? `${words[n % 8] ?? ''} ${trades[n % 7] ?? ''}`
          : `${rareName(chance)} ${pick(trades, chance)}`,
      city: rareName(chance),
    }))
    const model = learned('company', rows)
    const same = (organisation: string) => probability(model, { organisation }, { organisation })
    expect(same('summit plumbing')).toBeLessThan(same('zzyzx plumbing') / 2)
  })

  it('with one name and nothing else in common are not one, however many such there are', () => {
    const rows = Array.from({ length: 130 }, (_, n) => ({
      organisation: `${rareName(chance)} Works`,
      phones: [`20794${10_000 + n}`],
      street: `${n} ${rareName(chance)} Road`,
      postalCode: String(10_000 + n * 7),
      city: rareName(chance),
    })).flatMap((one, n) => [
      one,
      {
        ...one,
        phones: [`30794${10_000 + n}`],
        street: `${n + 3} ${rareName(chance)} Lane`,
        postalCode: String(60_000 + n * 7),
        city: rareName(chance),
      },
    ])
    const { m } = learned('company', rows)
    for (const name of ['phone', 'street', 'postalCode', 'city'] as const)
      expect(m[name].at(-1) ?? 1).toBeLessThanOrEqual(0.51)
  })
})

describe('what forms insist on', () => {
  it('is no evidence', () => {
    const nobody: Traits = {
      birthDate: '1900-01-01',
      emails: ['none@none.com', 'no.reply@acme.com'],
      phones: ['0000000000', '1234567890'],
      houseNumber: '0',
      postalCode: '00000',
      city: 'unbekannt',
    }
    expect(compare(person(nobody), person(nobody)).every((level) => level === MISSING)).toBe(true)
    expect(person({ emails: ['ann.none@acme.com'], birthDate: '1900-01-02' })).toMatchObject({
      emails: ['ann.none@acme.com'],
      birth: '19000102',
    })
  })
})

describe('records that state little', () => {
  const meet = (a: Traits, b: Traits): boolean => {
    const others = blockingKeys(person(b))
    return blockingKeys(person(a)).some((key) => others.includes(key))
  }

  it.each<[string, Traits, Traits]>([
    [
      'a slip that changes the sound',
      { givenName: 'Ann', familyName: 'Peterson' },
      { givenName: 'Ann', familyName: 'Peterlon' },
    ],
    [
      'a wrong first letter of both',
      { givenName: 'Bertha', familyName: 'Hollins' },
      { givenName: 'Hertha', familyName: 'Rollins' },
    ],
    [
      'another surname in one town',
      { givenName: 'Ann', familyName: 'Lee', city: 'Leeds' },
      { givenName: 'Ann', familyName: 'Hall', city: 'Leeds' },
    ],
    [
      'another day of one year',
      { familyName: 'Hall', birthDate: '1970-01-31' },
      { familyName: 'Hall', birthDate: '1970-04-13' },
    ],
  ])('meet in spite of %s', (_, a, b) => {
    expect(meet(a, b)).toBe(true)
  })

  it('have keys that those who state more do without', () => {
    const keys = blockingKeys(
      person({ givenName: 'Ann', familyName: FAMILY[0] ?? '', emails: ['a.b@acme.com'] }),
    )
    expect(keys.filter((key) => ['v', 'x', 'y'].includes(familyOf(key)))).toEqual([])
  })
})

describe('names with numbers', () => {
  const levels = (a: Traits, b: Traits) => compare(person(a), person(b))

  it('are others where the numbers are, however alike the rest is', () => {
    const one = { givenName: 'Guest', familyName: 'No. 1', organisation: 'Studio 54' }
    const two = { givenName: 'Guest', familyName: 'No. 2', organisation: 'Studio 55' }
    expect(levels(one, two)[AT.family]).toBe(ATTRIBUTES.family.levels.indexOf('differs'))
    expect(levels(one, two)[AT.organisation]).toBe(ATTRIBUTES.organisation.levels.indexOf('differs'))
  })

  it('are slips of one another where one number is a letter that was read wrongly', () => {
    expect(levels({ familyName: 'Sm1thson' }, { familyName: 'Smithson' })[AT.family]).toBe(1)
  })
})
