import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import { actionsOf } from '../../src/runtime/inbox/kinds.ts'
import { perform } from '../../src/runtime/inbox/perform.ts'
import { MOST_ASKED } from '../../src/runtime/matching/items.ts'
import { likelyDuplicates, likelyFor } from '../../src/runtime/matching/likely.ts'
import { allLikelyPairs, likelyPairs, rescan } from '../../src/runtime/matching/list.ts'
import { matchWaiting } from '../../src/runtime/matching/step.ts'
import { train, trainWhenDue } from '../../src/runtime/matching/train.ts'
import { currentModel } from '../../src/runtime/matching/model.ts'
import { generateCompany } from '../../src/sandbox/company/generate.ts'
import { unmergeRecord } from '../../src/runtime/merge/unmerge.ts'
import { listItems } from '../../src/store/inbox.ts'
import { loadRecords } from '../../src/store/records.ts'
import { COLUMNS } from '../support/exports.ts'
import { openWorld, type World, type WorldOptions } from '../support/world.ts'

let opened: World | undefined
afterEach(async () => {
  await opened?.close()
  opened = undefined
})
const world = async (options: WorldOptions = {}): Promise<World> => (opened = await openWorld(options))
/** The hub's own thresholds, for records that came through no stream. */
const thresholds = (yaml: string): WorldOptions => ({
  configure: (name, text) =>
    name === 'hub.yaml' ? text.replace(/^hub:$/m, `hub:\n  duplicates: ${yaml}`) : text,
})

type Given = Readonly<Record<string, Json>>
const JANE: Given = {
  givenName: 'Jane',
  familyName: 'Smithson',
  emails: ['jane.smithson@acme-tools.com'],
  phones: ['+12125550147'],
  companyName: 'Acme Tools',
}
/** Jane as a form has her: another address, the firm written otherwise. */
const JANE_AGAIN: Given = {
  givenName: 'Jane',
  familyName: 'Smithson',
  emails: ['jsmithson@acme-tools.com'],
  phones: ['+12125550147'],
  companyName: 'ACME Tools Inc.',
}

async function make(w: World, fields: Given, kind: 'contact' | 'company' = 'contact'): Promise<number> {
  const made = await createRecord(w.hub, kind, fields, 'api:test')
  if (made.kind !== 'saved') throw new Error(JSON.stringify(made))
  return made.record.id
}
const edit = (w: World, id: number, fields: Given, options: { archived?: boolean } = {}) =>
  editRecord(w.hub, 'contact', id, fields, 'user:ann', options)
const items = (w: World, state: 'open' | 'done' = 'open') =>
  listItems(w.db.sql, { state, kind: 'duplicate', limit: 500 })
const asked = async (w: World) => (await items(w)).map((item) => item.key).toSorted()
const waiting = async (w: World) =>
  (await w.db.sql<{ id: number }[]>`select record_id as id from match_queue order by 1`).map((row) => row.id)

