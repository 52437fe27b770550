import { afterEach, describe, expect, test } from 'vitest'
import { VendorError } from '../../src/connectors/connector.ts'
import { plugOf, subscribeWebhook } from '../../src/runtime/connect.ts'
import { followHints, mailConnection, syncAll } from '../../src/runtime/cycle.ts'
import type { Hub } from '../../src/runtime/hub.ts'
import { mailProgress } from '../../src/runtime/mail/progress.ts'
import { watchMailboxes } from '../../src/runtime/mail/watch.ts'
import { databaseSession } from '../../src/runtime/hub.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import { foundMailboxes, listMailboxes } from '../../src/store/mail/mailboxes.ts'
import { storeEvent } from '../../src/store/webhook-events.ts'
import { fakeConnector, FakeMailbox, HOUR, openMailWorld, T0, type MailWorld } from './mail.support.ts'

let world: MailWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})
const rep = () => new FakeMailbox('rep@ours.example')
async function open(...[boxes, rules]: Parameters<typeof openMailWorld>): Promise<MailWorld> {
  world = await openMailWorld(boxes, rules)
  return world
}

class Killed extends Error {}

/** A hub whose every transaction may die, before or after its commit, or after any of its statements. */
function mortal(hub: Hub, dies: (where: string) => boolean): Hub {
  const session = databaseSession(hub.db)
  const die = (where: string) => {
    if (dies(where)) throw new Killed(where)
  }
  return {
    ...hub,
    session: {
      q: session.q,
      async begin(work) {
        die('begin')
        const done = await session.begin(async (tx) => {
          const counted = new Proxy(tx, {
            apply(target, self, args) {
              die('statement')
              const sent: unknown = Reflect.apply(target, self, args)
              return sent
            },
          })
          const result = await work(counted)
          die('commit')
          return result
        })
        die('committed')
        return done
      },
    },
  }
}

/** A conversation of many people, filtered mail, strangers who become contacts, and double ids. */
function fill(box: FakeMailbox, count: number): void {
  for (let i = 0; i < count; i++) {
    const at = T0 - (count - i) * 60_000
    const who = `p${i % 5}@client${i % 3}.example`
    if (i % 7 === 0) box.send({ to: [who], at, messageId: `m${i}` })
    else if (i % 11 === 0) box.receive({ from: who, at, messageId: `m${i}`, headers: { 'list-id': '<l>' } })
    else box.receive({ from: who, at, messageId: `m${i}`, references: [`m${i - (i % 3)}`] })
    if (i % 29 === 0) box.receive({ from: `${who}.stranger.example`, at })
    if (i % 53 === 0) box.spoil(box.receive({ from: who, at }))
  }
}

async function picture(w: MailWorld) {
  const one = async (text: string) => Array.from(await w.db.sql.unsafe(text), (row): unknown => row)
  return {
    sightings: await one(`select remote_id, verdict, reason, recheck from sightings order by 1`),
    messages: await one(
      `select message_id, direction, state, subject, (select min(x.message_id) from messages x where x.thread_id = m.thread_id) as thread
       from messages m order by 1`,
    ),
    people: await one(
      `select m.message_id, p.address, c.email from message_participants p join messages m on m.id = p.message_id
       left join contacts c on c.id = p.contact_id order by 1, 2`,
    ),
    contacts: await one(
      `select email, last_contacted_at, last_replied_at, first_response_minutes from contacts order by 1`,
    ),
    activities: await one(
      `select subject, occurred_at, c.email from activities a left join contacts c on c.id = a.contact_id order by 2, 3`,
    ),
    companies: await one(`select name from companies order by 1`),
    quarantine: await one(`select remote_id, raw from quarantine order by 1`),
  }
}

