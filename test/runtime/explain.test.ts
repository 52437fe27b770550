import { afterEach, expect, test } from 'vitest'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { recordsCalled } from '../../src/runtime/explain/find.ts'
import { explainRecord, type Explanation } from '../../src/runtime/explain/record.ts'
import { mergeRecords } from '../../src/runtime/merge/merge.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { undoRun } from '../../src/runtime/undo/undo.ts'
import { recentRuns } from '../../src/runtime/status.ts'
import { openWorld, type World, type WorldOptions } from '../support/world.ts'

let world: World
const ALL = ['csv', 'mailchimp', 'stripe'] as const
const open = async (options: WorldOptions = {}) => {
  world = await openWorld(options)
}
afterEach(async () => {
  await world.close()
})

async function sync(): Promise<void> {
  world.clock.now += 900_000
  await syncAll(world.hub, ALL, 'changes')
}
async function person(fields: Parameters<typeof createRecord>[2]): Promise<number> {
  const made = await createRecord(world.hub, 'contact', fields, 'user:bo')
  if (made.kind !== 'saved') throw new Error(made.kind)
  return made.record.id
}
async function told(id: number, field?: string): Promise<Explanation> {
  const explanation = await explainRecord(world.hub, id, field)
  if (explanation === null) throw new Error(`nothing is known of ${id}`)
  return explanation
}
const at = (explanation: Explanation, stream: string) =>
  explanation.links.find((link) => link.stream === stream)
const lastRun = async () => (await recentRuns(world.hub, 1))[0]?.id ?? 0

test('the run of a value is found however much happened to the record since', async () => {
  await open({ connections: [] })
  const id = await person({ givenName: 'Ada', emails: ['ada@example.com'] })
  await editRecord(world.hub, 'contact', id, { jobTitle: 'Countess' }, 'user:bo')
  const run = await lastRun()
  await world.db.sql`
    insert into history (at, record_id, kind, op, version, run_id, source, changes)
    select now(), ${id}, 'contact', 'update', 2 + n, 900 + n, 'csv',
      json_build_object('owner', json_build_object('before', n::text, 'after', (n + 1)::text, 'rule', 'x'))
    from generate_series(1, 400) n`
  const { fields } = await told(id)
  expect(fields.find((f) => f.field === 'jobTitle')).toMatchObject({ value: 'Countess', run })
})

test('a value that an undo gave back is still told as of whom it was', async () => {
  await open({ connections: [] })
  const id = await person({ emails: ['ada@example.com'] })
  await editRecord(world.hub, 'contact', id, { jobTitle: 'Countess' }, 'user:bo')
  const right = await lastRun()
  await editRecord(world.hub, 'contact', id, { jobTitle: 'wrong' }, 'api:script')
  const wrong = await lastRun()
  await undoRun(world.hub, wrong, 'user:mara')
  const { fields } = await told(id, 'jobTitle')
  expect(fields).toMatchObject([
    {
      value: 'Countess',
      source: 'user:bo',
      run: right,
      past: [
        { source: 'user:mara', rule: `undo of run ${wrong}` },
        { source: 'api:script' },
        { source: 'user:bo' },
      ],
    },
  ])
})

test('what a record was born with is told as past once something replaced it', async () => {
  await open({ connections: [] })
  const id = await person({ givenName: 'Ada', emails: ['ada@example.com'] })
  await editRecord(world.hub, 'contact', id, { givenName: 'Augusta' }, 'user:ann')
  const { fields } = await told(id, 'givenName')
  expect(fields[0]?.past).toMatchObject([
    { before: 'Ada', after: 'Augusta', source: 'user:ann' },
    { before: null, after: 'Ada', source: 'user:bo', rule: 'created' },
  ])
})

