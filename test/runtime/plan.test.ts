import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { adoptShapes, waitingGates } from '../../src/runtime/approval.ts'
import { followHints, pushConnection, syncAll, type Passed } from '../../src/runtime/cycle.ts'
import { editRecord } from '../../src/runtime/edit.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { approvePlan, rejectPlan } from '../../src/runtime/plan/decide.ts'
import { foresee } from '../../src/runtime/plan/foresee.ts'
import { makePlan } from '../../src/runtime/plan/make.ts'
import { allLines } from '../../src/runtime/plan/read.ts'
import type { StoredLine } from '../../src/store/plans.ts'
import { openWorld, shippedConfiguration, type World, type WorldOptions } from '../support/world.ts'

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

/** The same state under another configuration, as after `config apply` and a restart. */
const under = (change: (name: string, text: string) => string): Promise<Hub> =>
  world.restarted(shippedConfiguration((name, text) => change(name, asking(name, text))))

test('a changed mapping asks again, a comment, a schedule, an alarm setting and the order of keys do not', async () => {
  await open({ connections: ['mailchimp'] })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada', JOBTITLE: 'Countess' })
  await approve((await plan(['mailchimp'])).id)
  await sync(['mailchimp'])
  const same = await under((name, text) =>
    name === 'mailchimp.yaml'
      ? `# A remark.\n${text
          .replace('schedule: "*/5', 'schedule: "*/7')
          .replace('atLeast: 25', 'atLeast: 26')
          .replace('    sweep:', '    quiet: 3d\n    sweep:')
          .replace(
            '{ hub: language, remote: language }',
            '{ remote: language, hub: language, direction: both }',
          )}`
      : text,
  )
  expect(await waitingGates(same, 'mailchimp')).toEqual([])
  const changes: readonly (readonly [string, string, string])[] = [
    ['mailchimp.yaml', 'remote: merge_fields.JOBTITLE', 'remote: merge_fields.JOB'],
    ['mailchimp.yaml', 'where: record.emailConsent == "in"', 'where: record.emailConsent != "out"'],
    ['mailchimp.yaml', 'archives: archive', 'archives: keep'],
    ['mailchimp.yaml', 'sends: [out]', 'sends: [in, out]'],
    ['policies.yaml', 'jobTitle: { prefer: [user, api, csv, outlook, mailchimp, stripe] }', 'jobTitle: ask'],
    ['hub.yaml', 'defaultCountry: US', 'defaultCountry: DE'],
  ]
  for (const [file, from, to] of changes) {
    const other = await under((name, text) => (name === file ? text.replace(from, to) : text))
    expect([to, ...(await waitingGates(other, 'mailchimp')).map((gate) => gate.label)]).toEqual([
      to,
      'mailchimp/members',
    ])
  }
  const elsewhere = await under((name, text) =>
    name === 'policies.yaml' ? text.replace('amount: { prefer: [user, api, csv] }', 'amount: ask') : text,
  )
  expect(await waitingGates(elsewhere, 'mailchimp')).toEqual([])
})

