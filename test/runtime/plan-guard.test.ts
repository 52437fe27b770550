import { afterEach, expect, test } from 'vitest'
import { pushConnection, syncAll } from '../../src/runtime/cycle.ts'
import { editRecord } from '../../src/runtime/edit.ts'
import { reject } from '../../src/runtime/inbox/mass-change.ts'
import { foresee } from '../../src/runtime/plan/foresee.ts'
import { approvePlan } from '../../src/runtime/plan/decide.ts'
import { makePlan } from '../../src/runtime/plan/make.ts'
import { listItems } from '../../src/store/inbox.ts'
import { openWorld, shippedConfiguration, type World } from '../support/world.ts'

let world: World
afterEach(() => world.close())

const HEADER = ['id', 'email', 'first_name', 'last_name', 'phone']
const people = (n: number) =>
  Array.from({ length: n }, (_, i) => [`p${i}`, `p${i}@example.com`, `First${i}`, `Last${i}`, ''])
async function sync(name: string) {
  const passes = await syncAll(world.hub, [name], 'sweep')
  world.clock.now += 2 * 3_600_000
  return passes.flatMap((pass) => pass.held)
}
const plan = async (name: string, label: string) => {
  const { id, summary } = await makePlan(world.hub, [name], 'user:ann')
  return { id, of: summary.streams.find((one) => one.stream === label) }
}
const approve = (id: number) => approvePlan(world.hub, id, 'user:ann')
const linked = async () => {
  const [row] = await world.db.sql<{ n: number }[]>`
    select count(*) as n from links l join streams s on s.id = l.stream_id
    where s.connection = 'csv' and s.name = 'contacts' and l.state = 'linked'`
  return row?.n
}
const members = (count: number) => {
  for (const [, email = ''] of people(count)) world.mailchimp.admin.subscribe(email, { FNAME: 'Ann' })
}
const ids = async () => {
  const rows = await world.db.sql<{ id: number }[]>`select id from contacts order by id`
  return rows.map((row) => row.id)
}

test('an approved plan lets through deletes that only end links', async () => {
  world = await openWorld({ connections: ['csv'] })
  world.export('contacts', [HEADER, ...people(60)])
  await sync('csv')
  world.export('contacts', [HEADER, ...people(10)])
  const { id, of } = await plan('csv', 'csv/contacts')
  expect(of).toMatchObject({ held: ['in'], harm: { in: { deletes: 50 } } })
  await approve(id)
  expect(await sync('csv')).toEqual([])
  expect(await linked()).toBe(10)
})

test('a plan counts each harm of a record that comes to two, and approving it lets both through', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  members(60)
  await sync('mailchimp')
  for (const [, email = ''] of people(60)) world.mailchimp.admin.unsubscribe(email)
  await sync('mailchimp')
  for (const [, email = ''] of people(60)) {
    world.clock.now += 1_000
    world.mailchimp.admin.resubscribeByForm(email)
    if (world.mailchimp.admin.member(email)?.status === 'pending') world.mailchimp.admin.confirm(email)
    world.mailchimp.admin.editProfile(email, { FNAME: '' })
  }
  const { id, of } = await plan('mailchimp', 'mailchimp/members')
  expect(of).toMatchObject({ held: ['in'], harm: { in: { blanks: 60, optIns: 60 } } })
  await approve(id)
  expect(await sync('mailchimp')).toEqual([])
  expect(
    await world.db.sql`select count(*) as n from contacts where email_consent = 'in' and given_name is null`,
  ).toEqual([{ n: 60 }])
})

test('a plan adds up what it sends over all its waves, as the guard does', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  members(700)
  await sync('mailchimp')
  const all = await ids()
  // 50 in the first 500 and 50 in the rest; 70 are let through unseen.
  for (const id of [...all.slice(0, 50), ...all.slice(-50)])
    await editRecord(world.hub, 'contact', id, {}, 'user:bo', { archived: true })
  await world.db.sql`update links set wake = wake + 1`
  const { id, of } = await plan('mailchimp', 'mailchimp/members')
  expect(of).toMatchObject({ held: ['out'], harm: { out: { deletes: 100 } } })
  await approve(id)
  await pushConnection(world.hub, 'mailchimp')
  expect(await listItems(world.db.sql, { state: 'open', kind: 'mass_change', limit: 9 })).toEqual([])
  expect(await world.db.sql`select count(*) as n from outbox where op = 'archive'`).toEqual([{ n: 100 }])
}, 60_000)

