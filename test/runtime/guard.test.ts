import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { takeSide } from '../../src/runtime/inbox/conflict.ts'
import { approve } from '../../src/runtime/inbox/mass-change.ts'
import { listItems } from '../../src/store/inbox.ts'
import { openConflict } from '../support/conflict.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
const archiving = (name: string, text: string) =>
  name === 'csv.yaml' ? text.replaceAll('deletes: unlink', 'deletes: archive') : text
afterEach(async () => {
  await world.close()
})

const HEADER = ['id', 'email', 'first_name', 'last_name', 'phone']
const people = (n: number) =>
  Array.from({ length: n }, (_, i) => [`p${i}`, `p${i}@example.com`, `First${i}`, `Last${i}`, ''])
async function sync(mode: 'changes' | 'sweep' = 'changes') {
  const passes = await syncAll(world.hub, ['csv'], mode)
  world.clock.now += 900_000
  return passes
}
const live = async () => {
  const [row] = await world.db.sql<
    { n: number }[]
  >`select count(*) as n from contacts where archived_at is null`
  return row?.n
}
const items = async () =>
  (await listItems(world.db.sql, { state: 'open', limit: 500 })).filter((item) => item.kind !== 'duplicate')

test('an export that lost most of its rows is held, nothing is archived, and an approval lets it through', async () => {
  world = await openWorld({ connections: ['csv'], configure: archiving })
  world.export('contacts', [HEADER, ...people(200)])
  await sync()
  expect(await live()).toBe(200)
  world.export('contacts', [HEADER, ...people(20)])
  const [pass] = await sync()
  expect(pass?.held).toEqual(['csv/contacts'])
  expect(await live()).toBe(200)
  const [item] = await items()
  expect(item).toMatchObject({ kind: 'mass_change' })
  expect(await approve(world.hub, item?.id ?? 0, 'user:ann')).toMatchObject({ kind: 'done' })
  await sync('sweep')
  expect(await live()).toBe(20)
  expect(await items()).toEqual([])
})

test('a held export that is corrected at its source goes on by itself', async () => {
  world = await openWorld({ connections: ['csv'], configure: archiving })
  world.export('contacts', [HEADER, ...people(200)])
  await sync()
  world.export('contacts', [HEADER, ...people(20)])
  await sync()
  world.export('contacts', [HEADER, ...people(199)])
  await sync()
  expect(await live()).toBe(199)
  expect(await items()).toEqual([])
})

test('a column emptied over the whole export is held', async () => {
  world = await openWorld({ connections: ['csv'] })
  world.export('contacts', [HEADER, ...people(100)])
  await sync()
  world.export('contacts', [HEADER, ...people(100).map((row) => [row[0] ?? '', row[1] ?? '', '', '', ''])])
  await sync()
  const [row] = await world.db.sql`select count(*) as n from contacts where family_name is null`
  expect(row).toEqual({ n: 0 })
  expect(await items()).toMatchObject([{ kind: 'mass_change' }])
})

test('rows that cannot be read stop nothing and are told with their line', async () => {
  world = await openWorld({ connections: ['csv'] })
  world.export('contacts', [
    HEADER,
    ['a', 'ann@example.com.', 'Ann', 'A', ''],
    ['b', 'bob@example.com'],
    ['c', 'cem@example.com', 'Cem', 'C', ''],
  ])
  await sync()
  expect(await world.db.sql`select given_name from contacts order by id`).toEqual(
    expect.arrayContaining([{ given_name: 'Cem' }]),
  )
  const [item] = await items()
  expect(item).toMatchObject({ kind: 'unreadable' })
  expect(JSON.stringify(item?.detail)).toContain('line 3')
})

test('a conflict under `ask` keeps both sides until a person chooses', async () => {
  world = await openConflict()
  const both = ['mailchimp', 'stripe']
  await syncAll(world.hub, both, 'changes')
  await syncAll(world.hub, both, 'sweep')
  expect(world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('JOBTITLE')).toBe('Countess')
  expect(world.stripe.admin.customers()[0]?.metadata).toMatchObject({ job_title: 'Analyst' })
  const [item, ...more] = await items()
  expect(more).toEqual([])
  expect(item).toMatchObject({ kind: 'conflict' })
  expect(await takeSide(world.hub, item?.id ?? 0, { side: 'remote' }, 'user:ann')).toMatchObject({
    kind: 'done',
  })
  await syncAll(world.hub, both, 'changes')
  expect(world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('JOBTITLE')).toBe('Analyst')
  expect(await items()).toEqual([])
})