test('what each system says, and how it wrote it', async () => {
  await open()
  world.export('contacts', [
    ['id', 'email', 'first_name', 'phone', 'job_title'],
    ['c1', 'ada@example.com', 'Ada', '(212) 555-1000', 'Countess'],
  ])
  await sync()
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  const { fields } = await told(row?.id ?? 0, 'phones')
  expect(fields[0]?.systems).toMatchObject([
    { stream: 'csv/contacts', value: ['+12125551000'], wrote: '(212) 555-1000', agrees: true },
  ])
})

test('derived fields say how they come about', async () => {
  await open()
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  await sync()
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  const { fields, consents } = await told(row?.id ?? 0, 'emailConsent')
  expect(fields).toMatchObject([{ value: 'in', derived: expect.stringContaining('strictest') }])
  expect(consents).toMatchObject([{ state: 'in', source: 'mailchimp' }])
})

test('merged records say which member a value is from, and what the others say', async () => {
  await open({ connections: [] })
  const a = await person({ givenName: 'Ada', emails: ['ada@example.com'] })
  const b = await person({ givenName: 'A.', emails: ['a@example.com'], jobTitle: 'Countess' })
  await mergeRecords(world.hub, {
    kind: 'contact',
    survivor: a,
    losers: [b],
    by: 'user:bo',
    rule: 'one person',
  })
  const { fields, matching } = await told(a)
  expect(fields.find(({ field }) => field === 'jobTitle')?.members).toMatchObject([
    { id: a, value: null, stands: false },
    { id: b, value: 'Countess', stands: true },
  ])
  expect(matching.merges).toMatchObject([{ survivor: a, loser: b, by: 'user:bo', rule: 'one person' }])
  expect((await told(b)).matching.mergedInto).toBe(a)
  await unmergeRecord(world.hub, { kind: 'contact', loser: b, by: 'user:ann' })
  expect((await told(a)).matching).toMatchObject({ apart: [{ id: b, by: 'user:ann' }], mergedInto: null })
})

test('how a linked object was matched, and who else it may be', async () => {
  await open()
  const id = await person({
    givenName: 'Ada',
    familyName: 'Lovelace',
    emails: ['ada@example.com'],
    phones: ['+442079460018'],
  })
  const other = await person({
    givenName: 'Ada',
    familyName: 'Lovelace',
    emails: ['ada@example.net'],
    phones: ['+442079460018'],
  })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada', LNAME: 'Lovelace' })
  await sync()
  const { matching } = await told(id)
  expect(matching.links).toMatchObject([
    { stream: 'mailchimp/members', how: 'matched by email ada@example.com' },
  ])
  expect(matching.nearest).toMatchObject([{ id: other, why: expect.stringContaining('merge') }])
  expect(matching.nearest[0]?.evidence).toContain('phone')
})

test('why it is not at a system: its condition, create: never, a need, an approval, a pause', async () => {
  await open()
  const id = await person({ givenName: 'Ada', emails: ['ada@example.com'] })
  await sync()
  const first = await told(id)
  expect(at(first, 'mailchimp/members')).toMatchObject({
    state: 'filtered',
    why: 'the condition `record.emailConsent == "in"` is not met',
  })
  expect(at(first, 'stripe/customers')).toMatchObject({
    why: expect.stringContaining('once something needs it'),
  })
  expect(at(first, 'csv/contacts')).toMatchObject({ why: expect.stringContaining('create: remote: never') })
  await world.db.sql`update connections set state = 'paused' where name = 'stripe'`
  expect(at(await told(id), 'stripe/customers')).toMatchObject({ why: 'stripe is paused' })
  await world.db.sql`delete from connections where name = 'stripe'`
  expect(at(await told(id), 'stripe/customers')).toMatchObject({
    why: 'stripe was not added',
    fix: '`concord connections add stripe`',
  })
  const asking = { ...world.hub, configuration: { ...world.hub.configuration, approvals: 'ask' as const } }
  await world.db.sql`update streams set approved_shape = null`
  const gated = await explainRecord(asking, id)
  expect(gated?.links.find((link) => link.stream === 'csv/contacts')).toMatchObject({
    why: expect.stringContaining('nobody has approved'),
    fix: expect.stringContaining('`concord plan csv`'),
  })
})

