import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pushConnection, syncAll, syncConnection } from '../../src/runtime/cycle.ts'
import { editRecord } from '../../src/runtime/edit.ts'
import { following } from '../../src/runtime/changes.ts'
import { mergeRecords, mergeWithin, type MergeResult } from '../../src/runtime/merge/merge.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { undoRun } from '../../src/runtime/undo/undo.ts'
import { survivorsOf } from '../../src/store/merges.ts'
import { beginRun } from '../../src/store/runs.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World } from '../support/world.ts'
import { FakeMailbox, openMailWorld } from './mail.support.ts'
import { edit, fieldsOf, made, merge, read, stateOf, unmerge } from './merge.support.ts'

let world: World
afterEach(() => world.close())

const request = (survivor: number, ...losers: readonly number[]) =>
  ({ kind: 'contact', survivor, losers, by: 'user:ann', rule: 'x' }) as const
const kinds = (results: readonly MergeResult[]) =>
  results.map((one) => one.kind).toSorted((a, b) => (a < b ? -1 : 1))

describe('at once', () => {
  beforeEach(async () => {
    world = await openWorld({ connections: [] })
  })
  const three = async () => {
    const ids: number[] = []
    for (const name of ['a', 'b', 'c'])
      ids.push(await made(world.hub, 'contact', { familyName: name, emails: [`${name}@x.io`] }))
    return ids
  }

  test('two people merge a pair in both directions: one does', async () => {
    for (let round = 0; round < 5; round++) {
      const [a = 0, b = 0] = await three().catch(() => [])
      const results = await Promise.all([
        mergeRecords(world.hub, request(a, b)),
        mergeRecords(world.hub, request(b, a)),
      ])
      expect(kinds(results)).toEqual(['merged', 'refused'])
      const where = await survivorsOf(world.db.sql, [a, b])
      expect(where.size).toBe(1)
      await world.close()
      world = await openWorld({ connections: [] })
    }
  })

  test('a survivor is merged on: the outcome is one of the two orders, and none is lost', async () => {
    const [a = 0, b = 0, c = 0] = await three()
    const results = await Promise.all([
      mergeRecords(world.hub, request(a, b)),
      mergeRecords(world.hub, request(c, a)),
    ])
    const refused = results.flatMap((one) => (one.kind === 'refused' ? [one.message] : []))
    const root = (await survivorsOf(world.db.sql, [b])).get(b) ?? b
    const outcome = { refused, root, emails: (await fieldsOf(world.hub, c))['emails'] }
    expect([
      { refused: [], root: c, emails: ['c@x.io', 'a@x.io', 'b@x.io'] },
      {
        refused: [expect.stringContaining(`was merged into contact ${c} already`)],
        root: b,
        emails: ['c@x.io', 'a@x.io'],
      },
    ]).toContainEqual(outcome)
  })

  test('many merge into one: all are in it', async () => {
    const [a = 0] = await three()
    const others: number[] = []
    for (let i = 0; i < 6; i++) others.push(await made(world.hub, 'contact', { emails: [`p${i}@x.io`] }))
    const before = await stateOf(world, [a, ...others])
    const results = await Promise.all(others.map((id) => mergeRecords(world.hub, request(a, id))))
    expect(new Set(kinds(results))).toEqual(new Set(['merged']))
    const emails = (await fieldsOf(world.hub, a))['emails']
    expect(new Set([emails].flat())).toEqual(new Set(['a@x.io', ...others.map((_, i) => `p${i}@x.io`)]))
    const undone = await Promise.all(
      others.map((loser) => unmergeRecord(world.hub, { kind: 'contact', loser, by: 'user:ann' })),
    )
    expect(new Set(undone.map((one) => one.kind))).toEqual(new Set(['unmerged']))
    expect(await stateOf(world, [a, ...others])).toEqual(before)
  })

  test('a record is edited while it is merged: the edit is in the record that is left', async () => {
    for (let round = 0; round < 5; round++) {
      const [a, b] = [
        await made(world.hub, 'contact', { familyName: 'A' }),
        await made(world.hub, 'contact', { familyName: 'A', jobTitle: 'CTO' }),
      ]
      const [merged, edited] = await Promise.all([
        mergeRecords(world.hub, request(a, b)),
        editRecord(world.hub, 'contact', b, { jobTitle: 'CEO' }, 'user:eve'),
      ])
      expect(merged.kind).toBe('merged')
      const job = (await fieldsOf(world.hub, a))['jobTitle']
      expect([
        ['merged', 'CTO'],
        ['saved', 'CEO'],
      ]).toContainEqual([edited.kind, job])
    }
  })

  test('a deal is made for a contact while it is merged: it names the one that is left', async () => {
    for (let round = 0; round < 6; round++) {
      const [a, b] = [
        await made(world.hub, 'contact', { familyName: 'A' }),
        await made(world.hub, 'contact', { familyName: 'B' }),
      ]
      const [, deal, other] = await Promise.all([
        merge(world.hub, a, b),
        made(world.hub, 'deal', { name: 'Roof', contact: b }),
        made(world.hub, 'deal', { name: 'Floor' }).then(async (id) => {
          await edit(world.hub, 'deal', id, { contact: b })
          return id
        }),
      ])
      expect((await read(world.hub, 'deal', deal)).fields['contact']).toBe(a)
      expect((await read(world.hub, 'deal', other)).fields['contact']).toBe(a)
    }
  })

  test('a merged record is named by what comes later: its survivor is meant', async () => {
    const [a = 0, b = 0] = await three()
    await merge(world.hub, a, b)
    const deal = await made(world.hub, 'deal', { name: 'Roof', contact: b })
    expect((await read(world.hub, 'deal', deal)).fields['contact']).toBe(a)
    await edit(world.hub, 'deal', deal, { contact: b })
    expect((await read(world.hub, 'deal', deal)).fields['contact']).toBe(a)
  })
})

