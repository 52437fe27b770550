import { beforeEach, describe, expect, it } from 'vitest'
import type { CreateWrite, Outcome } from '../../src/connectors/connector.ts'
import type { Json } from '../../src/core/json.ts'
import type { Fault } from '../../src/sandbox/faults.ts'
import {
  appliedOf,
  bodyOf,
  creation,
  cursorOf,
  drain,
  MINUTE,
  pushOf,
  seenIn,
  world,
  type World,
} from './stripe.support.ts'

let at: World
let customer: string
beforeEach(() => {
  at = world()
  customer = at.vendor.admin.createCustomer({ email: 'ada@example.com' }).id
})

const LINES = [
  { description: 'Setup', quantity: 1, unit_amount: 50_000 },
  { description: 'Seats', quantity: 12, unit_amount: 1999 },
  { description: 'Goodwill', quantity: 1, unit_amount: -1000 },
]
const TOTAL = 50_000 + 12 * 1999 - 1000

const order = (changes: Record<string, Json> = {}, key = 'order-1'): CreateWrite =>
  creation(
    42,
    { customer, currency: 'EUR', description: 'Project', days_until_due: 14, lines: LINES, ...changes },
    key,
  )
async function send(write: CreateWrite): Promise<Outcome | undefined> {
  const [outcome] = await pushOf(at.invoices).send(at.io, [write])
  return outcome
}
const all = () => at.vendor.admin.invoices()

describe('issuing an invoice', () => {
  it('makes one finalised invoice with its lines, due as ordered', async () => {
    const body = bodyOf(appliedOf(await send(order())))
    expect(body).toMatchObject({
      customer,
      status: 'open',
      number: expect.any(String),
      currency: 'eur',
      total: TOTAL,
      amount_due: TOTAL,
      amount_paid: 0,
      amount_remaining: TOTAL,
      hosted_invoice_url: expect.stringContaining('https://'),
      description: 'Project',
      days_until_due: 14,
      metadata: { concord_record: '42', concord_key: 'order-1' },
    })
    expect(body['lines']).toEqual({
      data: LINES.map((line) => ({ ...line, amount: line.quantity * line.unit_amount, currency: 'eur' })),
    })
    expect(all()).toHaveLength(1)
  })

  it('leaves alone what else waits to be billed', async () => {
    const form = (path: string, body: Record<string, string>) =>
      at.io.fetch(`https://api.stripe.com${path}`, {
        method: 'POST',
        body: new URLSearchParams(body),
        headers: { authorization: 'Bearer sk_test_sandbox' },
      })
    await form('/v1/invoiceitems', { customer, currency: 'eur', amount: '777' })
    expect(bodyOf(appliedOf(await send(order())))['total']).toBe(TOTAL)
  })

  it('sends nothing by mail and never finalises by itself', async () => {
    await send(order())
    const posts = at.sent
      .filter(({ method }) => method === 'POST')
      .map(({ path }) => path.replace(/in_\w+/, 'in'))
    expect(posts).toEqual([
      '/v1/invoices',
      ...LINES.map(() => '/v1/invoiceitems'),
      '/v1/invoices/in/finalize',
    ])
    expect(all()[0]).toMatchObject({ auto_advance: false })
  })

  it('bills a fraction of a unit, rounded half up to the cent', async () => {
    const lines = [
      { description: 'Hours', quantity: 1.5, unit_amount: 9_001 },
      { description: 'Days', quantity: 2, unit_amount: 100 },
    ]
    const body = bodyOf(appliedOf(await send(order({ lines }))))
    expect(body).toMatchObject({ total: 13_502 + 200, lines: { data: lines } })
  })

  it('takes the lines in the shape they are read in, too', async () => {
    appliedOf(await send(order({ lines: { data: LINES } })))
  })

  it('bills no fraction of a króna, and in Stripe’s own form', async () => {
    const lines = [{ description: 'Fiskur', quantity: 3, unit_amount: 5000 }]
    const body = bodyOf(appliedOf(await send(order({ currency: 'ISK', lines }))))
    expect(body).toMatchObject({ total: 15_000, amount_due: 15_000 })
    expect(body['lines']).toMatchObject({ data: [{ unit_amount: 5000, amount: 15_000 }] })
    expect(all()[0]).toMatchObject({ total: 1_500_000 })
  })

  it.each<[string, Record<string, Json>, string]>([
    ['no lines', { lines: [] }, 'lines'],
    [
      'lines that come to nothing',
      { lines: [{ description: 'Free', quantity: 1, unit_amount: 0 }] },
      'lines',
    ],
    ['a credit', { lines: [{ description: 'Back', quantity: 1, unit_amount: -5 }] }, 'lines'],
    ['an unknown currency', { currency: 'XXZ' }, 'currency'],
    [
      'an amount Stripe has no form for',
      { currency: 'KWD', lines: [{ description: 'x', quantity: 1, unit_amount: 5124 }] },
      'lines.0.unit_amount',
    ],
    ['half a cent', { lines: [{ description: 'x', quantity: 1, unit_amount: 0.5 }] }, 'lines.0.unit_amount'],
    ['no term', { days_until_due: null }, 'days_until_due'],
    ['no customer', { customer: null }, 'customer'],
    ['an unknown field', { tax: 19 }, 'tax'],
  ])('refuses %s before it asks Stripe anything', async (_, changes, field) => {
    expect(await send(order(changes))).toMatchObject({ kind: 'rejected', field })
    expect(at.sent).toEqual([])
  })

  it('names the customer that is not there', async () => {
    expect(await send(order({ customer: 'cus_none' }))).toMatchObject({
      kind: 'rejected',
      code: 'resource_missing',
      field: 'customer',
    })
  })

  it('leaves a draft with other lines alone and says so', async () => {
    at.vendor.faults.plan = ({ path }) =>
      path.endsWith('/finalize') ? { kind: 'status', status: 409, body: '{}' } : null
    expect(await send(order())).toMatchObject({ kind: 'retry' })
    at.vendor.faults.plan = null
    expect(await send(order({ lines: LINES.slice(0, 2) }))).toMatchObject({
      kind: 'rejected',
      code: 'differs',
    })
    expect(all()).toMatchObject([{ status: 'draft' }])
    appliedOf(await send(order()))
    expect(all()).toMatchObject([{ status: 'open' }])
  })

  it('is rejected where someone deletes its draft meanwhile', async () => {
    at.vendor.faults.plan = ({ path }) => {
      if (path !== '/v1/invoiceitems') return null
      const [draft] = [...at.vendor.state.invoices.all()]
      if (draft !== undefined) at.vendor.state.invoices.remove(draft.id)
      return { kind: 'status', status: 404, body: '{"error":{"code":"resource_missing"}}' }
    }
    expect(await send(order())).toMatchObject({ kind: 'rejected', code: 'missing' })
  })
})

