import { afterEach, beforeEach, expect, test } from 'vitest'
import { pushConnection, syncAll } from '../../src/runtime/cycle.ts'
import { createRecord } from '../../src/runtime/edit.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld({ connections: ['stripe'] })
})
afterEach(async () => {
  await world.close()
})

test('an invoice follows within seconds once its customer, whose answer was lost, is found', async () => {
  const person = await createRecord(world.hub, 'contact', { emails: ['ada@example.com'] }, 'api')
  if (person.kind !== 'saved') throw new Error(person.kind)
  const amount = { amount: 120_050, currency: 'EUR' }
  const fields = { name: 'Engines', stage: 'Won', amount, contact: person.record.id }
  const deal = await createRecord(world.hub, 'deal', fields, 'api')
  expect(deal.kind).toBe('saved')

  world.stripe.faults.plan = ({ method }) => (method === 'POST' ? { kind: 'timeout-after-commit' } : null)
  await syncAll(world.hub, ['stripe'], 'changes')
  world.stripe.faults.plan = null
  expect(world.stripe.admin.customers()).toHaveLength(1)

  const from = world.clock.now
  while (world.stripe.admin.invoices().length === 0 && world.clock.now < from + 300_000) {
    world.clock.now += 1_000
    await pushConnection(world.hub, 'stripe')
  }
  expect(world.stripe.admin.invoices()).toMatchObject([{ status: 'open', total: 120_050 }])
  expect(world.stripe.admin.customers()).toHaveLength(1)
  expect((world.clock.now - from) / 1_000).toBeLessThan(10)
})
