import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editFacets, withoutMembers } from '../../src/core/facet-edit.ts'
import { isEmpty, same, type Json } from '../../src/core/json.ts'
import type { Fields, HubRecord, Provenances, RecordId } from '../../src/core/model.ts'
import { survive, type Facet, type Golden, type Survivorship } from '../../src/core/survivorship.ts'

const rule = fc.constantFrom<Survivorship['default']>(
  { kind: 'survivor' },
  { kind: 'newest' },
  { kind: 'oldest' },
  { kind: 'longest' },
  { kind: 'complete' },
  { kind: 'prefer', order: ['crm', 'user'] },
)
const rules = fc.record({
  default: rule,
  contact: fc.record({ jobTitle: rule, address: rule }),
  company: fc.constant({}),
})

const text = fc.constantFrom('A.', 'Ann', 'Anna', 'Bo', 'Lee', 'Lee-Smith', null)
const fields: fc.Arbitrary<Fields> = fc.record(
  {
    givenName: text,
    familyName: text,
    jobTitle: fc.constantFrom('CTO', 'Chief', null),
    companyName: fc.constantFrom('Acme', 'Acme Corporation', null),
    company: fc.constantFrom(70, 71, null),
    emails: fc.uniqueArray(fc.constantFrom('a@x.io', 'b@x.io', 'c@x.io', 'd@x.io')),
    address: fc.constantFrom<Json>({ city: 'Bonn' }, { city: 'Berlin', line1: 'Allee 1' }, null),
    'custom.shoe': fc.constantFrom('38', '39', null),
  },
  { requiredKeys: [] },
)
const provenance: fc.Arbitrary<Provenances> = fc
  .record({ '*': fc.nat(3), jobTitle: fc.nat(3), familyName: fc.nat(3), address: fc.nat(3) })
  .map((at) =>
    Object.fromEntries(
      Object.entries(at).map(([field, n]) => [
        field,
        { source: ['crm', 'user:ann', 'mail', 'csv'][n] ?? 'csv', at: n * 100, rule: 'created' },
      ]),
    ),
  )
const members = fc
  .array(fc.record({ fields, provenance }), { minLength: 1, maxLength: 5 })
  .map((all) => all.map((one, i): Facet => ({ id: i + 1, ...one, overruled: {} })))

const facet = (id: RecordId, said: Fields, at = 0, source = 'csv'): Facet => ({
  id,
  fields: said,
  provenance: { '*': { source, at, rule: 'created' } },
  overruled: {},
})
const isInitial = (short: Json | undefined, full: Json): boolean =>
  short === 'A.' && typeof full === 'string' && /^A\w/.test(full)
const of = (kind: Survivorship['default']): Survivorship => ({ default: kind, contact: {}, company: {} })
const golden = (kind: Survivorship['default'], ...all: readonly Facet[]): Fields =>
  survive('contact', all, all[0]?.id ?? 0, of(kind)).fields

