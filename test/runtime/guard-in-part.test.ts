import { afterEach, expect, test } from 'vitest'
import { pushConnection, syncAll } from '../../src/runtime/cycle.ts'
import { editRecord } from '../../src/runtime/edit.ts'
import { absorb } from '../../src/runtime/absorb.ts'
import { openRun } from '../../src/runtime/run.ts'
import { approve, reject } from '../../src/runtime/inbox/mass-change.ts'
import { dismiss } from '../../src/runtime/inbox/tend.ts'
import { listItems } from '../../src/store/inbox.ts'
import { allow } from '../../src/store/streams.ts'
import { openWorld, type World } from '../support/world.ts'
import { merge } from './merge.support.ts'

let world: World
afterEach(async () => {
  await world.close()
})

const HEADER = ['id', 'email', 'first_name', 'last_name', 'phone']
/** Names that nobody takes for one another. */
const people = (n: number) =>
  Array.from({ length: n }, (_, i) => [`p${i}`, `p${i}@example.com`, `First${i}`, `Last${i}`, ''])
const archiving = (name: string, text: string) =>
  name === 'csv.yaml' ? text.replaceAll('deletes: unlink', 'deletes: archive') : text

async function sync(mode: 'changes' | 'sweep' = 'changes', names: readonly string[] = ['csv']) {
  const passes = await syncAll(world.hub, names, mode)
  world.clock.now += 900_000
  return passes
}
const massChanges = () => listItems(world.db.sql, { state: 'open', kind: 'mass_change', limit: 10 })
const itemId = async () => (await massChanges())[0]?.id ?? 0
const count = async (where: string) => {
  const [row] = await world.db.sql<
    { n: number }[]
  >`select count(*) as n from contacts where ${world.db.sql.unsafe(where)}`
  return row?.n ?? 0
}
const held = async (where = 'true') => {
  const [row] = await world.db.sql<{ n: number }[]>`
    select count(*) as n from held_changes where ${world.db.sql.unsafe(where)}`
  return row?.n ?? 0
}
const idsOf = async (emails: readonly string[]) => {
  const found = await world.db.sql<{ id: number }[]>`
    select id from contacts where email = any(${[...emails]}) order by id`
  return found.map((row) => row.id)
}

async function lost(kept: number, configure = archiving) {
  world = await openWorld({ connections: ['csv'], configure })
  world.export('contacts', [HEADER, ...people(200)])
  await sync()
  world.export('contacts', [HEADER, ...people(kept)])
  await sync()
}

/** Sixty people of Mailchimp, forty of whom were archived here at once; their ids, all sixty. */
async function fortyArchived(): Promise<readonly number[]> {
  world = await openWorld({ connections: ['mailchimp'] })
  for (const [, email = ''] of people(60)) world.mailchimp.admin.subscribe(email, {})
  await sync('sweep', ['mailchimp'])
  const ids = (await world.db.sql<{ id: number }[]>`select id from contacts order by id`).map((row) => row.id)
  for (const id of ids.slice(0, 40))
    await editRecord(world.hub, 'contact', id, {}, 'user:bo', { archived: true })
  await pushConnection(world.hub, 'mailchimp')
  return ids
}

test('every held change is listed, not only the first excess', async () => {
  await lost(20)
  expect(await count('archived_at is null')).toBe(200)
  expect(await held("side = 'in' and what = 'deletes' and verdict is null")).toBe(180)
  const [item] = await massChanges()
  expect(item).toMatchObject({ title: 'csv/contacts would remove 180 of 200 records in the hub', seen: 1 })
  expect(item?.detail).toMatchObject({ deletes: 180, samples: expect.any(Array) })
})

test('what was approved goes through and nothing else, until the rest is decided about', async () => {
  await lost(20)
  const id = await itemId()
  const some = await idsOf(['p20@example.com', 'p21@example.com', 'p22@example.com'])
  expect(await approve(world.hub, id, 'user:ann', { kind: 'only', records: some })).toMatchObject({
    message: expect.stringContaining('3 changes approved, 177 still wait'),
  })
  await sync()
  expect(await count('archived_at is null')).toBe(197)
  // Hours later, the few that are left are still not let through as a few.
  world.clock.now += 10 * 3_600_000
  await sync('sweep')
  await sync('sweep')
  expect(await count('archived_at is null')).toBe(197)
  expect(await held('verdict is null')).toBe(177)
  const few = await idsOf(['p23@example.com'])
  await approve(world.hub, id, 'user:ann', { kind: 'except', records: few })
  await sync()
  expect(await count('archived_at is null')).toBe(21)
  expect(await massChanges()).toHaveLength(1)
  expect(await reject(world.hub, id, 'user:bo')).toMatchObject({ kind: 'done' })
  await sync()
  expect(await count('archived_at is null')).toBe(21)
  expect(await massChanges()).toEqual([])
  expect(await held()).toBe(0)
  // Not archived, not linked any more, and not asked about again.
  await sync('sweep')
  expect(await count('archived_at is null')).toBe(21)
  expect(await massChanges()).toEqual([])
})

