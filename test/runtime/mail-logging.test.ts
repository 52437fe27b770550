import { afterEach, describe, expect, test } from 'vitest'
import { VendorError } from '../../src/connectors/connector.ts'
import { mailConnection, syncAll } from '../../src/runtime/cycle.ts'
import { timelineOf } from '../../src/runtime/mail/timeline.ts'
import { explainMessage } from '../../src/runtime/mail/explain-message.ts'
import { FakeMailbox, HOUR, message, openMailWorld, PIPELINES, T0, type MailWorld } from './mail.support.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import type { MailRules } from '../../src/core/mail/rules.ts'

let world: MailWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

const rep = () => new FakeMailbox('rep@ours.example')
async function open(
  boxes: readonly FakeMailbox[],
  rules: Partial<MailRules> = {},
  others: readonly FakeMailbox[] = [],
): Promise<MailWorld> {
  world = await openMailWorld(boxes, rules, others)
  return world
}
async function sync(w: MailWorld, names = ['mail'], hub = w.hub): Promise<void> {
  for (const pass of await syncAll(hub, names, 'changes')) expect(pass.problem).toBeNull()
}
const verdicts = async (w: MailWorld) =>
  Object.fromEntries(
    (
      await w.db.sql<{ id: string; said: string }[]>`
        select remote_id as id, concat_ws(' ', verdict, reason) as said from sightings`
    ).map((row) => [row.id, row.said]),
  )
const rows = async (w: MailWorld, table: string) =>
  Array.from(
    await w.db.sql.unsafe(`select * from ${table} order by id`),
    (row): Record<string, unknown> => row,
  )

