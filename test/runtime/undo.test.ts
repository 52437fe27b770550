import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/json.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { planUndo, type UndoPlan } from '../../src/runtime/undo/plan.ts'
import { undoRun, type Undone } from '../../src/runtime/undo/undo.ts'
import { recentRuns } from '../../src/runtime/status.ts'
import { listItems } from '../../src/store/inbox.ts'
import { openWorld, type World } from '../support/world.ts'

let world: World
const ALL = ['csv', 'mailchimp', 'stripe']
const HEADER = ['id', 'email', 'first_name', 'last_name', 'phone', 'job_title']
type Row = readonly string[]

/** The shipped mapping adds only people who agreed to marketing mail. */
const everybodyAtMailchimp = (name: string, text: string) =>
  name === 'mailchimp.yaml'
    ? text.replace('record.emailConsent == "in"', 'record.emailConsent != "out"')
    : text

beforeEach(async () => {
  world = await openWorld({ configure: everybodyAtMailchimp })
})
afterEach(async () => {
  await world.close()
})

async function sync(mode: 'changes' | 'sweep' = 'changes', names = ALL) {
  world.clock.now += 900_000
  const passes = await syncAll(world.hub, names, mode)
  expect(passes.flatMap(({ problem, held }) => [...(problem === null ? [] : [problem]), ...held])).toEqual([])
  return passes
}
async function settle() {
  for (let i = 0; i < 3; i++) await sync()
}
const importRows = (rows: readonly Row[]) => world.export('contacts', [HEADER, ...rows])
const lastRun = async (kind: string, stream: string | null = 'csv/contacts') =>
  (await recentRuns(world.hub, 50)).find((run) => run.kind === kind && run.stream === stream)?.id ?? 0

/** All that the hub holds of people, without what only counts up. */
async function people(): Promise<readonly JsonObject[]> {
  return world.db.sql<JsonObject[]>`
    select id, given_name, family_name, emails, phones, job_title, company_name, tags, email_consent, provenance,
      archived_at is not null as archived from contacts order by id`
}
const live = async () => (await people()).filter((person) => person['archived'] === false)
const members = () =>
  world.mailchimp.admin
    .members()
    .filter((member) => member.status !== 'archived')
    .map(({ email, status, mergeFields }) => ({ email, status, fields: Object.fromEntries(mergeFields) }))
    .toSorted((a, b) => (a.email < b.email ? -1 : 1))
const customers = () =>
  world.stripe.admin.customers().map(({ id, email, name, metadata }) => ({ id, email, name, metadata }))

async function undo(run: number, by = 'user:mara'): Promise<Undone> {
  const result = await undoRun(world.hub, run, by)
  if (result.kind === 'refused') throw new Error(result.message)
  return result
}
async function plan(run: number): Promise<UndoPlan> {
  const result = await planUndo(world.hub, run, 'user:mara')
  if (result.kind === 'refused') throw new Error(result.message)
  return result.plan
}

const person = (n: number): Row => [
  `p${n}`,
  `p${n}@example.com`,
  `First${n}`,
  `Last${n}`,
  `+1212555${String(1000 + n)}`,
  'Analyst',
]

/** 250 good people, known to every system; a tenth of them customers at Stripe. */
async function goodImport(count = 250) {
  importRows(Array.from({ length: count }, (_, n) => person(n)))
  for (let n = 0; n < count; n += 10)
    world.stripe.admin.createCustomer({ email: `p${n}@example.com`, name: `First${n} Last${n}` })
  await settle()
}

/** 500 rows by mistake: 250 strangers, 150 people renamed, 20 without a job, the others as they were. */
function badRows(count = 250): readonly Row[] {
  const known = Array.from({ length: count }, (_, n): Row => {
    const [id = '', email = '', first = '', last = '', phone = '', job = ''] = person(n)
    if (n < (count * 3) / 5) return [id, email, last, first, phone, 'Test']
    return n < (count * 3) / 5 + 20
      ? [id, email, first, last, phone, '']
      : [id, email, first, last, phone, job]
  })
  const strangers = Array.from(
    { length: count },
    (_, n): Row => [`x${n}`, `x${n}@test.example`, `X${n}`, `Y${n}`, '', 'Test'],
  )
  return [...known, ...strangers]
}

