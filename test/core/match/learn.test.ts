import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { compare } from '../../../src/core/match/compare.ts'
import { bundle, fitMatches, type Session } from '../../../src/core/match/em.ts'
import { groups, speakAgainst, type Pair } from '../../../src/core/match/groups.ts'
import { blockingKeys, familyOf, KEY_FAMILIES } from '../../../src/core/match/keys.ts'
import { FEWEST_RECORDS, learn, type BlockedPair, type Training } from '../../../src/core/match/learn.ts'
import { DEFAULT_MODELS, forRecords } from '../../../src/core/match/model.ts'
import { prepare, type Prepared } from '../../../src/core/match/prepare.ts'
import { countTerms } from '../../../src/core/match/terms.ts'
import { seeded } from '../../../src/sandbox/seeded.ts'
import { madePeople } from '../../bench/identity/made-people.ts'

function recordsOf(rows: number, duplicates: number): readonly Prepared[] {
  return [...madePeople(rows, duplicates, seeded(17))].map((row) =>
    prepare('person', {
      givenName: row.first_name,
      familyName: row.last_name,
      emails: [row.email],
      phones: [row.phone],
      street: row.address_1,
      city: row.city,
      postalCode: row.zip,
      birthDate: row.date_of_birth,
    }),
  )
}

function trainingOf(records: readonly Prepared[]): Training {
  const chance = seeded(23)
  const keys = records.map(blockingKeys)
  const blocked: BlockedPair[] = []
  for (let i = 0; i < records.length; i++) {
    for (let j = i + 1; j < records.length; j++) {
      const shared = (keys[i] ?? []).filter((key) => keys[j]?.includes(key))
      const [a, b] = [records[i], records[j]]
      if (shared.length === 0 || a === undefined || b === undefined) continue
      const agreement = compare(a, b)
      shared.forEach((key, n) => blocked.push({ family: familyOf(key), agreement, first: n === 0 }))
    }
  }
  const random = Array.from({ length: 20_000 }, () => {
    const [a, b] = [
      records[Math.floor(chance() * records.length)],
      records[Math.floor(chance() * records.length)],
    ]
    return a === undefined || b === undefined || a === b ? [] : [compare(a, b)]
  }).flat()
  return { records: records.length, random, blocked, share: 1, terms: countTerms(records) }
}

describe('learning without labels', { timeout: 60_000 }, () => {
  let training: Training
  beforeAll(() => {
    training = trainingOf(recordsOf(600, 30))
  })

  it('gives the same model for the same pairs, in whatever order', () => {
    const shuffled = {
      ...training,
      random: training.random.toReversed(),
      blocked: training.blocked.toReversed(),
    }
    const [one, two] = [learn('person', training), learn('person', shuffled)]
    expect(JSON.parse(JSON.stringify(one))).toEqual(one)
    for (const name of ['given', 'birth', 'phone', 'city'] as const)
      one.m[name].forEach((chance, level) => expect(two.m[name][level]).toBeCloseTo(chance, 6))
    expect(two.prior).toBeCloseTo(one.prior, 9)
  })

  it('never makes what it saw less likely from one round to the next', () => {
    const sessions: Session[] = [...new Set(training.blocked.map(({ family }) => family))].map((family) => ({
      patterns: bundle(
        training.blocked.filter((pair) => pair.family === family).map(({ agreement }) => agreement),
      ),
      consumed: KEY_FAMILIES[family],
    }))
    const { objective } = fitMatches(forRecords(DEFAULT_MODELS.person, training.records), sessions)
    expect(objective.length).toBeGreaterThan(3)
    for (let i = 1; i < objective.length; i++)
      expect(objective[i] ?? 0).toBeGreaterThanOrEqual(
        (objective[i - 1] ?? 0) - 1e-6 * Math.abs(objective[i - 1] ?? 0),
      )
  })

  it('keeps better levels the better evidence', () => {
    const { m, u } = learn('person', training)
    for (const name of [
      'given',
      'family',
      'birth',
      'email',
      'phone',
      'street',
      'postalCode',
      'city',
    ] as const) {
      const ratios = m[name].map((chance, level) => Math.log2(chance / (u[name][level] ?? 1)))
      ratios.slice(1).forEach((ratio, i) => expect(ratio).toBeLessThanOrEqual((ratios[i] ?? 0) + 1e-9))
    }
  })

  it('finds about as many duplicates as there are', () => {
    const model = learn('person', training)
    const pairs = model.prior * ((training.records * (training.records - 1)) / 2)
    expect(pairs).toBeGreaterThan(100)
    expect(pairs).toBeLessThan(800)
  })

  it('does not learn from a set of families that one person has several first names', () => {
    const model = learn('person', trainingOf(recordsOf(600, 0)))
    expect(model.m.given.at(-1) ?? 1).toBeLessThanOrEqual(0.13)
    expect(model.prior * ((600 * 599) / 2)).toBeLessThan(30)
  })

  it('leaves small sets to the shipped figures', () => {
    const records = FEWEST_RECORDS - 1
    const model = learn('person', { ...training, records })
    expect(model).toEqual(forRecords(DEFAULT_MODELS.person, records))
    expect(learn('person', { ...training, blocked: [] }).learned).toBeNull()
  })
})

describe('groups', () => {
  const never = () => false
  const pairs = fc.array(
    fc.record({
      a: fc.integer({ min: 1, max: 12 }),
      b: fc.integer({ min: 1, max: 12 }),
      weight: fc.integer({ min: -5, max: 15 }),
    }),
    { maxLength: 40 },
  )
  const between = (all: readonly Pair<number>[]) => (a: number, b: number) =>
    all.find((pair) => (pair.a === a && pair.b === b) || (pair.a === b && pair.b === a))?.weight

  it('do not depend on the order of pairs, nor on which side of a pair somebody stands', () => {
    fc.assert(
      fc.property(pairs, (all) => {
        const turned = all.toReversed().map(({ a, b, weight }) => ({ a: b, b: a, weight }))
        expect(groups(turned, 2, never)).toEqual(groups(all, 2, never))
      }),
    )
  })

  it('never hold anybody twice, nor anybody alone', () => {
    fc.assert(
      fc.property(pairs, (all) => {
        const found = groups(all, 2, speakAgainst(between(all)))
        const ids = found.flat()
        expect(new Set(ids).size).toBe(ids.length)
        for (const group of found) expect(group.length).toBeGreaterThan(1)
      }),
    )
  })

  it('take ten people in a chain of weak links for what they are', () => {
    const chain = Array.from({ length: 9 }, (_, i) => ({ a: i, b: i + 1, weight: 3 }))
    const weight = (a: number, b: number) => (Math.abs(a - b) === 1 ? 3 : -10)
    expect(groups(chain, 2, never)).toHaveLength(1)
    const found = groups(chain, 2, speakAgainst(weight))
    expect(Math.max(...found.map((group) => group.length))).toBeLessThanOrEqual(3)
  })

  it('keep a strong pair together whatever a third one says', () => {
    const found = groups(
      [
        { a: 1, b: 2, weight: 12 },
        { a: 2, b: 3, weight: 4 },
      ],
      2,
      speakAgainst((a, b) => (a + b === 4 ? -20 : 4)),
    )
    expect(found).toEqual([[1, 2]])
  })
})