describe('who looks like whom', () => {
  test('a typing error and another form of the firm are told with the evidence in words, once', async () => {
    const w = await world()
    const jane = await make(w, JANE)
    const other = await make(w, {
      givenName: 'J.',
      familyName: 'Smithsen',
      phones: ['+12125550147'],
      companyName: 'Acme Tools Inc.',
    })
    await matchWaiting(w.hub)
    await matchWaiting(w.hub)
    const [item, ...more] = await items(w)
    expect(more).toEqual([])
    expect(item).toMatchObject({
      key: `duplicate:${jane}:${other}`,
      recordId: jane,
      seen: 1,
      detail: { records: [jane, other], kind: 'contact' },
    })
    expect(item?.title).toMatch(
      /^J\. Smithsen at Acme Tools Inc\. may be Jane Smithson at Acme Tools <jane\.smithson@acme-tools\.com>: /,
    )
    expect(item?.title).toContain('same phone')
    expect(Number(item?.detail['probability'])).toBeGreaterThan(0.8)
  })

  test('a nickname at the same firm is found', async () => {
    const w = await world()
    const long = await make(w, {
      givenName: 'Robert',
      familyName: 'Ashcombe',
      companyName: 'Acme Tools',
      phones: ['+12125550148'],
    })
    const short = await make(w, {
      givenName: 'Bob',
      familyName: 'Ashcombe',
      emails: ['bob@acme-tools.com'],
      phones: ['+12125550148'],
    })
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([`duplicate:${long}:${short}`])
  })

  test('two people of one common name at different firms are two', async () => {
    const w = await world()
    // Enough others that a name alone is no proof.
    for (let i = 0; i < 60; i++)
      await make(w, { givenName: `Given${i}`, familyName: `Family${i * 7}`, emails: [`p${i}@firm${i}.com`] })
    await make(w, {
      givenName: 'John',
      familyName: 'Smith',
      emails: ['john@northwind.com'],
      companyName: 'Northwind',
      phones: ['+12125550101'],
    })
    await make(w, {
      givenName: 'John',
      familyName: 'Smith',
      emails: ['jsmith@contoso.com'],
      companyName: 'Contoso',
      phones: ['+13105550177'],
    })
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([])
  })

  test('companies are compared as well', async () => {
    const w = await world()
    const a = await make(
      w,
      { name: 'Acme Tools', domains: ['acme-tools.com'], phones: ['+12125550100'] },
      'company',
    )
    const b = await make(w, { name: 'ACME Tools, Inc.', phones: ['+12125550100'] }, 'company')
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([`duplicate:${a}:${b}`])
    expect((await items(w))[0]?.title).toMatch(/^ACME Tools, Inc\. may be Acme Tools \(acme-tools\.com\): /)
  })

  test('what a contact is told by its company counts as its own', async () => {
    const w = await world()
    const company = await make(w, { name: 'Acme Tools', domains: ['acme-tools.com'] }, 'company')
    const a = await make(w, { givenName: 'Ottoline', familyName: 'Pruitt', company })
    const b = await make(w, { givenName: 'Ottoline', familyName: 'Pruitt', companyName: 'Acme Tools' })
    expect(await likelyFor(w.hub, 'contact', {})).toEqual({ kind: 'found', likely: [] })
    await matchWaiting(w.hub)
    const [found] = await likelyDuplicates(w.hub, 'contact', b)
    expect(found).toMatchObject({ id: a, title: 'Ottoline Pruitt at Acme Tools' })
    expect(found?.evidence).toContain('same company')
  })
})

describe('a look-up', () => {
  test('finds whom values as people write them may mean, and writes nothing', async () => {
    const w = await world()
    const jane = await make(w, JANE)
    await matchWaiting(w.hub)
    const before = await w.db.sql`select * from match_keys order by 1, 2`
    const found = await likelyFor(w.hub, 'contact', {
      givenName: 'jane',
      familyName: 'SMITHSON',
      phones: ['(212) 555-0147'],
    })
    expect(found).toMatchObject({ kind: 'found', likely: [{ id: jane }] })
    expect(await w.db.sql`select * from match_keys order by 1, 2`).toEqual(before)
    expect(await waiting(w)).toEqual([])
  })

  test('says what is wrong with the values', async () => {
    const w = await world()
    expect(await likelyFor(w.hub, 'contact', { emails: ['nonsense'], surname: 'x' })).toMatchObject({
      kind: 'invalid',
      problems: [{ field: 'emails' }, { field: 'surname' }],
    })
  })
})