describe('what becomes of a message', () => {
  test('mail of a contact is logged with its content, on the contact, the company and the one open deal', async () => {
    const box = rep()
    const w = await open([box])
    const company = await createRecord(w.hub, 'company', { name: 'Acme', domains: ['acme.example'] }, 'api')
    if (company.kind !== 'saved') throw new Error('no company')
    const ada = await w.contact('ada@acme.example', { company: company.record.id })
    const deal = await createRecord(
      w.hub,
      'deal',
      { name: 'Engines', pipeline: PIPELINES[0]?.name ?? '', stage: 'Talking', contact: ada },
      'api',
    )
    await createRecord(w.hub, 'deal', { name: 'Old', pipeline: 'Sales', stage: 'Won', contact: ada }, 'api')
    box.receive({ from: 'Ada <ada@acme.example>', subject: 'Engines', text: 'When?', at: T0 - HOUR })
    await sync(w)
    const [activity] = await rows(w, 'activities')
    expect(activity).toMatchObject({
      type: 'email',
      subject: 'Engines',
      contact_id: ada,
      company_id: company.record.id,
      deal_id: deal.kind === 'saved' ? deal.record.id : 0,
      occurred_at: T0 - HOUR,
    })
    for (const [kind, id] of [
      ['contact', ada],
      ['company', company.record.id],
      ['deal', Number(activity?.['deal_id'])],
    ] as const) {
      const timeline = await timelineOf(w.hub, kind, id, { before: null, limit: 10 })
      expect(timeline.entries).toMatchObject([
        { subject: 'Engines', message: { text: 'When?', direction: 'received' } },
      ])
    }
    const [contact] = await rows(w, 'contacts')
    expect(contact).toMatchObject({ last_replied_at: T0 - HOUR, last_contacted_at: null })
  })

  test('each message is told apart by why it was kept out, and nothing of it is stored', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact('ada@acme.example')
    const from = 'ada@acme.example'
    const ids = {
      news: box.receive({ from, subject: 'TOP SECRET 1', headers: { 'list-id': '<news.acme.example>' } }),
      hidden: box.receive({ from, subject: 'TOP SECRET 2', labels: ['Private/Family'] }),
      draft: box.put({ from: box.address, to: [from], flags: ['draft'], subject: 'TOP SECRET 3' }),
      stranger: box.receive({ from: 'bob@other.example', subject: 'TOP SECRET 4' }),
      inside: box.receive({ from: 'boss@ours.example', subject: 'TOP SECRET 5' }),
      unclear: box.receive({ from, subject: 'TOP SECRET 6', labels: null }),
    }
    await sync(w)
    expect(await verdicts(w)).toEqual({
      [ids.news]: expect.stringMatching(/^filtered (bulk|automatic)$/),
      [ids.hidden]: 'filtered private',
      [ids.draft]: 'filtered draft',
      [ids.stranger]: 'filtered stranger',
      [ids.inside]: 'filtered internal',
      [ids.unclear]: 'filtered unclear',
    })
    const dump = await w.db.sql`
      select string_agg(t::text, ' ') as all from (
        select s::text as t from sightings s union all select m::text from messages m
        union all select a::text from activities a union all select h::text from history h
        union all select p::text from message_participants p) x`
    expect(JSON.stringify(dump)).not.toMatch(/TOP SECRET|bob@other/)
  })

  test('sent mail makes a contact with the name of the header and the company of the domain; free mail has none', async () => {
    const box = rep()
    const w = await open([box])
    box.send({ to: ['Grace Hopper <grace@navy.example.com>', 'Joe <joe@gmail.com>', 'noreply@shop.example'] })
    await sync(w)
    const contacts = await rows(w, 'contacts')
    expect(contacts).toMatchObject([
      { given_name: 'Grace', family_name: 'Hopper', email: 'grace@navy.example.com' },
      { given_name: 'Joe', email: 'joe@gmail.com', company_id: null },
    ])
    expect(await rows(w, 'companies')).toMatchObject([{ name: 'example.com', domains: ['example.com'] }])
    expect(contacts[0]?.['company_id']).toBe((await rows(w, 'companies'))[0]?.['id'])
    const story = await explainMessage(w.hub, `${box.address}-1`)
    expect(story?.message?.people.find((p) => p.address === 'noreply@shop.example')?.why).toMatch(
      /nobody reads/,
    )
  })

  test('a stranger who becomes a contact gets the mail that was left out, and only then', async () => {
    const box = rep()
    const w = await open([box])
    const id = box.receive({ from: 'bob@other.example', subject: 'Offer', at: T0 - 3 * HOUR })
    await sync(w)
    expect(await rows(w, 'messages')).toEqual([])
    const bob = await w.contact('bob@other.example')
    box.asked.length = 0
    await sync(w)
    expect(box.asked).toContain('fetch 1')
    expect((await verdicts(w))[id]).toBe('logged')
    expect(await rows(w, 'contacts')).toMatchObject([{ id: bob, last_replied_at: T0 - 3 * HOUR }])
    box.asked.length = 0
    await sync(w)
    expect(box.asked).toEqual(['live'])
  })

  test('somebody in copy of logged mail who becomes a contact later has it on the timeline too', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact('ada@acme.example')
    box.receive({ from: 'ada@acme.example', to: [box.address, 'eve@acme.example'] })
    await sync(w)
    const eve = await w.contact('eve@acme.example')
    const { entries } = await timelineOf(w.hub, 'contact', eve, { before: null, limit: 10 })
    expect(entries).toHaveLength(1)
  })

  test('an address with a tag is its owner where the rule says so, whoever comes first', async () => {
    for (const strangers of ['filter', 'log'] as const)
      for (const plusTags of [true, false]) {
        const box = rep()
        const w = await open([box], { plusTags, strangers })
        box.receive({ from: 'jo+shop@acme.example' })
        await sync(w)
        const jo = await w.contact('jo@acme.example')
        box.receive({ from: 'jo+club@acme.example' })
        await sync(w)
        const { entries } = await timelineOf(w.hub, 'contact', jo, { before: null, limit: 10 })
        expect(entries).toHaveLength(plusTags ? 2 : 0)
        expect(entries.every((entry) => entry.contact === jo)).toBe(true)
        await w.close()
        world = undefined
      }
  })

  test('a timeline goes on from page to page, without a gap or a repeat, through equal times', async () => {
    const box = rep()
    const w = await open([box])
    const ada = await w.contact('ada@acme.example')
    for (let i = 0; i < 25; i++)
      box.receive({ from: 'ada@acme.example', at: T0 - Math.floor(i / 5) * 1000, subject: `s${i}` })
    await createRecord(w.hub, 'activity', { type: 'call', contact: ada, occurredAt: T0 - 2000 }, 'api')
    await sync(w)
    const seen: number[] = []
    for (let before: string | null = null; ; ) {
      const page = await timelineOf(w.hub, 'contact', ada, { before, limit: 4 })
      seen.push(...page.entries.map((entry) => entry.id))
      if (page.next === null) break
      before = page.next
    }
    expect(seen).toHaveLength(26)
    expect(new Set(seen).size).toBe(26)
  })

  test('an opt-out of the address stays one when mail makes the contact', async () => {
    const box = rep()
    const w = await open([box])
    await w.db.sql`insert into consents (address, channel, audience, state, at, explicit, source)
      values ('grace@navy.example', 'email', 'news', 'out', now(), true, 'test')`
    box.send({ to: ['grace@navy.example'] })
    await sync(w)
    expect(await rows(w, 'contacts')).toMatchObject([{ email_consent: 'out' }])
  })
})