describe('what members add up to', () => {
  test('does not depend on their order', () => {
    fc.assert(
      fc.property(members, rules, fc.infiniteStream(fc.nat()), (all, by, order) => {
        const shuffled = all
          .map((one) => ({ one, at: order.next().value }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ one }) => one)
        for (const root of all)
          expect(survive('contact', shuffled, root.id, by)).toEqual(survive('contact', all, root.id, by))
      }),
    )
  })

  test('does not depend on the order of merging either', () => {
    fc.assert(
      fc.property(members, rules, (all, by) => {
        const said = (facets: readonly Facet[], primary: Fields) =>
          survive('contact', facets, 1, by, primary).fields
        const oneByOne = all.reduce<Fields>(
          (fields, _, i) => said(all.slice(0, i + 1), fields),
          all[0]?.fields ?? {},
        )
        expect(said(all, all[0]?.fields ?? {})).toEqual(oneByOne)
      }),
    )
  })

  test('loses no value that nobody contradicts, and never lets an empty one win', () => {
    fc.assert(
      fc.property(members, rules, (all, by) => {
        const result = survive('contact', all, 1, by).fields
        for (const field of ['jobTitle', 'address', 'custom.shoe']) {
          const stated = all.map((one) => one.fields[field]).filter((value) => !isEmpty(value))
          expect(isEmpty(result[field])).toBe(stated.length === 0)
        }
        const addresses = new Set(all.flatMap((one) => [one.fields['emails'] ?? []].flat()))
        expect(new Set([result['emails'] ?? []].flat())).toEqual(addresses)
      }),
    )
  })

  test('takes what belongs together from one member, but for gaps and initials', () => {
    fc.assert(
      fc.property(members, rules, (all, by) => {
        const { givenName = null, familyName = null } = survive('contact', all, 1, by).fields
        if (isEmpty(givenName) || isEmpty(familyName)) return
        // "A. Lee" and "Ann L." are Ann Lee: nobody is contradicted, and somebody says each part in full.
        const fits = (said: Json | undefined, full: Json) =>
          isEmpty(said) || same(said, full) || isInitial(said, full)
        const plausible = all.some(({ fields }) => {
          const [given, family] = [fields['givenName'], fields['familyName']]
          const isSaid = same(given, givenName) || same(family, familyName)
          return isSaid && fits(given, givenName) && fits(family, familyName)
        })
        expect(plausible).toBe(true)
      }),
    )
  })

  test('follows the rule', () => {
    const a = facet(1, { jobTitle: 'CTO', address: { city: 'Bonn' } }, 10, 'csv')
    const b = facet(2, { jobTitle: 'Chief', address: { city: 'Bonn', line1: 'Weg 2' } }, 20, 'user:ann')
    expect(golden({ kind: 'survivor' }, a, b)['jobTitle']).toBe('CTO')
    expect(golden({ kind: 'newest' }, a, b)['jobTitle']).toBe('Chief')
    expect(golden({ kind: 'oldest' }, b, a)['jobTitle']).toBe('CTO')
    expect(golden({ kind: 'longest' }, a, b)['jobTitle']).toBe('Chief')
    expect(golden({ kind: 'complete' }, a, b)['address']).toEqual({ city: 'Bonn', line1: 'Weg 2' })
    expect(golden({ kind: 'prefer', order: ['user'] }, a, b)['jobTitle']).toBe('Chief')
    expect(golden({ kind: 'prefer', order: ['crm'] }, a, b)['jobTitle']).toBe('CTO')
  })

  test('says a name in full where one gives the initial only, and never mixes two people', () => {
    const short = facet(1, { givenName: 'A.', familyName: 'Lee' })
    expect(golden({ kind: 'survivor' }, short, facet(2, { givenName: 'Ann', familyName: 'Lee' }))).toEqual({
      givenName: 'Ann',
      familyName: 'Lee',
    })
    expect(golden({ kind: 'survivor' }, short, facet(2, { givenName: 'Ann', familyName: 'Ray' }))).toEqual({
      givenName: 'A.',
      familyName: 'Lee',
    })
    expect(
      golden(
        { kind: 'survivor' },
        facet(1, { familyName: 'Lee' }),
        facet(2, { givenName: 'Bo', familyName: 'Ray' }),
      ),
    ).toEqual({
      givenName: null,
      familyName: 'Lee',
    })
  })

  test('keeps the primary address of the survivor', () => {
    const a = facet(1, { emails: ['a@x.io', 'b@x.io'] })
    const b = facet(2, { emails: ['c@x.io'] })
    const kept = survive('contact', [b, a], 1, of({ kind: 'survivor' }), { emails: ['b@x.io'] })
    expect(kept.fields['emails']).toEqual(['b@x.io', 'a@x.io', 'c@x.io'])
  })
})