test('of a condition in parts, the one that is not met is told', async () => {
  await open({
    configure: (name, text) =>
      name === 'mailchimp.yaml'
        ? text.replace(
            /where: record.emailConsent == "in"/,
            `where: 'record.givenName == "Ada" && (record.jobTitle == "a && b" || record.emailConsent == "in")'`,
          )
        : text,
  })
  const id = await person({ givenName: 'Ada', emails: ['ada@example.com'] })
  await sync()
  expect(at(await told(id), 'mailchimp/members')?.why).toBe(
    'the condition `(record.jobTitle == "a && b" || record.emailConsent == "in")` is not met',
  )
})

test('why a write was refused, in the words of the vendor; what is held; what waits', async () => {
  await open({
    configure: (name, text) =>
      name === 'mailchimp.yaml'
        ? text.replace('record.emailConsent == "in"', 'record.emailConsent != "out"')
        : text,
  })
  const id = await person({ givenName: 'Ada', emails: ['ada@example.com'] })
  expect(at(await told(id), 'mailchimp/members')).toMatchObject({
    why: 'it is made at the next pass',
    waits: true,
  })
  await sync()
  expect(at(await told(id), 'mailchimp/members')).toMatchObject({ state: 'linked', why: null })
  const [link] = await world.db.sql<{ id: number; stream: number }[]>`
    select l.id, l.stream_id as stream from links l where l.record_id = ${id} and l.state = 'linked'`
  await world.db.sql`update links set problem = 'looks fake', not_before = null where id = ${link?.id ?? 0}`
  await world.db.sql`
    update outbox set state = 'rejected', outcome = '{"message": "looks fake or invalid"}' where link_id = ${link?.id ?? 0}`
  expect(at(await told(id), 'mailchimp/members')).toMatchObject({
    why: 'mailchimp/members refused to create it: looks fake or invalid',
    fix: expect.stringContaining('`concord inbox retry ID`'),
  })
  await world.db.sql`
    insert into held_changes (stream_id, side, what, record_id, title, changes, stamp, seen_at)
    values (${link?.stream ?? 0}, 'out', 'blanks', ${id}, 'Ada', '{}', '1', now())`
  expect(at(await told(id), 'mailchimp/members')).toMatchObject({
    why: expect.stringContaining('the guard holds it'),
  })
  await world.db.sql`update held_changes set verdict = 'rejected', decided_by = 'user:ann'`
  expect(at(await told(id), 'mailchimp/members')).toMatchObject({
    why: expect.stringContaining('user:ann rejected it'),
  })
})

test('records are found by key, vendor id and name through indexes, not by reading whole tables', async () => {
  await open()
  world.export('contacts', [
    ['id', 'email', 'first_name', 'last_name', 'phone'],
    ['crm-1', 'ada@example.com', 'Ada', 'Lovelace', '+12125551000'],
  ])
  await sync()
  const [row] = await world.db.sql<{ id: number }[]>`select id from contacts`
  for (const text of ['ADA@example.com', '+12125551000', 'crm-1', 'ada lovelace', String(row?.id)])
    expect(await recordsCalled(world.hub, 'contact', text)).toMatchObject([{ id: row?.id }])
  expect(await recordsCalled(world.hub, 'contact', 'nobody@example.com')).toEqual([])
  const plan = await world.db.sql.begin(async (tx) => {
    await tx`set local enable_seqscan = off`
    return tx`explain select record_id from identities where key = 'a' and kind = any(array['email', 'domain']) and kind <> 'phone'
      union all select record_id from identities where key = 'a' and kind = 'phone'
      union all select record_id from links where stream_id = any(array[1, 2]) and remote_id = 'x'`
  })
  const text = plan.map((line) => String(Object.values(line)[0])).join('\n')
  expect(text).toContain('identities_strong')
  expect(text).toContain('identities_phone')
  expect(text).toContain('links_remote')
})