describe('questions come and go with their cause', () => {
  const pair = async (w: World) => {
    const [a, b] = [await make(w, JANE), await make(w, JANE_AGAIN)]
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([`duplicate:${a}:${b}`])
    return [a, b] as const
  }

  test('kept apart, a pair is never asked about again, whatever changes', async () => {
    const w = await world()
    const [, b] = await pair(w)
    const [item] = await items(w)
    expect(await perform(w.hub, item?.id ?? 0, 'keep-apart', {}, 'user:ann')).toMatchObject({ kind: 'done' })
    await edit(w, b, { familyName: 'Smithsonn' })
    await matchWaiting(w.hub)
    await rescan(w.hub, 'contact')
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([])
    expect(await likelyDuplicates(w.hub, 'contact', b)).toEqual([])
    expect(await likelyPairs(w.hub, 'contact', { limit: 10 })).toEqual([])
  })

  test('a pair that looks alike no longer is closed', async () => {
    const w = await world()
    const [, b] = await pair(w)
    await edit(w, b, {
      givenName: 'Bartholomew',
      familyName: 'Okonkwo',
      phones: null,
      emails: ['bo@elsewhere.com'],
      companyName: 'Elsewhere',
    })
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([])
    expect((await items(w, 'done'))[0]?.resolution).toBe('they do not look like one any more')
  })

  test('archiving one closes it at once, restoring asks again', async () => {
    const w = await world()
    const [a, b] = await pair(w)
    await edit(w, b, {}, { archived: true })
    expect(await asked(w)).toEqual([])
    expect((await items(w, 'done'))[0]?.resolution).toBe(`contact ${b} is archived`)
    expect(await likelyDuplicates(w.hub, 'contact', a)).toEqual([])
    await edit(w, b, {}, { archived: false })
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([`duplicate:${a}:${b}`])
  })

  test('dismissed, it comes back only where it looks otherwise', async () => {
    const w = await world()
    const [a, b] = await pair(w)
    const [item] = await items(w)
    await perform(w.hub, item?.id ?? 0, 'dismiss', {}, 'user:ann')
    await rescan(w.hub, 'contact')
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([])
    await edit(w, b, { address: { line1: '4 Long Acre', city: 'London', country: 'GB' } })
    await edit(w, a, { address: { line1: '4 Long Acre', city: 'London', country: 'GB' } })
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([`duplicate:${a}:${b}`])
  })

  test('an open question says what is known now', async () => {
    const w = await world()
    const [, b] = await pair(w)
    await edit(w, b, { phones: null })
    await matchWaiting(w.hub)
    const [item] = await items(w)
    expect(item?.title).not.toContain('phone')
  })

  test('merging the two closes it', async () => {
    const w = await world()
    const [a] = await pair(w)
    const [item] = await items(w)
    expect(await perform(w.hub, item?.id ?? 0, 'merge', {}, 'user:ann')).toMatchObject({ kind: 'done' })
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([])
    expect(await likelyDuplicates(w.hub, 'contact', a)).toEqual([])
  })

  test('a change to what nobody is recognised by compares nothing', async () => {
    const w = await world()
    const [, b] = await pair(w)
    await edit(w, b, { language: 'en', tags: ['x'] })
    expect(await waiting(w)).toEqual([])
    await edit(w, b, { familyName: 'Smith' })
    expect(await waiting(w)).toEqual([b])
    // Who waits already counts as well.
    expect(await rescan(w.hub, 'contact')).toBe(2)
  })
})

describe('from every side at once', () => {
  const row = (id: string, email: string, first: string, last: string, phone: string, company: string) => [
    id,
    email,
    first,
    last,
    phone,
    '',
    company,
    '',
    '',
  ]

  test('a CSV export and a mailing list bring the same person under two addresses', async () => {
    const w = await world()
    w.export('contacts', [
      COLUMNS.contacts,
      row('c1', 'jane.smithson@acme-tools.com', 'Jane', 'Smithson', '(212) 555-0147', 'Acme Tools'),
      row('c2', 'someone.else@firm.com', 'Ottoline', 'Pruitt', '(212) 555-0199', 'Firm'),
    ])
    await syncAll(w.hub, ['csv'], 'changes')
    expect(await asked(w)).toEqual([])
    w.mailchimp.admin.subscribe('jsmithson@acme-tools.com', {
      FNAME: 'Jane',
      LNAME: 'Smithson',
      COMPANY: 'Acme Tools',
    })
    await syncAll(w.hub, ['mailchimp'], 'changes')
    const [item] = await items(w)
    expect(item?.title).toMatch(
      /^Jane Smithson at Acme Tools <jsmithson@acme-tools\.com> may be Jane Smithson/,
    )
    expect(await waiting(w)).toEqual([])
  })

  test('a sync that finds nothing new compares nothing and writes nothing', async () => {
    const w = await world()
    w.export('contacts', [COLUMNS.contacts, row('c1', 'a@b.com', 'Jane', 'Smithson', '', '')])
    await syncAll(w.hub, ['csv'], 'changes')
    const before = await w.db.sql`select * from match_keys order by 1, 2`
    await syncAll(w.hub, ['csv'], 'changes')
    expect(await w.db.sql`select * from match_keys order by 1, 2`).toEqual(before)
  })

  test('the stricter of two streams counts', async () => {
    const w = await world({
      configure: (name, text) =>
        name === 'mailchimp.yaml'
          ? text.replace(/^( +)record: contact$/m, '$1record: contact\n$1duplicates: { ask: never }')
          : text,
    })
    w.export('contacts', [
      COLUMNS.contacts,
      row('c1', 'jane@acme-tools.com', 'Jane', 'Smithson', '', 'Acme Tools'),
    ])
    await syncAll(w.hub, ['csv'], 'changes')
    w.mailchimp.admin.subscribe('jsmithson@acme-tools.com', {
      FNAME: 'Jane',
      LNAME: 'Smithson',
      COMPANY: 'Acme Tools',
    })
    await syncAll(w.hub, ['mailchimp'], 'changes')
    expect(await asked(w)).toEqual([])
  })
})

