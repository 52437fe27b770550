import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changedAfterIssue, paymentStatus, planInvoices, wasJustWon } from '../../src/core/invoicing.ts'
import { isList, isObject, type Json } from '../../src/core/json.ts'
import type { Fields, HubRecord, RecordKind } from '../../src/core/model.ts'
import type { InvoicingRule, Pipeline } from '../../src/core/stream.ts'

const record = (kind: RecordKind, id: number, fields: Fields): HubRecord => ({
  id,
  kind,
  version: 1,
  fields,
  provenance: {},
  archived: false,
})
const SALES: Pipeline = {
  name: 'Sales',
  stages: [
    { name: 'Offer', outcome: 'open' },
    { name: 'Closed won', outcome: 'won' },
    { name: 'Lost', outcome: 'lost' },
  ],
}
const FULL: InvoicingRule = {
  connection: 'stripe',
  dueDays: 14,
  memo: 'Thank you',
  alreadyWon: 'skip',
  schedule: [{ item: 'full', share: 1 }],
}
const HALVES: InvoicingRule = {
  ...FULL,
  schedule: [
    { item: 'deposit', share: 0.3 },
    { item: 'rest', share: 0.7 },
  ],
}
const eur = (amount: number) => ({ amount, currency: 'EUR' })
const ann = record('contact', 7, { givenName: 'Ann', familyName: 'Smith', emails: ['ann@x.io'] })
const won: Fields = { name: 'Website', stage: 'Closed won', amount: eur(123456), contact: 7 }
const deal = (fields: Fields = {}) => record('deal', 3, { ...won, ...fields })
const plan = (fields: Fields, contact: HubRecord | null = ann, rule = FULL) =>
  planInvoices(deal(fields), contact, rule, [SALES])
const problem = (fields: Fields, contact: HubRecord | null = ann) => {
  const planned = plan(fields, contact)
  return planned.kind === 'missing' ? planned.problems.map((p) => `${p.field}: ${p.message}`) : planned.kind
}

describe('the moment to invoice a deal', () => {
  const open = deal({ stage: 'Offer' })
  const arrives = (rule: InvoicingRule) => wasJustWon(null, deal(), true, rule, [SALES])
  test('is when its stage becomes a won one', () => {
    expect(wasJustWon(open, deal(), false, FULL, [SALES])).toBe(true)
    expect(wasJustWon(deal(), deal({ name: 'Other' }), false, FULL, [SALES])).toBe(false)
    expect(wasJustWon(deal(), open, false, FULL, [SALES])).toBe(false)
  })
  test('is when it is made in the hub as won', () => {
    expect(wasJustWon(null, deal(), false, FULL, [SALES])).toBe(true)
  })
  test('is not when a connection brings it already won, unless the rule says so', () => {
    expect(arrives(FULL)).toBe(false)
    expect(arrives({ ...FULL, alreadyWon: 'invoice' })).toBe(true)
  })
})

describe('a deal is invoiced once it is won', () => {
  test('in full, to its contact, with one line where it has none', () => {
    expect(plan({})).toEqual({
      kind: 'invoices',
      invoices: [
        {
          item: 'full',
          fields: {
            deal: 3,
            item: 'full',
            contact: 7,
            total: eur(123456),
            lines: [{ description: 'Website', quantity: 1, unitAmount: 123456 }],
            memo: 'Thank you',
            dueDays: 14,
            status: 'requested',
          },
        },
      ],
    })
  })

  test.each<[string, Fields, Pipeline[], string]>([
    ['the stage in other letters', { stage: ' closed WON ' }, [SALES], 'invoices'],
    ['an open stage', { stage: 'Offer' }, [SALES], 'nothing'],
    ['a lost stage', { stage: 'Lost' }, [SALES], 'nothing'],
    ['a stage nobody configured', { stage: 'Won' }, [SALES], 'nothing'],
    ['no stage', { stage: null }, [SALES], 'nothing'],
    ['the pipeline by name', { pipeline: 'sales' }, [SALES, { name: 'Renewals', stages: [] }], 'invoices'],
    ['a pipeline nobody configured', { pipeline: 'Other' }, [SALES], 'nothing'],
    ['no pipeline where there are two', {}, [SALES, { name: 'Renewals', stages: [] }], 'nothing'],
  ])('%s', (_, fields, pipelines, kind) => {
    expect(planInvoices(deal(fields), ann, FULL, pipelines).kind).toBe(kind)
  })

  test('an archived deal is not invoiced', () => {
    expect(planInvoices({ ...deal(), archived: true }, ann, FULL, [SALES])).toEqual({ kind: 'nothing' })
  })
})

