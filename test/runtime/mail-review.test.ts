import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { MailRules } from '../../src/core/mail/rules.ts'
import { replyFacts, type Exchange } from '../../src/core/mail/replies.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { createRecord, editRecord } from '../../src/runtime/edit.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { startWorkers } from '../../src/runtime/jobs.ts'
import { explainMessage } from '../../src/runtime/mail/explain-message.ts'
import { makePrivate, removeMessage, restoreMessage } from '../../src/runtime/mail/message-actions.ts'
import { noteOverdue } from '../../src/runtime/mail/overdue.ts'
import { followMailHints, readMail } from '../../src/runtime/mail/pass.ts'
import { previewReview } from '../../src/runtime/mail/review.ts'
import { timelineOf } from '../../src/runtime/mail/timeline.ts'
import { makePlan } from '../../src/runtime/plan/make.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { FakeMailbox, HOUR, message, openMailWorld, T0, type MailWorld } from './mail.support.ts'

let world: MailWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})
const rep = () => new FakeMailbox('rep@ours.example')
async function open(boxes: readonly FakeMailbox[], rules: Partial<MailRules> = {}): Promise<MailWorld> {
  world = await openMailWorld(boxes, rules)
  return world
}
async function sync(w: MailWorld, hub: Hub = w.hub): Promise<void> {
  for (const pass of await syncAll(hub, ['mail'], 'changes')) expect(pass.problem).toBeNull()
}
const kept = async (w: MailWorld) =>
  (
    await w.db.sql<
      { subject: string | null }[]
    >`select subject from messages where state = 'kept' order by at`
  ).map((row) => row.subject)
const from = 'ada@acme.example'

describe('rules that change are applied to what is stored', () => {
  test('both ways, with a count beforehand that comes true', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact(from)
    for (let i = 0; i < 450; i++) {
      const at = T0 - (450 - i) * 60_000
      const headers =
        i % 3 === 0 ? { 'list-id': '<l.acme.example>', 'list-unsubscribe': '<mailto:x@acme.example>' } : {}
      const labels = i % 5 === 0 ? ['Board'] : []
      box.receive({ from, at, subject: `s${i}`, headers, labels })
    }
    await sync(w)
    const before = await kept(w)
    expect(before).toHaveLength(300)
    const tight = await w.reopened({ privateLabels: ['board'], bulk: 'log' })
    const [count] = await previewReview(tight)
    expect(count).toMatchObject({
      mailbox: box.address,
      stored: 450,
      takenOut: 60,
      reasons: { private: 60 },
      readAgain: 150,
    })
    expect(await kept(w)).toEqual(before)
    expect(await previewReview(w.hub, tight.configuration)).toMatchObject([{ takenOut: 60 }])
    await sync(w, tight)
    expect(await kept(w)).toHaveLength(450 - 90)
    expect(await previewReview(tight)).toEqual([])
    await sync(w)
    expect(await kept(w)).toEqual(before)
  }, 60_000)

  test('content is taken back from what is stored, and fetched again', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact(from)
    const id = box.receive({ from, subject: 'Merger', text: 'TOP SECRET' })
    await sync(w)
    for (const [content, subject, text] of [
      ['subject', 'Merger', null],
      ['none', null, null],
      ['full', 'Merger', 'TOP SECRET'],
    ] as const) {
      const hub = await w.reopened({ content })
      await sync(w, hub)
      expect(await w.db.sql`select subject, text, content from messages`).toEqual([
        { subject, text, content },
      ])
      expect(await w.db.sql`select subject, archived_at from activities`).toEqual([
        { subject, archived_at: null },
      ])
      expect((await explainMessage(hub, id))?.mailboxes).toMatchObject([{ verdict: 'logged' }])
      if (content !== 'none') continue
      const history = await w.db.sql`select string_agg(changes::text, ' ') as t from history`
      expect(history[0]?.['t']).not.toContain('Merger')
    }
  })

  test('an earlier date has the mail before it listed, without reading the rest twice', async () => {
    const box = rep()
    const w = await open([box], { since: T0 - 10 * HOUR })
    await w.contact(from)
    for (let i = 1; i <= 20; i++) box.receive({ from, at: T0 - i * HOUR, subject: `${i}` })
    await sync(w)
    expect(await kept(w)).toHaveLength(10)
    await sync(w, await w.reopened({ since: null }))
    expect(await kept(w)).toHaveLength(20)
    await sync(w, await w.reopened({ since: T0 - 5 * HOUR }))
    expect(await kept(w)).toEqual(['5', '4', '3', '2', '1'])
  })

  test('mail that a hint brought between two changes of the rules is not lost by the second one', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact(from)
    await sync(w)
    const strict = await w.reopened({ blocked: ['acme.example'] })
    box.receive({ from, subject: 'between' })
    const hints = [{ resource: 'mail', id: box.address }]
    await followMailHints(strict, 'mail', hints)
    expect(await kept(w)).toEqual([])
    const loose = await w.reopened({ strangers: 'log' })
    expect(await previewReview(loose)).toMatchObject([{ readAgain: 1 }])
    await sync(w, loose)
    expect(await kept(w)).toEqual(['between'])
  })

  test('a review that is overtaken by the old rules gives back what it had taken out', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact(from)
    for (let i = 0; i < 450; i++) box.receive({ from, at: T0 - i * 60_000, subject: `s${i}` })
    await sync(w)
    const strict = await w.reopened({ blocked: ['acme.example'] })
    // Its slice of time is over after the first batch.
    let now = strict.clock.now()
    await readMail({ ...strict, clock: { ...strict.clock, now: () => (now += 30_000) } }, 'mail')
    const left = (await kept(w)).length
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(450)
    await sync(w)
    expect(await kept(w)).toHaveLength(450)
    expect(await previewReview(w.hub)).toEqual([])
  }, 60_000)

  test('what a person took out is left alone by every rule', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact(from)
    box.receive({ from, subject: 'x' })
    await sync(w)
    const [row] = await w.db.sql<{ id: number }[]>`select id from messages`
    await makePrivate(w.hub, row?.id ?? 0, 'user:eve')
    await sync(w, await w.reopened({ content: 'none', strangers: 'log' }))
    await sync(w, await w.reopened({ strangers: 'log', newContacts: 'sent-and-received', plusTags: true }))
    expect(await kept(w)).toEqual([])
  })
})