describe('a bad import of 500 rows', () => {
  test('is taken back in the hub, at Mailchimp and at Stripe, but for what the plan lists', async () => {
    await goodImport()
    const before = { people: await live(), members: members(), customers: customers() }
    importRows(badRows())
    await settle()
    const bad = await lastRun('observe')
    expect((await live()).length).toBe(500)
    expect(members().length).toBe(500)

    const planned = await plan(bad)
    expect(planned.counts).toMatchObject({ archive: 250, restore: 0, update: 170, untouched: 0 })
    expect(planned.spared).toEqual([])
    expect(planned.remotes.find(({ stream }) => stream === 'mailchimp/members')?.counts).toEqual({
      archive: 250,
      update: 170,
    })
    expect(await live()).toHaveLength(500)

    const done = await undo(bad)
    expect(done.counts).toMatchObject({ archived: 250, updated: 170 })
    expect(await live()).toEqual(before.people)
    await settle()
    expect(members()).toEqual(before.members)
    expect(customers()).toEqual(before.customers)
    // People called First46 and First47 do look alike.
    const items = await listItems(world.db.sql, { state: 'open', limit: 200 })
    expect(items.filter(({ kind }) => kind !== 'duplicate')).toEqual([])
  }, 120_000)
})

test('a field is emptied again at both objects that one person has in a stream', async () => {
  importRows([['p1', 'p1@example.com', 'Ann', 'Lee', '', '']])
  // Bought twice as a guest.
  for (let i = 0; i < 2; i++) world.stripe.admin.createCustomer({ email: 'p1@example.com', name: 'Ann Lee' })
  await settle()
  const before = customers()
  expect(before.filter(({ email }) => email === 'p1@example.com')).toHaveLength(2)
  importRows([['p1', 'p1@example.com', 'Ann', 'Lee', '', 'Test']])
  await settle()
  expect(customers().filter(({ metadata }) => metadata['job_title'] === 'Test')).toHaveLength(2)
  await undo(await lastRun('observe'))
  await settle()
  expect(customers()).toEqual(before)
})

test('records that an import made stay archived while the source goes on listing them', async () => {
  await goodImport(20)
  const before = await live()
  importRows(badRows(20))
  await settle()
  await undo(await lastRun('observe'))
  await settle()
  await sync('sweep')
  importRows(badRows(20))
  await settle()
  await sync('sweep')
  expect(await live()).toEqual(before)
  expect(members()).toHaveLength(20)
})

test('the undo of an undo brings all of it back; what a system refuses waits in the inbox', async () => {
  await goodImport(20)
  importRows(badRows(20))
  await settle()
  const after = { people: await live(), members: members() }
  const first = await undo(await lastRun('observe'))
  await settle()
  expect(await live()).toHaveLength(20)
  const again = await undo(first.run)
  expect(again.counts).toMatchObject({ restored: 20, updated: 20 })
  expect(await live()).toEqual(after.people)
  await settle()
  // Mailchimp forgets of an archived member whether they had left, so the connector revives none without a person.
  const refused = await listItems(world.db.sql, { state: 'open', kind: 'rejected_write', limit: 50 })
  expect(refused).toHaveLength(20)
  expect(refused[0]?.title).toContain('is archived in this audience')
  const known = (list: ReturnType<typeof members>) => list.filter(({ email }) => !email.startsWith('x'))
  expect(known(members())).toEqual(known(after.members))
})

test('what was edited since stays, and the plan says by whom', async () => {
  await goodImport(10)
  importRows(badRows(10))
  await settle()
  const bad = await lastRun('observe')
  const [first] = await live()
  const id = Number(first?.['id'])
  await editRecord(world.hub, 'contact', id, { jobTitle: 'Countess' }, 'user:bo')
  const planned = await plan(bad)
  expect(planned.spared).toMatchObject([
    { reason: 'changed', count: 1, samples: [{ id, why: 'jobTitle: changed since by user:bo' }] },
  ])
  await undo(bad)
  const [now] = await live()
  expect(now).toMatchObject({ given_name: 'First0', family_name: 'Last0', job_title: 'Countess' })
})

test('a value goes back to whom it belonged, so that a better source is still the better one', async () => {
  importRows([person(1)])
  await settle()
  const [ada] = await live()
  const id = Number(ada?.['id'])
  await editRecord(world.hub, 'contact', id, { jobTitle: 'Countess' }, 'user:bo')
  await settle()
  await editRecord(world.hub, 'contact', id, { jobTitle: 'wrong' }, 'api:script')
  const [run] = await recentRuns(world.hub, 1)
  await undo(run?.id ?? 0)
  const [now] = await live()
  expect(now?.['job_title']).toBe('Countess')
  expect(now?.['provenance']).toMatchObject({ jobTitle: { source: 'user:bo', rule: 'edited by user:bo' } })
  const [row] = await world.db
    .sql`select source, changes from history where record_id = ${id} order by id desc limit 1`
  expect(row).toMatchObject({
    source: 'user:mara',
    changes: { jobTitle: { rule: `undo of run ${run?.id}`, says: 'user:bo' } },
  })
})