test('what an approved plan lets through counts by itself, whatever went before it', async () => {
  world = await openWorld({ connections: ['csv'] })
  world.export('contacts', [HEADER, ...people(80)])
  await sync('csv')
  world.export('contacts', [HEADER, ...people(60)])
  await syncAll(world.hub, ['csv'], 'sweep')
  world.export('contacts', [HEADER, ...people(20)])
  await approve((await plan('csv', 'csv/contacts')).id)
  expect(await sync('csv')).toEqual([])
  expect(await linked()).toBe(20)
})

test('an approval that nothing needed lets nothing through days later', async () => {
  world = await openWorld({ connections: ['csv'] })
  world.export('contacts', [HEADER, ...people(60)])
  await sync('csv')
  world.export('contacts', [HEADER, ...people(10)])
  await approve((await plan('csv', 'csv/contacts')).id)
  world.export('contacts', [HEADER, ...people(60)])
  expect(await sync('csv')).toEqual([])
  world.clock.now += 3 * 86_400_000
  world.export('contacts', [HEADER, ...people(15)])
  expect(await sync('csv')).toEqual(['csv/contacts'])
  expect(await linked()).toBe(60)
})

test('a plan shows nothing that a person has refused already', async () => {
  world = await openWorld({ connections: ['csv'] })
  world.export('contacts', [HEADER, ...people(60)])
  await sync('csv')
  world.export('contacts', [HEADER, ...people(60).map((row) => row.with(2, ''))])
  expect(await sync('csv')).toEqual(['csv/contacts'])
  const [item] = await listItems(world.db.sql, { state: 'open', kind: 'mass_change', limit: 9 })
  await reject(world.hub, item?.id ?? 0, 'user:bo')
  const { of } = await plan('csv', 'csv/contacts')
  expect(of).toMatchObject({ held: [], hub: { update: 0 }, harm: { in: { blanks: 0 } } })
})

test('a connection that is named twice is planned once', async () => {
  world = await openWorld({ connections: ['csv'] })
  const { summary } = await makePlan(world.hub, ['csv', 'csv'], 'user:ann')
  const names = summary.streams.map((one) => one.stream)
  expect(names).toEqual([...new Set(names)])
})

test('what could not be read for a plan is not approved with it, and that is said', async () => {
  world = await openWorld({ connections: ['csv'] })
  const { id } = await makePlan(world.hub, ['csv'], 'user:ann')
  await world.db.sql`
    update plans set summary = jsonb_set(summary, '{streams}', (
      select jsonb_agg(s || '{"problem": "no such file"}') from jsonb_array_elements(summary->'streams') s))`
  expect(await approve(id)).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('csv/contacts, csv/companies could not be read'),
  })
})

test('another reading of consent is asked about, and said of objects that were read before', async () => {
  const bounced = (name: string, text: string) =>
    name === 'mailchimp.yaml' ? text.replace('unsubscribed: out', 'unsubscribed: unknown') : text
  world = await openWorld({ connections: ['mailchimp'], configure: bounced })
  members(5)
  world.mailchimp.admin.unsubscribe('p3@example.com')
  await sync('mailchimp')
  const out = () => world.db.sql`select email from contacts where email_consent = 'out'`
  expect(await out()).toEqual([])
  const hub = await world.restarted(shippedConfiguration())
  const [foreseen] = await foresee(world.hub, hub.configuration)
  expect(foreseen).toMatchObject({
    records: 1,
    hub: 1,
    samples: [{ changes: { emailConsent: { before: 'unknown', after: 'out' } } }],
  })
  await syncAll(hub, ['mailchimp'], 'changes')
  expect(await out()).toEqual([{ email: 'p3@example.com' }])
})

test('an opt-out is sent although what a push has to take in first is held', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  members(60)
  await sync('mailchimp')
  const [first] = await ids()
  await world.db.sql`
    update links set wake = wake + 1, observed = jsonb_set(observed::jsonb, '{merge_fields,FNAME}', '""')::json`
  await world.db.sql`update contacts set email_consent = 'out' where id = ${first ?? 0}`
  await pushConnection(world.hub, 'mailchimp')
  expect(world.mailchimp.admin.member('p0@example.com')?.status).toBe('unsubscribed')
  expect(await listItems(world.db.sql, { state: 'open', kind: 'mass_change', limit: 9 })).toMatchObject([
    { detail: { side: 'in', blanks: 59 } },
  ])
})
