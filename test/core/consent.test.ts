import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  consentToSend,
  effectiveConsent,
  statementFrom,
  strictest,
  type ConsentState,
  type Statement,
} from '../../src/core/consent.ts'

const state = fc.constantFrom<ConsentState>('in', 'out', 'pending', 'unknown')
const statement: fc.Arbitrary<Statement> = fc.record({
  address: fc.constant('ann@x.io'),
  channel: fc.constant('email'),
  audience: fc.constant('news'),
  state,
  at: fc.integer({ min: 0, max: 5 }),
  explicit: fc.boolean(),
  source: fc.constantFrom('mail', 'crm'),
  reason: fc.constant(null),
})
const where = { channel: 'email', audience: 'news', source: 'mail' }
const STRICTNESS: readonly ConsentState[] = ['unknown', 'in', 'pending', 'out']
const strictness = (state: ConsentState) => STRICTNESS.indexOf(state)

test('statements add up to the same consent in every order, and repeating them changes nothing', () => {
  const shuffled = fc
    .array(statement)
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
  fc.assert(
    fc.property(shuffled, ([all, other]) => {
      expect(effectiveConsent(other)).toBe(effectiveConsent(all))
      expect(effectiveConsent([...all, ...other])).toBe(effectiveConsent(all))
    }),
  )
})

test('only an explicit opt-in later than every opt-out ends one', () => {
  fc.assert(
    fc.property(fc.array(statement), statement, (ledger, next) => {
      const before = effectiveConsent(ledger)
      const after = effectiveConsent([...ledger, next])
      const optsIn = next.state === 'in' && next.explicit
      const newest = ledger.every((s) => s.state !== 'out' || s.at < next.at)
      expect(optsIn || strictness(after) >= strictness(before)).toBe(true)
      expect(before !== 'out' || after === 'out' || (optsIn && newest)).toBe(true)
    }),
  )
})

test('an opt-out later than everything is always final', () => {
  fc.assert(
    fc.property(fc.array(statement), statement, (ledger, last) => {
      expect(effectiveConsent([...ledger, { ...last, state: 'out', at: 6 }])).toBe('out')
    }),
  )
})

test('an unanswered question outweighs an opt-in that nobody can prove', () => {
  const one = { address: 'ann@x.io', ...where, reason: null, explicit: false }
  expect(
    effectiveConsent([
      { ...one, state: 'pending', at: 1 },
      { ...one, state: 'in', at: 2 },
    ]),
  ).toBe('pending')
})

test('a reading that repeats what the source said adds nothing, nor does one that knows nothing', () => {
  fc.assert(
    fc.property(state, fc.option(fc.nat()), fc.nat(), (state, explicitAt, at) => {
      const reading = { address: 'ann@x.io', state, explicitAt, reason: null }
      expect(statementFrom(reading, state, at, where)).toBeNull()
      expect(statementFrom({ ...reading, state: 'unknown' }, 'out', at, where)).toBeNull()
    }),
  )
})

test('an old profile read for the first time does not end a newer opt-out', () => {
  const out: Statement = {
    ...where,
    address: 'ann@x.io',
    state: 'out',
    at: 50,
    explicit: false,
    reason: null,
  }
  const old = statementFrom(
    { address: 'ann@x.io', state: 'in', explicitAt: 10, reason: null },
    null,
    99,
    where,
  )
  const unproved = statementFrom(
    { address: 'ann@x.io', state: 'in', explicitAt: null, reason: null },
    null,
    99,
    where,
  )
  for (const read of [old, unproved])
    expect(effectiveConsent(read === null ? [out] : [out, read])).toBe('out')
})

test('an opt-in dated in the future by a wrong clock ends with the next opt-out', () => {
  const reading = { address: 'ann@x.io', state: 'in', explicitAt: 9_999, reason: null } as const
  const read = statementFrom(reading, null, 100, where)
  expect(read?.at).toBe(100)
  const out: Statement = {
    ...where,
    address: 'ann@x.io',
    state: 'out',
    at: 101,
    explicit: false,
    reason: null,
  }
  expect(effectiveConsent(read === null ? [] : [read, out])).toBe('out')
})

test('an opt-in is never sent to one who is out, there or here; an opt-out always is', () => {
  const remote = fc.option(state)
  fc.assert(
    fc.property(
      state,
      remote,
      fc.subarray<ConsentState>(['in', 'out', 'pending', 'unknown']),
      (hub, remote, sends) => {
        const sent = consentToSend(hub, remote, sends)
        const mayOptIn = hub === 'in' && remote !== 'out' && sends.includes('in')
        const mustOptOut = hub === 'out' && remote !== 'out' && sends.includes('out')
        expect(sent !== 'in' || mayOptIn).toBe(true)
        expect(sent === 'out').toBe(mustOptOut)
        expect(hub === remote ? sent : null).toBeNull()
      },
    ),
  )
})

test('over several addresses the strictest known state counts', () => {
  expect(strictest(['in', 'unknown', 'out'])).toBe('out')
  expect(strictest(['in', 'pending'])).toBe('pending')
  expect(strictest(['unknown', 'in'])).toBe('in')
  expect(strictest([])).toBe('unknown')
})
