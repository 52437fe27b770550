import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { approvePlan } from '../../src/runtime/plan/decide.ts'
import { makePlan } from '../../src/runtime/plan/make.ts'
import { eraseRecord } from '../../src/runtime/privacy/erase.ts'
import { exportPerson } from '../../src/runtime/privacy/export.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'
import { made } from './merge.support.ts'
import { tracesLeft } from './privacy.support.ts'

const ALL = ['csv', 'mailchimp', 'stripe']
const TRACES = ['Varnhagen', 'Quintessa', 'quin@varnhagen.example', '4930901820']
let world: World
afterEach(() => world.close())

const row = (given: Readonly<Record<string, string>>) => COLUMNS.contacts.map((name) => given[name] ?? '')
const lines = async (plan: number) =>
  world.db.sql<{ title: string; op: string }[]>`
    select title, op from plan_lines where plan_id = ${plan} order by n`

/** A person whom the hub knows, and whom two systems that wait for a plan know too. */
async function waiting(): Promise<number> {
  world = await openWorld({
    configure: (name, text) =>
      name === 'hub.yaml' ? text.replace('approvals: none', 'approvals: ask') : text,
  })
  const id = await made(world.hub, 'contact', {
    givenName: 'Quintessa',
    familyName: 'Varnhagen',
    emails: ['quin@varnhagen.example'],
    phones: ['+4930901820'],
  })
  world.mailchimp.admin.subscribe('quin@varnhagen.example', { FNAME: 'Quintessa', LNAME: 'Varnhagen' })
  world.mailchimp.admin.subscribe('bo@other.example', { FNAME: 'Bo', LNAME: 'Other' })
  world.export('contacts', [
    COLUMNS.contacts,
    row({ id: 'c1', email: 'Quin@Varnhagen.example', first_name: 'Quintessa', last_name: 'Varnhagen' }),
    row({ id: 'c2', email: 'ann@other.example', first_name: 'Ann', last_name: 'Other' }),
    row({ id: 'c3', email: 'quin@varnhagen.example nonsense', phone: '+49 30 1234567' }),
  ])
  return id
}

test('an open plan loses the lines of whoever is erased, and approving it brings nothing back', async () => {
  const id = await waiting()
  const { id: plan } = await makePlan(world.hub, ALL, 'user:ann')
  const before = await lines(plan)
  expect(before.filter((line) => line.title.includes('Varnhagen')).length).toBeGreaterThan(0)
  const erased = await eraseRecord(world.hub, { id, by: 'user:bo' })
  expect(erased.kind).toBe('erased')
  expect(await tracesLeft(world.db, TRACES)).toEqual([])
  const after = await lines(plan)
  expect(after.length).toBeGreaterThan(0)
  expect(after.length).toBeLessThan(before.length)

  expect(await approvePlan(world.hub, plan, 'user:ann')).toMatchObject({ kind: 'done' })
  const gone = world.sent.length
  await syncAll(world.hub, ALL, 'changes')
  await syncAll(world.hub, ALL, 'sweep')
  const people = await world.db.sql`
    select email from contacts where archived_at is null and email is not null order by email`
  expect(people).toEqual([{ email: 'ann@other.example' }, { email: 'bo@other.example' }])
  expect(await tracesLeft(world.db, TRACES)).toEqual([])
  const sent = world.sent.slice(gone)
  expect(sent.filter((one) => !one.startsWith('GET') && one.includes('customers'))).toEqual([])
})

test('an export has what plans list about the person, and who is like them', async () => {
  const id = await waiting()
  const other = await made(world.hub, 'contact', { givenName: 'Quintessa', familyName: 'Varnhagen' })
  const { id: plan } = await makePlan(world.hub, ALL, 'user:ann')
  await world.db.sql`
    insert into match_pairs (a, b, kind, probability, evidence, at)
    values (${id}, ${other}, 'contact', 0.9, 'same name', now())
    on conflict (a, b) do update set evidence = excluded.evidence`
  let text = ''
  for await (const piece of (await exportPerson(world.hub, id)) ?? []) text += piece
  const told: { parts: { name: string; rows: { title: string; evidence: string }[] }[] } = JSON.parse(text)
  const rows = (name: string) => told.parts.find((part) => part.name === name)?.rows ?? []
  const listed = (await lines(plan)).filter((line) => line.title.includes('Varnhagen'))
  expect(listed.length).toBeGreaterThan(0)
  expect(rows('plans').filter(({ title }) => title.includes('Varnhagen'))).toHaveLength(listed.length)
  expect(rows('plans').filter(({ title }) => title.includes('Ann'))).toEqual([])
  expect(rows('matching')).toMatchObject([{ evidence: 'same name' }])
})

test('a plan that is made after the erasure does not name them', async () => {
  const id = await waiting()
  await eraseRecord(world.hub, { id, by: 'user:bo' })
  const { id: plan } = await makePlan(world.hub, ['mailchimp'], 'user:ann')
  const titles = (await lines(plan)).map((line) => line.title)
  expect(titles.some((title) => title.includes('Bo'))).toBe(true)
  expect(await tracesLeft(world.db, TRACES)).toEqual([])
})