describe('what is missing is said in words, all at once', () => {
  test('no contact and no amount', () => {
    expect(problem({ amount: null, contact: null }, null)).toEqual([
      'contact: The deal has no contact: choose on the deal who gets the invoice',
      'amount: The deal has neither amount nor lines: fill in its amount',
    ])
  })

  test('a contact without email', () => {
    const fields = { ...ann.fields, emails: null }
    expect(problem({}, { ...ann, fields })).toEqual([
      'contact.emails: Ann Smith has no email address: add one to the contact',
    ])
  })

  const line = (quantity: Json, unitAmount: Json) => ({ description: 'Hours', quantity, unitAmount })
  test.each<[string, Fields, string]>([
    ['an unknown currency', { amount: { amount: 5, currency: 'EURO' } }, '"EURO" is no currency of ISO 4217'],
    ['nothing to pay', { amount: eur(0) }, "The deal's amount is 0.00 EUR: it must be above zero"],
    ['a negative amount', { amount: eur(-5) }, "The deal's amount is -0.05 EUR: it must be above zero"],
    ['parts of a cent', { amount: eur(1.5) }, 'not in whole minor units (1.5)'],
    [
      'lines without a currency',
      { amount: null, lines: [line(1, 5)] },
      'lines but no amount with a currency',
    ],
    [
      'lines that do not add up',
      { lines: [line(2, 50000), line(1, 20000)] },
      "The deal's lines add up to 1,200.00 EUR, its amount is 1,234.56 EUR: correct one of them",
    ],
    ['a line with parts of a cent', { lines: [line(0.5, 3)] }, '"Hours" does not come to whole minor units'],
    ['a line of no pieces', { lines: [line(0, 3)] }, '"Hours" does not come to whole minor units'],
    ['a line without a price', { lines: [line(1, null)] }, 'lacks a quantity or a unit price'],
  ])('%s', (_, fields, message) => expect(problem(fields)).toEqual([expect.stringContaining(message)]))
})

describe('lines', () => {
  const invoiced = (fields: Fields, rule = FULL) => {
    const planned = plan(fields, ann, rule)
    return planned.kind === 'invoices' ? planned.invoices.map((invoice) => invoice.fields['lines']) : planned
  }

  test('are taken over, a discount too, and half pieces become one that says so', () => {
    const lines = [
      { description: 'Hours', quantity: 1.5, unitAmount: 10000 },
      { description: 'Discount', quantity: 1, unitAmount: -1000 },
      { description: ' ', quantity: 2, unitAmount: 500 },
    ]
    expect(invoiced({ amount: eur(15000), lines })).toEqual([
      [
        { description: 'Hours (1.5 × 100.00 EUR)', quantity: 1, unitAmount: 15000 },
        { description: 'Discount', quantity: 1, unitAmount: -1000 },
        { description: 'Website', quantity: 2, unitAmount: 500 },
      ],
    ])
  })

  test('of a part name the part and the whole', () => {
    expect(invoiced({}, HALVES)).toEqual([
      [{ description: 'Website: deposit (of 1,234.56 EUR)', quantity: 1, unitAmount: 37037 }],
      [{ description: 'Website: rest (of 1,234.56 EUR)', quantity: 1, unitAmount: 86419 }],
    ])
  })

  test('add up to their invoice, and the invoices to the deal, for every schedule', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), weights, (amount, weights) => {
        const sum = weights.reduce((a, b) => a + b, 0)
        const schedule = weights.map((weight, i) => ({ item: `part ${i}`, share: weight / sum }))
        const planned = plan({ amount: eur(amount) }, ann, { ...FULL, schedule })
        if (planned.kind !== 'invoices') throw new Error(planned.kind)
        const totals = planned.invoices.map(({ fields: { total, lines } }) => {
          const due = isObject(total) ? Number(total['amount']) : Number.NaN
          const listed = isList(lines) ? lines : []
          const added = listed.map((l) => (isObject(l) ? Number(l['quantity']) * Number(l['unitAmount']) : 0))
          expect(added.reduce((a, b) => a + b, 0)).toBe(due)
          expect(due).toBeGreaterThan(0)
          return due
        })
        expect(totals.reduce((a, b) => a + b, 0)).toBe(amount)
      }),
    )
  })
})