describe('many hands and bad moments', () => {
  test('two workers that drain at once open one item a pair, and leave nothing', async () => {
    const w = await world()
    const ids: number[] = []
    for (let i = 0; i < 12; i++) {
      const person = { givenName: 'Jane', familyName: `Smithson${'abcdefghijkl'.charAt(i).repeat(4)}` }
      ids.push(
        await make(w, {
          ...person,
          phones: [`+1212555${1000 + i * 37}`],
          companyName: `Firm${i * 31} Works`,
        }),
      )
      ids.push(
        await make(w, { ...person, phones: [`+1212555${1000 + i * 37}`], emails: [`x${i}@firm${i}.com`] }),
      )
    }
    const other = await w.restarted()
    await Promise.all([
      matchWaiting(w.hub, { limit: 7 }),
      matchWaiting(other),
      matchWaiting(w.hub),
      matchWaiting(other, { only: { kind: 'contact', ids: ids.slice(0, 5) } }),
    ])
    await matchWaiting(w.hub)
    expect(await waiting(w)).toEqual([])
    const keys = await asked(w)
    for (let i = 0; i < ids.length; i += 2) expect(keys).toContain(`duplicate:${ids[i]}:${ids[i + 1]}`)
    expect((await items(w)).every((item) => item.seen === 1)).toBe(true)
  })

  test('a crash in the middle loses nothing: the queue goes with what came of it', async () => {
    const w = await world()
    const a = await make(w, JANE)
    const b = await make(w, JANE_AGAIN)
    const dying = {
      ...w.hub,
      session: {
        ...w.hub.session,
        begin: (work: Parameters<typeof w.db.sql.begin>[1]) =>
          w.db.sql.begin(async (tx) => {
            await work(tx)
            throw new Error('the power went')
          }),
      },
    }
    await expect(matchWaiting(dying)).rejects.toThrow('the power went')
    expect(await waiting(w)).toEqual([a, b])
    expect(await asked(w)).toEqual([])
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([`duplicate:${a}:${b}`])
  })

  test('a change that commits while its record is compared is compared again', async () => {
    const w = await world()
    const a = await make(w, JANE)
    const b = await make(w, { givenName: 'Ottoline', familyName: 'Pruitt' })
    // An edit is under way when the queue is worked off: its record is left for later.
    let editing: (() => void) | undefined
    const paused = new Promise<void>((resolve) => (editing = resolve))
    let locked: (() => void) | undefined
    const began = new Promise<void>((resolve) => (locked = resolve))
    const edited = w.db.sql.begin(async (tx) => {
      await tx`insert into match_queue (record_id, kind) values (${b}, 'contact') on conflict (record_id) do update set kind = excluded.kind`
      await tx`update contacts set given_name = 'Jane', family_name = 'Smithson', phones = '{+12125550147}' where id = ${b}`
      locked?.()
      await paused
    })
    await began
    await matchWaiting(w.hub)
    editing?.()
    await edited
    expect(await waiting(w)).toEqual([b])
    await matchWaiting(w.hub)
    expect(await asked(w)).toEqual([`duplicate:${a}:${b}`])
  })

  test('thousands of pairs do not drown the inbox: the likeliest are asked about, one item counts the others', async () => {
    const w = await world()
    const pairs = MOST_ASKED + 20
    for (let i = 0; i < pairs; i++) {
      const name = `Q${String.fromCodePoint(97 + (i % 26), 97 + ((i * 7) % 26), 97 + ((i * 11) % 26))}x${String.fromCodePoint(97 + Math.floor(i / 26))}z`
      const person = { givenName: 'Jane', familyName: name, phones: [`+1212${2_000_000 + i * 1_013}`] }
      await make(w, { ...person, emails: [`a${i}@one${i}.com`] })
      await make(w, { ...person, emails: [`b${i}@two${i}.com`] })
    }
    await matchWaiting(w.hub)
    const open = await items(w)
    const summary = open.find((item) => item.key === 'duplicates:contact')
    expect(open).toHaveLength(MOST_ASKED + 1)
    const listed = []
    for await (const one of allLikelyPairs(w.hub, 'contact')) listed.push(one)
    expect(summary?.title).toBe(`${listed.length - MOST_ASKED} more pairs of contacts look like one`)
    // It names no two records that could be merged.
    expect(open.flatMap((item) => (item === summary ? actionsOf(item) : []))).toMatchObject([
      { action: 'dismiss' },
    ])
    expect(listed.map((one) => one.probability)).toEqual(
      listed.map((one) => one.probability).toSorted((x, y) => y - x),
    )
    // As those are settled, the next ones come.
    const first = open.find((item) => item.key !== 'duplicates:contact')
    await perform(w.hub, first?.id ?? 0, 'keep-apart', {}, 'user:ann')
    await matchWaiting(w.hub)
    expect(await items(w)).toHaveLength(MOST_ASKED + 1)
    // Whoever comes later does not wait behind them.
    w.clock.now += 60_000
    const ann = { givenName: 'Ann', familyName: 'Featherstonehaugh', phones: ['+16175550188'] }
    const a = await make(w, { ...ann, emails: ['ann@here.com'] })
    const b = await make(w, { ...ann, emails: ['ann@there.com'] })
    await matchWaiting(w.hub)
    expect((await items(w)).map((item) => item.key)).toContain(`duplicate:${a}:${b}`)
  })
})