describe('while systems are told', () => {
  const ALL = ['csv', 'mailchimp', 'stripe']
  const sync = async () => {
    for (const pass of await syncAll(world.hub, ALL, 'changes')) expect(pass.problem).toBeNull()
    world.clock.now += 300_000
  }
  const settle = async () => {
    await sync()
    await sync()
    world.sent.length = 0
    await sync()
    expect(world.sent.filter((one) => !one.startsWith('GET'))).toEqual([])
  }
  const idOf = async (email: string) => {
    const [row] = await world.db.sql`select record_id as id from identities where key = ${email}`
    return Number(row?.['id'])
  }
  const job = (email: string) => world.mailchimp.admin.member(email)?.mergeFields.get('JOBTITLE')
  beforeEach(async () => {
    world = await openWorld()
    for (const name of ['ada', 'eve']) {
      world.mailchimp.admin.subscribe(`${name}@x.io`, { FNAME: name, LNAME: 'Lee' })
      world.stripe.admin.createCustomer({ email: `${name}@x.io`, name: `${name} Lee` })
    }
    await settle()
  })

  test('a merge while a push is under way ends in agreement', async () => {
    const [a, b] = [await idOf('ada@x.io'), await idOf('eve@x.io')]
    for (let round = 0; round < 4; round++) {
      await edit(world.hub, 'contact', b, { jobTitle: `eve ${round}` })
      await edit(world.hub, 'contact', a, { jobTitle: `ada ${round}` })
      await Promise.all([
        pushConnection(world.hub, 'mailchimp'),
        pushConnection(world.hub, 'stripe'),
        merge(world.hub, a, b),
      ])
      await settle()
      expect([job('ada@x.io'), job('eve@x.io')]).toEqual([`ada ${round}`, `ada ${round}`])
      await Promise.all([pushConnection(world.hub, 'mailchimp'), unmerge(world.hub, b)])
      await settle()
      expect([job('ada@x.io'), job('eve@x.io')]).toEqual([`ada ${round}`, `eve ${round}`])
    }
    expect(
      await world.db.sql`select count(*) as n from outbox where state in ('sending', 'uncertain')`,
    ).toEqual([{ n: 0 }])
  })

  test('a merge while edits of both are read loses none of them', async () => {
    const [a, b] = [await idOf('ada@x.io'), await idOf('eve@x.io')]
    world.mailchimp.admin.editProfile('eve@x.io', { PHONE: '+442079460018' })
    world.mailchimp.admin.editProfile('ada@x.io', { COMPANY: 'Acme' })
    await Promise.all([syncConnection(world.hub, 'mailchimp', 'changes'), merge(world.hub, a, b)])
    await settle()
    expect(await fieldsOf(world.hub, a)).toMatchObject({ phones: ['+442079460018'], companyName: 'Acme' })
    expect((await read(world.hub, 'contact', b)).archived).toBe(true)
    const strays = await world.db
      .sql`select count(*) as n from links where record_id = ${b} and remote_id is not null`
    expect(strays).toEqual([{ n: 0 }])
  })

  test('a create under way for the one that is merged makes no third object', async () => {
    const [a] = [await idOf('ada@x.io')]
    const b = await made(world.hub, 'contact', { familyName: 'Lee', emails: ['new@x.io'] })
    await world.db.sql`
      insert into consents (address, channel, audience, state, at, explicit, source)
      values ('new@x.io', 'email', 'marketing', 'in', ${world.clock.now}, true, 'form')`
    await edit(world.hub, 'contact', b, { emails: ['new@x.io'], jobTitle: 'New' })
    await Promise.all([pushConnection(world.hub, 'mailchimp'), merge(world.hub, a, b)])
    await settle()
    const [rows] = await world.db.sql`
      select count(*) as n from links where record_id = ${b} and state <> 'filtered'`
    expect(rows).toEqual({ n: 0 })
    expect(
      await world.db.sql`select count(*) as n from outbox where state in ('sending', 'uncertain')`,
    ).toEqual([{ n: 0 }])
    await unmerge(world.hub, b)
    await settle()
    expect((await read(world.hub, 'contact', b)).archived).toBe(false)
  })
})

