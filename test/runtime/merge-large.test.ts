import { afterEach, expect, test } from 'vitest'
import { openWorld, type World } from '../support/world.ts'
import { made, merge, unmerge } from './merge.support.ts'

let world: World
afterEach(() => world.close())

const ACTIVITIES = 3_000

test('a contact with thousands of activities is merged in chunks, and every one comes back', async () => {
  world = await openWorld({ connections: [] })
  const a = await made(world.hub, 'contact', { familyName: 'Lee', emails: ['a@x.io'] })
  const b = await made(world.hub, 'contact', { familyName: 'Lee', emails: ['b@x.io'] })
  const q = world.db.sql
  await q`
    insert into activities (id, version, created_at, updated_at, type, contact_id, occurred_at)
    select nextval('record_ids'), 1, now(), now(), 'email', case when n % 3 = 0 then ${a}::bigint else ${b}::bigint end, now()
    from generate_series(1, ${ACTIVITIES}::int) n`
  const of = async (id: number) =>
    Number((await q`select count(*) as n from activities where contact_id = ${id}`)[0]?.['n'])
  await merge(world.hub, a, b)
  expect([await of(a), await of(b)]).toEqual([ACTIVITIES, 0])
  await unmerge(world.hub, b)
  expect([await of(a), await of(b)]).toEqual([ACTIVITIES / 3, (ACTIVITIES * 2) / 3])
}, 60_000)