describe('what cannot be', () => {
  test('a run that does not exist, or only sent, is refused with what to do instead', async () => {
    await goodImport(3)
    expect(await undoRun(world.hub, 999, 'user:mara')).toMatchObject({ kind: 'refused', code: 'missing' })
    const sent = await lastRun('push', 'mailchimp/members')
    const made = await lastRun('observe')
    expect(await undoRun(world.hub, sent, 'user:mara')).toMatchObject({
      kind: 'refused',
      code: 'never',
      message: expect.stringContaining(`\`concord undo ${made}\``),
    })
  })

  test('twice: the second is told which run did it, and how to take that back', async () => {
    await goodImport(3)
    const run = await lastRun('observe')
    const first = await undo(run)
    expect(await undoRun(world.hub, run, 'user:bo')).toMatchObject({
      kind: 'refused',
      code: 'conflict',
      message: `Run ${run} was undone already, in run ${first.run} by user:mara. Fix: \`concord undo ${first.run}\` brings it back.`,
    })
    const second = await undo(first.run)
    expect(await undoRun(world.hub, run, 'user:bo')).toMatchObject({
      message: expect.stringContaining(`\`concord undo ${second.run}\``),
    })
  })

  test('two people at once: one does it, the other is told', async () => {
    await goodImport(30)
    const run = await lastRun('observe')
    const both = await Promise.all([undoRun(world.hub, run, 'user:ann'), undoRun(world.hub, run, 'user:bo')])
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(['refused', 'undone'])
    const rows = await world.db.sql`
      select record_id from history where op = 'archive' group by record_id having count(*) > 1`
    expect(rows).toHaveLength(0)
  })

  test('a run that is still under way', async () => {
    await world.db
      .sql`insert into runs (kind, state, started_at) values ('edit', 'running', ${world.clock.now})`
    const [run] = await recentRuns(world.hub, 1)
    expect(await undoRun(world.hub, run?.id ?? 0, 'user:mara')).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('still under way'),
    })
  })

  test('an undo that takes long, while it is under way', async () => {
    await goodImport(1)
    const run = await lastRun('observe')
    const began = world.clock.now - 3_600_000
    await world.db.sql`
      insert into runs (kind, state, started_at, undoes) values ('undo', 'running', ${began}, ${run})`
    const [long] = await recentRuns(world.hub, 1)
    const session = await world.db.locks.reserve()
    try {
      await session`select pg_advisory_lock(hashtextextended(${`concord undo ${run}`}, 0))`
      expect(await undoRun(world.hub, long?.id ?? 0, 'user:mara')).toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('still under way'),
      })
    } finally {
      await session`select pg_advisory_unlock(hashtextextended(${`concord undo ${run}`}, 0))`
      session.release()
    }
    expect(await undoRun(world.hub, long?.id ?? 0, 'user:mara')).toMatchObject({ kind: 'undone' })
  })
})

test('an undo that died in the middle goes on where it stood', async () => {
  importRows(Array.from({ length: 1_200 }, (_, n) => person(n)))
  await sync('changes', ['csv'])
  const run = await lastRun('observe')
  let chunks = 0
  const dies = undoRun(world.hub, run, 'user:mara', () => {
    if (++chunks === 2) throw new Error('the process died')
  })
  await expect(dies).rejects.toThrow('the process died')
  expect(await live()).toHaveLength(200)
  const planned = await plan(run)
  expect(planned).toMatchObject({ counts: { archive: 200 } })
  const done = await undo(run, 'user:bo')
  expect(done.run).toBe(planned.begun)
  expect(done.counts).toMatchObject({ archived: 1_200 })
  expect(await live()).toHaveLength(0)
  const [rows] = await world.db.sql`select count(*) as n from history where run_id = ${done.run}`
  expect(rows).toEqual({ n: 1_200 })
})

