import { afterEach, expect, test } from 'vitest'
import { pushConnection, syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { performAll } from '../../src/runtime/inbox/bulk.ts'
import { takeSide } from '../../src/runtime/inbox/conflict.ts'
import { KINDS } from '../../src/runtime/inbox/kinds.ts'
import { perform, type ActionInput } from '../../src/runtime/inbox/perform.ts'
import { assign, snooze, timeFrom } from '../../src/runtime/inbox/tend.ts'
import { fullView } from '../../src/runtime/inbox/view.ts'
import { inboxItems } from '../../src/runtime/status.ts'
import { openItems, readItem, type InboxItem, type InboxKind } from '../../src/store/inbox.ts'
import { COLUMNS } from '../support/exports.ts'
import { openConflict } from '../support/conflict.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
afterEach(() => world.close())

const BY = 'user:ann'
const open = (kind: InboxKind) => inboxItems(world.hub, { state: 'open', kind, limit: 50 })
async function only(kind: InboxKind): Promise<InboxItem> {
  const [item, ...more] = await open(kind)
  expect(more).toEqual([])
  if (item === undefined) throw new Error(`no ${kind} waits`)
  return item
}
const act = (action: Parameters<typeof perform>[2], id: number, input: ActionInput = {}, hub = world.hub) =>
  perform(hub, id, action, input, BY)
async function person(fields: Record<string, string | string[]>): Promise<number> {
  const made = await createRecord(world.hub, 'contact', fields, BY)
  if (made.kind !== 'saved') throw new Error(JSON.stringify(made))
  return made.record.id
}

const BOTH = ['mailchimp', 'stripe']
async function conflict(): Promise<InboxItem> {
  world = await openConflict()
  await syncAll(world.hub, BOTH, 'changes')
  return only('conflict')
}
const jobs = async (): Promise<unknown[]> => [
  (await world.db.sql<{ job: string }[]>`select job_title as job from contacts`)[0]?.job,
  world.mailchimp.admin.member('ada@example.com')?.mergeFields.get('JOBTITLE'),
  world.stripe.admin.customers()[0]?.metadata['job_title'],
]

test('a conflict shows hub, remote and last agreed, and a third value settles it everywhere', async () => {
  const item = await conflict()
  expect(await fullView(world.hub, item)).toMatchObject({
    columns: {
      field: 'jobTitle',
      hub: { value: 'Countess', by: 'mailchimp', at: expect.any(String) },
      remote: { value: 'Analyst', by: 'stripe' },
      agreed: null,
    },
    actions: expect.arrayContaining([
      expect.objectContaining({ action: 'resolve', command: `concord inbox resolve ${item.id} --take hub` }),
    ]),
  })
  const wrong = await act('resolve', item.id, { take: 'value', set: { givenName: 'Ada' } })
  expect(wrong).toMatchObject({ kind: 'refused', message: expect.stringContaining('about jobTitle') })
  expect(await act('resolve', item.id, { take: 'value', set: { jobTitle: { a: 1 } } })).toMatchObject({
    kind: 'refused',
  })
  expect(await act('resolve', item.id, { take: 'value', set: { jobTitle: 'Mathematician' } })).toMatchObject({
    kind: 'done',
  })
  await syncAll(world.hub, BOTH, 'changes')
  expect(await jobs()).toEqual(['Mathematician', 'Mathematician', 'Mathematician'])
  expect(await open('conflict')).toEqual([])
  expect(await readItem(world.db.sql, item.id)).toMatchObject({ resolution: `another value given by ${BY}` })
  const [run] = await world.db.sql`select by from runs where kind = 'edit' and by is not null`
  expect(run).toEqual({ by: BY })
})

test('of two people who settle one conflict, one does, and the other is told what was done', async () => {
  const item = await conflict()
  const other = await world.restarted()
  const results = await Promise.all([
    takeSide(world.hub, item.id, { side: 'hub' }, 'user:ann'),
    takeSide(other, item.id, { side: 'remote' }, 'user:bo'),
  ])
  expect(results.map((one) => one.kind).toSorted()).toEqual(['done', 'refused'])
  expect(results.find((one) => one.kind === 'refused')?.message).toMatch(
    /closed already: (hub|remote) chosen by user:/,
  )
  await syncAll(world.hub, BOTH, 'changes')
  const value = results[0]?.kind === 'done' ? 'Countess' : 'Analyst'
  expect(await jobs()).toEqual([value, value, value])
})

test('a conflict whose values have changed since is not settled blindly, and closes when the sides agree', async () => {
  const item = await conflict()
  await editRecord(world.hub, 'contact', item.recordId ?? 0, { jobTitle: 'Poet' }, BY)
  expect(await act('resolve', item.id, { take: 'hub' })).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('the hub says "Poet", the remote says "Analyst"'),
  })
  await editRecord(world.hub, 'contact', item.recordId ?? 0, { jobTitle: 'Analyst' }, BY)
  await pushConnection(world.hub, 'stripe')
  expect(await open('conflict')).toEqual([])
})