describe('one message in several mailboxes', () => {
  const both = (a: FakeMailbox, b: FakeMailbox) => {
    const note = { from: 'ada@acme.example', to: [a.address, b.address], messageId: 'one@acme.example' }
    const kept = message(note)
    return [a.put(note, kept), b.put(note, kept)] as const
  }

  test('is one activity, also when two connections read it at the same time', async () => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const [a, b] = [rep(), new FakeMailbox('cto@ours.example')]
      const w = await openMailWorld([a], {}, [b])
      try {
        await w.contact('ada@acme.example')
        both(a, b)
        for (let i = 0; i < 30; i++) {
          const note = {
            from: 'ada@acme.example',
            to: [a.address, b.address, `new${i}@acme.example`],
            at: T0 - i * 1000,
          }
          const kept = message({ ...note, references: [`root-${i % 5}@acme.example`] })
          a.put(note, kept)
          b.put(note, kept)
          const sent = {
            from: a.address,
            to: [`new${i}@acme.example`],
            cc: [b.address],
            at: T0 - i * 1000 - 500,
          }
          const copy = message(sent)
          a.put({ ...sent, flags: ['sent'] }, copy)
          b.put(sent, copy)
        }
        a.pageSize = 7
        b.pageSize = 5
        const second = await w.reopened()
        const passes = await Promise.all([
          syncAll(w.hub, ['mail'], 'changes'),
          syncAll(second, ['other'], 'changes'),
        ])
        for (const pass of passes.flat()) expect(pass.problem).toBeNull()
        await syncAll(w.hub, ['mail', 'other'], 'changes')
        expect(await w.db.sql`select count(*) as n from messages where state = 'kept'`).toEqual([{ n: 61 }])
        expect(await w.db.sql`select count(*) as n from activities`).toEqual([{ n: 61 }])
        expect(await w.db.sql`select count(*) as n from contacts`).toEqual([{ n: 31 }])
        expect(await w.db.sql`select distinct verdict from sightings`).toEqual([{ verdict: 'logged' }])
        expect(await w.db.sql`select count(*) as n from sightings`).toEqual([{ n: 122 }])
      } finally {
        await w.close()
      }
    }
  }, 60_000)

  test('is one activity in sixteen of them too, while people make and edit the same contacts', async () => {
    const boxes = Array.from({ length: 16 }, (_, i) => new FakeMailbox(`rep${i}@ours.example`))
    for (let i = 0; i < 90; i++) {
      const at = T0 - i * 60_000
      const who = `c${i % 20}@x${i % 4}.example`
      const all = boxes.map((box) => box.address)
      const author = i % 3 === 0 ? (all[i % 16] ?? '') : who
      const note = { from: author, to: [who, ...all], at, messageId: `m${i}`, references: [`m${i - 1}`] }
      const letter = message(note)
      for (const box of boxes) box.put({ ...note, flags: box.address === author ? ['sent'] : [] }, letter)
    }
    for (const box of boxes) box.pageSize = 13
    world = await openMailWorld(boxes.slice(0, 12), {}, boxes.slice(12))
    const w = world
    const second = await w.reopened()
    let isOver = false
    const people = async () => {
      for (let i = 0; !isOver; i++) {
        const made = await createRecord(w.hub, 'contact', { emails: [`c${i % 20}@x${i % 4}.example`] }, 'api')
        const id = made.kind === 'saved' ? made.record.id : made.kind === 'exists' ? made.id : 0
        await editRecord(w.hub, 'contact', id, { jobTitle: `title ${i}` }, 'api')
      }
    }
    const syncing = Promise.all([syncAll(w.hub, ['mail'], 'changes'), syncAll(second, ['other'], 'changes')])
    const [passes] = await Promise.all([
      syncing.finally(() => {
        isOver = true
      }),
      people(),
    ])
    for (const pass of passes.flat()) expect(pass.problem).toBeNull()
    await sync(w, ['mail', 'other'])
    const counted = await w.db.sql`select verdict, recheck, count(*) as n from sightings group by 1, 2`
    expect(counted).toEqual([{ verdict: 'logged', recheck: false, n: 16 * 90 }])
    const made = await w.db.sql`select count(*) as n, count(distinct thread_id) as threads from messages`
    expect(made).toEqual([{ n: 90, threads: 1 }])
    expect(await w.db.sql`select count(*) as n from contacts`).toEqual([{ n: 20 }])
  }, 60_000)

  test('that becomes private in one stays for the other; in both it is erased, in history too; and it comes back', async () => {
    const [a, b] = [rep(), new FakeMailbox('cto@ours.example')]
    const w = await open([a, b])
    const ada = await w.contact('ada@acme.example')
    const note = {
      from: 'ada@acme.example',
      to: [a.address, b.address],
      messageId: 'm',
      subject: 'ADA IS ILL',
    }
    const kept = message(note)
    const [inA, inB] = [a.put(note, kept), b.put(note, kept)]
    await sync(w)
    a.edit(inA, { labels: ['Private'] })
    await sync(w)
    expect(await rows(w, 'messages')).toMatchObject([{ state: 'kept', subject: 'ADA IS ILL' }])
    expect((await verdicts(w))[inA]).toBe('filtered private')
    b.edit(inB, { labels: ['private'] })
    await sync(w)
    expect(await rows(w, 'messages')).toMatchObject([
      { state: 'withdrawn', subject: null, text: null, envelope: null },
    ])
    const everything = await w.db.sql`
      select string_agg(h::text, ' ') || (select string_agg(a::text, ' ') from activities a) as t from history h`
    expect(everything[0]?.['t']).not.toContain('ADA IS ILL')
    expect((await timelineOf(w.hub, 'contact', ada, { before: null, limit: 10 })).entries).toEqual([])
    expect(await rows(w, 'contacts')).toMatchObject([{ last_replied_at: null }])
    b.edit(inB, { labels: [] })
    await sync(w)
    expect(await rows(w, 'messages')).toMatchObject([
      { state: 'kept', subject: 'ADA IS ILL', text: 'How are you?' },
    ])
    expect((await timelineOf(w.hub, 'contact', ada, { before: null, limit: 10 })).entries).toMatchObject([
      { subject: 'ADA IS ILL' },
    ])
    expect(await rows(w, 'contacts')).toMatchObject([{ last_replied_at: T0 - HOUR }])
  })

  test('of a sender that uses one Message-ID for all of its mail is several messages; without any id it is still one', async () => {
    const [a, b] = [rep(), new FakeMailbox('cto@ours.example')]
    const w = await open([a, b])
    await w.contact('ada@acme.example')
    for (const at of [T0 - 5 * HOUR, T0 - 4 * HOUR])
      for (const box of [a, b]) {
        const note = { from: 'ada@acme.example', to: [a.address, b.address], messageId: 'same', at }
        box.put(note, message(note))
        const bare = {
          from: 'ada@acme.example',
          to: [a.address, b.address],
          messageId: null,
          at,
          subject: 'No id',
        }
        box.put(bare, message(bare))
      }
    await sync(w)
    expect(await w.db.sql`select count(*) as n from messages`).toEqual([{ n: 4 }])
    expect(await w.db.sql`select count(*) as n from sightings where verdict = 'logged'`).toEqual([{ n: 8 }])
  })
})

