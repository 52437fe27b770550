// What the simulation has found, each by the seed that met it first.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { editRecord } from '../../src/runtime/edit.ts'
import { listItems } from '../../src/store/inbox.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
afterEach(async () => {
  await world.close()
})

test('a record that takes on the address of another is not written over its object, and stops nothing (32)', async () => {
  world = await openWorld({ connections: ['mailchimp', 'stripe'] })
  const { mailchimp, stripe, hub } = world
  mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  mailchimp.admin.subscribe('grace@example.com', { FNAME: 'Grace' })
  const customer = stripe.admin.createCustomer({ email: 'bea@example.com', name: 'Bea Brown' })
  await syncAll(hub, ['mailchimp', 'stripe'], 'changes')

  stripe.admin.editCustomer(customer.id, { email: 'ada@example.com' })
  mailchimp.admin.editProfile('grace@example.com', { JOBTITLE: 'Admiral' })
  world.clock.now += 60_000
  const passed = await syncAll(hub, ['stripe', 'mailchimp'], 'changes')

  expect(passed.map(({ problem }) => problem)).toEqual([null, null])
  expect(mailchimp.admin.member('ada@example.com')?.mergeFields.get('FNAME')).toBe('Ada')
  expect(mailchimp.admin.members()).toHaveLength(2)
  const items = await listItems(hub.db.sql, { state: 'open', kind: 'duplicate', limit: 10 })
  expect(items.map(({ title }) => title)).toEqual([
    expect.stringMatching(/^ada@example.com stands on contact \d+ too, but belongs to contact \d+$/),
  ])
  const links = await hub.db.sql`select state, problem from links where problem is not null`
  expect(links).toMatchObject([{ state: 'filtered', problem: expect.stringContaining('belongs to contact') }])
})

test('someone moves to an address in the page in which a stranger with that address turns up (135)', async () => {
  world = await openWorld({ connections: ['stripe'] })
  const { stripe, hub } = world
  const customer = stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Lovelace' })
  await syncAll(hub, ['stripe'], 'changes')

  stripe.admin.editCustomer(customer.id, { email: 'countess@example.com' })
  stripe.admin.createCustomer({ email: 'countess@example.com', name: 'Ada Lovelace' })
  stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Yonath' })
  world.clock.now += 60_000
  const passed = await syncAll(hub, ['stripe'], 'changes')

  expect(passed.map(({ problem }) => problem)).toEqual([null])
  const people = await hub.db.sql`
    select c.email, count(*) as customers from contacts c join links l on l.record_id = c.id
    where l.state = 'linked' group by c.id order by c.id`
  expect(people).toEqual([
    { email: 'countess@example.com', customers: 2 },
    { email: 'ada@example.com', customers: 1 },
  ])
})

test('a value handed to the CSV source and then taken back is handed over again as it is (232)', async () => {
  world = await openWorld({ connections: ['csv'] })
  const { hub } = world
  const header = ['id', 'email', 'first_name', 'job_title']
  world.export('contacts', [header, ['c1', 'ada@example.com', 'Ada', 'Analyst']])
  await syncAll(hub, ['csv'], 'changes')
  const [contact] = await hub.db.sql<{ id: number }[]>`select id from contacts`
  const handed = () => readFileSync(path.join(world.folder, 'out', 'contacts.csv'), 'utf8')
  const say = async (jobTitle: string) => {
    await editRecord(hub, 'contact', contact?.id ?? 0, { jobTitle }, 'user:ann')
    world.clock.now += 60_000
    return syncAll(hub, ['csv'], 'changes')
  }

  await say('Countess')
  expect(handed()).toContain('Countess')
  await say('Analyst')
  expect(handed()).toContain('Analyst')
  expect(handed()).not.toContain('Countess')
  const [quiet] = await syncAll(hub, ['csv'], 'sweep')
  expect(quiet?.sent).toBe(0)
})

test('whoever has left is told once to an object without a readable address, not for ever (20)', async () => {
  world = await openWorld({ connections: ['mailchimp', 'stripe'] })
  const { mailchimp, stripe, hub } = world
  const customer = stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Lovelace' })
  await syncAll(hub, ['mailchimp', 'stripe'], 'changes')
  stripe.admin.editCustomer(customer.id, { email: 'not an address' })
  mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  mailchimp.admin.unsubscribe('ada@example.com')
  const told = vi.spyOn(hub, 'progress')
  told.mockImplementation((event) => {
    if (event.kind === 'sent' && event.sent > 5) throw new Error('sent again and again')
  })
  world.clock.now += 60_000
  for (let n = 0; n < 3; n++) await syncAll(hub, ['mailchimp', 'stripe'], 'sweep')

  const sent = await hub.db.sql`select op, state from outbox where op = 'consent'`
  expect(sent).toEqual([{ op: 'consent', state: 'applied' }])
  const quiet = await syncAll(hub, ['mailchimp', 'stripe'], 'sweep')
  expect(quiet.map((one) => one.sent)).toEqual([0, 0])
})
