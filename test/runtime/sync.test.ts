import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'

const ALL = ['csv', 'mailchimp', 'stripe']
let world: World

beforeEach(async () => {
  world = await openWorld()
})
afterEach(async () => {
  await world.close()
})

async function sync(names = ALL): Promise<void> {
  for (const pass of await syncAll(world.hub, names, 'changes')) expect(pass.problem).toBeNull()
  world.clock.now += 300_000
}

const contact = async (email: string) => {
  const [row] = await world.db.sql`select * from contacts where email = ${email}`
  return row
}

describe('one record over three systems', () => {
  test('a person known to all three becomes one contact with three links', async () => {
    world.export('contacts', [
      COLUMNS.contacts,
      [
        'c1',
        'ada@example.com',
        'Ada',
        'Lovelace',
        '+44 20 7946 0018',
        'Countess',
        'Analytical',
        'analytical.example',
        '',
      ],
    ])
    world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada', LNAME: 'Lovelace' })
    world.stripe.admin.createCustomer({
      email: 'ada@example.com',
      name: 'Ada Lovelace',
      phone: '+442079460018',
    })
    await sync()
    expect(await world.db.sql`select count(*) as n from contacts`).toEqual([{ n: 1 }])
    const links = await world.db
      .sql`select l.state, s.connection from links l join streams s on s.id = l.stream_id order by 2`
    expect(links).toEqual([
      { state: 'linked', connection: 'csv' },
      { state: 'linked', connection: 'mailchimp' },
      { state: 'linked', connection: 'stripe' },
    ])
    expect(world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('PHONE')).toBe('+442079460018')
    expect(await contact('ada@example.com')).toMatchObject({
      job_title: 'Countess',
      email_consent: 'in',
      version: 2,
    })
  })

  test('after that a cycle writes and sends nothing', async () => {
    world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
    world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Lovelace' })
    await sync()
    await sync()
    world.sent.length = 0
    const before = await world.db
      .sql`select sum(n_tup_ins + n_tup_upd + n_tup_del) as n from pg_stat_user_tables`
    await sync()
    expect(world.sent.filter((request) => !request.startsWith('GET'))).toEqual([])
    expect(before).toHaveLength(1)
  })

  test('edits on both sides to different fields both survive', async () => {
    world.mailchimp.admin.subscribe('ada@example.com', {
      FNAME: 'Ada',
      LNAME: 'Lovelace',
      JOBTITLE: 'Countess',
    })
    world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Lovelace' })
    await sync()
    world.mailchimp.admin.editProfile('ada@example.com', { JOBTITLE: 'Analyst' })
    world.stripe.admin.editCustomer('ada@example.com', { phone: '+442079460018' })
    await sync()
    expect(world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('PHONE')).toBe('+442079460018')
    expect(world.stripe.admin.customers()[0]).toMatchObject({
      phone: '+442079460018',
      metadata: { job_title: 'Analyst' },
    })
  })

  test('an unsubscribe reaches every system, and a stale profile sync does not undo it', async () => {
    world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
    world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Lovelace' })
    await sync()
    world.mailchimp.admin.unsubscribe('ada@example.com')
    await sync()
    expect(await contact('ada@example.com')).toMatchObject({ email_consent: 'out' })
    expect(world.stripe.admin.customers()[0]?.metadata).toMatchObject({ email_opt_out: 'true' })
    world.stripe.admin.editCustomer('ada@example.com', { metadata: { email_opt_out: 'false' } })
    await sync()
    expect(await contact('ada@example.com')).toMatchObject({ email_consent: 'out' })
    expect(world.stripe.admin.customers()[0]?.metadata).toMatchObject({ email_opt_out: 'true' })
    expect(world.mailchimp.admin.member('ada@example.com')?.status).toBe('unsubscribed')
  })
})

test('a member whose address bounced is left alone, without asking anybody', async () => {
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada Lovelace' })
  await sync()
  world.mailchimp.admin.clean('ada@example.com')
  world.stripe.admin.editCustomer('ada@example.com', { phone: '+442079460018' })
  await sync()
  await sync()
  expect(await world.db.sql`select count(*) as n from inbox`).toEqual([{ n: 0 }])
  expect(await world.db.sql`select problem from links where problem is not null`).toEqual([
    { problem: expect.stringContaining('bounces') },
  ])
  expect(world.stripe.admin.customers()[0]?.metadata).toMatchObject({ email_opt_out: 'true' })
})

describe('won deals', () => {
  const deal = (stage: string) => [
    COLUMNS.deals,
    ['d1', 'Engines', 'Sales', stage, '1200.50', 'EUR', '2026-03-01', 'ada@example.com', '', ''],
  ]

  test('a deal that arrives already won is not invoiced, then or at a later edit', async () => {
    world.export('contacts', [
      ['id', 'email', 'first_name', 'last_name'],
      ['c1', 'ada@example.com', 'Ada', 'Lovelace'],
    ])
    world.export('deals', deal('Won'))
    await sync()
    world.export(
      'deals',
      deal('Won').map((row) => row.map((cell) => cell.replace('1200.50', '1300.50'))),
    )
    await sync()
    expect(world.stripe.admin.invoices()).toEqual([])
    expect(await world.db.sql`select count(*) as n from inbox`).toEqual([{ n: 0 }])
  })

  test('a won deal gives one finalised invoice, and its payment comes back', async () => {
    world.export('contacts', [
      ['id', 'email', 'first_name', 'last_name'],
      ['c1', 'ada@example.com', 'Ada', 'Lovelace'],
    ])
    world.export('deals', deal('Proposal'))
    await sync()
    expect(world.stripe.admin.invoices()).toEqual([])
    world.export('deals', deal('Won'))
    await sync()
    await sync()
    const [invoice, ...more] = world.stripe.admin.invoices()
    expect(more).toEqual([])
    expect(invoice).toMatchObject({
      status: 'open',
      total: 120_050,
      currency: 'eur',
      customer_email: 'ada@example.com',
    })
    world.stripe.admin.payInvoice(String(invoice?.id))
    await sync()
    expect(await world.db.sql`select payment_status from deals`).toEqual([{ payment_status: 'paid' }])
    expect(world.stripe.admin.customers()).toHaveLength(1)
  })
})