describe('issuing exactly once', () => {
  const FAULTS: readonly Fault[] = [
    { kind: 'timeout-before' },
    { kind: 'timeout-after-commit' },
    { kind: 'truncated' },
    { kind: 'html' },
    { kind: 'after-commit', status: 502 },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 409, body: '{"error":{"code":"lock_timeout"}}' },
  ]

  /** As the outbox does: the same key while there was no answer; once `find` says nothing was made, a new one. */
  async function untilDone(laterMs: number): Promise<void> {
    for (let attempt = 0, key = 'order-1'; attempt < 5; attempt++) {
      const write = order({}, key)
      const outcome = await send(write)
      if (outcome?.kind === 'applied') return
      expect(outcome?.kind).toMatch(/^(uncertain|retry)$/)
      at.clock.now += laterMs
      if (outcome?.kind !== 'uncertain') continue
      const [found] = await pushOf(at.invoices).find(at.io, [write])
      if (found !== null) return
      key = `order-1.${attempt + 2}`
    }
    throw new Error('never done')
  }

  const expectOne = () => {
    expect(all()).toMatchObject([{ status: 'open', total: TOTAL }])
    expect(all()[0]).toMatchObject({ lines: { total_count: LINES.length } })
  }

  // list, create, three lines, retrieve, finalize
  const steps = [0, 1, 2, 3, 4, 5, 6]
  it.each(FAULTS.flatMap((fault) => steps.map((step) => [fault.kind, step, fault] as const)))(
    'survives %s at request %d',
    async (_, step, fault) => {
      let request = 0
      at.vendor.faults.plan = () => (request++ === step ? fault : null)
      await untilDone(MINUTE)
      expectOne()
    },
  )

  it.each([1, 2, 3, 4, 6])('survives a 500 that Stripe keeps and replays, at request %d', async (step) => {
    for (const moment of ['before', 'after-commit'] as const) {
      at = world()
      customer = at.vendor.admin.createCustomer({}).id
      let request = 0
      at.vendor.state.switches.crash = () => (request++ === step ? moment : null)
      await untilDone(MINUTE)
      expectOne()
    }
  })

  it.each(steps)(
    'survives a crash at request %d that is healed days later, when all keys are gone',
    async (step) => {
      let request = 0
      at.vendor.faults.plan = () => (request++ === step ? { kind: 'timeout-after-commit' } : null)
      await send(order())
      at.clock.now += 3 * 24 * 60 * MINUTE
      appliedOf(await send(order()))
      expectOne()
    },
  )

  it('gives the invoice that is out, paid or void, when sent again', async () => {
    const { id } = appliedOf(await send(order()))
    at.clock.now += 3 * 24 * 60 * MINUTE
    at.vendor.admin.payInvoice(id)
    expect(bodyOf(appliedOf(await send(order())))).toMatchObject({ id, status: 'paid', amount_remaining: 0 })
    expect(all()).toHaveLength(1)
  })

  it('finds it among many of the same customer', async () => {
    const { id } = appliedOf(await send(order()))
    for (let i = 0; i < 8; i++)
      await pushOf(at.invoices).send(
        at.io,
        Array.from({ length: 20 }, (_, j) => ({
          ...order({}, `other-${i}-${j}`),
          recordId: 1000 + i * 20 + j,
        })),
      )
    const [found] = await pushOf(at.invoices).find(at.io, [order()])
    expect(found?.id).toBe(id)
    expect(all()).toHaveLength(161)
  })

  it('finds no invoice in a draft that was left half way', async () => {
    at.vendor.faults.plan = ({ path }) => (path === '/v1/invoiceitems' ? { kind: 'timeout-before' } : null)
    await send(order())
    at.vendor.faults.plan = null
    expect(await pushOf(at.invoices).find(at.io, [order()])).toEqual([null])
    expect(all()).toMatchObject([{ status: 'draft' }])
  })
})