test.each<[string, Fields[]]>([
  ['none', []],
  ['none', [{ status: 'requested' }, { status: 'draft' }]],
  ['invoiced', [{ status: 'open' }, { status: 'requested' }]],
  ['invoiced', [{ status: 'uncollectible' }]],
  ['partly paid', [{ status: 'paid' }, { status: 'requested' }]],
  ['partly paid', [{ status: 'open', paid: eur(1) }]],
  ['paid', [{ status: 'paid' }, { status: 'Paid' }]],
  ['paid', [{ status: 'paid' }, { status: 'void' }]],
  ['invoiced', [{ status: 'open' }, { status: 'void' }]],
  ['void', [{ status: 'void' }, { status: 'void' }]],
])('a deal is %s by %j', (status, invoices) => {
  expect(paymentStatus(invoices)).toBe(status)
  expect(paymentStatus([...invoices].reverse())).toBe(status)
})

describe('a deal that changes after its invoice', () => {
  const lines = [{ description: 'Hours', quantity: 2, unitAmount: 61728 }]
  const issued = (fields: Fields = {}, rule = FULL, item = 0): Fields => {
    const planned = plan(fields, ann, rule)
    return { ...(planned.kind === 'invoices' ? planned.invoices[item]?.fields : {}), status: 'open' }
  }

  test('is not reported while invoice and deal say the same', () => {
    for (const rule of [FULL, HALVES]) {
      rule.schedule.forEach((_, i) => {
        expect(
          changedAfterIssue(issued({ lines }, rule, i), deal({ lines }), { rule, pipelines: [SALES] }),
        ).toBeNull()
        expect(changedAfterIssue(issued({ lines }, rule, i), deal({ lines }))).toBeNull()
      })
    }
    expect(changedAfterIssue(issued(), deal({ name: 'Shop', owner: 'bob', nextStep: 'call' }))).toBeNull()
  })

  test.each<[string, Fields]>([
    [
      'the invoice is over 1,234.56 EUR, the deal over 2,000.00 EUR now',
      { amount: eur(200000), lines: null },
    ],
    [
      'the invoice is over 1,234.56 EUR, the deal over 1,234.56 USD now',
      { amount: { amount: 123456, currency: 'USD' } },
    ],
    ['the invoice is over 1,234.56 EUR, the deal has no amount now', { amount: null }],
    ['the invoice went to contact 7, the deal now names contact 8', { contact: 8 }],
    ['the invoice went to contact 7, the deal now names nobody', { contact: null }],
    ['the deal is no longer won, its stage is Lost', { stage: 'Lost' }],
    [
      'the lines of the deal are other than those invoiced',
      { lines: [{ ...lines[0], description: 'Days' }] },
    ],
  ])('%s', (words, now) => {
    const context = { rule: FULL, pipelines: [SALES] }
    expect(changedAfterIssue(issued({ lines }), deal({ lines, ...now }), context)).toBe(words)
  })

  test('is compared by its share where the invoice is over a part', () => {
    const words = changedAfterIssue(issued({}, HALVES), deal({ amount: eur(200000) }), { rule: HALVES })
    expect(words).toBe(
      'the invoice is over 370.37 EUR, the deal over 2,000.00 EUR now (its share: 600.00 EUR)',
    )
  })

  test('is no matter once the invoice is void', () => {
    expect(changedAfterIssue({ ...issued(), status: 'void' }, deal({ amount: eur(1) }))).toBeNull()
  })
})