/** A merge whose transaction stays open until `finish`: what others do meanwhile, they do not see of it. */
async function openMerge(
  { hub }: Pick<World, 'hub'>,
  kind: 'contact' | 'company',
  survivor: number,
  loser: number,
): Promise<{ finish(): Promise<void> }> {
  const gate = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const run = await beginRun(hub.db.beside, null, 'merge', hub.clock.now(), { by: 'user:ann' })
  const done = hub.session.begin(async (tx) => {
    const merged = await mergeWithin(following(hub, tx, run), { ...request(survivor, loser), kind })
    expect(merged.result.kind).toBe('merged')
    written.resolve()
    await gate.promise
  })
  await Promise.race([written.promise, done])
  return {
    async finish() {
      gate.resolve()
      await done
    },
  }
}

/** Lets a pass come as far as it can while the merge is open. */
const ended = async (pass: Promise<unknown>): Promise<boolean> =>
  Promise.race([pass.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 700, false))])

describe('a page that names a record while it is merged', () => {
  const DEAL = (...cells: readonly string[]) => ['d1', 'Roof', '', '', '100', 'EUR', '', ...cells, '']
  const named = async (kind: 'deal' | 'contact', field: string) => {
    const [row] = await world.db.sql`
      select id from ${world.db.sql(kind === 'deal' ? 'deals' : 'contacts')} where archived_at is null
      order by id desc limit 1`
    return (await read(world.hub, kind, Number(row?.['id']))).fields[field]
  }

  test('a deal of an export: it names the contact that is left, and a contact its company', async () => {
    world = await openWorld({ connections: ['csv'] })
    const [a, b] = [
      await made(world.hub, 'contact', { familyName: 'A', emails: ['a@x.io'] }),
      await made(world.hub, 'contact', { familyName: 'B', emails: ['b@x.io'] }),
    ]
    const [c, d] = [
      await made(world.hub, 'company', { name: 'C', domains: ['c.example'] }),
      await made(world.hub, 'company', { name: 'D', domains: ['d.example'] }),
    ]
    world.export('deals', [COLUMNS.deals, DEAL('b@x.io', '')])
    const people = await openMerge(world, 'contact', a, b)
    const deals = syncAll(world.hub, ['csv'], 'changes')
    await ended(deals)
    await people.finish()
    for (const pass of await deals) expect(pass.problem).toBeNull()
    expect(await named('deal', 'contact')).toBe(a)
    world.clock.now += 300_000
    const person = ['c9', 'new@x.io', 'New', 'One', '', '', '', 'd.example', '']
    world.export('contacts', [COLUMNS.contacts, person])
    const companies = await openMerge(world, 'company', c, d)
    const contacts = syncAll(world.hub, ['csv'], 'changes')
    await ended(contacts)
    await companies.finish()
    for (const pass of await contacts) expect(pass.problem).toBeNull()
    expect(await named('contact', 'company')).toBe(c)
  })

  test('mail: its newcomers and messages name the company that is left', async () => {
    const box = new FakeMailbox('rep@ours.example')
    const mail = await openMailWorld([box])
    try {
      const [c, d] = [
        await made(mail.hub, 'company', { name: 'C', domains: ['c-works.example.com'] }),
        await made(mail.hub, 'company', { name: 'D', domains: ['acme-tools.com'] }),
      ]
      box.send({ to: ['Jane Smithson <jane@acme-tools.com>'] })
      const open = await openMerge({ hub: mail.hub }, 'company', c, d)
      const pass = syncAll(mail.hub, ['mail'], 'changes')
      await ended(pass)
      await open.finish()
      for (const one of await pass) expect(one.problem).toBeNull()
      expect(await mail.db.sql`select company_id as company from contacts`).toEqual([{ company: c }])
      expect(await mail.db.sql`select company_id as company from activities`).toEqual([{ company: c }])
    } finally {
      await mail.close()
    }
  })

  test('a merge of contacts while their company is merged: the one that is left has the company that is left', async () => {
    world = await openWorld({ connections: [] })
    for (let round = 0; round < 4; round++) {
      const [c, d] = [
        await made(world.hub, 'company', { name: 'C' }),
        await made(world.hub, 'company', { name: 'D' }),
      ]
      const [a, b] = [
        await made(world.hub, 'contact', { familyName: 'A' }),
        await made(world.hub, 'contact', { familyName: 'A', company: d }),
      ]
      await Promise.all([
        merge(world.hub, a, b),
        mergeRecords(world.hub, { ...request(c, d), kind: 'company' }),
      ])
      expect((await read(world.hub, 'contact', a)).fields['company']).toBe(c)
    }
  })

  test('an undo gives a deal its contact back: the one that is left', async () => {
    world = await openWorld({ connections: [] })
    const [a, b, c] = [
      await made(world.hub, 'contact', { familyName: 'A' }),
      await made(world.hub, 'contact', { familyName: 'B' }),
      await made(world.hub, 'contact', { familyName: 'C' }),
    ]
    const deal = await made(world.hub, 'deal', { name: 'Roof', contact: b })
    await edit(world.hub, 'deal', deal, { contact: c })
    const [run] = await world.db.sql`select max(id) as id from runs where kind = 'edit'`
    await merge(world.hub, a, b)
    await undoRun(world.hub, Number(run?.['id']), 'user:ann')
    expect((await read(world.hub, 'deal', deal)).fields['contact']).toBe(a)
  })

  test('an undo gives a deal its contact back while the one that is left is merged on', async () => {
    world = await openWorld({ connections: [] })
    const [a = 0, b = 0, c = 0, d = 0] = await Promise.all(
      ['A', 'B', 'C', 'D'].map((familyName) => made(world.hub, 'contact', { familyName })),
    )
    const deal = await made(world.hub, 'deal', { name: 'Roof', contact: b })
    await edit(world.hub, 'deal', deal, { contact: c })
    const [run] = await world.db.sql`select max(id) as id from runs where kind = 'edit'`
    await merge(world.hub, a, b)
    const open = await openMerge(world, 'contact', d, a)
    const undone = undoRun(world.hub, Number(run?.['id']), 'user:ann')
    expect(await ended(undone)).toBe(false)
    await open.finish()
    await undone
    expect((await read(world.hub, 'deal', deal)).fields['contact']).toBe(d)
  })
})
