import { expect, test } from 'vitest'
import { KEEP_ALL } from '../../src/core/privacy.ts'
import { loadConfiguration } from '../../src/mappings/load.ts'
import { formatProblem } from '../../src/mappings/problem.ts'

const CATALOG = { connectors: { csv: ['contacts'] }, mail: [] }
const loaded = (...texts: readonly string[]) =>
  loadConfiguration(
    texts.map((text, i) => ({ name: i === 0 ? 'retention.yaml' : `${i}.yaml`, text })),
    CATALOG,
  )
const problems = (...texts: readonly string[]): readonly string[] => {
  const result = loaded(...texts)
  return result.kind === 'ok' ? [] : result.problems.map(formatProblem)
}
const DAY_MS = 86_400_000

test('lengths are days, months and years, and nothing said is never', () => {
  expect(
    loaded(
      'retention: { mailBodies: 90 days, history: 24 months, closedInbox: 1 year, outboxBodies: never }',
    ),
  ).toMatchObject({
    configuration: {
      retention: {
        mailBodiesMs: 90 * DAY_MS,
        historyMs: Math.round(24 * 30.436875 * DAY_MS),
        closedInboxMs: Math.round(12 * 30.436875 * DAY_MS),
        outboxBodiesMs: null,
      },
    },
  })
  expect(loaded('retention: {}')).toMatchObject({ configuration: { retention: KEEP_ALL } })
})

test.each([
  ['a misspelt field', 'retention:\n  mailbodies: 90 days', ['retention.yaml:2', 'mailbodies', 'mailBodies']],
  [
    'no length',
    'retention:\n  history: soon',
    ['retention.yaml:2', 'retention.history', '"soon"', 'Fix: ', '24 months'],
  ],
  ['no unit', 'retention:\n  history: "24"', ['retention.history', '"24" is not a length of time']],
  ['a number', 'retention:\n  history: 24', ['retention.yaml:2', 'retention.history', 'Fix: ']],
  ['a fraction', 'retention:\n  history: 1.5 years', ['retention.history', '"1.5 years"', 'Fix: ']],
  [
    'less than 30 days',
    'retention:\n  mailBodies: 29 days',
    ['retention.mailBodies', 'is shorter than 30 days', 'Fix: '],
  ],
  [
    'nothing',
    'retention:\n  closedInbox: 0 months',
    ['retention.closedInbox', 'is shorter than 30 days', 'Fix: '],
  ],
  [
    'more than there are dates for',
    'retention:\n  history: 9999 years',
    ['retention.history', '"9999 years" is longer than 100 years', 'never'],
  ],
  ['no fields', 'retention: 24 months', ['retention.yaml:1', 'retention', 'Fix: ']],
] as const)('%s names the field, the value and the fix', (_, text, words) => {
  const found = problems(text)
  expect(found).toHaveLength(1)
  for (const word of words) expect(found[0]).toContain(word)
})

test('one file says it: two are refused', () => {
  expect(problems('retention: {}', 'retention: {}')).toHaveLength(1)
})
