import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FilterReason, MailRules } from '../../../src/core/mail/rules.ts'
import { review, type Stored } from '../../../src/core/mail/review.ts'
import { sift } from '../../../src/core/mail/sift.ts'
import { anyRules, anySeen, facts, mailbox, NOON, people, rules, seen, shown } from './support.ts'

type Logged = Extract<Stored, { verdict: 'logged' }>
const logged = (change: Partial<Logged> = {}): Logged => ({
  ...seen(),
  verdict: 'logged',
  content: 'full',
  known: true,
  ...change,
})
const reviewed = (stored: Stored, before: Partial<MailRules>, after: Partial<MailRules>) =>
  review(stored, mailbox, rules(before), rules(after), facts)

const REASONS: readonly FilterReason[] = [
  'draft',
  'chat',
  'spam',
  'trash',
  'calendar',
  'bounce',
  'bulk',
  'automatic',
  'internal',
  'blocked',
  'private',
  'stranger',
  'too-old',
  'unclear',
  'withdrawn',
]
const FIXED = new Set(['draft', 'chat', 'spam', 'trash', 'calendar', 'bounce', 'unclear', 'withdrawn'])

describe('what was logged', () => {
  test.each<[string, Logged, Partial<MailRules>, Partial<MailRules>, object]>([
    ['nothing changed', logged(), {}, {}, { kind: 'stays' }],
    ['blocked now', logged(), {}, { blocked: ['acme.com'] }, { kind: 'take-out', reason: 'blocked' }],
    [
      'private now',
      logged({ labels: ['Kids'] }),
      {},
      { privateLabels: ['kids'] },
      { kind: 'take-out', reason: 'private' },
    ],
    [
      'internal now',
      logged(),
      {},
      { internalDomains: ['acme.com'] },
      { kind: 'take-out', reason: 'internal' },
    ],
    ['too old now', logged(), {}, { since: NOON + 1 }, { kind: 'take-out', reason: 'too-old' }],
    [
      'bulk no longer let in',
      logged(seen({ headers: { 'list-id': 'x' } })),
      { bulk: 'log' },
      {},
      { kind: 'take-out', reason: 'bulk' },
    ],
    ['content lowered', logged(), {}, { content: 'subject' }, { kind: 'strip', to: 'subject' }],
    ['content raised', logged({ content: 'none' }), { content: 'none' }, {}, { kind: 'read-again' }],
    ['content raised, but it holds it', logged(), { content: 'none' }, {}, { kind: 'stays' }],
    [
      'strangers no longer let in',
      logged({ known: false }),
      { strangers: 'log' },
      {},
      { kind: 'take-out', reason: 'stranger' },
    ],
    ['strangers no longer let in, but it is none', logged(), { strangers: 'log' }, {}, { kind: 'stays' }],
    [
      'its contact went, and no rule about that changed',
      logged({ known: false }),
      {},
      { since: 1 },
      { kind: 'stays' },
    ],
    [
      'known by a plus tag only',
      logged({ known: false }),
      { plusTags: true },
      {},
      { kind: 'take-out', reason: 'stranger' },
    ],
    [
      'other keys for a participant',
      logged(seen({ from: people('jo+x@acme.com') })),
      {},
      { plusTags: true },
      { kind: 'read-again' },
    ],
    ['tags count out, but nobody has one', logged(), {}, { plusTags: true, dots: true }, { kind: 'stays' }],
    ['contacts are made now', logged(), {}, { newContacts: 'sent-and-received' }, { kind: 'read-again' }],
    [
      'contacts are no longer made',
      logged(),
      { newContacts: 'sent-and-received' },
      { newContacts: 'never' },
      { kind: 'stays' },
    ],
    [
      'one in copy becomes a colleague',
      logged(seen({ cc: people('x@alias.net') })),
      {},
      { internalDomains: ['alias.net'] },
      { kind: 'read-again' },
    ],
    ['what is deleted later', logged(), {}, { deleted: 'remove' }, { kind: 'stays' }],
  ])('%s', (_, stored, before, after, result) => {
    expect(reviewed(stored, before, after)).toMatchObject(result)
  })

  test('is taken out exactly when the new rules filter it', () => {
    let taken = 0
    fc.assert(
      fc.property(anySeen, anyRules, anyRules, (one, before, after) => {
        if (sift(one, mailbox, before, facts).kind === 'filter') return
        const result = review(
          { ...one, verdict: 'logged', content: before.content, known: true },
          mailbox,
          before,
          after,
          facts,
        )
        const now = sift(one, mailbox, after, facts)
        expect(result.kind === 'take-out' ? result.reason : null).toBe(
          now.kind === 'filter' ? now.reason : null,
        )
        taken += result.kind === 'take-out' ? 1 : 0
      }),
      { numRuns: 5_000 },
    )
    expect(taken).toBeGreaterThan(20)
  })
})

describe('what was filtered', () => {
  test.each<[FilterReason, Partial<MailRules>, Partial<MailRules>]>([
    ['bulk', {}, { bulk: 'log' }],
    ['automatic', {}, { automatic: 'log' }],
    ['internal', { internalDomains: ['a.de', 'b.de'] }, { internalDomains: ['b.de'] }],
    ['blocked', { blocked: ['a.de'] }, {}],
    ['private', {}, { privateLabels: ['private'] }],
    ['too-old', { since: NOON }, {}],
    ['too-old', { since: NOON }, { since: NOON - 1 }],
    ['stranger', {}, { strangers: 'log' }],
    ['stranger', {}, { newContacts: 'sent-and-received' }],
    ['stranger', {}, { plusTags: true }],
    ['stranger', {}, { dots: true }],
    ['stranger', { internalDomains: ['a.de'] }, {}],
  ])('%s is read again after %j became %j, and not the other way round', (reason, before, after) => {
    expect(reviewed({ verdict: 'filtered', reason }, before, after)).toEqual({ kind: 'read-again' })
    expect(reviewed({ verdict: 'filtered', reason }, after, before)).toEqual({ kind: 'stays' })
  })

  test('an entry written in another way is the same entry', () => {
    const stored: Stored = { verdict: 'filtered', reason: 'internal' }
    expect(reviewed(stored, { internalDomains: ['@A.de'] }, { internalDomains: ['a.de'] })).toEqual({
      kind: 'stays',
    })
  })

  test.each(REASONS)('%s: the same rules change nothing, and what is no rule’s matter stays', (reason) => {
    fc.assert(
      fc.property(anyRules, anyRules, (before, other) => {
        const after = FIXED.has(reason) ? other : before
        expect(review({ verdict: 'filtered', reason }, mailbox, before, after, facts).kind).toBe('stays')
      }),
      { numRuns: 50 },
    )
  })

  test('whatever the new rules would let in is read again: nothing is lost by a change', () => {
    let again = 0
    fc.assert(
      fc.property(anySeen, anyRules, anyRules, (one, before, after) => {
        const was = sift(one, mailbox, before, facts)
        if (was.kind === 'pass' || sift(one, mailbox, after, facts).kind === 'filter') return
        again++
        expect(review({ verdict: 'filtered', reason: was.reason }, mailbox, before, after, facts).kind).toBe(
          'read-again',
        )
      }),
      { numRuns: 5_000 },
    )
    expect(again).toBeGreaterThan(20)
    expect(shown(sift(seen(), mailbox, rules(), facts))).toBe('received')
  })
})
