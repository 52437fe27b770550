import { expect, test } from 'vitest'
import { monthsBefore } from '../../../src/core/governance/trend.ts'

test.each([
  ['2026-03-31T10:00:00.000Z', 1, '2026-02-28T10:00:00.000Z'],
  ['2028-03-30T10:00:00.000Z', 1, '2028-02-29T10:00:00.000Z'],
  ['2026-08-31T10:00:00.000Z', 6, '2026-02-28T10:00:00.000Z'],
  ['2026-07-31T10:00:00.000Z', 13, '2025-06-30T10:00:00.000Z'],
  ['2026-05-15T10:00:00.000Z', 12, '2025-05-15T10:00:00.000Z'],
])('%s less %i months is %s', (at, months, then) => {
  expect(monthsBefore(Date.parse(at), months)).toBe(then)
})