test('a changed mapping plans again only what it touches, and no vendor is asked for it', async () => {
  await open({ connections: ['csv', 'mailchimp'] })
  world.export('contacts', [HEADER, ...people(5)])
  for (let i = 1; i <= 5; i++)
    world.mailchimp.admin.subscribe(`p${i}@example.com`, { FNAME: `Pat${i}`, LNAME: `Lee${i}` })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada', LNAME: 'L', JOBTITLE: 'Countess' })
  const both = ['csv', 'mailchimp']
  await approve((await plan(both)).id)
  await sync(both)
  const hub = await under((name, text) =>
    name === 'mailchimp.yaml'
      ? `${text}      - { hub: custom.role, remote: merge_fields.JOBTITLE, direction: in }\n`
      : text,
  )
  world.sent.length = 0
  const [foreseen, ...more] = await foresee(world.hub, hub.configuration)
  expect(more).toEqual([])
  expect(foreseen).toMatchObject({
    stream: 'mailchimp/members',
    wasApproved: true,
    records: 1,
    hub: 1,
    remote: 0,
    listsAnew: false,
    samples: [
      {
        title: expect.stringContaining('Ada'),
        changes: { 'custom.role': { before: null, after: 'Countess' } },
      },
    ],
  })
  expect(world.sent).toEqual([])
  const versions = () =>
    world.db.sql`select id, version from contacts where email <> 'ada@example.com' order by id`
  const before = await versions()
  expect(waits(await syncAll(hub, both, 'changes'))).toEqual(['mailchimp/members'])
  const made = await makePlan(hub, ['mailchimp'], 'user:ann')
  expect(made.summary.streams[0]?.hub).toMatchObject({ create: 0, update: 1 })
  await approvePlan(hub, made.id, 'user:ann')
  await syncAll(hub, both, 'changes')
  expect(await versions()).toEqual(before)
  expect(await world.db.sql`select custom from contacts where email = 'ada@example.com'`).toEqual([
    { custom: { role: 'Countess' } },
  ])
  expect(written()).toEqual([])
  expect(await foresee(hub, hub.configuration)).toEqual([])
})

test('a changed mapping is not said to touch what the vendor takes no edits of', async () => {
  await open({
    connections: ['csv', 'mailchimp'],
    configure: (name, text) => (name === 'mailchimp.yaml' ? text.replace(/^.*JOBTITLE.*\n/m, '') : text),
  })
  world.export('contacts', [HEADER, ...people(2).map((cells) => cells.with(5, 'Boss'))])
  for (let i = 1; i <= 2; i++)
    world.mailchimp.admin.subscribe(`p${i}@example.com`, { FNAME: `Pat${i}`, LNAME: `Lee${i}` })
  world.mailchimp.admin.clean('p2@example.com')
  const both = ['csv', 'mailchimp']
  await approve((await plan(both)).id)
  await sync(both)
  const hub = await under((_, text) => text)
  expect(await foresee(world.hub, hub.configuration)).toMatchObject([
    { records: 1, remote: 1, samples: [{ title: expect.stringContaining('p1@example.com') }] },
  ])
})

test('a loosened filter brings what the old one left out, on both sides', async () => {
  const tight = (name: string, text: string) =>
    name === 'mailchimp.yaml'
      ? text
          .replace('deletes: unlink', 'only: remote.merge_fields.LNAME == "Lee1"\n    deletes: unlink')
          .replace('where: record.emailConsent == "in"', 'where: record.jobTitle == "Chief"')
      : text
  await open({ connections: ['csv', 'mailchimp'], configure: tight })
  world.export('contacts', [HEADER, ...people(2)])
  world.mailchimp.admin.subscribe('new@example.com', { FNAME: 'New', LNAME: 'Other' })
  const both = ['csv', 'mailchimp']
  const first = await plan(both)
  expect(first.summary.streams.find((one) => one.stream === 'mailchimp/members')).toMatchObject({
    hub: { create: 0, filtered: 1 },
    remote: { create: 0, filtered: 2 },
    reasons: { 'the condition in only: does not hold': 1, 'the condition in create.where: does not hold': 2 },
  })
  await approve(first.id)
  await sync(both)
  const hub = await under((name, text) =>
    name === 'mailchimp.yaml'
      ? text.replace('where: record.emailConsent == "in"', 'where: record.familyName != ""')
      : text,
  )
  const [foreseen] = await foresee(world.hub, hub.configuration)
  expect(foreseen).toMatchObject({ creates: 2, listsAnew: true })
  const made = await makePlan(hub, both, 'user:ann')
  const of = (stream: string) => made.summary.streams.find((one) => one.stream === stream)
  expect(of('mailchimp/members')).toMatchObject({ hub: { create: 1 }, remote: { create: 2 } })
  await approvePlan(hub, made.id, 'user:ann')
  await syncAll(hub, both, 'changes')
  expect(await world.db.sql`select count(*) as n from contacts`).toEqual([{ n: 3 }])
  expect(world.mailchimp.admin.member('p2@example.com')).not.toBeNull()
})