describe('merging by rule', () => {
  const LINKS = thresholds('{ link: 0.99, ask: 0.5 }')

  test('what is alike enough is merged, says why, and is unmerged like any other', async () => {
    const w = await world(LINKS)
    const a = await make(w, JANE)
    const b = await make(w, JANE_AGAIN)
    await matchWaiting(w.hub)
    const both = await loadRecords(w.db.sql, 'contact', [a, b])
    expect(both.get(a)?.fields['emails']).toEqual([
      'jane.smithson@acme-tools.com',
      'jsmithson@acme-tools.com',
    ])
    expect(both.get(b)?.archived).toBe(true)
    expect(await asked(w)).toEqual([])
    const [merge] = await w.db.sql<{ rule: string; by: string }[]>`select rule, by from merges`
    expect(merge?.by).toBe('rule:likeness')
    expect(merge?.rule).toMatch(/^looks like one \(0\.\d{4}\): .*same phone/)

    expect(await unmergeRecord(w.hub, { kind: 'contact', loser: b, by: 'user:ann' })).toMatchObject({
      kind: 'unmerged',
    })
    await matchWaiting(w.hub)
    const apart = await loadRecords(w.db.sql, 'contact', [a, b])
    expect(apart.get(a)?.fields['emails']).toEqual(['jane.smithson@acme-tools.com'])
    expect(apart.get(b)?.archived).toBe(false)
    expect(await asked(w)).toEqual([])
  })

  test('other birthdays speak against it: a person decides, if anybody', async () => {
    const w = await world(LINKS)
    await make(w, { ...JANE, birthday: '02-28' })
    const b = await make(w, { ...JANE_AGAIN, birthday: '11-03' })
    await matchWaiting(w.hub)
    expect((await loadRecords(w.db.sql, 'contact', [b])).get(b)?.archived).toBe(false)
  })

  test('a chain does not melt people who are not alike themselves into one', async () => {
    const w = await world(LINKS)
    const shared = { familyName: 'Smithson', companyName: 'Acme Tools', phones: ['+12125550147'] }
    const jane = await make(w, { ...shared, givenName: 'Jane', emails: ['jane@acme-tools.com'] })
    const initial = await make(w, { ...shared, givenName: 'J.', emails: ['office@acme-tools.com'] })
    const john = await make(w, { ...shared, givenName: 'John', emails: ['john@acme-tools.com'] })
    await matchWaiting(w.hub)
    const found = await loadRecords(w.db.sql, 'contact', [jane, initial, john])
    expect(found.get(jane)?.archived).toBe(false)
    expect(found.get(john)?.archived).toBe(false)
  })

  test('a step that fails after it has merged some ends its run, so that the run can be undone', async () => {
    const w = await world(LINKS)
    await make(w, JANE)
    const b = await make(w, JANE_AGAIN)
    let begun = 0
    const begin: typeof w.hub.session.begin = (work) => {
      // Companies come first; of them none waits.
      if (++begun > 2) throw new Error('the power went')
      return w.hub.session.begin(work)
    }
    const dying = { ...w.hub, session: { ...w.hub.session, begin } }
    await expect(matchWaiting(dying)).rejects.toThrow('the power went')
    expect((await loadRecords(w.db.sql, 'contact', [b])).get(b)?.archived).toBe(true)
    expect(await w.db.sql`select state, counts, problem from runs where kind = 'merge'`).toEqual([
      { state: 'failed', counts: { merged: 1 }, problem: 'the power went' },
    ])
  })

  test('a mass merge stops at the guard, and the rest is asked about', async () => {
    const w = await world(LINKS)
    for (let i = 0; i < 40; i++) {
      const name = `Q${String.fromCodePoint(97 + (i % 26), 97 + ((i * 7) % 26), 97 + ((i * 11) % 26))}xz`
      const person = {
        givenName: 'Jane',
        familyName: name,
        phones: [`+1212${2_000_000 + i * 1_013}`],
        companyName: `Firm ${name}`,
      }
      await make(w, { ...person, emails: [`a${i}@one${i}.com`] })
      await make(w, { ...person, emails: [`b${i}@two${i}.com`] })
    }
    await matchWaiting(w.hub)
    const [row] = await w.db.sql<{ n: number }[]>`select count(*) as n from merges`
    expect(row?.n).toBe(25)
    expect((await items(w)).length).toBeGreaterThanOrEqual(15)
  })
})

