import { afterEach, describe, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { pushStream } from '../../src/runtime/push.ts'
import { planUndo } from '../../src/runtime/undo/plan.ts'
import { undoRun } from '../../src/runtime/undo/undo.ts'
import { recentRuns } from '../../src/runtime/status.ts'
import { demandLinks } from '../../src/store/links.ts'
import { openWorld, type World, type WorldOptions } from '../support/world.ts'
import { merge } from './merge.support.ts'

let world: World
const open = async (options: WorldOptions = {}) => {
  world = await openWorld(options)
}
afterEach(async () => {
  await world.close()
})
const ALL = ['csv', 'mailchimp', 'stripe']
async function sync(names = ALL): Promise<void> {
  world.clock.now += 900_000
  await syncAll(world.hub, names, 'changes')
}
const lastRun = async (kind?: string) =>
  (await recentRuns(world.hub, 50)).find((run) => kind === undefined || run.kind === kind)?.id ?? 0
async function undo(run: number) {
  const result = await undoRun(world.hub, run, 'user:mara')
  if (result.kind === 'refused') throw new Error(result.message)
  return result
}
async function plan(run: number) {
  const result = await planUndo(world.hub, run, 'user:mara')
  if (result.kind === 'refused') throw new Error(result.message)
  return result.plan
}
const consentOf = async (email: string) => {
  const [row] = await world.db.sql<{ state: string }[]>`
    select email_consent as state from contacts where email = ${email}`
  return row?.state
}

describe('consent', () => {
  const optsIn = (name: string, text: string) =>
    name === 'csv.yaml' ? text.replace(`"true": out`, `"true": out\n          "no": in`) : text
  const HEADER = ['id', 'email', 'first_name', 'unsubscribed']

  test('whom the run alone opted in is opted out; whom others opted in stays in; opt-outs stay', async () => {
    await open({ configure: optsIn })
    world.mailchimp.admin.subscribe('in@example.com', { FNAME: 'In' })
    world.export('contacts', [
      HEADER,
      ['c1', 'in@example.com', 'In', ''],
      ['c2', 'none@example.com', 'None', ''],
      ['c3', 'out@example.com', 'Out', ''],
    ])
    await sync()
    world.export('contacts', [
      HEADER,
      ['c1', 'in@example.com', 'In', 'no'],
      ['c2', 'none@example.com', 'None', 'no'],
      ['c3', 'out@example.com', 'Out', 'true'],
    ])
    await sync()
    const run = (await recentRuns(world.hub, 50)).find(
      (r) => r.kind === 'observe' && r.stream === 'csv/contacts',
    )
    expect(await consentOf('none@example.com')).toBe('in')
    expect(await plan(run?.id ?? 0)).toMatchObject({ optOuts: 1, keptOptOuts: 1 })
    const done = await undo(run?.id ?? 0)
    expect(done.counts).toMatchObject({ optedOut: 1 })
    expect(await consentOf('none@example.com')).toBe('out')
    expect(await consentOf('in@example.com')).toBe('in')
    expect(await consentOf('out@example.com')).toBe('out')
    await undo(done.run)
    expect(await consentOf('none@example.com')).toBe('out')
    await sync()
    expect(world.mailchimp.admin.member('in@example.com')?.status).toBe('subscribed')
  })

  test('an address that is taken off again makes nobody more opted in than before', async () => {
    await open()
    world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
    await sync()
    await world.db.sql`
      insert into consents (address, channel, audience, state, at, explicit, source)
      values ('gone@example.com', 'email', 'marketing', 'out', now(), true, 'mailchimp')`
    const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
    await editRecord(
      world.hub,
      'contact',
      row?.id ?? 0,
      { emails: ['ada@example.com', 'gone@example.com'] },
      'api:x',
    )
    expect(await consentOf('ada@example.com')).toBe('out')
    const run = await lastRun('edit')
    await undo(run)
    const [after] = await world.db.sql`select emails, email_consent from contacts`
    expect(after).toEqual({ emails: ['ada@example.com'], email_consent: 'out' })

    // Nor does a merge, though the addresses that are left say yes.
    world.mailchimp.admin.subscribe('eve@example.com', { FNAME: 'Eve' })
    await sync()
    expect(await consentOf('eve@example.com')).toBe('in')
    const [eve] = await world.db.sql<{ id: number }[]>`select id from contacts order by id desc limit 1`
    await merge(world.hub, eve?.id ?? 0, row?.id ?? 0)
    expect(await consentOf('eve@example.com')).toBe('out')
  })
})

describe('invoices', () => {
  async function won(email = 'ada@example.com') {
    const person = await createRecord(world.hub, 'contact', { givenName: 'Ada', emails: [email] }, 'user:bo')
    const contact = person.kind === 'saved' ? person.record.id : 0
    const deal = await createRecord(
      world.hub,
      'deal',
      {
        name: 'Big',
        stage: 'Proposal',
        amount: { amount: 100_00, currency: 'USD' },
        contact,
      },
      'user:bo',
    )
    const id = deal.kind === 'saved' ? deal.record.id : 0
    const result = await editRecord(world.hub, 'deal', id, { stage: 'Won' }, 'api:script')
    expect(result.kind).toBe('saved')
    return { id, contact, run: await lastRun('edit') }
  }
  const invoices = () =>
    world.db.sql`select item, status, archived_at is not null as archived from invoices order by id`

  test('one that was not sent yet is withdrawn with the deal, and asked for again when that is won again', async () => {
    await open()
    const { id, run } = await won()
    expect(await invoices()).toEqual([{ item: 'full', status: 'requested', archived: false }])
    const done = await undo(run)
    expect(done.counts).toMatchObject({ archived: 1, updated: 1 })
    expect(await invoices()).toEqual([{ item: 'full', status: 'requested', archived: true }])
    await sync()
    expect(world.stripe.admin.invoices()).toEqual([])
    expect(await world.db.sql`select id from inbox where state = 'open'`).toEqual([])
    await editRecord(world.hub, 'deal', id, { stage: 'Won' }, 'user:bo')
    expect(await invoices()).toEqual([{ item: 'full', status: 'requested', archived: false }])
    await sync()
    await sync()
    expect(world.stripe.admin.invoices()).toHaveLength(1)
  })

  test('one that a push had planned before the undo is not sent by it', async () => {
    await open({ connections: ['stripe'] })
    const [bo, ada] = [await won('bo@example.com'), await won('ada@example.com')]
    const { hub, db } = world
    const target = (label: string) => {
      const found = hub.targets.find((one) => one.label === label)
      if (found === undefined) throw new Error(`no ${label}`)
      return found
    }
    await demandLinks(db.sql, target('stripe/customers').id, [bo.contact, ada.contact])
    await pushStream(hub, target('stripe/customers'))
    const invoicing = target('stripe/invoices')
    const { push } = invoicing
    if (push === null) throw new Error('it does not send')
    let calls = 0
    const send: typeof push.send = async (io, writes) => {
      if (calls++ === 0) await undo(ada.run)
      return push.send(io, writes)
    }
    await pushStream(hub, { ...invoicing, push: { ...push, batchMax: 1, send } })
    expect(calls).toBe(1)
    expect(world.stripe.admin.invoices().map((one) => one.customer_email)).toEqual(['bo@example.com'])
    expect(await invoices()).toMatchObject([{ archived: false }, { archived: true }])
    await sync(['stripe'])
    expect(world.stripe.admin.invoices()).toHaveLength(1)
  })

  test('one that was issued stays, and the plan says what to do', async () => {
    await open()
    const { id, run } = await won()
    await sync()
    await sync()
    expect(world.stripe.admin.invoices()).toHaveLength(1)
    expect((await plan(run)).spared).toMatchObject([
      { reason: 'invoice', samples: [{ why: 'an issued invoice stays; void it at the vendor by hand' }] },
    ])
    await undo(run)
    const [deal] = await world.db.sql`select stage from deals where id = ${id}`
    expect(deal).toEqual({ stage: 'Proposal' })
    expect(await invoices()).toMatchObject([{ archived: false }])
  })

  test('an undo that makes a deal won again issues none', async () => {
    await open()
    const contact = await createRecord(world.hub, 'contact', { emails: ['ada@example.com'] }, 'user:bo')
    const fields = {
      name: 'Big',
      stage: 'Won',
      amount: { amount: 100_00, currency: 'USD' },
      contact: contact.kind === 'saved' ? contact.record.id : 0,
    }
    const { q } = world.hub.session
    const made = await createRecord(world.hub, 'deal', { ...fields, stage: 'Proposal' }, 'user:bo')
    const id = made.kind === 'saved' ? made.record.id : 0
    await q`update deals set stage = 'Won' where id = ${id}`
    await editRecord(world.hub, 'deal', id, { stage: 'Proposal' }, 'api:script')
    await undo(await lastRun('edit'))
    const [deal] = await world.db.sql`select stage from deals where id = ${id}`
    expect(deal).toEqual({ stage: 'Won' })
    expect(await invoices()).toEqual([])
  })
})

test('records that vanished from a source by mistake come back, and stay', async () => {
  await open({
    connections: ['csv', 'mailchimp'],
    configure: (name, text) =>
      name === 'csv.yaml'
        ? text.replaceAll('deletes: unlink', 'deletes: archive')
        : name === 'mailchimp.yaml'
          ? text.replace('archives: archive', 'archives: keep')
          : text,
  })
  const header = ['id', 'email', 'first_name']
  const row = (n: number) => [`c${n}`, `p${n}@example.com`, `P${n}`]
  world.export('contacts', [header, ...[1, 2, 3, 4, 5, 6].map(row)])
  await sync(['csv'])
  world.export('contacts', [header, ...[1, 2, 3].map(row)])
  await sync(['csv'])
  const run = await lastRun('observe')
  expect(await plan(run)).toMatchObject({
    counts: { restore: 3 },
    remotes: [{ stream: 'csv/contacts', counts: { stays: 3 } }],
  })
  await undo(run)
  await sync(['csv'])
  expect(await world.db.sql`select id from contacts where archived_at is null`).toHaveLength(6)
})

test('a field that a system owns is left, because it would say it again', async () => {
  await open({
    configure: (name, text) =>
      name === 'policies.yaml' ? text.replace(/jobTitle: .*/, 'jobTitle: { owner: csv }') : text,
  })
  const header = ['id', 'email', 'job_title']
  world.export('contacts', [header, ['c1', 'ada@example.com', '']])
  await sync()
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  await editRecord(world.hub, 'contact', row?.id ?? 0, { jobTitle: 'Countess' }, 'user:bo')
  await sync()
  world.export('contacts', [header, ['c1', 'ada@example.com', 'wrong']])
  await sync()
  const run = await lastRun('observe')
  expect((await plan(run)).spared).toMatchObject([
    { reason: 'owned', samples: [{ why: expect.stringContaining('csv/contacts would say it again') }] },
  ])
  await undo(run)
  await sync()
  expect(await world.db.sql`select job_title from contacts`).toEqual([{ job_title: 'wrong' }])
})

test('two records that the run gave each other’s address get both back', async () => {
  await open({ connections: [] })
  const make = async (email: string) => {
    const made = await createRecord(world.hub, 'contact', { emails: [email] }, 'user:bo')
    return made.kind === 'saved' ? made.record.id : 0
  }
  const [a, b] = [await make('a@example.com'), await make('b@example.com')]
  // As an import does: the keys move within one run.
  await editRecord(world.hub, 'contact', a, { emails: ['x@example.com'] }, 'csv')
  const run = await lastRun('edit')
  await editRecord(world.hub, 'contact', b, { emails: ['a@example.com'] }, 'csv')
  await world.db.sql`update history set run_id = ${run} where record_id = ${b} and op = 'update'`
  expect((await plan(run)).spared).toEqual([])
  await undo(run)
  expect(await world.db.sql`select id, emails from contacts order by id`).toEqual([
    { id: a, emails: ['a@example.com'] },
    { id: b, emails: ['b@example.com'] },
  ])
})