/** A merged record that is edited, and what its members say after that. */
type Merged = { members: readonly Facet[]; record: HubRecord }
const recordOf = ({ fields: said, provenance: says }: Golden, id: RecordId): HubRecord => ({
  id,
  kind: 'contact',
  version: 1,
  archived: false,
  fields: said,
  provenance: says,
})
const edits = fc.array(
  fc.record({
    set: fields.filter((one) => Object.keys(one).length > 0),
    by: fc.option(fc.integer({ min: 1, max: 5 })),
    source: fc.constantFrom('user:eve', 'crm', 'rule:x'),
  }),
  { maxLength: 6 },
)

function edited(
  { members: all, record }: Merged,
  set: Fields,
  by: RecordId | null,
  source: string,
  at: number,
): Merged {
  const told = Object.keys(set).map((field) => [field, { source, at, rule: 'edit' }] as const)
  const normal = Object.fromEntries(Object.entries(set).map(([f, v]) => [f, isEmpty(v) ? null : v]))
  const after: HubRecord = {
    ...record,
    fields: { ...record.fields, ...normal },
    provenance: { ...record.provenance, ...Object.fromEntries(told) },
  }
  const editor = all.some((one) => one.id === by) ? by : null
  const changed = new Map(
    editFacets('contact', all, 1, record, after, () => editor).map((one) => [one.id, one]),
  )
  return { members: all.map((one) => changed.get(one.id) ?? one), record: after }
}

/** Sets without order, but for the primary one; nothing and null alike. */
const comparable = (said: Fields): Fields =>
  Object.fromEntries(
    Object.entries(said)
      .filter(([, value]) => !isEmpty(value))
      .map(([field, value]) => [
        field,
        Array.isArray(value) ? [value[0], ...value.map(String).toSorted((a, b) => (a < b ? -1 : 1))] : value,
      ]),
  )

describe('an edited merged record', () => {
  test('is worked out as it stands, whatever was edited through whom', () => {
    fc.assert(
      fc.property(members, rules, edits, (all, by, steps) => {
        let state: Merged = { members: all, record: recordOf(survive('contact', all, 1, by), 1) }
        for (const [i, step] of steps.entries())
          state = edited(state, step.set, step.by, step.source, 1_000 + i)
        const again = survive('contact', state.members, 1, by, state.record.fields)
        expect(comparable(again.fields)).toEqual(comparable(state.record.fields))
      }),
      { numRuns: 1_000 },
    )
  })

  test('leaves, but for sets, what all others say who were not edited through', () => {
    const ownWords = ({ id, fields: said }: Facet) => ({
      id,
      said: Object.entries(said).filter(([field, value]) => field !== 'emails' && !isEmpty(value)),
    })
    fc.assert(
      fc.property(members, rules, edits, fc.nat(4), (all, by, steps, n) => {
        const leaver = all[n % all.length]?.id ?? 1
        let state: Merged = { members: all, record: recordOf(survive('contact', all, 1, by), 1) }
        for (const [i, step] of steps.entries())
          state = edited(state, step.set, leaver, step.source, 1_000 + i)
        const rest = withoutMembers(state.members, new Set([leaver]))
        expect(rest.map(ownWords)).toEqual(all.filter((one) => one.id !== leaver).map(ownWords))
        expect(rest.flatMap((one) => Object.values(one.overruled)).flat()).not.toContain(leaver)
      }),
    )
  })

  test('gives back what an edit of one that leaves has overruled', () => {
    const a = facet(1, { jobTitle: 'CTO' })
    const b = facet(2, { jobTitle: 'Chief' })
    const start: Merged = {
      members: [a, b],
      record: recordOf(survive('contact', [a, b], 1, of({ kind: 'survivor' })), 1),
    }
    const after = edited(start, { jobTitle: 'CEO' }, 2, 'crm', 5)
    expect(survive('contact', after.members, 1, of({ kind: 'survivor' })).fields['jobTitle']).toBe('CEO')
    const alone = withoutMembers(after.members, new Set([2]))
    expect(survive('contact', alone, 1, of({ kind: 'survivor' })).fields['jobTitle']).toBe('CTO')
  })
})