test('a conflict closes when its record is archived', async () => {
  const item = await conflict()
  await editRecord(world.hub, 'contact', item.recordId ?? 0, {}, BY, { archived: true })
  await syncAll(world.hub, BOTH, 'changes')
  expect(await open('conflict')).toEqual([])
})

async function pair(): Promise<readonly [number, number, InboxItem]> {
  world = await openWorld({ connections: [] })
  const [a, b] = [
    await person({ emails: ['ada@example.com'], givenName: 'Ada' }),
    await person({ givenName: 'Ada' }),
  ]
  await openItems(
    world.db.sql,
    [
      {
        kind: 'duplicate',
        key: `duplicate:${a}:${b}`,
        title: 't',
        fix: 'f',
        detail: { kind: 'contact', records: [a, b], evidence: 'a test', by: 'ada@example.com' },
        streamId: null,
        recordId: a,
      },
    ],
    world.clock.now,
  )
  return [a, b, await only('duplicate')]
}

test('a duplicate is merged once, whoever asks for it, and into the record that was chosen', async () => {
  const [a, b, item] = await pair()
  expect(await act('merge', item.id, { survivor: 4711 })).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining(`--survivor ${a} or --survivor ${b}`),
  })
  const other = await world.restarted()
  const results = await Promise.all([
    act('merge', item.id, { survivor: b }),
    act('merge', item.id, { survivor: a }, other),
  ])
  expect(results.map((one) => one.kind).toSorted()).toEqual(['done', 'refused'])
  const rows = await world.db.sql<{ id: number }[]>`select id from contacts where archived_at is null`
  expect(rows).toEqual([{ id: results[0]?.kind === 'done' ? b : a }])
})

test('two that are kept apart are not asked about again', async () => {
  const [a, b, item] = await pair()
  expect(await act('keep-apart', item.id)).toMatchObject({ kind: 'done' })
  const { kind, key, title, fix, detail, streamId, recordId } = item
  await openItems(world.db.sql, [{ kind, key, title, fix, detail, streamId, recordId }], world.clock.now)
  expect(await open('duplicate')).toEqual([])
  expect(await world.db.sql`select a, b from kept_apart`).toEqual([{ a, b }])
})

test('a question about two records closes when one is archived, or loses the key they shared', async () => {
  const [, b] = await pair()
  await editRecord(world.hub, 'contact', b, {}, BY, { archived: true })
  expect(await open('duplicate')).toEqual([])
  await world.close()
  const [c] = await pair()
  await editRecord(world.hub, 'contact', c, { emails: ['new@example.com'] }, BY)
  expect(await open('duplicate')).toEqual([])
})

test('of two edits to one address at once, one is saved and the other hears whose it is', async () => {
  world = await openWorld({ connections: [] })
  const other = await world.restarted()
  for (let round = 0; round < 5; round++) {
    const [a, b] = [await person({ givenName: `A${round}` }), await person({ givenName: `B${round}` })]
    const emails = [`race${round}@example.com`]
    const results = await Promise.all([
      editRecord(world.hub, 'contact', a, { emails }, BY),
      editRecord(other, 'contact', b, { emails }, 'user:bo'),
    ])
    expect(results.map((one) => one.kind).toSorted()).toEqual(['exists', 'saved'])
  }
  expect(await open('duplicate')).toEqual([])
})

