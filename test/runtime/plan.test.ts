import { afterEach, expect, test } from 'vitest'
import { syncAll, type Passed } from '../../src/runtime/cycle.ts'
import { approvePlan, rejectPlan } from '../../src/runtime/plan/decide.ts'
import { makePlan } from '../../src/runtime/plan/make.ts'
import { allLines } from '../../src/runtime/plan/read.ts'
import type { StoredLine } from '../../src/store/plans.ts'
import { openWorld, type World, type WorldOptions } from '../support/world.ts'

let world: World
afterEach(() => world.close())

const ALL = ['csv', 'mailchimp', 'stripe'] as const
const asking = (name: string, text: string): string =>
  name === 'hub.yaml' ? text.replace('approvals: none', 'approvals: ask') : text
const open = async (options: WorldOptions = {}) => {
  const { configure = (_: string, text: string) => text } = options
  world = await openWorld({ ...options, configure: (name, text) => asking(name, configure(name, text)) })
  return world
}
const HEADER = 'id,email,first_name,last_name,phone,job_title,company,company_domain,unsubscribed'.split(',')
const people = (count: number): string[][] =>
  Array.from({ length: count }, (_, i) => [
    `${i + 1}`,
    `p${i + 1}@example.com`,
    `Pat${i + 1}`,
    `Lee${i + 1}`,
    '',
    '',
    '',
    '',
    '',
  ])

const plan = (names: readonly string[] = ALL) => makePlan(world.hub, names, 'user:ann')
const approve = (id: number, only: readonly string[] = []) => approvePlan(world.hub, id, 'user:ann', only)
const sync = (names: readonly string[] = ALL) => syncAll(world.hub, names, 'changes')
const waits = (passes: readonly Passed[]) => [...new Set(passes.flatMap((pass) => pass.waits))].toSorted()

/** How many rows each table has, but for those of plans, and of how reports are made. */
async function rowCounts(): Promise<Readonly<Record<string, number>>> {
  const tables = await world.db.sql<{ name: string }[]>`
    select table_schema || '.' || table_name as name from information_schema.tables
    where table_schema in ('public', 'graphile_worker') and table_type = 'BASE TABLE'
      and table_name not in ('plans', 'plan_lines', 'finding_rules') order by 1`
  const counts: Record<string, number> = {}
  for (const { name } of tables) {
    const [row] = await world.db.sql<{ n: number }[]>`select count(*) as n from ${world.db.sql.unsafe(name)}`
    counts[name] = row?.n ?? 0
  }
  return counts
}
const state = async () => ({
  streams: await world.db.sql`select * from streams order by id`,
  connections: await world.db.sql`select name, state, settings from connections order by name`,
})
const written = () => world.sent.filter((request) => !request.startsWith('GET'))
async function linesOf(id: number): Promise<readonly StoredLine[]> {
  const lines: StoredLine[] = []
  for await (const line of allLines(world.hub, id, {})) lines.push(line)
  return lines
}

test('a plan says what the first sync does on both sides, and writes nothing anywhere', async () => {
  await open()
  world.export('contacts', [HEADER, ...people(30), ['31', 'nonsense', 'No', 'Body', '', '', '', '', '']])
  world.mailchimp.admin.subscribe('p1@example.com', { FNAME: 'Other' })
  world.mailchimp.admin.subscribe('new@example.com', { FNAME: 'New' })
  const before = [await rowCounts(), await state()]
  const { id, summary } = await plan()
  expect([await rowCounts(), await state()]).toEqual(before)
  expect(written()).toEqual([])
  const of = (stream: string) => summary.streams.find((one) => one.stream === stream)
  expect(of('csv/contacts')).toMatchObject({ hub: { create: 31, unreadable: 1 }, waits: true })
  expect(of('mailchimp/members')).toMatchObject({
    read: 2,
    hub: { create: 1, link: 1 },
    remote: { update: 1 },
  })
  const lines = await linesOf(id)
  expect(lines.filter((line) => line.op === 'create' && line.stream === 'csv/contacts')).toHaveLength(31)
  expect(lines.map((line) => line.n)).toEqual(lines.map((_, i) => i + 1))
  expect(lines.find((line) => line.op === 'link')).toMatchObject({
    stream: 'mailchimp/members',
    side: 'hub',
    recordId: null,
    title: expect.stringContaining('p1@example.com'),
  })
  expect(lines.find((line) => line.side === 'remote' && line.op === 'update')?.changes).toMatchObject({
    'merge_fields.LNAME': { before: '', after: 'Lee1' },
  })
})

test('a stream that waits writes nothing in either direction, and approving lets exactly it through', async () => {
  await open()
  world.export('contacts', [HEADER, ...people(3)])
  world.mailchimp.admin.subscribe('new@example.com', { FNAME: 'New' })
  const before = await rowCounts()
  expect(waits(await sync())).toEqual([
    'csv/companies',
    'csv/contacts',
    'csv/deals',
    'mailchimp/members',
    'stripe/customers',
    'stripe/invoices',
  ])
  expect(await rowCounts()).toEqual(before)
  expect(world.sent).toEqual([])
  const { id } = await plan()
  expect(await approve(id, ['mailchimp/members'])).toMatchObject({
    kind: 'done',
    streams: ['mailchimp/members'],
  })
  expect(waits(await sync())).not.toContain('mailchimp/members')
  expect(await world.db.sql`select email from contacts`).toEqual([{ email: 'new@example.com' }])
  expect(written()).toEqual([])
  expect(await approve(id)).toMatchObject({ kind: 'done' })
  expect(waits(await sync())).toEqual([])
  expect(await world.db.sql`select count(*) as n from contacts`).toEqual([{ n: 4 }])
  expect(await approve(id)).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('approved by user:ann'),
  })
})

test('one of two people who approve at once is told that it is done', async () => {
  await open({ connections: ['mailchimp'] })
  const { id } = await plan(['mailchimp'])
  const both = await Promise.all([approve(id), rejectPlan(world.hub, id, 'user:bo')])
  expect(both.map((one) => one.kind).toSorted()).toEqual(['done', 'refused'])
})

test('a plan is not approved once it is old, or its account is another one, or where it does not exist', async () => {
  await open({ connections: ['mailchimp'] })
  const { id } = await plan(['mailchimp'])
  expect(await approve(99)).toMatchObject({ kind: 'refused' })
  expect(await approve(id, ['stripe/customers'])).toMatchObject({ kind: 'refused' })
  await world.db
    .sql`update connections set settings = settings || '{"list": "another"}' where name = 'mailchimp'`
  expect(await approve(id)).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('has changed'),
  })
  await world.db
    .sql`update connections set settings = settings || ${world.db.sql.json({ list: world.mailchimp.audience.id })} where name = 'mailchimp'`
  world.clock.now += 25 * 3_600_000
  expect(await approve(id)).toMatchObject({ kind: 'refused', message: expect.stringContaining('24 hours') })
})