test('hints, pushes and edits of a stream that waits are kept until its plan is approved', async () => {
  await open({ connections: ['csv', 'mailchimp'] })
  world.export('contacts', [HEADER, ...people(1)])
  world.mailchimp.admin.subscribe('p1@example.com', { FNAME: 'Pat1', LNAME: 'Lee1' })
  await approve((await plan(['csv', 'mailchimp'])).id)
  await sync(['csv', 'mailchimp'])
  const hub = await under((name, text) =>
    name === 'mailchimp.yaml'
      ? text.replace(
          'remote: merge_fields.JOBTITLE, codec: { name: text, max: 255 }',
          'remote: merge_fields.JOBTITLE, codec: { name: text, max: 200 }',
        )
      : text,
  )
  const [contact] = await world.db.sql<{ id: number }[]>`select id from contacts`
  await editRecord(hub, 'contact', contact?.id ?? 0, { jobTitle: 'Chief' }, 'user:ann')
  world.mailchimp.admin.editProfile('p1@example.com', { FNAME: 'Patricia' })
  const [member] = await world.db.sql<{ id: string }[]>`
    select l.remote_id as id from links l join streams s on s.id = l.stream_id where s.connection = 'mailchimp'`
  await world.db.sql`
    insert into webhook_events (connection, event_id, hints, received_at)
    values ('mailchimp', 'e1', ${world.db.sql.json([{ resource: 'members', id: member?.id ?? '' }])}, now())`
  world.sent.length = 0
  expect(await followHints(hub, 'mailchimp')).toMatchObject({ seen: 0, waits: ['mailchimp/members'] })
  expect(await pushConnection(hub, 'mailchimp')).toMatchObject({ sent: 0, problem: null })
  expect(world.sent).toEqual([])
  expect(await world.db.sql`select given_name from contacts`).toEqual([{ given_name: 'Pat1' }])
  expect(
    await world.db.sql`
      select l.state, l.problem from links l join streams s on s.id = l.stream_id
      where l.wake > l.settled and s.connection = 'mailchimp'`,
  ).toEqual([{ state: 'linked', problem: null }])
  await approvePlan(hub, (await makePlan(hub, ['mailchimp'], 'user:ann')).id, 'user:ann')
  await syncAll(hub, ['csv', 'mailchimp'], 'changes')
  expect(await world.db.sql`select given_name from contacts`).toEqual([{ given_name: 'Patricia' }])
  expect(world.mailchimp.admin.member('p1@example.com')?.mergeFields.get('JOBTITLE')).toBe('Chief')
})

test('what worked before plans were asked for goes on working, and is asked about once it changes', async () => {
  world = await openWorld({ connections: ['mailchimp'] })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await sync(['mailchimp'])
  const hub = await under((_, text) => text)
  expect(await waitingGates(hub, 'mailchimp')).toHaveLength(1)
  await adoptShapes(hub)
  expect(await waitingGates(hub, 'mailchimp')).toEqual([])
  const other = await under((name, text) =>
    name === 'mailchimp.yaml' ? text.replace('archives: archive', 'archives: keep') : text,
  )
  await adoptShapes(other)
  expect(await waitingGates(other, 'mailchimp')).toHaveLength(1)
})

