import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { editRecord } from '../../src/runtime/edit.ts'
import { approve, reject } from '../../src/runtime/inbox/mass-change.ts'
import { survivorsOf } from '../../src/store/merges.ts'
import { openWorld, type World } from '../support/world.ts'
import { fieldsOf, read, stateOf, unmerge } from './merge.support.ts'

const HEAD = ['id', 'email', 'first_name', 'last_name', 'job_title', 'merged_into']
const ada = ['c1', 'ada@example.com', 'Ada', 'Lovelace', 'Analyst', '']
const countess = ['c2', 'countess@lovelace.org', 'Ada', 'Lovelace', 'Countess', '']

let world: World
beforeEach(async () => {
  world = await openWorld({
    connections: ['csv'],
    configure: (_, text) => text.replaceAll('deletes: unlink', 'deletes: archive'),
  })
  // The setting of this installation.
  await world.db
    .sql`update connections set settings = settings || '{"mergedIntoColumn": "merged_into"}'::jsonb`
})
afterEach(() => world.close())

async function sync(): Promise<void> {
  for (const pass of await syncAll(world.hub, ['csv'], 'changes')) expect(pass.problem).toBeNull()
  world.clock.now += 300_000
}
async function idOf(email: string): Promise<number> {
  const [row] = await world.db.sql`select record_id as id from identities where key = ${email}`
  return Number(row?.['id'])
}
const merged = (row: readonly string[], into: string) => [...row.slice(0, -1), into]