describe('threads', () => {
  test('come together when the message that joins them is the last to come', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact('ada@acme.example')
    const from = 'ada@acme.example'
    box.receive({ from, messageId: 'c', references: ['b'], at: T0 - 1 * HOUR })
    box.receive({ from, messageId: 'a', at: T0 - 9 * HOUR })
    box.pageSize = 1
    await sync(w)
    expect(await w.db.sql`select count(distinct thread_id) as n from messages`).toEqual([{ n: 2 }])
    box.receive({ from, messageId: 'b', references: ['a'], at: T0 })
    await sync(w)
    expect(await w.db.sql`select count(distinct thread_id) as n from messages`).toEqual([{ n: 1 }])
    box.receive({ from, messageId: 'd', references: ['a', 'c'], at: T0 + 1 })
    box.receive({ from, messageId: 'z', at: T0 + 2 })
    await sync(w)
    expect(await w.db.sql`select count(distinct thread_id) as n from messages`).toEqual([{ n: 2 }])
  })
})

describe('bounces', () => {
  const bounced = (address: string) => ({
    recipients: [{ address, status: '5.1.1', permanent: true }],
  })

  test('mark the address, whatever the order of mail, until mail comes from it again', async () => {
    const box = rep()
    const w = await open([box])
    box.receive({ from: 'mailer-daemon@mx.example', bounce: bounced('grace@navy.example'), at: T0 - HOUR })
    box.send({ to: ['grace@navy.example'], at: T0 - 2 * HOUR })
    box.pageSize = 1
    await sync(w)
    expect(await rows(w, 'contacts')).toMatchObject([{ bouncing_emails: ['grace@navy.example'] }])
    box.receive({ from: 'grace@navy.example', at: T0 - 3 * HOUR })
    await sync(w)
    expect(await rows(w, 'contacts')).toMatchObject([{ bouncing_emails: ['grace@navy.example'] }])
    box.receive({ from: 'grace@navy.example', at: T0 })
    await sync(w)
    expect(await rows(w, 'contacts')).toMatchObject([{ bouncing_emails: null }])
  })
})