test('a record whose two objects vanish is one change, and the verdict on it counts for both', async () => {
  world = await openWorld({ connections: ['csv'], configure: archiving })
  world.export('contacts', [HEADER, ...people(200)])
  await sync()
  const [survivor = 0, loser = 0] = await idsOf(['p150@example.com', 'p151@example.com'])
  await merge(world.hub, survivor, loser)
  const linked = () => world.db.sql`select id from links where record_id = ${survivor} and state = 'linked'`
  expect(await linked()).toHaveLength(2)
  world.export('contacts', [HEADER, ...people(100)])
  await sync()
  expect(await massChanges()).toMatchObject([{ detail: { deletes: 99 } }])
  expect(await held(`record_id = ${survivor}`)).toBe(1)
  await approve(world.hub, await itemId(), 'user:ann', { kind: 'only', records: [survivor] })
  await sync('sweep')
  expect(await linked()).toEqual([])
  expect(await count(`id = ${survivor} and archived_at is not null`)).toBe(1)
  await reject(world.hub, await itemId(), 'user:ann')
  await sync('sweep')
  expect(await massChanges()).toEqual([])
  expect(await count('archived_at is null')).toBe(198)
})

test('of a page whose changes wait, the others are written', async () => {
  await lost(20)
  await approve(world.hub, await itemId(), 'user:ann', {
    kind: 'only',
    records: await idsOf(['p20@example.com']),
  })
  const renamed = people(20).map((row, i) =>
    i === 3 ? [row[0] ?? '', row[1] ?? '', 'Zora', 'Last3', ''] : row,
  )
  world.export('contacts', [HEADER, ...renamed, ['n1', 'new@example.com', 'Nell', 'New', '']])
  await sync()
  expect(await count("given_name = 'Zora'")).toBe(1)
  expect(await count("email = 'new@example.com'")).toBe(1)
  expect(await held('verdict is null')).toBe(179)
})

test('a different harm that comes after an approval is judged anew', async () => {
  await lost(170)
  await approve(world.hub, await itemId(), 'user:ann')
  const blanked = people(170).map((row) => [row[0] ?? '', row[1] ?? '', '', '', ''])
  world.export('contacts', [HEADER, ...blanked])
  await sync()
  expect(await count('family_name is null')).toBe(0)
  expect(await massChanges()).toMatchObject([{ detail: { blanks: 170, deletes: 0 } }])
  // The approval still stands for what it was given for.
  expect(await held("verdict = 'approved'")).toBe(30)
})

test('a rejected blank keeps what the hub has, and the remote is told again', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  for (const [, email = '', first = ''] of people(60))
    world.mailchimp.admin.subscribe(email, { FNAME: first })
  await sync('sweep', ['mailchimp'])
  world.clock.now += 60_000
  for (const [, email = ''] of people(60)) world.mailchimp.admin.editProfile(email, { FNAME: '' })
  await sync('sweep', ['mailchimp'])
  expect(await count('given_name is null')).toBe(0)
  expect(await reject(world.hub, await itemId(), 'user:ann')).toMatchObject({ kind: 'done' })
  await sync('sweep', ['mailchimp'])
  expect(await count('given_name is null')).toBe(0)
  expect(world.mailchimp.admin.member('p7@example.com')?.mergeFields.get('FNAME')).toBe('First7')
  expect(await massChanges()).toEqual([])
  expect(await held()).toBe(0)
})

test('deletes that come one by one in many passes are a mass change too', async () => {
  world = await openWorld({ connections: ['csv'], configure: archiving })
  world.export('contacts', [HEADER, ...people(100)])
  await sync()
  for (let left = 90; left >= 50; left -= 10) {
    world.export('contacts', [HEADER, ...people(left)])
    await syncAll(world.hub, ['csv'], 'changes')
    world.clock.now += 60_000
  }
  expect(await count('archived_at is null')).toBe(80)
  expect(await massChanges()).toHaveLength(1)
  expect(await held('verdict is null')).toBe(30)
})

