import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { editChange } from '../../src/runtime/change.ts'
import { applyChanges } from '../../src/runtime/changes.ts'
import { dropConnection } from '../../src/runtime/connect.ts'
import { pushConnection, syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { holding } from '../../src/runtime/hold.ts'
import { performAll } from '../../src/runtime/inbox/bulk.ts'
import { takeSide } from '../../src/runtime/inbox/conflict.ts'
import { perform } from '../../src/runtime/inbox/perform.ts'
import { closes, settleItem } from '../../src/runtime/inbox/settle.ts'
import { eraseRecord } from '../../src/runtime/privacy/erase.ts'
import { hubStatus } from '../../src/runtime/status.ts'
import { noteHeld } from '../../src/store/held.ts'
import { openItems, listItems, readItem, type NewItem } from '../../src/store/inbox.ts'
import { openOf } from '../../src/store/outbox.ts'
import { openConflict } from '../support/conflict.ts'
import { openWorld, shippedConfiguration, type World } from '../support/world.ts'

let world: World
afterEach(() => world.close())

const BY = 'user:ann'
const refused = (key: string, streamId: number | null = null): NewItem => ({
  kind: 'rejected_write',
  key,
  title: 'stripe refused',
  fix: 'f',
  detail: {},
  streamId,
  recordId: null,
})
const opened = () => listItems(world.db.sql, { state: 'open', limit: 500 })

test('a write that is refused again while it is sent again stays open', async () => {
  world = await openWorld({ connections: [] })
  await openItems(world.db.sql, [refused('k')], world.clock.now)
  const [item] = await opened()
  const result = await settleItem(world.hub, item?.id ?? 0, 'retry', BY, async () => {
    await openItems(world.db.sql, [refused('k')], world.clock.now)
    return closes('sent again', 'It is sent again.')
  })
  expect(result).toMatchObject({ kind: 'done', message: expect.stringContaining('stays open') })
  expect(await readItem(world.db.sql, item?.id ?? 0)).toMatchObject({ state: 'open' })
})

test('an action over many items leaves alone what comes in while it runs', async () => {
  world = await openWorld({ connections: [] })
  await openItems(
    world.db.sql,
    Array.from({ length: 5 }, (_, i) => refused(`k${i}`)),
    world.clock.now,
  )
  // As a vendor that refuses again at once.
  await world.db.sql.unsafe(`
    create function again() returns trigger language plpgsql as $$ begin
      if new.state = 'done' and (select count(*) from inbox) < 100 then
        insert into inbox (kind, key, title, fix, detail, created_at, updated_at)
        values (new.kind, new.key, new.title, new.fix, new.detail, now(), now());
      end if;
      return null;
    end $$;
    create trigger again after update on inbox for each row execute function again()`)
  const result = await performAll(world.hub, { kind: 'rejected_write' }, 'dismiss', {}, BY)
  expect(result).toMatchObject({ matched: 5, done: 5 })
  expect(await opened()).toHaveLength(5)
})

test('many people who have vendors asked at once do not wait for each other for ever', async () => {
  world = await openWorld({ connections: ['csv'] })
  const target = world.hub.targets.find((t) => t.label === 'csv/contacts')
  await openItems(
    world.db.sql,
    Array.from({ length: 40 }, (_, i) => ({ ...refused(`k${i}`, target?.id), kind: 'unreadable' as const })),
    world.clock.now,
  )
  const ids = (await opened()).map((item) => item.id)
  const results = await Promise.all(ids.map((id) => perform(world.hub, id, 'replay', {}, BY)))
  expect(results.map((one) => one.kind)).toEqual(ids.map(() => 'done'))
}, 20_000)

test('a conflict is settled between passes: what one takes in meanwhile is not undone', async () => {
  world = await openConflict()
  await syncAll(world.hub, ['mailchimp', 'stripe'], 'changes')
  const [item] = (await opened()).filter((one) => one.kind === 'conflict')
  let settled = false
  const { taken } = await holding(world.hub, ['stripe'], async () => {
    const taking = takeSide(world.hub, item?.id ?? 0, { side: 'remote' }, BY).finally(() => (settled = true))
    await pause(300)
    expect(settled).toBe(false)
    await editRecord(world.hub, 'contact', item?.recordId ?? 0, { jobTitle: 'Poet' }, 'user:bo')
    return { taken: taking }
  })
  expect(await taken).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('the hub says "Poet"'),
  })
})