describe('a backfill that is killed anywhere', () => {
  test('goes on where it stood, and ends as one that never died', async () => {
    const whole = rep()
    fill(whole, 200)
    whole.pageSize = 20
    const w = await open([whole])
    await syncAll(w.hub, ['mail'], 'changes')
    const wanted = await picture(w)
    expect(wanted.messages.length).toBeGreaterThan(100)
    await w.close()
    world = undefined
    for (const seed of [1, 2, 3]) {
      const box = rep()
      fill(box, 200)
      box.pageSize = 20
      const v = await open([box])
      const random = seeded(seed)
      let deaths = 0
      for (let attempt = 0; attempt < 400; attempt++) {
        const hub = mortal(v.hub, (where) => random() < (where === 'statement' ? 0.02 : 0.1) && ++deaths > 0)
        try {
          const [pass, ...rest] = await syncAll(hub, ['mail'], 'changes')
          if ([pass, ...rest].every((one) => one?.problem === null && !one.mailWaits)) break
        } catch (error) {
          if (!(error instanceof Killed)) throw error
        }
      }
      expect(deaths).toBeGreaterThan(5)
      expect(await picture(v)).toEqual(wanted)
      await v.close()
      world = undefined
    }
  }, 120_000)

  test('is neither read twice nor lost when the vendor forgets the cursor in the middle', async () => {
    const box = rep()
    fill(box, 120)
    box.pageSize = 20
    const w = await open([box])
    let pulls = 0
    box.trouble = (what) => {
      if (what === 'backfill' && ++pulls === 3) box.forgotten = box.log.length
    }
    await syncAll(w.hub, ['mail'], 'changes')
    const [counts] = await w.db.sql<{ n: number }[]>`select count(*) as n from sightings`
    expect(counts?.n).toBe(box.held.size)
  })

  test('what a label kept out is read again after a gap in the changes, in which the label may have gone', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact('ann@customer.example')
    const id = box.receive({ from: 'ann@customer.example', labels: ['Private'] })
    await syncAll(w.hub, ['mail'], 'changes')
    box.edit(id, { labels: [] })
    box.receive({ from: 'ann@customer.example' })
    box.forgotten = box.log.length
    await syncAll(w.hub, ['mail'], 'changes')
    const verdicts = await w.db.sql<{ verdict: string }[]>`select verdict from sightings`
    expect(verdicts.map((row) => row.verdict)).toEqual(['logged', 'logged'])
  })
})

describe('order of work', () => {
  test('new mail is read before every page of the backfill, and hints end it early', async () => {
    const box = rep()
    fill(box, 300)
    box.pageSize = 20
    const w = await open([box])
    await storeEvent(w.db.sql, 'mail', 'e1', [{ resource: 'mail', id: 'id:rep@ours.example' }], T0)
    const pass = await mailConnection(w.hub, 'mail')
    expect(pass.mailWaits).toBe(true)
    expect(box.asked).toEqual(['live', 'live', 'backfill'])
    box.asked.length = 0
    await w.contact('new@client.example')
    const id = box.receive({ from: 'new@client.example', at: T0 })
    await followHints(w.hub, 'mail')
    expect(box.asked[0]).toBe('live')
    expect(await w.db.sql`select verdict from sightings where remote_id = ${id}`).toEqual([
      { verdict: 'logged' },
    ])
    box.asked.length = 0
    await syncAll(w.hub, ['mail'], 'changes')
    const order = box.asked.filter((what) => !what.startsWith('fetch'))
    expect(order.filter((what, i) => what === 'backfill' && order[i - 1] !== 'live')).toEqual([])
  })

  test('a look at many mailboxes gives way to a hint, and goes on afterwards', async () => {
    const boxes = Array.from({ length: 20 }, (_, i) => new FakeMailbox(`rep${i}@ours.example`))
    const w = await open(boxes)
    await w.contact('ann@customer.example')
    await syncAll(w.hub, ['mail'], 'changes')
    for (const box of boxes) box.receive({ from: 'ann@customer.example' })
    const hint = [{ resource: 'mail', id: 'rep7@ours.example' }]
    await storeEvent(w.db.sql, 'mail', 'event', hint, w.clock.now)
    const logged = async () => (await w.db.sql`select from sightings where verdict = 'logged'`).length
    const early = await mailConnection(w.hub, 'mail')
    expect(early.mailWaits).toBe(true)
    expect(await logged()).toBeLessThan(boxes.length)
    await followHints(w.hub, 'mail')
    const rest = await mailConnection(w.hub, 'mail')
    expect(rest.mailWaits).toBe(false)
    expect(await logged()).toBe(boxes.length)
  })

  test('a slice ends by the clock, and progress tells an honest estimate', async () => {
    const box = rep()
    fill(box, 600)
    box.pageSize = 10
    const w = await open([box])
    box.trouble = (what) => {
      if (what === 'backfill') w.clock.now += 2_000
    }
    expect((await mailProgress(w.hub)).length).toBe(0)
    const pass = await mailConnection(w.hub, 'mail', 'none')
    expect(pass.mailWaits).toBe(true)
    expect(box.asked.filter((what) => what === 'backfill')).toHaveLength(10)
    const [early] = await mailProgress(w.hub)
    expect(early).toMatchObject({ state: 'backfill', listed: 100, perMinute: 300 })
    expect(early?.leftMs).toBe(((box.held.size - 100) / 10) * 2_000)
    w.clock.now += 10 * HOUR
    await mailConnection(w.hub, 'mail', 'none')
    expect((await mailProgress(w.hub))[0]).toMatchObject({ listed: 200, perMinute: 300 })
    while ((await mailConnection(w.hub, 'mail', 'none')).mailWaits);
    expect((await mailProgress(w.hub))[0]).toMatchObject({ state: 'current', leftMs: 0 })
  })

  test('a mailbox that does not move raises an alarm, which closes by itself', async () => {
    const box = rep()
    fill(box, 40)
    const w = await open([box])
    const items = async () => w.db.sql`select title, state from inbox where key like 'mailbox:%' order by id`
    await mailConnection(w.hub, 'mail', 'none')
    await watchMailboxes(w.hub)
    expect(await items()).toEqual([])
    w.clock.now += 3 * HOUR
    await watchMailboxes(w.hub)
    expect(await items()).toMatchObject([
      { state: 'open', title: expect.stringContaining('has not been read since') },
    ])
    await mailConnection(w.hub, 'mail', 'none')
    await watchMailboxes(w.hub)
    expect(await items()).toMatchObject([{ state: 'done' }])
  })
})