test('what a deal lacks is filled in where it is asked for', async () => {
  world = await openWorld({ connections: ['stripe'] })
  const contact = await person({ emails: ['ada@example.com'], givenName: 'Ada' })
  const deal = await createRecord(world.hub, 'deal', { name: 'Engine', stage: 'Won', contact }, BY)
  if (deal.kind !== 'saved') throw new Error(JSON.stringify(deal))
  const item = (await open('missing_data')).find(
    (one) => one.key === `missing_data:invoice:${deal.record.id}`,
  )
  if (item === undefined) throw new Error('nothing is missing')
  expect(await act('fill', item.id, { set: { amount: 'much' } })).toMatchObject({ kind: 'refused' })
  const amount = { amount: 120_000, currency: 'EUR' }
  expect(await act('fill', item.id, { set: { amount } })).toMatchObject({
    kind: 'done',
    message: expect.stringContaining('has all it needs'),
  })
  expect(await world.db.sql`select count(*) as n from invoices`).toEqual([{ n: 1 }])
  expect(await act('fill', item.id, { set: { amount } })).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining(`filled in by ${BY}`),
  })
})

test('what is missing of a deal that is archived is not asked for', async () => {
  world = await openWorld({ connections: ['stripe'] })
  const deal = await createRecord(world.hub, 'deal', { name: 'Engine', stage: 'Won' }, BY)
  if (deal.kind !== 'saved') throw new Error(JSON.stringify(deal))
  const asked = async () =>
    (await open('missing_data')).filter((one) => one.key.startsWith('missing_data:invoice'))
  expect(await asked()).toHaveLength(1)
  await editRecord(world.hub, 'deal', deal.record.id, {}, BY, { archived: true })
  expect(await asked()).toEqual([])
})

test('rows that could not be read are read again at once, after a correction', async () => {
  world = await openWorld({ connections: ['csv'] })
  const row = (phone: string) => ['1', 'ada@example.com', 'Ada', 'Lovelace', phone, '', '', '', '']
  world.export('contacts', [COLUMNS.contacts, row('nonsense')])
  await syncAll(world.hub, ['csv'], 'changes')
  const item = await only('unreadable')
  expect(await act('replay', item.id)).toMatchObject({
    kind: 'done',
    message: expect.stringContaining('0 of 1'),
  })
  expect((await only('unreadable')).id).toBe(item.id)
  world.export('contacts', [COLUMNS.contacts, row('+49 30 901820')])
  world.clock.now += 60_000
  expect(await act('replay', item.id)).toMatchObject({ kind: 'done', message: 'All 1 could be read now.' })
  expect(await open('unreadable')).toEqual([])
  expect(await world.db.sql`select phones from contacts`).toEqual([{ phones: ['+4930901820'] }])
})

async function refusedWrite(): Promise<InboxItem> {
  world = await openWorld({ connections: ['stripe'] })
  world.stripe.admin.createCustomer({ email: 'ada@example.com', name: 'Ada' })
  await syncAll(world.hub, ['stripe'], 'changes')
  const [row] = await world.db.sql<{ id: number; link: number; stream: number }[]>`
    select record_id as id, id as link, stream_id as stream from links`
  const { id = 0, link = 0, stream = 0 } = row ?? {}
  await world.db.sql`update links set problem = 'no such city' where id = ${link}`
  const item = {
    kind: 'rejected_write',
    key: `rejected:${link}:update`,
    title: 'stripe refused',
    fix: 'f',
    detail: { link, op: 'update', code: 'x', field: 'name', sent: {} },
    streamId: stream,
    recordId: id,
  } as const
  await openItems(world.db.sql, [item], world.clock.now)
  return only('rejected_write')
}

test('a refused write is corrected where it is shown, and sent', async () => {
  const item = await refusedWrite()
  expect(await act('edit', item.id, {})).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('No field'),
  })
  expect(await act('edit', item.id, { set: { givenName: 'Augusta' } })).toMatchObject({ kind: 'done' })
  await pushConnection(world.hub, 'stripe')
  expect(world.stripe.admin.customers()[0]?.name).toBe('Augusta')
  expect(await readItem(world.db.sql, item.id)).toMatchObject({ resolution: `corrected by ${BY}` })
})

test('a refused write is over when its record is archived, or a later write goes through', async () => {
  const item = await refusedWrite()
  await editRecord(world.hub, 'contact', item.recordId ?? 0, {}, BY, { archived: true })
  await pushConnection(world.hub, 'stripe')
  expect(await open('rejected_write')).toEqual([])
  await world.close()
  const second = await refusedWrite()
  await editRecord(world.hub, 'contact', second.recordId ?? 0, { givenName: 'Augusta' }, BY)
  await pushConnection(world.hub, 'stripe')
  expect(await open('rejected_write')).toEqual([])
})

