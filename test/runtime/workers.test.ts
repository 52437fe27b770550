import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { startWorkers, type Workers } from '../../src/runtime/jobs.ts'
import { queueSync, wakeHints, wakeMail } from '../../src/store/wake.ts'
import { storeEvent } from '../../src/store/webhook-events.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
const running: Workers[] = []
beforeEach(async () => {
  world = await openWorld({ connections: ['mailchimp', 'stripe'] })
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((workers) => workers.stop()))
  await world.close()
})

async function start(n: number): Promise<void> {
  for (let i = 0; i < n; i++) running.push(await startWorkers(await world.restarted()))
}
async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await done()) return
    await wait(25)
  }
  throw new Error(`never happened: ${what}`)
}
const job = (email: string) => world.mailchimp.admin.member(email)?.mergeFields.get('JOBTITLE')

test('an edit in the hub wakes the push of every connected system by itself', async () => {
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await syncAll(world.hub, ['mailchimp', 'stripe'], 'changes')
  await start(1)
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  await editRecord(world.hub, 'contact', row?.id ?? 0, { jobTitle: 'Analyst' }, 'api')
  await until('Mailchimp hears of it', () => job('ada@example.com') === 'Analyst')
})

test('several workers on one database make every customer and invoice once', async () => {
  await start(3)
  const deals = Array.from({ length: 12 }, async (_, i) => {
    const person = await createRecord(
      world.hub,
      'contact',
      { familyName: `P${i}`, emails: [`p${i}@example.com`] },
      'api',
    )
    if (person.kind !== 'saved') throw new Error(person.kind)
    const fields = {
      name: `Deal ${i}`,
      stage: 'Won',
      amount: { amount: 1000 + i, currency: 'EUR' },
      contact: person.record.id,
    }
    return createRecord(world.hub, 'deal', fields, 'api')
  })
  await Promise.all(deals)
  for (const name of ['mailchimp', 'stripe']) await queueSync(world.db.sql, name, false)
  await until(
    'all invoices are open',
    () => world.stripe.admin.invoices().filter((i) => i.status === 'open').length >= 12,
  )
  await until('the outbox is settled', async () => {
    const [open] = await world.db.sql<
      { n: number }[]
    >`select count(*) as n from outbox where state in ('sending', 'uncertain')`
    return open?.n === 0
  })
  expect(world.stripe.admin.invoices()).toHaveLength(12)
  expect(world.stripe.admin.customers()).toHaveLength(12)
})

test('two workers that meet one person at once make one record', async () => {
  world.mailchimp.admin.seed(
    Array.from({ length: 60 }, (_, i) => ({
      email: `p${i}@example.com`,
      mergeFields: { FNAME: 'P', LNAME: `${i}` },
    })),
  )
  world.stripe.admin.seed(
    Array.from({ length: 60 }, (_, i) => ({ email: `p${i}@example.com`, name: `P ${i}` })),
  )
  await start(2)
  await Promise.all([queueSync(world.db.sql, 'mailchimp', false), queueSync(world.db.sql, 'stripe', false)])
  await until('both were read', async () => {
    const [linked] = await world.db.sql<
      { n: number }[]
    >`select count(*) as n from links where state = 'linked'`
    return linked?.n === 120
  })
  expect(await world.db.sql`select count(*) as n from contacts`).toEqual([{ n: 60 }])
})

test('a stored webhook is followed by the workers, to the other systems', async () => {
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada' })
  await syncAll(world.hub, ['mailchimp', 'stripe'], 'changes')
  await start(1)
  const member = world.mailchimp.admin.unsubscribe('ada@example.com')
  await storeEvent(world.db.sql, 'mailchimp', 'e1', [{ resource: 'members', id: member.id }], world.clock.now)
  await wakeHints(world.db.sql, 'mailchimp')
  await until('Stripe is told', () => world.stripe.admin.customers()[0]?.metadata['email_opt_out'] === 'true')
})

test('schedules of connections that ship, but were not added, make no jobs', async () => {
  await wakeMail(world.db.sql, ['gmail', 'mailchimp'])
  await queueSync(world.db.sql, 'gmail', false)
  const jobs = await world.db
    .sql`select key from graphile_worker.jobs where key like 'mail:%' or key like 'sync:%'`
  expect(jobs).toEqual([{ key: 'mail:mailchimp' }])
})

test('the jobs of a worker that died are taken over within seconds', async () => {
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await queueSync(world.db.sql, 'mailchimp', false)
  await world.db.sql`
    update graphile_worker._private_jobs set locked_by = 'worker-dead', locked_at = now() - interval '1 minute'`
  await world.db.sql`
    update graphile_worker._private_job_queues set locked_by = 'worker-dead', locked_at = now() - interval '1 minute'`
  await start(1)
  await until("the dead worker's sync is done", async () => {
    const [people] = await world.db.sql<{ n: number }[]>`select count(*) as n from contacts`
    return people?.n === 1
  })
})
