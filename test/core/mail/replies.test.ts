import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { overdueSince, replyFacts, type Exchange } from '../../../src/core/mail/replies.ts'

const MINUTE = 60_000
const row = (thread: string, minute: number, direction: 'sent' | 'received'): Exchange<string> => ({
  thread,
  at: minute * MINUTE,
  direction,
})

describe('replies', () => {
  test.each<[string, Exchange<string>[], number | null]>([
    ['asked and answered', [row('a', 10, 'received'), row('a', 25, 'sent')], 15],
    [
      'asked twice before the answer',
      [row('a', 10, 'received'), row('a', 12, 'received'), row('a', 25, 'sent')],
      15,
    ],
    ['not answered', [row('a', 10, 'received')], null],
    ['answered elsewhere only', [row('a', 10, 'received'), row('b', 25, 'sent')], null],
    ['we began, they answered', [row('a', 1, 'sent'), row('a', 2, 'received'), row('a', 3, 'sent')], null],
    [
      'we began one thread, they another',
      [row('a', 1, 'sent'), row('a', 2, 'received'), row('b', 5, 'received'), row('b', 9, 'sent')],
      4,
    ],
    [
      'the first of theirs counts, also where a later one was answered sooner',
      [row('a', 1, 'received'), row('b', 5, 'received'), row('b', 6, 'sent'), row('a', 61, 'sent')],
      60,
    ],
    ['in the same second', [row('a', 1, 'received'), row('a', 1, 'sent')], 0],
    ['nothing', [], null],
  ])('%s', (_, rows, minutes) => {
    expect(replyFacts(rows).firstResponseMinutes).toBe(minutes)
  })

  test('whole minutes, rounded down', () => {
    const rows = [row('a', 0, 'received'), { ...row('a', 1, 'sent'), at: 119_999 }]
    expect(replyFacts(rows)).toEqual({ lastContactedAt: 119_999, lastRepliedAt: 0, firstResponseMinutes: 1 })
  })

  test('do not depend on the order in which mail was read', () => {
    const anyRow = fc.record({
      thread: fc.constantFrom('a', 'b', 'c'),
      at: fc.nat(100 * MINUTE),
      direction: fc.constantFrom('sent' as const, 'received' as const),
    })
    fc.assert(
      fc.property(fc.uniqueArray(anyRow, { selector: ({ at }) => at }), (rows) => {
        const said = replyFacts(rows)
        expect(replyFacts(rows.toReversed())).toEqual(said)
        expect(replyFacts([...rows, ...rows])).toEqual(said)
        expect(said.firstResponseMinutes ?? 0).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('a hundred thousand messages are no matter', () => {
    const rows = Array.from({ length: 200_000 }, (_, i) =>
      row(`t${i % 50_000}`, i, i % 3 === 0 ? 'sent' : 'received'),
    )
    expect(replyFacts(rows).lastContactedAt).toBe(199_998 * MINUTE)
  })
})

describe('the next step', () => {
  const step = (nextStepDue: string | null, nextStep: string | null = 'Call', isOpen = true) => ({
    isOpen,
    nextStep,
    nextStepDue,
  })
  test.each([
    ['yesterday', [step('2026-01-04')], '2026-01-04'],
    ['today is not late', [step('2026-01-05')], null],
    ['no date', [step(null)], null],
    ['no step', [step('2026-01-01', ' ')], null],
    ['no step at all', [step('2026-01-01', null)], null],
    ['closed', [step('2026-01-01', 'Call', false)], null],
    [
      'the earliest of several',
      [step('2026-01-03'), step('2025-12-31'), step('2026-02-01'), step('2024-01-01', 'x', false)],
      '2025-12-31',
    ],
    ['none', [], null],
  ])('%s', (_, steps, since) => {
    expect(overdueSince(steps, '2026-01-05')).toBe(since)
  })
})