test('a write is not looked up, nor sent again, while its stream waits for a plan', async () => {
  world = await openWorld({ connections: ['stripe'] })
  const target = world.hub.targets.find((t) => t.label === 'stripe/customers')
  const asks = await world.restarted(
    shippedConfiguration((name, text) =>
      name === 'hub.yaml' ? text.replace('approvals: none', 'approvals: ask') : text,
    ),
  )
  await openItems(world.db.sql, [{ ...refused('u', target?.id), kind: 'uncertain_outcome' }], world.clock.now)
  const [item] = await opened()
  await world.db.sql`
    insert into outbox (stream_id, link_id, record_id, run_id, key, op, state, body, consent, pushed, sent, wake, attempts, created_at, tried_at)
    values (${target?.id ?? 0}, 1, 1, 1, 'key', 'create', 'uncertain', '{}', 'unknown', '{}', '{}', 1, 1, now(), now())`
  expect(await openOf(world.db.sql, target?.id ?? 0, 5)).toHaveLength(1)
  expect(await perform(asks, item?.id ?? 0, 'look-up', {}, BY)).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('concord plan stripe'),
  })
  expect(world.sent).toEqual([])
})

test('what a deal lacked for its invoice is not asked for once an undo has archived it', async () => {
  world = await openWorld({ connections: ['stripe'] })
  const made = await createRecord(world.hub, 'deal', { name: 'Engine', stage: 'Won' }, BY)
  if (made.kind !== 'saved') throw new Error(JSON.stringify(made))
  const asked = async () =>
    (await opened()).filter((one) => one.key === `missing_data:invoice:${made.record.id}`)
  expect(await asked()).toHaveLength(1)
  const change = editChange(made.record, {}, BY, world.clock.now, { archived: true })
  if (change === null) throw new Error('nothing changed')
  await world.db.sql.begin((tx) => applyChanges(world.hub, tx, 'deal', [change], null, BY, 'always'))
  expect(await asked()).toEqual([])
  expect(await world.db.sql`select 1 from invoices`).toEqual([])
})

test('an opt-out that was refused waits for nobody once its record is archived', async () => {
  world = await openWorld({ connections: ['stripe'] })
  world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada' })
  await syncAll(world.hub, ['stripe'], 'changes')
  const [link] = await world.db.sql<{ id: number; record: number; stream: number }[]>`
    update links set problem = 'no' returning id, record_id as record, stream_id as stream`
  await openItems(world.db.sql, [refused(`rejected:${link?.id}:consent`, link?.stream)], world.clock.now)
  await editRecord(world.hub, 'contact', link?.record ?? 0, {}, BY, { archived: true })
  await pushConnection(world.hub, 'stripe')
  expect(await opened()).toEqual([])
})

test('what waited about a removed connection waits for nobody, and an approval of it counts for no later one', async () => {
  world = await openWorld({ connections: ['csv'] })
  const header = ['id', 'email', 'first_name', 'last_name', 'phone']
  const people = Array.from({ length: 60 }, (_, i) => [`p${i}`, `p${i}@example.com`, `F${i}`, `L${i}`, ''])
  world.export('contacts', [header, ...people])
  await syncAll(world.hub, ['csv'], 'sweep')
  world.clock.now += 60_000
  world.export('contacts', [header, ...people.slice(40)])
  await syncAll(world.hub, ['csv'], 'sweep')
  expect((await opened()).map((item) => item.kind)).toEqual(['mass_change'])
  expect(await dropConnection(world.hub, 'csv')).toBe(true)
  expect(await opened()).toEqual([])
  expect(await world.db.sql`select 1 from held_changes`).toEqual([])
  expect(await world.db.sql`select 1 from streams where harmed is not null or needs_sweep`).toEqual([])
})

