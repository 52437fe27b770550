import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findingsOf } from '../../../src/core/governance/findings.ts'
import { choosersOf } from '../../../src/core/governance/picklist.ts'
import { refusals } from '../../../src/core/governance/refusals.ts'
import { NO_GOVERNANCE, type Rules } from '../../../src/core/governance/rules.ts'
import { stageGap } from '../../../src/core/governance/stages.ts'
import { changeSince, daysBefore, sparkline } from '../../../src/core/governance/trend.ts'
import type { Json } from '../../../src/core/json.ts'
import type { Fields } from '../../../src/core/model.ts'

const RULES: Rules = {
  governance: {
    ...NO_GOVERNANCE,
    required: { contact: ['familyName'], company: [], deal: ['name'] },
    choosers: choosersOf([
      { record: 'company', field: 'industry', unknown: 'inbox', values: [{ value: 'Retail', synonyms: [] }] },
    ]),
  },
  pipelines: [
    {
      name: 'Sales',
      nextStep: 'required',
      stages: [
        { name: 'New', outcome: 'open' },
        { name: 'Qualified', outcome: 'open', exit: ['contact'] },
        { name: 'Proposal', outcome: 'open', enter: ['amount', 'closeDate'] },
        { name: 'Won', outcome: 'won', enter: ['company'] },
        { name: 'Lost', outcome: 'lost', enter: ['custom.reason'] },
      ],
    },
  ],
}
const STEP = { nextStep: 'call', nextStepDue: '2026-05-01' }
const missing = (fields: Fields) => stageGap(fields, RULES.pipelines)?.missing ?? []

describe('what a deal needs where it stands', () => {
  it.each<[string, Fields, readonly string[]]>([
    ['an open deal, a next step', { stage: 'New' }, ['nextStep', 'nextStepDue']],
    ['before it leaves a stage, nothing of its exit', { stage: 'qualified', ...STEP }, []],
    [
      'having skipped a stage, what that one needs to be left',
      { stage: 'Proposal', ...STEP },
      ['contact', 'amount', 'closeDate'],
    ],
    [
      'won, all of the way and no next step',
      { stage: 'WON', contact: 1 },
      ['amount', 'closeDate', 'company'],
    ],
    ['lost, only what the loss needs', { stage: 'Lost' }, ['custom.reason']],
    ['in a stage nobody knows, nothing', { stage: 'Elsewhere' }, []],
  ])('%s', (_, fields, expected) => expect(missing(fields)).toEqual(expected))
})

describe('what people and the API may not do', () => {
  const refused = (before: Fields | null, after: Fields) =>
    refusals('deal', before, after, RULES).map(({ field, message }) => `${field} | ${message}`)

  it('is told in words, with the field and the fix', () => {
    expect(
      refused(
        { name: 'A', stage: 'New', ...STEP, contact: 1 },
        { name: 'A', stage: 'Proposal', ...STEP, contact: 1 },
      ),
    ).toEqual([
      'stage | stage: a deal needs Amount and Close date to enter "Proposal". Fix: send amount and closeDate with it, or leave it in "New".',
    ])
    expect(refused(null, { stage: 'Elsewhere' })).toEqual([
      'name | name: a deal needs Name. Fix: send name with a value.',
    ])
    expect(
      refused(
        { name: 'A', stage: 'New', ...STEP },
        { name: 'A', stage: 'New', nextStep: 'call', nextStepDue: null },
      ),
    ).toEqual([
      'nextStepDue | nextStepDue: a deal in "New" needs Next step due. Fix: keep a value, or move the deal back first.',
    ])
  })

  it('is not to leave a lack as it was, nor to heal part of it', () => {
    const lacking = { stage: 'Proposal', name: null }
    expect(refused(lacking, { ...lacking, amount: { amount: 1, currency: 'EUR' } })).toEqual([])
    expect(refused(lacking, { ...lacking, owner: 'Ann' })).toEqual([])
  })

  it('is never a record that lacks nothing afterwards', () => {
    const value = fc.constantFrom<Json>(null, 'x')
    const deal = fc.record({
      name: value,
      stage: fc.constantFrom('New', 'Qualified', 'Proposal', 'Won', 'Lost', 'Elsewhere'),
      nextStep: value,
      nextStepDue: value,
      contact: value,
      amount: value,
      closeDate: value,
      company: value,
    })
    fc.assert(
      fc.property(fc.option(deal), deal, (before, after) => {
        const found = findingsOf('deal', { fields: after, archived: false }, RULES)
        const refusal = refusals('deal', before, after, RULES)
        expect(refusal.length > 0 && found.length === 0).toBe(false)
        expect(before !== null || refusal.length > 0 === found.length > 0).toBe(true)
      }),
    )
  })
})

describe('what a record lacks', () => {
  it('is nothing once it is archived', () => {
    expect(findingsOf('contact', { fields: {}, archived: true }, RULES)).toEqual([])
    expect(findingsOf('contact', { fields: {}, archived: false }, RULES)).toHaveLength(1)
  })

  it('names an unknown choice by what it is told apart by, and as it was written', () => {
    expect(findingsOf('company', { fields: { industry: 'Fin-Tec' }, archived: false }, RULES)).toEqual([
      { what: 'unknown', field: 'industry', value: 'fintec', said: 'Fin-Tec' },
    ])
    expect(findingsOf('company', { fields: { industry: 'RETAIL' }, archived: false }, RULES)).toEqual([])
    const [long] = findingsOf(
      'company',
      { fields: { industry: `${'x'.repeat(199)}𝔘` }, archived: false },
      RULES,
    )
    // Half of a pair is stored as another character, and the two would never be found equal again.
    expect(long?.said.isWellFormed()).toBe(true)
  })
})

describe('a trend', () => {
  const today = '2026-03-31'
  it('is told against the last measurement of that time', () => {
    const series = [
      { day: '2026-03-22', value: 4 },
      { day: today, value: 7 },
    ]
    expect(changeSince(series, today, 7)).toBe(3)
    expect(changeSince(series, today, 30)).toBeNull()
    expect(changeSince([], today, 7)).toBeNull()
  })

  it('counts days over months and leap years', () => {
    expect(daysBefore('2028-03-01', 1)).toBe('2028-02-29')
    expect(daysBefore('2026-01-03', 7)).toBe('2025-12-27')
  })

  it('is drawn from its least to its greatest value', () => {
    expect(sparkline([0, 5, 10])).toBe('▁▅█')
    expect(sparkline([3, 3])).toBe('▁▁')
    expect(sparkline([3])).toBe('')
  })
})