test('a mailbox that takes over the address of another one keeps its own state, and two may swap theirs', async () => {
  const w = await open([rep()])
  const q = w.db.sql
  const box = (id: string, address: string) => ({ id, address, addresses: [address] })
  const named = async () =>
    (await listMailboxes(q, 'mail')).map((row) => [row.remoteId, row.address, row.id, row.lostAt !== null])
  await foundMailboxes(q, 'mail', [box('1', 'info@us.example'), box('2', 'jo@us.example')], T0)
  const [one, two] = (await listMailboxes(q, 'mail')).map((row) => row.id)
  await foundMailboxes(q, 'mail', [box('1', 'jo@us.example'), box('2', 'info@us.example')], T0 + HOUR)
  expect(await named()).toEqual([
    ['2', 'info@us.example', two, false],
    ['1', 'jo@us.example', one, false],
  ])
  await foundMailboxes(q, 'mail', [box('1', 'info@us.example')], T0 + 2 * HOUR)
  expect(await named()).toEqual(
    expect.arrayContaining([
      ['1', 'info@us.example', one, false],
      ['2', 'info@us.example', two, true],
    ]),
  )
})

test('mailboxes that cannot be listed for a while are read on, and a person is told', async () => {
  const box = rep()
  const w = await open([box])
  await w.contact('ada@acme.example')
  const down = (what: string) => {
    if (what !== 'mailboxes') return
    throw new VendorError({ kind: 'unavailable', committed: 'no', message: 'the directory is down' })
  }
  const items = () => w.db.sql`select state from inbox where key = 'mail:mail'`
  box.trouble = down
  expect((await mailConnection(w.hub, 'mail', 'none')).problem).toContain('the directory is down')
  expect(await items()).toEqual([{ state: 'open' }])
  box.trouble = () => undefined
  await mailConnection(w.hub, 'mail', 'none')
  expect(await items()).toEqual([{ state: 'done' }])
  box.trouble = down
  w.clock.now += 5 * HOUR
  box.receive({ from: 'ada@acme.example' })
  expect((await mailConnection(w.hub, 'mail', 'none')).problem).toBeNull()
  expect(await w.db.sql`select count(*) as n from messages`).toEqual([{ n: 1 }])
})

describe('subscriptions', () => {
  const asks = (box: FakeMailbox) => box.asked.splice(0).filter((what) => what === 'subscribe').length

  test('are renewed a day before they end, or when a hint says they are lost', async () => {
    const box = rep()
    const w = await open([box])
    const pass = () => mailConnection(w.hub, 'mail', 'none')
    await pass()
    expect(asks(box)).toBe(0)
    box.subscribed = () => 72 * HOUR
    w.clock.now += 2 * HOUR
    await pass()
    await pass()
    expect(asks(box)).toBe(1)
    w.clock.now += 47 * HOUR
    await pass()
    expect(asks(box)).toBe(0)
    w.clock.now += 2 * HOUR
    await pass()
    expect(asks(box)).toBe(1)
    await storeEvent(w.db.sql, 'mail', 'e1', [{ resource: 'mail/subscription', id: box.address }], T0)
    await followHints(w.hub, 'mail')
    expect(asks(box)).toBe(1)
    await pass()
    expect(asks(box)).toBe(0)
  })

  test('are asked for at the next pass where an address for them is given only now', async () => {
    const box = rep()
    const w = await open([box])
    const pass = () => mailConnection(w.hub, 'mail', 'none')
    await pass()
    box.subscribed = () => 72 * HOUR
    await pass()
    expect(asks(box)).toBe(0)
    const plug = plugOf(w.hub, { fake: fakeConnector(() => [box]) }, 'mail')
    if (plug === undefined) throw new Error('there is no such connection')
    const asked = await subscribeWebhook(w.hub, plug, 'https://hub.example.com/webhooks/mail')
    expect(asked).toMatchObject({ kind: 'works' })
    await pass()
    await pass()
    expect(asks(box)).toBe(1)
  })

  test('that the vendor refuses leave a note, do not stop the reading, and are tried again', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact('ada@acme.example')
    box.subscribed = () => {
      throw new VendorError({ kind: 'rejected', code: 'x', field: null, message: 'the topic is missing' })
    }
    box.receive({ from: 'ada@acme.example' })
    expect((await mailConnection(w.hub, 'mail', 'none')).problem).toBeNull()
    expect(await w.db.sql`select count(*) as n from messages`).toEqual([{ n: 1 }])
    const items = () => w.db.sql`select title, state from inbox`
    expect(await items()).toMatchObject([
      { state: 'open', title: expect.stringContaining('the topic is missing') },
    ])
    await mailConnection(w.hub, 'mail', 'none')
    expect(asks(box)).toBe(1)
    box.subscribed = () => 72 * HOUR
    w.clock.now += 2 * HOUR
    await mailConnection(w.hub, 'mail', 'none')
    expect(await items()).toMatchObject([{ state: 'done' }])
  })
})

