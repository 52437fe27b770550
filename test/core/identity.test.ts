import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keysOf, matchByKeys, type Candidate, type KeyKind } from '../../src/core/identity.ts'

const family = fc.constantFrom(null, 'Smith', 'smith', 'Müller', 'Muller')
const fields = fc.record({ givenName: fc.constantFrom(null, 'Ann', 'Bob'), familyName: family })
const candidate: fc.Arbitrary<Candidate> = fc.record({
  id: fc.integer({ min: 1, max: 4 }),
  key: fc.record({
    kind: fc.constantFrom<KeyKind>('email', 'phone', 'domain'),
    value: fc.constantFrom('k1', 'k2', 'k3'),
  }),
  fields,
})
const order = fc.shuffledSubarray<KeyKind>(['email', 'phone', 'domain'], { minLength: 1 })
const email = (id: number, value = 'ann@x.io'): Candidate => ({
  id,
  key: { kind: 'email', value },
  fields: {},
})
const phone = (id: number, familyName: string | null, givenName: string | null = null): Candidate => ({
  id,
  key: { kind: 'phone', value: '+4930123' },
  fields: { familyName, givenName },
})

test('the match does not depend on the order of the candidates', () => {
  const shuffled = fc
    .array(candidate, { maxLength: 8 })
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
  fc.assert(
    fc.property(fields, shuffled, order, (fields, [all, other], order) => {
      expect(matchByKeys(fields, other, order)).toEqual(matchByKeys(fields, all, order))
    }),
    { numRuns: 1_000 },
  )
})

test('a strong key decides against any phone, even one that is listed first', () => {
  const ann = { givenName: 'Ann', familyName: 'Smith' }
  const found = matchByKeys(ann, [phone(1, 'Smith'), email(2)], ['phone', 'email'])
  expect(found).toMatchObject({ kind: 'several', id: 2, by: { kind: 'email' }, others: [1] })
})

test('a strong key decides even where the names differ, as after a marriage', () => {
  const found = matchByKeys(
    { familyName: 'Jones' },
    [{ ...email(2), fields: { familyName: 'Smith' } }],
    ['email'],
  )
  expect(found).toMatchObject({ kind: 'match', id: 2 })
})

test('keys of a kind the stream does not match by are not looked at', () => {
  expect(matchByKeys({}, [email(2)], ['phone'])).toEqual({ kind: 'none' })
})

test('a switchboard does not melt two people into one', () => {
  const ann = { givenName: 'Ann', familyName: 'Smith' }
  expect(matchByKeys(ann, [phone(1, 'Jones')], ['phone'])).toEqual({ kind: 'none' })
  expect(matchByKeys(ann, [phone(1, 'Smith', 'Bob')], ['phone'])).toEqual({ kind: 'none' })
  expect(matchByKeys(ann, [phone(1, null, 'Ann')], ['phone'])).toEqual({ kind: 'none' })
  expect(matchByKeys(ann, [phone(1, 'SMITH ', 'ann')], ['phone'])).toMatchObject({ kind: 'match', id: 1 })
})

test('two who fit one phone and one name are not guessed between', () => {
  expect(matchByKeys({ familyName: 'Smith' }, [phone(1, 'Smith'), phone(2, 'Smith')], ['phone'])).toEqual({
    kind: 'none',
  })
})

test('two emails that lead to two records name both', () => {
  const found = matchByKeys({}, [email(7, 'b@x.io'), email(3, 'a@x.io')], ['email'])
  expect(found).toMatchObject({ kind: 'several', id: 3, others: [7] })
})

test('contacts are found by email and phone, companies by domain and phone, deals by neither', () => {
  const fields = { emails: ['a@x.io'], phones: ['+4930123'], domains: ['x.io'] }
  expect(keysOf('contact', fields).map((key) => key.kind)).toEqual(['email', 'phone'])
  expect(keysOf('company', fields).map((key) => key.kind)).toEqual(['domain', 'phone'])
  expect(keysOf('deal', fields)).toEqual([])
})
