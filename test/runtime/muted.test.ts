import { afterEach, expect, test } from 'vitest'
import type { HubRecord } from '../../src/core/model.ts'
import { editChange } from '../../src/runtime/change.ts'
import { applyChanges } from '../../src/runtime/changes.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { makePlan } from '../../src/runtime/plan/make.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
afterEach(() => world.close())

const DEALS = 'id,name,pipeline,stage,amount,currency,close_date,contact_email,company_domain,lines'.split(
  ',',
)
const deal = (stage: string) => [
  'd1',
  'Engines',
  '',
  stage,
  '1200.50',
  'EUR',
  '2026-05-01',
  'ada@example.com',
  '',
  '',
]
const invoices = () => world.db.sql`select status from invoices`
const missing = () => world.db.sql`select title from inbox where kind = 'missing_data' and state = 'open'`
const syncedAt = async () => {
  const rows = await world.db.sql<{ name: string; at: number | null }[]>`
    select connection || '/' || name as name, first_synced_at as at from streams`
  return new Map(rows.map(({ name, at }) => [name, at]))
}

async function openDeal(email: string | null): Promise<{ deal: HubRecord; contact: HubRecord }> {
  const contact = await createRecord(
    world.hub,
    'contact',
    { givenName: 'Ada', familyName: 'Lovelace', ...(email === null ? {} : { emails: [email] }) },
    'api',
  )
  if (contact.kind !== 'saved') throw new Error(contact.kind)
  const fields = {
    name: 'Engines',
    stage: 'Proposal',
    amount: { amount: 120_050, currency: 'EUR' },
    closeDate: '2026-05-01',
    nextStep: 'Call',
    nextStepDue: '2026-04-01',
    contact: contact.record.id,
  }
  const saved = await createRecord(world.hub, 'deal', fields, 'api')
  if (saved.kind !== 'saved') throw new Error(JSON.stringify(saved))
  return { deal: saved.record, contact: contact.record }
}

/** As a page of a connection's pass writes it. */
async function observed(
  record: HubRecord,
  fields: Readonly<Record<string, string | readonly string[]>>,
  muted: boolean,
) {
  const edits = Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [field, { value, rule: 'edited at csv only' }]),
  )
  const change = editChange(record, edits, 'csv', world.clock.now)
  if (change === null) throw new Error('nothing changed')
  await world.db.sql.begin((tx) => applyChanges(world.hub, tx, record.kind, [change], null, 'csv', muted))
  return change.after
}

test('a deal that is won while a stream is read for the first time is not invoiced, then or later', async () => {
  world = await openWorld()
  const { deal: open } = await openDeal('ada@example.com')
  const won = await observed(open, { stage: 'Won' }, true)
  expect(await invoices()).toEqual([])
  await editRecord(world.hub, 'deal', won.id, { name: 'Difference engines' }, 'user:ann')
  await syncAll(world.hub, ['csv', 'stripe'], 'changes')
  expect([...(await invoices()), ...(await missing())]).toEqual([])
})

test('the same deal is invoiced once the first pass is over, and at once where that is asked for', async () => {
  world = await openWorld()
  await observed((await openDeal('ada@example.com')).deal, { stage: 'Won' }, false)
  expect(await invoices()).toHaveLength(1)
  await world.close()
  world = await openWorld({
    configure: (name, text) =>
      name === 'invoicing.yaml' ? text.replace('alreadyWon: skip', 'alreadyWon: invoice') : text,
  })
  await observed((await openDeal('ada@example.com')).deal, { stage: 'Won' }, true)
  expect(await invoices()).toHaveLength(1)
})

test('an address that comes with a first sync lets no waiting invoice go, and leaves what waits in the inbox', async () => {
  world = await openWorld()
  const { deal: open, contact } = await openDeal(null)
  await observed(open, { stage: 'Won' }, false)
  expect(await missing()).toHaveLength(1)
  await observed(contact, { emails: ['ada@example.com'] }, true)
  expect(await invoices()).toEqual([])
  expect(await missing()).toHaveLength(1)
  await editRecord(world.hub, 'deal', open.id, { name: 'Difference engines' }, 'user:ann')
  expect([await invoices(), await missing()]).toEqual([[{ status: 'requested' }], []])
})

test('a first pass ends with its last page, and not with one that broke off', async () => {
  world = await openWorld({ connections: ['csv', 'mailchimp'] })
  world.mailchimp.admin.seed(Array.from({ length: 1_500 }, (_, i) => ({ email: `p${i}@example.com` })))
  let pages = 0
  world.mailchimp.faults.plan = ({ method, path }) =>
    method === 'GET' && path.endsWith('/members') && ++pages > 2 ? { kind: 'status', status: 503 } : null
  await syncAll(world.hub, ['mailchimp'], 'changes')
  world.mailchimp.faults.plan = null
  expect(await world.db.sql`select count(*) > 0 as some from contacts`).toEqual([{ some: true }])
  expect((await syncedAt()).get('mailchimp/members')).toBeNull()
  world.clock.now += 60_000
  await makePlan(world.hub, ['mailchimp'], 'user:ann')
  expect((await syncedAt()).get('mailchimp/members')).toBeNull()
  await syncAll(world.hub, ['mailchimp'], 'changes')
  const first = (await syncedAt()).get('mailchimp/members')
  expect(first).not.toBeNull()
  world.clock.now += 3_600_000
  await syncAll(world.hub, ['mailchimp'], 'sweep')
  expect((await syncedAt()).get('mailchimp/members')).toBe(first)
})

test('a deal that a first sync brings open is invoiced when it is won', async () => {
  world = await openWorld({ connections: ['csv', 'stripe'] })
  world.export('contacts', [
    'id,email,first_name,last_name,phone,job_title,company,company_domain,unsubscribed'.split(','),
    ['1', 'ada@example.com', 'Ada', 'Lovelace', '', '', '', '', ''],
  ])
  world.export('deals', [DEALS, deal('Proposal')])
  await syncAll(world.hub, ['csv', 'stripe'], 'changes')
  expect(await invoices()).toEqual([])
  world.clock.now += 300_000
  world.export('deals', [DEALS, deal('Won')])
  await syncAll(world.hub, ['csv', 'stripe'], 'changes')
  expect(await invoices()).toHaveLength(1)
})
