import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { ATTRIBUTE_NAMES, ATTRIBUTES, type Agreement } from '../../../src/core/match/attributes.ts'
import { compare } from '../../../src/core/match/compare.ts'
import { bundle, fitMatches } from '../../../src/core/match/em.ts'
import { groups, speakAgainst, type Pair } from '../../../src/core/match/groups.ts'
import { blockingKeys, familyOf } from '../../../src/core/match/keys.ts'
import {
  blockedOf,
  FEWEST_RECORDS,
  learn,
  type BlockedPair,
  type Training,
} from '../../../src/core/match/learn.ts'
import { DEFAULT_MODELS, forRecords } from '../../../src/core/match/model.ts'
import type { Prepared } from '../../../src/core/match/prepare.ts'
import { score } from '../../../src/core/match/score.ts'
import { countTerms } from '../../../src/core/match/terms.ts'
import { seeded } from '../../../src/sandbox/seeded.ts'
import { madePeople } from '../../bench/identity/made-people.ts'
import { rareName } from '../../bench/identity/vocabulary.ts'
import { prepare } from './prepare.ts'

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

type Pairs = { readonly random: readonly Agreement[]; readonly blocked: readonly BlockedPair[] }

function pairsOf(records: readonly Prepared[]): Pairs {
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
  return { random, blocked }
}

const trainingOf = (records: readonly Prepared[], { random, blocked }: Pairs): Training => ({
  records: records.length,
  random: bundle(random),
  blocked: blockedOf(blocked),
  share: 1,
  terms: countTerms(records),
})

describe('learning without labels', { timeout: 60_000 }, () => {
  let training: Training
  let pairs: Pairs
  beforeAll(() => {
    const records = recordsOf(600, 30)
    pairs = pairsOf(records)
    training = trainingOf(records, pairs)
  })

  it('gives the same model for the same pairs, in whatever order', () => {
    const shuffled = {
      ...training,
      random: bundle(pairs.random.toReversed()),
      blocked: blockedOf(pairs.blocked.toReversed()),
    }
    const [one, two] = [learn('person', training), learn('person', shuffled)]
    expect(JSON.parse(JSON.stringify(one))).toEqual(one)
    for (const name of ['given', 'birth', 'phone', 'city'] as const)
      one.m[name].forEach((chance, level) => expect(two.m[name][level]).toBeCloseTo(chance, 6))
    expect(two.prior).toBeCloseTo(one.prior, 9)
  })

  it('never makes what it saw less likely from one round to the next', () => {
    const { objective } = fitMatches(
      forRecords(DEFAULT_MODELS.person, training.records),
      training.blocked.sessions,
    )
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
    const expected = model.prior * ((training.records * (training.records - 1)) / 2)
    expect(expected).toBeGreaterThan(100)
    expect(expected).toBeLessThan(800)
  })

  it('does not learn from a set of families that one person has several first names', () => {
    const records = recordsOf(600, 0)
    const model = learn('person', trainingOf(records, pairsOf(records)))
    expect(model.m.given.at(-1) ?? 1).toBeLessThanOrEqual(0.13)
    expect(model.prior * ((600 * 599) / 2)).toBeLessThan(30)
  })

  it('does not learn from firms in one building that a firm has several names', () => {
    const chance = seeded(29)
    const records = Array.from({ length: 300 }, (_, n) =>
      prepare('company', {
        organisation: `${rareName(chance)} Works`,
        street: `${Math.floor(n / 2)} High Street`,
        postalCode: String(10_000 + Math.floor(n / 2)),
        city: 'Leeds',
      }),
    )
    const model = learn('company', trainingOf(records, pairsOf(records)))
    expect(model.m.organisation.at(-1) ?? 1).toBeLessThan(0.07)
    const [a, b] = [records[0], records[1]]
    if (a === undefined || b === undefined) throw new Error('no records')
    expect(score(model, a, b).probability).toBeLessThan(0.5)
  })

  it('counts patterns as they are, in whatever order, and every level of every attribute', () => {
    const agreement = fc.tuple(
      ...ATTRIBUTE_NAMES.map((name) => fc.integer({ min: -1, max: ATTRIBUTES[name].levels.length - 1 })),
    )
    fc.assert(
      fc.property(fc.array(agreement, { maxLength: 20 }), (agreements) => {
        const patterns = bundle([...agreements, ...agreements.slice(0, 3)])
        expect(patterns).toEqual(bundle([...agreements.slice(0, 3), ...agreements.toReversed()]))
        expect(patterns.reduce((sum, { count }) => sum + count, 0)).toBe(
          agreements.length + Math.min(3, agreements.length),
        )
        const told = new Set(patterns.map(({ levels }) => levels.join()))
        expect(told).toEqual(new Set(agreements.map((levels) => levels.join())))
      }),
    )
  })

  it('leaves small sets to the shipped figures', () => {
    const records = FEWEST_RECORDS - 1
    const model = learn('person', { ...training, records })
    expect(model).toEqual(forRecords(DEFAULT_MODELS.person, records))
    expect(learn('person', { ...training, blocked: blockedOf([]) }).learned).toBeNull()
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
