import { afterEach, beforeEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { eraseRecord } from '../../src/runtime/privacy/erase.ts'
import type { Target } from '../../src/runtime/hub.ts'
import { pushStream } from '../../src/runtime/push.ts'
import { demandLinks } from '../../src/store/links.ts'
import { openWorld, type World } from '../support/world.ts'
import { edit, made } from './merge.support.ts'
import { tracesLeft } from './privacy.support.ts'

const TRACES = ['Varnhagen', 'Quintessa', 'quin@varnhagen.example']
const amount = { amount: 120_050, currency: 'EUR' }
let world: World
beforeEach(async () => {
  world = await openWorld({ connections: ['stripe'] })
})
afterEach(() => world.close())

const person = (): Promise<number> =>
  made(world.hub, 'contact', {
    givenName: 'Quintessa',
    familyName: 'Varnhagen',
    emails: ['quin@varnhagen.example'],
  })
const wonFor = (contact: number): Promise<number> =>
  made(world.hub, 'deal', { name: 'Kitchen of Quintessa Varnhagen', stage: 'Won', amount, contact })
const erase = (id: number) => eraseRecord(world.hub, { id, by: 'user:ann' })
function target(label: string): Target {
  const found = world.hub.targets.find((one) => one.label === label)
  if (found === undefined) throw new Error(`no ${label}`)
  return found
}
const items = () => world.db.sql<{ kind: string; title: string; recordId: number }[]>`
  select kind, title, record_id as "recordId" from inbox where state = 'open' order by id`

test('an invoice that was not sent yet is not sent to whoever was erased, and the staff is asked who gets it', async () => {
  const deal = await wonFor(await person())
  const [row] = await world.db.sql<{ contact_id: number }[]>`select contact_id from invoices`
  const erased = await erase(row?.contact_id ?? 0)
  expect(erased).toMatchObject({ kind: 'erased', counts: { invoices: 1, unsentInvoices: 1 } })
  expect(await items()).toEqual([
    {
      kind: 'missing_data',
      recordId: deal,
      title: `Deal ${deal} (Kitchen of [erased]) is won but cannot be invoiced: The deal has no contact: choose on the deal who gets the invoice`,
    },
  ])
  await syncAll(world.hub, ['stripe'], 'changes')
  await syncAll(world.hub, ['stripe'], 'changes')
  expect(world.sent.filter((one) => !one.startsWith('GET'))).toEqual([])
  expect(await world.db.sql`select id from links where wake > settled`).toEqual([])
  expect(await tracesLeft(world.db, TRACES)).toEqual([])

  const other = await made(world.hub, 'contact', { givenName: 'Bo', emails: ['bo@other.example'] })
  await edit(world.hub, 'deal', deal, { contact: other })
  await syncAll(world.hub, ['stripe'], 'changes')
  expect(world.stripe.admin.customers()).toMatchObject([{ email: 'bo@other.example' }])
  expect(world.stripe.admin.invoices()).toMatchObject([{ status: 'open', total: 120_050 }])
  expect(await items()).toEqual([])
})

test('where the deal names somebody else by now, that one is billed, and nobody has to be asked', async () => {
  const quin = await person()
  const deal = await wonFor(quin)
  const bo = await made(world.hub, 'contact', { givenName: 'Bo', emails: ['bo@other.example'] })
  await edit(world.hub, 'deal', deal, { contact: bo })
  await erase(quin)
  await syncAll(world.hub, ['stripe'], 'changes')
  await syncAll(world.hub, ['stripe'], 'changes')
  expect(world.stripe.admin.customers()).toMatchObject([{ email: 'bo@other.example' }])
  expect(world.stripe.admin.invoices()).toMatchObject([{ status: 'open', total: 120_050 }])
  expect(await items()).toEqual([])
})

test('nor is one that a push had planned before the erasure', async () => {
  const { hub } = world
  const [quin, bo] = [await person(), await made(hub, 'contact', { emails: ['bo@other.example'] })]
  await demandLinks(world.db.sql, target('stripe/customers').id, [quin, bo])
  await pushStream(hub, target('stripe/customers'))
  await wonFor(bo)
  const deal = await wonFor(quin)
  const invoices = target('stripe/invoices')
  const { push } = invoices
  if (push === null) throw new Error('it does not send')
  let calls = 0
  await pushStream(hub, {
    ...invoices,
    push: {
      ...push,
      batchMax: 1,
      async send(io, writes) {
        if (calls++ === 0) await erase(quin)
        return push.send(io, writes)
      },
    },
  })
  expect(calls).toBe(1)
  const [sent, ...others] = world.stripe.admin.invoices()
  expect([sent?.customer_email, others]).toEqual(['bo@other.example', []])
  expect(await items()).toMatchObject([{ kind: 'missing_data', recordId: deal }])
})

test('an invoice that was sent stays, and nobody is asked to void it because its customer was erased', async () => {
  const id = await person()
  const deal = await wonFor(id)
  await syncAll(world.hub, ['stripe'], 'changes')
  expect(world.stripe.admin.invoices()).toHaveLength(1)
  await erase(id)
  expect(await items()).toEqual([])
  await edit(world.hub, 'deal', deal, { name: 'A kitchen' })
  expect(await items()).toEqual([])
  expect(await tracesLeft(world.db, TRACES)).toEqual([])
})

test('a person called False, or as a field of a vendor, is erased like any other', async () => {
  for (const [i, familyName] of ['False', 'Agreed', 'Null"'].entries()) {
    const emails = [`p${i}@varnhagen.example`]
    const id = await made(world.hub, 'contact', { givenName: 'True', familyName, emails })
    const deal = await wonFor(id)
    await syncAll(world.hub, ['stripe'], 'changes')
    await world.db.sql`
      update links set base = json_build_object('Agreed', false, 'said', base->>'item')
      where record_id in (select id from invoices where deal_id = ${deal})`
    const kept = () => world.db.sql<{ seen: string[]; base: unknown }[]>`
      select array(select json_object_keys(observed)) as seen, base
      from links where observed is not null and record_id in (select id from invoices where deal_id = ${deal})`
    const before = await kept()
    expect(before).toMatchObject([{ base: { Agreed: false } }])
    expect(await erase(id)).toMatchObject({ kind: 'erased' })
    expect(await kept()).toEqual(before)
  }
})