test('letters that no text of the database holds do not stop a page', async () => {
  const box = rep()
  const w = await open([box])
  await w.contact('ada@acme.example')
  box.receive({
    from: 'A\0da \ud800 <ada@acme.example>',
    subject: 'nul \0 half \udc00',
    text: `${'x'.repeat(2_000_000)}\0`,
    labels: ['\0', '{"a,\\}'],
    messageId: `\0${'m'.repeat(5_000)}`,
    references: ['\0'],
  })
  box.receive({ from: 'ada@acme.example', at: Number.MAX_SAFE_INTEGER })
  box.receive({ from: 'ada@acme.example', at: -1e15 })
  expect((await mailConnection(w.hub, 'mail', 'none')).problem).toBeNull()
  const found = await w.db.sql`select verdict, count(*) as n from sightings group by 1 order by 1`
  expect(found).toEqual([
    { verdict: 'logged', n: 1 },
    { verdict: 'quarantined', n: 2 },
  ])
})

describe('poison', () => {
  test('a message that the database refuses, and one nobody can read, stop nothing', async () => {
    const box = rep()
    const w = await open([box])
    await w.contact('ada@acme.example')
    const good = [1, 2, 3].map((i) => box.receive({ from: 'ada@acme.example', at: T0 - i * HOUR }))
    // A name of a label is a text of any length: the trigger stands for a limit that nobody foresaw.
    await w.db.sql`alter table messages add constraint planted check (subject <> 'poison')`
    const poison = box.receive({ from: 'ada@acme.example', subject: 'poison' })
    const broken = box.receive({ from: 'ada@acme.example' })
    box.spoil(broken)
    for (const pass of await syncAll(w.hub, ['mail'], 'changes')) expect(pass.problem).toBeNull()
    const found = await w.db.sql<
      { id: string; verdict: string }[]
    >`select remote_id as id, verdict from sightings`
    expect(Object.fromEntries(found.map((row) => [row.id, row.verdict]))).toEqual({
      ...Object.fromEntries(good.map((id) => [id, 'logged'])),
      [poison]: 'quarantined',
      [broken]: 'quarantined',
    })
    expect(await w.db.sql`select title from inbox where kind = 'unreadable'`).toMatchObject([
      { title: '2 messages of mail/rep@ours.example could not be read' },
    ])
    expect(await w.db.sql`select raw from quarantine`).toEqual([{ raw: '' }, { raw: '' }])
    await w.db.sql`alter table messages drop constraint planted`
    box.edit(poison, { labels: ['seen'] })
    await syncAll(w.hub, ['mail'], 'changes')
    expect(await w.db.sql`select verdict from sightings where remote_id = ${poison}`).toEqual([
      { verdict: 'logged' },
    ])
  })
})

test('a page takes as many statements with 5 messages as with 200', async () => {
  const counts: number[] = []
  for (const size of [5, 200]) {
    const box = rep()
    for (let i = 0; i < size; i++) {
      box.send({ to: [`p${i}@c${i}.example`], at: T0 - 2 * i })
      box.receive({ from: `p${i}@c${i}.example`, at: T0 - 2 * i - 1, references: [`r${i}`] })
    }
    box.pageSize = size * 2
    const w = await open([box])
    await mailConnection(w.hub, 'mail', 'none')
    for (let i = 0; i < size; i++)
      box.receive({ from: `p${i}@c${i}.example`, at: T0 + i, references: [`r${i}`] })
    for (let i = 0; i < size; i++) box.send({ to: [`n${i}@d${i}.example`], at: T0 + i })
    let statements = 0
    w.db.sql.options.debug = () => void statements++
    const pass = await mailConnection(w.hub, 'mail', 'none')
    expect(pass.seen).toBe(2 * size)
    counts.push(statements)
    await w.close()
    world = undefined
  }
  expect(counts[1]).toBe(counts[0])
  expect(counts[0]).toBeLessThan(90)
}, 60_000)