describe('one message taken out by a person', () => {
  test('stays so when it is changed, shown by another mailbox, or read from the start; until it is given back', async () => {
    const [a, b] = [rep(), new FakeMailbox('cto@ours.example')]
    const w = await open([a, b])
    const ada = await w.contact(from)
    const note = { from, to: [a.address, b.address], messageId: 'once', subject: 'TOP SECRET' }
    const letter = message(note)
    const inA = a.put(note, letter)
    await sync(w)
    const [row] = await w.db.sql<{ id: number }[]>`select id from messages`
    const id = row?.id ?? 0
    expect(await makePrivate(w.hub, 999_999, 'user:eve')).toBe('unknown')
    expect(await makePrivate(w.hub, id, 'user:eve')).toBe('done')
    expect(await makePrivate(w.hub, id, 'user:eve')).toBe('already')
    a.edit(inA, { labels: ['Seen'] })
    b.put(note, letter)
    await sync(w)
    await w.db.sql`update streams set cursor = null`
    await sync(w)
    expect(await kept(w)).toEqual([])
    expect((await timelineOf(w.hub, 'contact', ada, { before: null, limit: 5 })).entries).toEqual([])
    const story = await explainMessage(w.hub, '<once>')
    expect(story?.message).toMatchObject({ id, state: 'private', subject: null, people: [] })
    expect(story?.mailboxes.map((m) => [m.reason, m.why])).toEqual([
      ['withdrawn', expect.stringContaining('made private by user:eve')],
      ['withdrawn', expect.stringContaining('made private by user:eve')],
    ])
    expect(await removeMessage(w.hub, id, 'user:eve')).toBe('done')
    expect(await restoreMessage(w.hub, id, 'user:eve')).toBe('done')
    await sync(w)
    expect(await kept(w)).toEqual(['TOP SECRET'])
    expect((await timelineOf(w.hub, 'contact', ada, { before: null, limit: 5 })).entries).toHaveLength(1)
    expect((await explainMessage(w.hub, String(id)))?.mailboxes.map((m) => m.verdict)).toEqual([
      'logged',
      'logged',
    ])
  })

  test('deleted for good or thrown away after it was logged, it goes by the rule', async () => {
    for (const deleted of ['keep', 'remove'] as const) {
      const box = rep()
      const w = await open([box], { deleted })
      await w.contact(from)
      const [gone, trashed] = [
        box.receive({ from, subject: 'gone' }),
        box.receive({ from, subject: 'trashed' }),
      ]
      await sync(w)
      box.remove(gone)
      box.edit(trashed, { flags: ['trash'] })
      const fresh = box.receive({ from, subject: 'never', flags: ['trash'] })
      await sync(w)
      expect(new Set(await kept(w))).toEqual(new Set(deleted === 'keep' ? ['gone', 'trashed'] : ['trashed']))
      const verdict = await w.db.sql`select verdict, reason from sightings where remote_id = ${fresh}`
      expect(verdict).toEqual([{ verdict: 'filtered', reason: 'trash' }])
      await w.close()
      world = undefined
    }
  })
})