test('what one hold let through before it counts still counts in the next pass', async () => {
  world = await openWorld({ connections: ['csv'], configure: archiving })
  world.export('contacts', [HEADER, ...people(6_000)])
  await sync()
  world.export('contacts', [HEADER, ...people(5_100)])
  await sync()
  const after = await count('archived_at is null')
  expect(after).toBeGreaterThanOrEqual(5_400)
  for (let i = 0; i < 3; i++) {
    world.clock.now += 2 * 3_600_000
    await sync('sweep')
  }
  expect(await count('archived_at is null')).toBe(after)
  expect(await held('verdict is null')).toBe(after - 5_100)
}, 60_000)

test('single hints do not carry out what is held', async () => {
  await lost(20)
  const target = world.hub.targets.find((t) => t.label === 'csv/contacts')
  if (target === undefined) throw new Error('no target')
  const run = openRun(world.hub, target, 'hints')
  await absorb(world.hub, target, [{ kind: 'absent', id: 'p50' }], run)
  await run.end(null)
  expect(await count('archived_at is null')).toBe(200)
})

test('an outward mass change waits by itself: all else is sent, opt-outs too', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  for (const [, email = '', first = ''] of people(60))
    world.mailchimp.admin.subscribe(email, { FNAME: first })
  await sync('sweep', ['mailchimp'])
  const ids = (await world.db.sql<{ id: number }[]>`select id from contacts order by id`).map((row) => row.id)
  for (const id of ids.slice(0, 40))
    await editRecord(world.hub, 'contact', id, {}, 'user:bo', { archived: true })
  await editRecord(world.hub, 'contact', ids[50] ?? 0, { givenName: 'Zora' }, 'user:bo')
  await pushConnection(world.hub, 'mailchimp')
  world.clock.now += 60_000
  const state = (i: number) => world.mailchimp.admin.member(`p${i}@example.com`)?.status
  expect([state(0), state(39)]).toEqual(['subscribed', 'subscribed'])
  expect(world.mailchimp.admin.member('p50@example.com')?.mergeFields.get('FNAME')).toBe('Zora')
  const [item] = await massChanges()
  expect(item).toMatchObject({ title: 'mailchimp/members would remove 40 of 60 records at mailchimp' })
  // Hours of pushes do not let it through in parts.
  for (let i = 0; i < 3; i++) {
    world.clock.now += 2 * 3_600_000
    await editRecord(world.hub, 'contact', ids[51] ?? 0, { givenName: `Z${i}` }, 'user:bo')
    await pushConnection(world.hub, 'mailchimp')
  }
  expect(state(0)).toBe('subscribed')
  await approve(world.hub, item?.id ?? 0, 'user:ann', { kind: 'only', records: ids.slice(0, 5) })
  await pushConnection(world.hub, 'mailchimp')
  expect([state(0), state(4), state(5)]).toEqual(['archived', 'archived', 'subscribed'])
  await reject(world.hub, item?.id ?? 0, 'user:ann')
  await pushConnection(world.hub, 'mailchimp')
  expect(await massChanges()).toEqual([])
  expect(state(5)).toBe('subscribed')
  // Woken by its remote, a refused one is not asked about again.
  world.mailchimp.admin.editProfile('p6@example.com', { FNAME: 'Other' })
  await sync('sweep', ['mailchimp'])
  expect(state(6)).toBe('subscribed')
  expect(await massChanges()).toEqual([])
})

test('records that are restored are not held any more', async () => {
  const ids = await fortyArchived()
  expect(await held()).toBe(40)
  for (const id of ids.slice(0, 40))
    await editRecord(world.hub, 'contact', id, {}, 'user:bo', { archived: false })
  await pushConnection(world.hub, 'mailchimp')
  expect(await held()).toBe(0)
  expect(await massChanges()).toEqual([])
})

test('two people decide at once: each change has one verdict, and the second is told', async () => {
  await lost(20)
  const id = await itemId()
  const hubs = [world.hub, await world.restarted()]
  const results = await Promise.all([
    approve(hubs[0] ?? world.hub, id, 'user:ann'),
    reject(hubs[1] ?? world.hub, id, 'user:bo'),
  ])
  expect(results.map((one) => one.kind).toSorted()).toEqual(['done', 'refused'])
  expect(results.find((one) => one.kind === 'refused')?.message).toMatch(
    /closed already: (approved|rejected) by user:/,
  )
  expect(await held("verdict = 'approved'")).toBe(results[0]?.kind === 'done' ? 180 : 0)
})