test('a mailbox that fails keeps no other from being read to its end', async () => {
  const [a, b] = [rep(), new FakeMailbox('cto@ours.example')]
  const w = await open([a, b])
  await w.contact('ada@acme.example')
  for (let i = 0; i < 30; i++) b.receive({ from: 'ada@acme.example', at: T0 - i * 1000 })
  b.pageSize = 2
  a.trouble = (what) => {
    if (what === 'mailboxes') return
    throw new VendorError({ kind: 'unavailable', committed: 'no', message: 'busy' })
  }
  b.trouble = (what) => {
    if (what === 'backfill') w.clock.now += 15_000
  }
  const passes = await syncAll(w.hub, ['mail'], 'changes')
  expect(passes.every((pass) => pass.problem?.includes('busy'))).toBe(true)
  expect(await w.db.sql`select count(*) as n from messages`).toEqual([{ n: 30 }])
})

test('one mailbox that fails does not keep the others from being read', async () => {
  const [a, b] = [rep(), new FakeMailbox('cto@ours.example')]
  const w = await open([a, b])
  await w.contact('ada@acme.example')
  a.receive({ from: 'ada@acme.example' })
  b.receive({ from: 'ada@acme.example' })
  a.trouble = (what) => {
    if (what === 'mailboxes') return
    throw new VendorError({ kind: 'auth', message: 'this mailbox has no licence' })
  }
  const pass = await mailConnection(w.hub, 'mail', 'none')
  expect(pass.problem).toContain('no licence')
  expect(await w.db.sql`select count(*) as n from messages`).toEqual([{ n: 1 }])
  expect(await w.db.sql`select problem from streams where name <> 'mail/*' order by name desc`).toMatchObject(
    [{ problem: 'this mailbox has no licence' }, { problem: null }],
  )
})
