import { afterEach, beforeEach, expect, test } from 'vitest'
import { pushConnection, syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld({ connections: ['mailchimp', 'stripe'] })
})
afterEach(async () => {
  await world.close()
})

const minutes = (n: number) => {
  world.clock.now += n * 60_000
}
async function sync(): Promise<void> {
  await syncAll(world.hub, ['mailchimp', 'stripe'], 'changes')
  minutes(5)
}
async function wonDeal(): Promise<number> {
  const person = await createRecord(
    world.hub,
    'contact',
    { givenName: 'Ada', familyName: 'Lovelace', emails: ['ada@example.com'] },
    'api',
  )
  if (person.kind !== 'saved') throw new Error(person.kind)
  const deal = await createRecord(
    world.hub,
    'deal',
    {
      name: 'Engines',
      pipeline: 'Sales',
      stage: 'Won',
      amount: { amount: 120_050, currency: 'EUR' },
      contact: person.record.id,
    },
    'api',
  )
  if (deal.kind !== 'saved') throw new Error(JSON.stringify(deal))
  return deal.record.id
}
const openWrites = async () => {
  const [row] = await world.db.sql<
    { n: number }[]
  >`select count(*) as n from outbox where state in ('sending', 'uncertain')`
  return row?.n
}

test('a customer whose creation timed out after it was committed is found, not made again', async () => {
  await wonDeal()
  let posts = 0
  world.stripe.faults.plan = ({ method }) =>
    method === 'POST' && posts++ < 6 ? { kind: 'timeout-after-commit' } : null
  await sync()
  world.stripe.faults.plan = null
  minutes(60)
  await sync()
  minutes(60)
  await sync()
  expect(world.stripe.admin.customers()).toHaveLength(1)
  expect(world.stripe.admin.invoices()).toHaveLength(1)
  expect(world.stripe.admin.invoices()[0]).toMatchObject({ status: 'open', total: 120_050 })
  expect(await openWrites()).toBe(0)
})

test('a process that dies in the middle of a send leaves nothing lost and nothing double', async () => {
  await wonDeal()
  let posts = 0
  world.stripe.faults.plan = ({ method }) =>
    method === 'POST' && ++posts === 1 ? { kind: 'timeout-before' } : null
  await expect(pushConnection(world.hub, 'stripe')).resolves.toBeDefined()
  await world.db.sql`update outbox set state = 'sending', settled_at = null, outcome = null`
  world.stripe.faults.plan = null
  minutes(10)
  const hub = await world.restarted()
  await syncAll(hub, ['stripe'], 'changes')
  minutes(10)
  await syncAll(hub, ['stripe'], 'changes')
  expect(world.stripe.admin.customers()).toHaveLength(1)
  expect(world.stripe.admin.invoices()).toHaveLength(1)
  expect(await openWrites()).toBe(0)
})

test('a stored 500 that Stripe replays for a day does not keep a customer from being made', async () => {
  await wonDeal()
  let crashes = 0
  world.stripe.state.switches.crash = ({ method }) => (method === 'POST' && crashes++ === 0 ? 'before' : null)
  for (let i = 0; i < 12; i++) {
    await sync()
    minutes(30)
  }
  expect(world.stripe.admin.customers()).toHaveLength(1)
  expect(world.stripe.admin.invoices()).toHaveLength(1)
  expect(await openWrites()).toBe(0)
})

test('a vendor that is down for an hour delays, and loses nothing', async () => {
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await sync()
  world.mailchimp.faults.plan = () => ({ kind: 'status', status: 503 })
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  await editRecord(world.hub, 'contact', row?.id ?? 0, { jobTitle: 'Analyst' }, 'api')
  for (let i = 0; i < 6; i++) await sync()
  world.mailchimp.faults.plan = null
  minutes(120)
  await sync()
  expect(world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('JOBTITLE')).toBe('Analyst')
})

test('a reply that is HTML or cut off is told, and the next cycle goes on', async () => {
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  for (const kind of ['html', 'truncated'] as const) {
    world.mailchimp.faults.plan = () => ({ kind })
    const [pass] = await syncAll(world.hub, ['mailchimp'], 'changes')
    expect(pass?.problem).toMatch(/HTML|JSON|cut|read/i)
  }
  world.mailchimp.faults.plan = null
  await sync()
  expect(await world.db.sql`select count(*) as n from contacts`).toEqual([{ n: 1 }])
})

test('refused credentials stop the connection and open one item; the others go on', async () => {
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  world.stripe.admin.createCustomer({ email: 'bob@example.com', name: 'Bob' })
  world.mailchimp.faults.plan = () => ({
    kind: 'status',
    status: 401,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({
      type: 'x',
      title: 'API Key Invalid',
      status: 401,
      detail: 'Your API key may be invalid',
      instance: '',
    }),
  })
  await sync()
  await sync()
  expect(await world.db.sql`select kind, seen from inbox where state = 'open'`).toEqual([
    { kind: 'connection', seen: 1 },
  ])
  expect(await world.db.sql`select email from contacts`).toEqual([{ email: 'bob@example.com' }])
})

test('a refused write waits in the inbox and is sent again when the record changes', async () => {
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await sync()
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  world.mailchimp.faults.plan = ({ method }) =>
    method === 'PATCH' || method === 'PUT'
      ? {
          kind: 'status',
          status: 400,
          headers: { 'content-type': 'application/problem+json' },
          body: JSON.stringify({
            type: 'x',
            title: 'Invalid Resource',
            status: 400,
            detail: 'bad',
            instance: '',
            errors: [{ field: 'JOBTITLE', message: 'too odd' }],
          }),
        }
      : null
  await editRecord(world.hub, 'contact', row?.id ?? 0, { jobTitle: 'Odd' }, 'api')
  await sync()
  await sync()
  expect(await world.db.sql`select kind, seen from inbox where state = 'open'`).toEqual([
    { kind: 'rejected_write', seen: 1 },
  ])
  world.mailchimp.faults.plan = null
  await editRecord(world.hub, 'contact', row?.id ?? 0, { jobTitle: 'Analyst' }, 'api')
  await sync()
  expect(world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('JOBTITLE')).toBe('Analyst')
  expect(await world.db.sql`select count(*) as n from inbox where state = 'open'`).toEqual([{ n: 0 }])
})

test('what a write of unknown outcome has put there is our own word, whatever is said here by then (150)', async () => {
  const person = await createRecord(
    world.hub,
    'contact',
    { givenName: 'Ada', familyName: 'Lovelace', emails: ['ada@example.com'], jobTitle: 'Analyst' },
    'api',
  )
  if (person.kind !== 'saved') throw new Error(person.kind)
  const customer = world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Lovelace' })
  await sync()
  await sync()
  const { id } = person.record
  const say = (phones: string[] | null) => editRecord(world.hub, 'contact', id, { phones }, 'api')
  await say(['+12025550147'])
  world.stripe.faults.plan = ({ method }) => (method === 'POST' ? { kind: 'timeout-after-commit' } : null)
  await pushConnection(world.hub, 'stripe')
  world.stripe.faults.plan = null
  expect([await openWrites(), world.stripe.admin.customers()[0]?.phone]).toEqual([1, '+12025550147'])

  await say(null)
  minutes(10)
  await sync()
  minutes(60)
  await sync()
  const [row] = await world.db.sql<
    { phones: string[] | null }[]
  >`select phones from contacts where id = ${id}`
  expect(row?.phones ?? []).toEqual([])
  expect(world.stripe.admin.customers()).toMatchObject([{ id: customer.id, phone: null }])
  expect(await openWrites()).toBe(0)
})