test('a verdict outlives a restart, and a mass change is not dismissed', async () => {
  await lost(20)
  const id = await itemId()
  expect(await dismiss(world.hub, id, 'user:ann')).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('approve, reject'),
  })
  expect(await approve(world.hub, id, 'user:ann', { kind: 'only', records: [999_999] })).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('Nothing is held of record 999999'),
  })
  await approve(world.hub, id, 'user:ann')
  const again = await world.restarted()
  await syncAll(again, ['csv'], 'sweep')
  expect(await count('archived_at is null')).toBe(20)
})

test('what an approved plan has counted goes through once', async () => {
  world = await openWorld({ connections: ['csv'], configure: archiving })
  world.export('contacts', [HEADER, ...people(200)])
  await sync()
  const target = world.hub.targets.find((t) => t.label === 'csv/contacts')
  const harm = { deletes: 100, blanks: 0, optIns: 0 }
  await allow(world.db.sql, target?.id ?? 0, 'in', { ...harm, until: world.clock.now + 60_000 })
  world.export('contacts', [HEADER, ...people(100)])
  await sync()
  expect(await count('archived_at is null')).toBe(100)
  world.clock.now += 2 * 3_600_000
  world.export('contacts', [HEADER, ...people(20)])
  await sync()
  expect(await count('archived_at is null')).toBe(100)
})

test('a rejected mass opt-in opts nobody in, and the remote is told so', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  for (const [, email = ''] of people(60)) world.mailchimp.admin.subscribe(email, {})
  await sync('sweep', ['mailchimp'])
  for (const [, email = ''] of people(60)) world.mailchimp.admin.unsubscribe(email)
  await sync('sweep', ['mailchimp'])
  expect(await count("email_consent = 'out'")).toBe(60)
  for (const [, email = ''] of people(60)) {
    world.clock.now += 1_000
    world.mailchimp.admin.resubscribeByForm(email)
    if (world.mailchimp.admin.member(email)?.status === 'pending') world.mailchimp.admin.confirm(email)
  }
  await sync('sweep', ['mailchimp'])
  expect(await count("email_consent = 'out'")).toBe(60)
  expect(await massChanges()).toMatchObject([{ detail: { optIns: 60 } }])
  const some = await idsOf(['p0@example.com', 'p1@example.com'])
  await approve(world.hub, await itemId(), 'user:ann', { kind: 'only', records: some })
  await reject(world.hub, await itemId(), 'user:ann')
  await sync('sweep', ['mailchimp'])
  await sync('sweep', ['mailchimp'])
  expect(await count("email_consent = 'out'")).toBe(58)
  expect(world.mailchimp.admin.member('p0@example.com')?.status).toBe('subscribed')
  expect(world.mailchimp.admin.member('p7@example.com')?.status).toBe('unsubscribed')
  expect(await massChanges()).toEqual([])
})

test('an approval outlives a push that failed', async () => {
  await fortyArchived()
  await approve(world.hub, await itemId(), 'user:ann')
  world.mailchimp.faults.plan = () => ({ kind: 'status', status: 503, headers: {}, body: '' })
  await pushConnection(world.hub, 'mailchimp')
  world.mailchimp.faults.plan = null
  for (let i = 0; i < 4; i++) {
    world.clock.now += 3_600_000
    await pushConnection(world.hub, 'mailchimp')
  }
  expect(world.mailchimp.admin.members().filter((one) => one.status === 'archived')).toHaveLength(40)
  expect(await massChanges()).toEqual([])
  expect(await held()).toBe(0)
})

test('what waits about one record holds up nothing of another that has its address too', async () => {
  world = await openWorld({ connections: ['csv'] })
  const header = ['id', 'email', 'first_name', 'last_name', 'job_title']
  const rows = (title: string, shared: boolean) =>
    Array.from({ length: 60 }, (_, i) => {
      const email = shared && i === 1 ? 'p0@example.com' : `p${i}@example.com`
      return [`p${i}`, email, `First${i}`, `Last${i}`, title === '' ? '' : `${title} ${i}`]
    })
  world.export('contacts', [header, ...rows('Title', false)])
  await sync()
  world.export('contacts', [header, ...rows('Title', true)])
  await sync()
  const [one] = await world.db.sql<{ id: number }[]>`select id from contacts where given_name = 'First1'`
  world.export('contacts', [header, ...rows('', true)])
  await sync()
  await approve(world.hub, await itemId(), 'user:ann', { kind: 'only', records: [one?.id ?? 0] })
  await sync()
  expect(await world.db.sql`select given_name from contacts where job_title is null`).toEqual([
    { given_name: 'First1' },
  ])
})