describe('a merge at the remote', () => {
  test('is followed, and can be taken back', async () => {
    world.export('contacts', [HEAD, ada, countess])
    await sync()
    const [a, b] = [await idOf('ada@example.com'), await idOf('countess@lovelace.org')]
    const before = await stateOf(world, [a, b])
    world.export('contacts', [HEAD, merged(ada, 'c2'), countess])
    await sync()
    expect(await survivorsOf(world.db.sql, [a, b])).toEqual(new Map([[a, b]]))
    expect((await fieldsOf(world.hub, b))['emails']).toEqual(['countess@lovelace.org', 'ada@example.com'])
    const [row] = await world.db.sql`select rule, by from merges`
    expect(row).toEqual({ rule: 'remote merge at csv/contacts: c1 into c2', by: 'csv' })
    await sync()
    await unmerge(world.hub, a)
    const after = await stateOf(world, [a, b])
    expect(after).toMatchObject({ records: Reflect.get(before, 'records') })
    expect((await read(world.hub, 'contact', a)).archived).toBe(false)
    // The source still says that they are one; nobody merges them again for it.
    await sync()
    expect(await survivorsOf(world.db.sql, [a, b])).toEqual(new Map())
  })

  test('into an object that comes in the same file, or nobody knew, archives nobody in between', async () => {
    world.export('contacts', [HEAD, ada])
    await sync()
    const a = await idOf('ada@example.com')
    world.export('contacts', [HEAD, merged(ada, 'c9'), ['c9', 'new@lovelace.org', 'Ada', 'King', '', '']])
    await sync()
    const b = await idOf('new@lovelace.org')
    expect(await survivorsOf(world.db.sql, [a])).toEqual(new Map([[a, b]]))
    expect(await fieldsOf(world.hub, b)).toMatchObject({
      givenName: 'Ada',
      familyName: 'King',
      jobTitle: 'Analyst',
      emails: ['new@lovelace.org', 'ada@example.com'],
    })
  })

  test('of several into one, and of that one into another, ends at the last', async () => {
    const third = ['c3', 'third@lovelace.org', 'Ada', 'L.', '', '']
    world.export('contacts', [HEAD, ada, countess, third])
    await sync()
    const ids = await Promise.all(
      ['ada@example.com', 'countess@lovelace.org', 'third@lovelace.org'].map(idOf),
    )
    world.export('contacts', [HEAD, merged(ada, 'c2'), merged(countess, 'c3'), third])
    await sync()
    const [a = 0, b = 0, c = 0] = ids
    expect(await survivorsOf(world.db.sql, ids)).toEqual(
      new Map([
        [a, c],
        [b, c],
      ]),
    )
    expect((await read(world.hub, 'contact', c)).archived).toBe(false)
  })

  test('into nothing that can be found leaves the record, without its object', async () => {
    world.export('contacts', [HEAD, ada])
    await sync()
    const a = await idOf('ada@example.com')
    world.export('contacts', [HEAD, merged(ada, 'nobody')])
    await sync()
    expect((await read(world.hub, 'contact', a)).archived).toBe(false)
    expect(
      await world.db.sql`select state from links where record_id = ${a} and remote_id is not null`,
    ).toEqual([{ state: 'gone' }])
  })

  const asked = () =>
    world.db.sql`select title, record_id as record, state, resolution from inbox where kind = 'missing_data'`

  test('into nothing that can be found is asked about, and followed once the other one comes', async () => {
    world.export('contacts', [HEAD, ada])
    await sync()
    const a = await idOf('ada@example.com')
    world.export('contacts', [HEAD, merged(ada, 'c9')])
    await sync()
    await sync()
    expect(await asked()).toMatchObject([
      {
        title: `csv/contacts has merged c1 into c9, which is not in the hub: contact ${a} stays, without an object there`,
        record: a,
        state: 'open',
      },
    ])
    world.export('contacts', [HEAD, merged(ada, 'c9'), ['c9', 'late@lovelace.org', 'Ada', 'King', '', '']])
    await sync()
    await sync()
    const b = await idOf('late@lovelace.org')
    expect(await survivorsOf(world.db.sql, [a])).toEqual(new Map([[a, b]]))
    expect(await asked()).toMatchObject([{ state: 'done', resolution: 'the object that is left is here' }])
  })

  test('is followed though hundreds that were asked about before go on waiting', async () => {
    world.export('contacts', [HEAD, countess, ada])
    await sync()
    const [waits, a] = [await idOf('countess@lovelace.org'), await idOf('ada@example.com')]
    await world.db.sql`
      insert into inbox (kind, key, title, fix, detail, stream_id, record_id, created_at, updated_at)
      select 'missing_data', 'missing_data:merged:' || s.id || ':x' || n, 'x', 'x',
        jsonb_build_object('from', 'x' || n, 'into', 'nobody' || n), s.id, ${waits}::bigint, now(), now()
      from streams s, generate_series(1, 600) n where s.connection = 'csv' and s.name = 'contacts'`
    world.export('contacts', [HEAD, countess, merged(ada, 'c9')])
    await sync()
    const late = ['c9', 'late@lovelace.org', 'Ada', 'King', '', '']
    world.export('contacts', [HEAD, countess, merged(ada, 'c9'), late])
    await sync()
    await sync()
    const b = await idOf('late@lovelace.org')
    expect(await survivorsOf(world.db.sql, [a])).toEqual(new Map([[a, b]]))
  })

  test('is not asked about any more once the record is archived', async () => {
    world.export('contacts', [HEAD, ada])
    await sync()
    const a = await idOf('ada@example.com')
    world.export('contacts', [HEAD, merged(ada, 'c9')])
    await sync()
    expect((await editRecord(world.hub, 'contact', a, {}, 'user:ann', { archived: true })).kind).toBe('saved')
    await sync()
    expect(await asked()).toMatchObject([{ state: 'done', resolution: 'the record is archived or merged' }])
  })

  describe('of many at once', () => {
    const PEOPLE = Array.from({ length: 60 }, (_, i) => [`p${i}`, `p${i}@x.io`, 'P', `No ${i}`, '', ''])
    const half = PEOPLE.map((row, i) => (i < 30 ? merged(row, `p${i + 30}`) : row))
    const held = async () => {
      world.export('contacts', [HEAD, ...PEOPLE])
      await sync()
      world.export('contacts', [HEAD, ...half])
      await syncAll(world.hub, ['csv'], 'changes')
      world.clock.now += 300_000
      const [item] = await world.db
        .sql`select id, title from inbox where kind = 'mass_change' and state = 'open'`
      return { id: Number(item?.['id']), title: String(item?.['title']) }
    }
    const count = async (table: 'merges' | 'contacts') => {
      const [row] = await world.db.sql`select count(*) as n from ${world.db.sql(table)}`
      return Number(row?.['n'])
    }

    test('is held, as a merge and not as a removal, and done once a person approves', async () => {
      const { id, title } = await held()
      expect(title).toBe('csv/contacts would merge 30 of 60 records in the hub')
      expect(await count('merges')).toBe(0)
      expect((await approve(world.hub, id, 'user:ann')).kind).not.toBe('refused')
      await sync()
      expect(await count('merges')).toBe(30)
    })

    test('leaves the records apart that a person refuses to merge, or has not decided about', async () => {
      const { id } = await held()
      const [one] = [await idOf('p3@x.io')]
      const only = { kind: 'only', records: [one] } as const
      expect((await reject(world.hub, id, 'user:ann', only)).kind).not.toBe('refused')
      const [two] = [await idOf('p4@x.io')]
      const other = { kind: 'only', records: [two] } as const
      expect((await approve(world.hub, id, 'user:ann', other)).kind).not.toBe('refused')
      await syncAll(world.hub, ['csv'], 'sweep')
      const losers = await world.db.sql`select loser_id as id from merges`
      expect(losers).toEqual([{ id: two }])
      expect((await read(world.hub, 'contact', one)).archived).toBe(false)
    })
  })
})