test('an item is given to somebody, hidden, and comes back when its time or something greater comes', async () => {
  world = await openWorld({ connections: [] })
  const item = (count: number) =>
    ({
      kind: 'unreadable',
      key: 'u',
      title: `${count} rows`,
      fix: 'f',
      detail: { count },
      streamId: null,
      recordId: null,
    }) as const
  const shown = (hub: Hub = world.hub) =>
    inboxItems(hub, { state: 'open', snoozed: 'hidden', now: world.clock.now, limit: 10 })
  await openItems(world.db.sql, [item(3)], world.clock.now)
  const [first] = await shown()
  const id = first?.id ?? 0
  await assign(world.hub, id, 'ann')
  expect(await inboxItems(world.hub, { state: 'open', assignee: 'ann', limit: 10 })).toHaveLength(1)
  expect(await inboxItems(world.hub, { state: 'open', assignee: 'bo', limit: 10 })).toEqual([])
  expect(await snooze(world.hub, id, world.clock.now - 1)).toMatchObject({ kind: 'refused' })
  await snooze(world.hub, id, timeFrom('3d', world.clock.now))
  expect(await shown()).toEqual([])
  await openItems(world.db.sql, [item(2)], world.clock.now)
  expect(await shown()).toEqual([])
  world.clock.now += 3 * 86_400_000
  expect(await shown()).toHaveLength(1)
  await snooze(world.hub, id, timeFrom('1d', world.clock.now))
  await openItems(world.db.sql, [item(9)], world.clock.now)
  expect(await shown()).toHaveLength(1)
  await act('dismiss', id)
  expect(await assign(world.hub, id, 'bo')).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('closed already'),
  })
})

test.each([
  ['12h', 43_200_000],
  ['2w', 1_209_600_000],
  ['1970-01-03', 172_800_000],
  ['1970-01-01T00:01Z', 60_000],
  ['3 days', null],
  ['2026-02-30', null],
  ['', null],
])('the time %s', (text, at) => {
  expect(timeFrom(text, 0)).toBe(at)
})

test('one action goes over many items, and one that is refused stops none', async () => {
  world = await openWorld({ connections: [] })
  const at = world.clock.now
  const many = Array.from({ length: 450 }, (_, i) => ({
    kind: i % 3 === 0 ? ('rejected_write' as const) : ('unreadable' as const),
    key: `k${i}`,
    title: 't',
    fix: 'f',
    detail: {},
    streamId: 1,
    recordId: null,
  }))
  await openItems(world.db.sql, many, at)
  const dry = await performAll(world.hub, { streamId: 1 }, 'retry', {}, BY, true)
  expect(dry).toMatchObject({ matched: 450, done: 150, refused: 300, dryRun: true })
  expect(await performAll(world.hub, { kind: 'rejected_write' }, 'retry', {}, BY)).toMatchObject({
    done: 0,
    refused: 150,
  })
  const result = await performAll(world.hub, { kind: 'unreadable' }, 'dismiss', {}, BY)
  expect(result).toMatchObject({ matched: 300, done: 300, refused: 0, problems: [] })
  expect(await open('unreadable')).toEqual([])
})

test('every kind says what happened, why, and what can be done; what does not fit is refused with what does', async () => {
  for (const info of Object.values(KINDS)) {
    expect(Object.values(info).every((part) => part.length > 0)).toBe(true)
  }
  world = await openWorld({ connections: [] })
  const item = {
    kind: 'mass_change',
    key: 'm',
    title: 't',
    fix: 'f',
    detail: {},
    streamId: 1,
    recordId: null,
  } as const
  await openItems(world.db.sql, [item], world.clock.now)
  const { id } = await only('mass_change')
  for (const action of ['retry', 'resolve', 'merge', 'dismiss'] as const) {
    expect(await act(action, id, { take: 'hub' })).toEqual({
      kind: 'refused',
      message: `Item ${id} is of the kind "mass change", which has no "${action}". What can be done: approve, reject.`,
    })
  }
  expect(await act('dismiss', 999)).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('no item 999'),
  })
  for (const [kind, given, fix] of [
    ['rejected_write', 'replay', '"retry" is meant: `concord inbox retry'],
    ['unreadable', 'retry', '"replay" is meant: `concord inbox replay --id'],
  ] as const) {
    await openItems(world.db.sql, [{ ...item, kind, key: kind }], world.clock.now)
    const one = await only(kind)
    expect(await act(given, one.id)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(`which has no "${given}". Fix: ${fix} ${one.id}\`.`),
    })
  }
})