test('of writes that a removed connection left with an outcome nobody knows, nobody waits for one', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await syncAll(world.hub, ['mailchimp'], 'sweep')
  await world.db.sql`
    insert into outbox (stream_id, link_id, record_id, key, op, body, pushed, sent, wake, state, created_at, tried_at)
    select stream_id, id, record_id, gen_random_uuid(), 'update', '{}', '[]', '{}', 1, s.state, now(), now()
    from links, unnest(array['sending', 'uncertain', 'applied']) as s(state)`
  expect((await hubStatus(world.hub)).uncertain).toBe(2)
  expect(await dropConnection(world.hub, 'mailchimp')).toBe(true)
  expect((await hubStatus(world.hub)).uncertain).toBe(0)
  expect(await world.db.sql`select state, settled_at is not null as settled from outbox order by id`).toEqual(
    [
      { state: 'abandoned', settled: true },
      { state: 'abandoned', settled: true },
      { state: 'applied', settled: false },
    ],
  )
})

test('what a removed connection was being sent about an erased person is taken out', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await syncAll(world.hub, ['mailchimp'], 'sweep')
  const [row] = await world.db.sql<{ id: number }[]>`
    insert into outbox (stream_id, link_id, record_id, key, op, body, pushed, sent, wake, state, created_at, tried_at)
    select stream_id, id, record_id, 'k', 'create', '{"email": "ada@example.com"}', '[]', '{}', 1, 'uncertain', now(), now()
    from links returning record_id as id`
  const body = () => world.db.sql`select body from outbox where key = 'k'`
  expect((await eraseRecord(world.hub, { id: row?.id ?? 0, by: BY })).kind).toBe('erased')
  expect(await body()).toEqual([{ body: { email: 'ada@example.com' } }])
  await dropConnection(world.hub, 'mailchimp')
  expect(await body()).toEqual([{ body: {} }])
})

test('an edit that fails half-way leaves no run that goes on for ever', async () => {
  world = await openWorld({ connections: [] })
  const made = await createRecord(world.hub, 'contact', { givenName: 'Ada' }, BY)
  if (made.kind !== 'saved') throw new Error(JSON.stringify(made))
  await world.db.sql.unsafe(`
    create function full_disk() returns trigger language plpgsql as $$ begin raise 'no room'; end $$;
    create trigger full_disk before insert on history for each row execute function full_disk()`)
  await expect(
    editRecord(world.hub, 'contact', made.record.id, { givenName: 'Augusta' }, BY),
  ).rejects.toThrow('no room')
  expect(await world.db.sql`select state, problem from runs order by id desc limit 1`).toEqual([
    { state: 'failed', problem: 'no room' },
  ])
})

test('a field that a person wants kept at the remote is settled between pushes', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await syncAll(world.hub, ['mailchimp'], 'sweep')
  const [link] = await world.db.sql<{ record: number; stream: number }[]>`
    select record_id as record, stream_id as stream from links`
  const { record = 0, stream = 0 } = link ?? {}
  await editRecord(world.hub, 'contact', record, { givenName: null }, BY)
  const at = world.clock.now
  const held = {
    what: 'blanks',
    recordId: record,
    remoteId: null,
    title: 't',
    changes: {},
    stamp: '',
  } as const
  await noteHeld(world.db.sql, stream, 'out', [held], at)
  const item = { ...refused('m', stream), kind: 'mass_change' as const, detail: { side: 'out' } }
  await openItems(world.db.sql, [item], at)
  const [open] = await opened()
  let settled = false
  const { rejecting } = await holding(world.hub, ['mailchimp'], async () => {
    const work = perform(world.hub, open?.id ?? 0, 'reject', {}, BY).finally(() => (settled = true))
    await pause(300)
    expect(settled).toBe(false)
    return { rejecting: work }
  })
  expect(await rejecting).toMatchObject({ kind: 'done' })
  await pushConnection(world.hub, 'mailchimp')
  expect(world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('FNAME')).toBe('Ada')
})