describe('who answers whom', () => {
  test('the fields say what the definition says of all mail, whatever the order it comes in', async () => {
    const random = seeded(7)
    for (let round = 0; round < 4; round++) {
      const box = rep()
      const w = await open([box])
      const ada = await w.contact(from)
      const deal = await createRecord(
        w.hub,
        'deal',
        { name: 'D', pipeline: 'Sales', stage: 'Talking', contact: ada },
        'api',
      )
      const exchanges: Exchange<number>[] = []
      for (let i = 0; i < 40; i++) {
        const thread = Math.floor(random() * 12)
        const at = T0 - Math.floor(random() * 1e9)
        const direction = random() < 0.5 ? 'sent' : 'received'
        exchanges.push({ thread, at, direction })
        const note = { at, references: [`t${thread}`], messageId: `${round}-${i}` }
        if (direction === 'sent') box.send({ ...note, to: [from] })
        else box.receive({ ...note, from })
      }
      box.pageSize = 1 + Math.floor(random() * 9)
      await sync(w)
      const facts = replyFacts(exchanges)
      const wanted = {
        last_contacted_at: facts.lastContactedAt,
        last_replied_at: facts.lastRepliedAt,
        first_response_minutes: facts.firstResponseMinutes,
      }
      expect(
        await w.db.sql`select last_contacted_at, last_replied_at, first_response_minutes from contacts`,
      ).toEqual([wanted])
      expect(deal.kind).toBe('saved')
      expect(
        await w.db.sql`select last_contacted_at, last_replied_at, first_response_minutes from deals`,
      ).toEqual([wanted])
      await w.close()
      world = undefined
    }
  }, 60_000)

  test('a next step becomes late when its day is over, on its contact too, until it is moved or the deal is closed', async () => {
    const w = await open([rep()])
    const ada = await w.contact(from)
    const made = await createRecord(
      w.hub,
      'deal',
      {
        name: 'D',
        pipeline: 'Sales',
        stage: 'Talking',
        contact: ada,
        nextStep: 'call',
        nextStepDue: '2026-03-02',
      },
      'api',
    )
    const id = made.kind === 'saved' ? made.record.id : 0
    const late = async () => {
      const [row] = await w.db.sql`
        select d.next_step_overdue_since as deal, c.next_step_overdue_since as contact
        from deals d join contacts c on c.id = d.contact_id`
      return row
    }
    await noteOverdue(w.hub)
    expect(await late()).toEqual({ deal: null, contact: null })
    w.clock.now += 24 * HOUR
    await noteOverdue(w.hub)
    expect(await late()).toEqual({ deal: '2026-03-02', contact: '2026-03-02' })
    await editRecord(w.hub, 'deal', id, { nextStepDue: '2026-04-01' }, 'api')
    expect(await late()).toEqual({ deal: null, contact: null })
    await editRecord(w.hub, 'deal', id, { nextStepDue: '2026-02-01' }, 'api')
    expect(await late()).toEqual({ deal: '2026-02-01', contact: '2026-02-01' })
    await editRecord(w.hub, 'deal', id, { stage: 'Lost' }, 'api')
    expect(await late()).toEqual({ deal: null, contact: null })
  })
})

test('workers read a backfill to its end in slices, and hear of changes through sessions that are opened again', async () => {
  const box = rep()
  const w = await open([box])
  await w.contact(from)
  for (let i = 0; i < 300; i++) box.receive({ from, at: T0 - i * 1000 })
  box.pageSize = 20
  box.trouble = (what) => {
    if (what === 'backfill') w.clock.now += 4_000
  }
  const until = async (what: string, is: () => boolean | Promise<boolean>) => {
    for (let i = 0; i < 400; i++) {
      if (await is()) return
      await wait(25)
    }
    throw new Error(`never happened: ${what}`)
  }
  const messages = async () => {
    const [row] = await w.db.sql<{ n: number }[]>`select count(*) as n from messages`
    return row?.n
  }
  // Real waits, but short ones: what listens looks for new mailboxes every minute.
  const hub: Hub = {
    ...w.hub,
    clock: {
      now: () => w.clock.now,
      sleep: async (ms, signal) => wait(Math.min(ms, 20), undefined, signal === undefined ? {} : { signal }),
    },
  }
  const workers = await startWorkers(hub)
  try {
    await until('all is read', async () => (await messages()) === 300)
    for (let round = 1; round <= 2; round++) {
      await until('it listens', () => box.sessions === round && box.listeners.size === 1)
      box.receive({ from, at: T0 + round })
      for (const changed of box.listeners) changed()
      await until('the new mail is read', async () => (await messages()) === 300 + round)
      box.hangUp()
    }
  } finally {
    await workers.stop()
  }
  expect(box.listeners.size).toBe(0)
}, 60_000)

test('a contact that is made while a page among strangers is written misses nothing', async () => {
  const box = rep()
  const w = await open([box])
  box.receive({ from: 'bob@other.example' })
  const hold = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const slow: Hub = {
    ...w.hub,
    session: {
      q: w.hub.session.q,
      begin: (work) =>
        w.hub.session.begin(async (tx) => {
          const done = await work(tx)
          written.resolve()
          await hold.promise
          return done
        }),
    },
  }
  const making = createRecord(slow, 'contact', { emails: ['bob@other.example'] }, 'api')
  await written.promise
  const reading = sync(w)
  await wait(300)
  hold.resolve()
  await Promise.all([making, reading])
  await sync(w)
  expect(await w.db.sql`select verdict, recheck from sightings`).toEqual([
    { verdict: 'logged', recheck: false },
  ])
})

test('a plan leaves mail alone', async () => {
  const box = rep()
  const w = await open([box])
  box.send({ to: [from] })
  expect((await makePlan(w.hub, ['mail'], 'user:ann')).summary).toMatchObject({ streams: [] })
  expect(box.asked).toEqual([])
})