test('a plan counts what the sync then does, whatever people are where', async () => {
  const names = ['csv', 'mailchimp', 'stripe']
  const who = fc.record({
    id: fc.integer({ min: 1, max: 6 }),
    csv: fc.option(fc.constantFrom('Ann', 'Bo')),
    mailchimp: fc.option(fc.constantFrom('Ann', 'Cy')),
    stripe: fc.option(fc.constantFrom('Ann Lee', 'Di Lee')),
  })
  const worlds = fc.uniqueArray(who, { maxLength: 6, selector: (one) => one.id })
  await fc.assert(
    fc.asyncProperty(worlds, async (population) => {
      await open()
      const rows = population.flatMap(({ id, csv }) =>
        csv === null ? [] : [[`${id}`, `p${id}@example.com`, csv, 'Lee', '', '', '', '', '']],
      )
      world.export('contacts', [HEADER, ...rows])
      for (const { id, mailchimp, stripe } of population) {
        const email = `p${id}@example.com`
        if (mailchimp !== null) world.mailchimp.admin.subscribe(email, { FNAME: mailchimp })
        if (stripe !== null) world.stripe.admin.createCustomer({ email, name: stripe })
      }
      const { id, summary } = await plan(names)
      await approve(id)
      await sync(names)
      const did = await world.db.sql<{ stream: string; name: string; count: number }[]>`
        select s.connection || '/' || s.name as stream, c.key as name, sum(c.value::numeric)::bigint as count
        from runs r join streams s on s.id = r.stream_id cross join lateral jsonb_each_text(r.counts) c
        where r.kind = 'observe' group by 1, 2`
      const sent = await world.db.sql<{ stream: string; op: string; count: number }[]>`
        select s.connection || '/' || s.name as stream, o.op, count(*) as count
        from outbox o join streams s on s.id = o.stream_id group by 1, 2`
      const of = (stream: string, name: string) =>
        did.find((one) => one.stream === stream && one.name === name)?.count ?? 0
      for (const { stream, hub, remote } of summary.streams) {
        const { create, link, update, conflict } = hub
        expect({ stream, create, link, update, conflict }).toEqual({
          stream,
          create: of(stream, 'created'),
          link: of(stream, 'linked'),
          update: of(stream, 'updated'),
          conflict: of(stream, 'conflicts'),
        })
        for (const op of ['create', 'update', 'consent', 'archive'])
          expect([stream, op, remote[op]]).toEqual([
            stream,
            op,
            sent.find((one) => one.stream === stream && one.op === op)?.count ?? 0,
          ])
      }
      // Nothing is left for another plan.
      const again = await plan(names)
      for (const { hub, remote } of again.summary.streams)
        expect([hub['create'], hub['link'], hub['update'], remote['create'], remote['update']]).toEqual([
          0, 0, 0, 0, 0,
        ])
      await world.close()
    }),
    { numRuns: 8, seed: 7 },
  )
  await open()
}, 120_000)

test('what a plan counts as harm is what the guard lets through afterwards, and no more', async () => {
  await open({ connections: ['csv'] })
  const blanked = (rows: readonly string[][]) => rows.map((row) => row.with(2, ''))
  world.export('contacts', [HEADER, ...people(60)])
  await approve((await plan(['csv'])).id)
  await sync(['csv'])
  world.clock.now += 2 * 3_600_000
  world.export('contacts', [HEADER, ...blanked(people(40)), ...people(60).slice(40)])
  const { id, summary } = await plan(['csv'])
  expect(summary.streams.find((one) => one.stream === 'csv/contacts')).toMatchObject({
    held: ['in'],
    hub: { update: 40 },
    harm: { in: { blanks: 40 } },
  })
  expect((await linesOf(id)).filter((line) => line.harm === 'blanks')).toHaveLength(40)
  await approve(id)
  world.export('contacts', [HEADER, ...blanked(people(50)), ...people(60).slice(50)])
  expect((await sync(['csv'])).flatMap((pass) => pass.held)).toEqual(['csv/contacts'])
  world.export('contacts', [HEADER, ...blanked(people(40)), ...people(60).slice(40)])
  world.clock.now += 60_000
  expect((await sync(['csv'])).flatMap((pass) => pass.held)).toEqual([])
  expect(await world.db.sql`select count(*) as n from contacts where given_name is null`).toEqual([{ n: 40 }])
})