describe('learning', () => {
  test('too few records teach nothing', async () => {
    const w = await world()
    await make(w, JANE)
    expect(await train(w.hub, 'contact')).toEqual({ kind: 'too few', records: 1, needed: 200 })
  })

  test('from enough, it does, and a look-up goes by what was learned', async () => {
    const w = await world()
    const exports = generateCompany({ contacts: 900, seed: 3, now: w.clock.now }).exports
    writeFileSync(path.join(w.folder, 'contacts.csv'), exports.contacts)
    await syncAll(w.hub, ['csv'], 'changes')
    const before = await currentModel(w.hub, 'contact')
    expect(before.trainedAt).toBeNull()
    const trained = await train(w.hub, 'contact')
    expect(trained.kind).toBe('trained')
    const after = await currentModel(w.hub, 'contact')
    expect(after).toMatchObject({ trainedAt: w.clock.now, records: before.records })
    expect(after.model.m.family).not.toEqual(before.model.m.family)
    expect(after.model.m.family.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1)
    // Another process, and a later one, go by the same.
    const other = await w.restarted()
    expect(await currentModel(other, 'contact')).toEqual(after)
  })

  test('a hub learns by itself once it has enough, and again after a week', async () => {
    const w = await world()
    await make(w, JANE)
    await trainWhenDue(w.hub)
    expect(await w.db.sql`select * from match_models`).toEqual([])
    await w.db
      .sql`insert into contacts (id, version, created_at, updated_at, custom, provenance, given_name, family_name)
      select 1000 + n, 1, now(), now(), '{}', '{}', translate(md5((n % 30)::text), '0123456789', 'aeioubrstl'), translate(md5((n % 35)::text), '0123456789', 'aeioubrstl') from generate_series(1, 2500) n`
    await rescan(w.hub, 'contact')
    await matchWaiting(w.hub)
    const learnedAt = async () =>
      (await w.db.sql<{ at: number }[]>`select trained_at as at from match_models`).map((row) => row.at)
    await trainWhenDue(w.hub)
    const first = w.clock.now
    expect(await learnedAt()).toEqual([first])
    w.clock.now += 6 * 86_400_000
    await trainWhenDue(w.hub)
    expect(await learnedAt()).toEqual([first])
    w.clock.now += 86_400_000
    await trainWhenDue(w.hub)
    expect(await learnedAt()).toEqual([w.clock.now])
    // What another Concord learned counts for nothing here: it does not wait for its week.
    await w.db.sql`update match_models set model = jsonb_set(model, '{m}', '{}')`
    w.clock.now += 1_000
    await trainWhenDue(w.hub)
    expect(await learnedAt()).toEqual([w.clock.now])
  })
})