test('an undo that died and was taken back is not gone on with, but once that is undone', async () => {
  importRows(Array.from({ length: 600 }, (_, n) => person(n)))
  await sync('changes', ['csv'])
  const run = await lastRun('observe')
  const dies = undoRun(world.hub, run, 'user:mara', () => {
    throw new Error('the process died')
  })
  await expect(dies).rejects.toThrow('the process died')
  const { begun } = await plan(run)
  const back = await undo(begun ?? 0)
  expect(await live()).toHaveLength(600)
  expect(await undoRun(world.hub, run, 'user:mara')).toMatchObject({
    code: 'conflict',
    message: `The undo of run ${run} stopped half-way, in run ${begun}, and was taken back in run ${back.run}. Fix: \`concord undo ${back.run}\`; then \`concord undo ${run}\` goes on.`,
  })
  expect(await live()).toHaveLength(600)
  await undo(back.run)
  expect(await live()).toHaveLength(100)
  expect((await undo(run)).run).toBe(begun)
  expect(await live()).toHaveLength(0)
})

test('what stays is counted once, though the undo died and went on', async () => {
  importRows(Array.from({ length: 600 }, (_, n) => person(n)))
  await sync('changes', ['csv'])
  const run = await lastRun('observe')
  const [first] = await live()
  await editRecord(world.hub, 'contact', Number(first?.['id']), { jobTitle: 'Countess' }, 'user:bo')
  const dies = undoRun(world.hub, run, 'user:mara', () => {
    throw new Error('the process died')
  })
  await expect(dies).rejects.toThrow('the process died')
  expect((await undo(run)).counts).toMatchObject({ archived: 599, untouched: 1, spared: 1 })
})

test('an edit made during an undo survives it', async () => {
  importRows(Array.from({ length: 600 }, (_, n) => person(n)))
  await sync('changes', ['csv'])
  const run = await lastRun('observe')
  const all = await live()
  const last = Number(all.at(-1)?.['id'])
  const edits: Promise<unknown>[] = []
  await undoRun(world.hub, run, 'user:mara', () => {
    if (edits.length === 0)
      edits.push(editRecord(world.hub, 'contact', Number(all[0]?.['id']), { jobTitle: 'late' }, 'user:bo'))
  })
  await Promise.all(edits)
  await editRecord(world.hub, 'contact', last, { jobTitle: 'later' }, 'user:bo')
  const rows = await people()
  expect(rows[0]).toMatchObject({ job_title: 'late', archived: true })
})

test('whom other systems know by themselves, or a deal needs, is not archived', async () => {
  world.mailchimp.admin.subscribe('p0@example.com', { FNAME: 'First0', LNAME: 'Last0' })
  importRows([person(0), person(1), person(2)])
  await settle()
  const [, second] = await live()
  await createRecord(world.hub, 'deal', { name: 'Big', contact: Number(second?.['id']) }, 'user:bo')
  const run = await lastRun('observe')
  const planned = await plan(run)
  expect(planned.counts).toMatchObject({ archive: 1, untouched: 2 })
  expect(planned.spared).toMatchObject([
    {
      reason: 'needed',
      count: 2,
      samples: [
        { why: expect.stringContaining('mailchimp/members has it too') },
        { why: /^deal \d+ refers to it$/ },
      ],
    },
  ])
  await undo(run)
  expect(await live()).toHaveLength(2)
})

test('an address that another contact holds by now is not taken from it', async () => {
  const made = await createRecord(
    world.hub,
    'contact',
    { givenName: 'Ada', emails: ['ada@example.com', 'old@example.com'] },
    'user:bo',
  )
  const id = made.kind === 'saved' ? made.record.id : 0
  await editRecord(world.hub, 'contact', id, { emails: ['ada@example.com'] }, 'api:script')
  const [run] = await recentRuns(world.hub, 1)
  const other = await createRecord(world.hub, 'contact', { emails: ['old@example.com'] }, 'user:bo')
  const planned = await plan(run?.id ?? 0)
  expect(planned.spared).toMatchObject([{ reason: 'key', count: 1 }])
  await undo(run?.id ?? 0)
  expect(await live()).toMatchObject([{ emails: ['ada@example.com'] }, { emails: ['old@example.com'] }])
  expect(other.kind).toBe('saved')
})

test('an archived record whose address belongs to another by now stays archived', async () => {
  const made = await createRecord(world.hub, 'contact', { emails: ['ada@example.com'] }, 'user:bo')
  const id = made.kind === 'saved' ? made.record.id : 0
  await editRecord(world.hub, 'contact', id, {}, 'api:script', { archived: true })
  const [run] = await recentRuns(world.hub, 1)
  await createRecord(world.hub, 'contact', { emails: ['ada@example.com'] }, 'user:bo')
  expect((await plan(run?.id ?? 0)).spared).toMatchObject([
    { reason: 'key', samples: [{ why: expect.stringContaining('archive or merge that one first') }] },
  ])
  await undo(run?.id ?? 0)
  expect(await live()).toHaveLength(1)
})