describe('an invoice that is there', () => {
  it('is rejected once finalised, with what a person can do', async () => {
    const { id, version, body } = appliedOf(await send(order()))
    const write = {
      op: 'update',
      key: 'u',
      id,
      version,
      patch: { description: 'New' },
      observed: body,
    } as const
    const [outcome] = await pushOf(at.invoices).send(at.io, [write])
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'finalised', field: 'description' })
  })

  it('may change its memo, term and metadata while a draft', async () => {
    at.vendor.faults.plan = ({ path }) => (path.endsWith('/finalize') ? { kind: 'timeout-before' } : null)
    await send(order())
    at.vendor.faults.plan = null
    const [draft] = seenIn(await drain(at.invoices, at.io))
    const { id, version, body } = appliedOf(draft && { kind: 'applied', observation: draft })
    const update = (patch: Record<string, Json>, key: string) =>
      pushOf(at.invoices).send(at.io, [{ op: 'update', key, id, version, patch, observed: body }])
    const [outcome] = await update({ description: null, metadata: { po: '7' } }, 'u')
    expect(bodyOf(appliedOf(outcome))).toMatchObject({ description: null, metadata: { po: '7' } })
    expect(await update({ description: 'x' }, 'u2')).toEqual([{ kind: 'stale' }])
  })

  it('is never voided by archiving, and fine if it is void', async () => {
    const { id } = appliedOf(await send(order()))
    const write = { op: 'archive', key: 'a', id, version: null } as const
    expect(await pushOf(at.invoices).send(at.io, [write])).toMatchObject([{ kind: 'rejected' }])
    expect(all()).toMatchObject([{ status: 'open' }])
    at.vendor.admin.voidInvoice(id)
    expect(await pushOf(at.invoices).send(at.io, [write])).toMatchObject([{ kind: 'applied' }])
  })

  it('is followed through payment, voiding and deletion', async () => {
    const start = cursorOf(await drain(at.invoices, at.io))
    const { id } = appliedOf(await send(order()))
    at.vendor.admin.payInvoice(id)
    const pages = await drain(at.invoices, at.io, start)
    expect(seenIn(pages).map(bodyOf)).toMatchObject([{ id, status: 'paid', amount_paid: TOTAL }])
  })

  it('is read with all its lines, beyond those that Stripe shows at first', async () => {
    const lines = Array.from({ length: 130 }, (_, i) => ({
      description: `L${i}`,
      quantity: 1,
      unit_amount: 100 + i,
    }))
    const body = bodyOf(appliedOf(await send(order({ lines }))))
    expect(body['lines']).toMatchObject({ data: lines })
    const [listed] = seenIn(await drain(at.invoices, at.io))
    expect(bodyOf(listed)).toEqual(body)
  })
})
