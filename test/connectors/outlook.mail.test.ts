import { describe, expect, test } from 'vitest'
import { letter, person } from '../../src/sandbox/mail/letter.ts'
import { ANNA, BEN, fromCustomer, mail, MINUTE, Reader, T0, toCustomer, world } from './outlook.support.ts'

async function reading(w = world()) {
  return { w, reader: new Reader(w.io, await w.mailbox()) }
}

describe('the backfill', () => {
  test('is complete, in small pages of low priority, and says how far it is', async () => {
    const { w, reader } = await reading()
    const ids = Array.from({ length: 60 }, (_, i) =>
      w.vendor.people
        .deliver(ANNA, fromCustomer(), { at: T0 - (i + 1) * 3_600_000 })
        .map((m) => m.ids.immutable),
    ).flat()
    const opened = await reader.page('live')
    expect(opened).toMatchObject({ sightings: [], bad: [], more: false })
    expect(opened.backfill).toEqual({ kind: 'waiting', listed: 0, total: 60 })
    w.sent.length = 0
    const first = await reader.page('backfill')
    expect(first.sightings.length).toBeLessThanOrEqual(25)
    expect(first.more).toBe(true)
    expect(w.sent.every(({ priority }) => priority === 'low')).toBe(true)
    await reader.everything()
    expect(new Set(reader.seen.keys())).toEqual(new Set(ids))
    expect(reader.pages.at(-1)?.backfill).toEqual({ kind: 'done' })
  })

  test('brings the newest first', async () => {
    const { w, reader } = await reading()
    for (let i = 0; i < 60; i++) w.vendor.people.deliver(ANNA, fromCustomer(), { at: T0 - i * MINUTE })
    await reader.page('live')
    const { sightings } = await reader.page('backfill')
    const times = sightings.map((one) => (one.kind === 'message' ? one.sighted.message.envelope.at : 0))
    expect(times).toHaveLength(25)
    expect(Math.min(...times)).toBe(T0 - 24 * MINUTE)
  })

  test('leaves out what is older than `since`, without a filter, and reads the rest', async () => {
    const { w, reader } = await reading(world({ switches: { filterCap: 3 } }))
    const [old] = w.vendor.people.deliver(ANNA, fromCustomer(), { at: T0 - 100 * MINUTE })
    const wanted = Array.from({ length: 10 }, (_, i) =>
      w.vendor.people.deliver(ANNA, fromCustomer(), { at: T0 - i * MINUTE }).map((m) => m.ids.immutable),
    ).flat()
    reader.since = T0 - 50 * MINUTE
    await reader.everything()
    expect(reader.seen.has(old?.ids.immutable ?? '')).toBe(false)
    expect(new Set(reader.seen.keys())).toEqual(new Set(wanted))
    expect(w.sent.some(({ path }) => path.includes('delta') && path.includes('$filter'))).toBe(false)
  })

  test('new mail does not wait for it', async () => {
    const { w, reader } = await reading()
    for (let i = 0; i < 80; i++) w.vendor.people.deliver(ANNA, fromCustomer(), { at: T0 - (i + 60) * MINUTE })
    await reader.page('live')
    await reader.page('backfill')
    w.clock.now += MINUTE
    const [fresh] = w.vendor.people.deliver(ANNA, fromCustomer())
    const page = await reader.live()
    expect(page.backfill.kind).toBe('waiting')
    expect(reader.seen.has(fresh?.ids.immutable ?? '')).toBe(true)
  })

  test('is not slowed down by the folders that are done', async () => {
    const { w, reader } = await reading()
    for (let i = 0; i < 30; i++) w.vendor.people.createFolder(ANNA, `Folder ${i}`)
    for (let i = 0; i < 200; i++)
      w.vendor.people.deliver(ANNA, fromCustomer(), {
        at: T0 - (i + 60) * MINUTE,
        folder: i < 30 ? `Folder ${i}` : 'archive',
      })
    await reader.everything()
    expect(reader.seen.size).toBe(200)
    // 40 folders and 8 pages, each after a look for what is new, and one whole pass at the end.
    expect(w.sent.length).toBeLessThan(200)
  })

  test('resumes wherever it was stopped', async () => {
    const { w, reader } = await reading()
    for (let i = 0; i < 60; i++) w.vendor.people.deliver(ANNA, fromCustomer(), { at: T0 - i * MINUTE })
    await reader.page('live')
    await reader.page('backfill')
    // The next page is lost with the process, and read again.
    const cursor = reader.cursor
    await reader.page('backfill')
    reader.cursor = cursor
    await reader.everything()
    expect(reader.seen.size).toBe(60)
  })

  test('a link that died in the middle starts that folder over', async () => {
    const { w, reader } = await reading()
    for (let i = 0; i < 60; i++) w.vendor.people.deliver(ANNA, fromCustomer(), { at: T0 - i * MINUTE })
    await reader.page('live')
    await reader.page('backfill')
    w.vendor.vendor.expireNextLinks(ANNA)
    const restarted = await reader.page('backfill')
    expect(restarted).toMatchObject({ sightings: [], more: true })
    await reader.everything()
    expect(reader.seen.size).toBe(60)
  })

  test('an unreadable cursor starts over', async () => {
    const { w, reader } = await reading()
    w.vendor.people.deliver(ANNA, fromCustomer())
    reader.cursor = { no: 'such cursor' }
    const page = await reader.page('live')
    expect(page.backfill.kind).toBe('waiting')
    await reader.everything()
    expect(reader.seen.size).toBe(1)
  })
})

describe('changes', () => {
  test('a move is no delete, also when the new folder does not tell of it', async () => {
    for (const lostMoves of [0, 1]) {
      const { w, reader } = await reading()
      w.vendor.people.createFolder(ANNA, 'Customers')
      const [m] = w.vendor.people.deliver(ANNA, fromCustomer())
      const id = m?.ids.immutable ?? ''
      await reader.everything()
      expect(reader.places()).toEqual({ [id]: 'Inbox' })
      w.vendor.switches.lostMoves = lostMoves
      w.vendor.people.move(ANNA, id, 'Customers')
      await reader.live()
      expect(reader.places()).toEqual({ [id]: 'Customers' })
    }
  })

  test('deleted messages are in the trash, then gone; and only those that are', async () => {
    const { w, reader } = await reading()
    const ids = [1, 2, 3].flatMap(() =>
      w.vendor.people.deliver(ANNA, fromCustomer()).map((m) => m.ids.immutable),
    )
    await reader.everything()
    const [a = '', b = '', c = ''] = ids
    w.vendor.people.softDelete(ANNA, a)
    w.vendor.people.hardDelete(ANNA, b)
    await reader.live()
    expect(reader.message(a).sighted.flags).toEqual(['trash'])
    expect(reader.places()).toEqual({ [a]: 'Deleted Items', [b]: 'gone', [c]: 'Inbox' })
    // Emptied out of the deleted items it can only be recovered by an administrator.
    w.vendor.people.move(ANNA, a, 'recoverableitemsdeletions')
    await reader.live()
    expect(reader.places()[a]).toBe('gone')
  })

  test('an update that brings only what changed is read whole', async () => {
    const { w, reader } = await reading(world({ switches: { sparseUpdates: true } }))
    const [m] = w.vendor.people.deliver(ANNA, fromCustomer())
    const id = m?.ids.immutable ?? ''
    await reader.everything()
    w.vendor.people.categorise(ANNA, id, ['Private'])
    await reader.live()
    expect(reader.message(id).sighted.labels).toEqual(['Inbox', 'Private'])
    expect(reader.message(id).sighted.message.subject).toMatch(/^Question/)
  })

  test('an expired token restarts that folder only, under any of its statuses', async () => {
    for (const expiry of ['gone', 'gone-with-location', 'not-found', 'bad-request'] as const) {
      const { w, reader } = await reading(world({ switches: { expiry } }))
      for (let i = 0; i < 5; i++) w.vendor.people.deliver(ANNA, fromCustomer())
      w.vendor.people.send(ANNA, toCustomer())
      await reader.everything()
      w.clock.now += 10 * MINUTE
      w.vendor.vendor.expireDelta(ANNA, 'inbox')
      const [late] = w.vendor.people.deliver(ANNA, fromCustomer())
      w.sent.length = 0
      await reader.everything()
      expect(reader.seen.has(late?.ids.immutable ?? '')).toBe(true)
      const anew = w.sent.filter(({ path }) => path.includes('/messages/delta?$select'))
      expect(anew).toHaveLength(1)
    }
  })

  test('all tokens may expire at once, those of the folders too', async () => {
    const { w, reader } = await reading()
    for (let i = 0; i < 5; i++) w.vendor.people.deliver(ANNA, fromCustomer())
    await reader.everything()
    w.vendor.vendor.expireDelta(ANNA)
    w.vendor.people.createFolder(ANNA, 'New')
    w.vendor.people.deliver(ANNA, fromCustomer(), { folder: 'New' })
    await reader.everything()
    expect(reader.seen.size).toBe(6)
  })

  test('a renamed folder, and one below it, has all its messages read under the new name', async () => {
    const { w, reader } = await reading()
    w.vendor.people.createFolder(ANNA, 'Customers')
    w.vendor.people.createFolder(ANNA, 'Acme', { parent: 'Customers' })
    const [m] = w.vendor.people.deliver(ANNA, fromCustomer(), { folder: 'Acme' })
    const id = m?.ids.immutable ?? ''
    await reader.everything()
    expect(reader.places()[id]).toBe('Customers/Acme')
    w.vendor.people.renameFolder(ANNA, 'Customers', 'Private')
    await reader.everything()
    expect(reader.places()[id]).toBe('Private/Acme')
  })

  test('a deleted folder takes its messages to the trash', async () => {
    const { w, reader } = await reading()
    w.vendor.people.createFolder(ANNA, 'Old')
    const [m] = w.vendor.people.deliver(ANNA, fromCustomer(), { folder: 'Old' })
    const id = m?.ids.immutable ?? ''
    await reader.everything()
    w.vendor.people.deleteFolder(ANNA, 'Old')
    await reader.everything()
    expect(reader.message(id).sighted.flags).toEqual(['trash'])
    expect(reader.places()[id]).toBe('Deleted Items/Old')
    w.vendor.people.deleteFolder(ANNA, 'Old', true)
    await reader.everything()
  })

  test('a pass that broke off begins again, so that nobody waits for what it had passed already', async () => {
    const { w, reader } = await reading()
    for (let i = 0; i < 12; i++) w.vendor.people.createFolder(ANNA, `Folder ${i}`)
    await reader.everything()
    expect((await reader.page('live')).more).toBe(true)
    w.clock.now += 5 * MINUTE
    const [m] = w.vendor.people.deliver(ANNA, fromCustomer())
    await reader.live()
    expect(reader.seen.has(m?.ids.immutable ?? '')).toBe(true)
  })

  test('a message that came and was moved on between two passes is found, wherever it went', async () => {
    const { w, reader } = await reading(world({ switches: { lostMoves: 1 } }))
    w.vendor.people.createFolder(ANNA, 'Customers')
    await reader.everything()
    const [m] = w.vendor.people.deliver(ANNA, fromCustomer())
    const id = m?.ids.immutable ?? ''
    w.vendor.people.move(ANNA, id, 'Customers')
    await reader.live()
    expect(reader.places()).toEqual({ [id]: 'Customers' })
  })

  test('what moves into a hidden folder has its labels all the same', async () => {
    const { w, reader } = await reading()
    w.vendor.people.createFolder(ANNA, 'Secret', { isHidden: true })
    const [m] = w.vendor.people.deliver(ANNA, fromCustomer())
    const id = m?.ids.immutable ?? ''
    await reader.everything()
    w.vendor.people.move(ANNA, id, 'Secret')
    await reader.live()
    expect(reader.places()[id]).toBe('Secret')
  })

  test('flags are those of the folder, whatever it is called', async () => {
    const { w, reader } = await reading()
    w.vendor.people.renameFolder(ANNA, 'junkemail', 'Spam-Verdacht')
    const put = (folder: string) =>
      w.vendor.people.deliver(ANNA, fromCustomer(), { folder })[0]?.ids.immutable ?? ''
    const [spam, chat, outbox] = [put('junkemail'), put('conversationhistory'), put('outbox')]
    const sent = w.vendor.people.send(ANNA, toCustomer()).ids.immutable
    const draft = w.vendor.people.makeDraft(ANNA, toCustomer()).ids.immutable
    await reader.everything()
    const flags = (id: string) => reader.message(id).sighted.flags
    expect([spam, chat, outbox, sent, draft].map(flags)).toEqual([
      ['spam'],
      ['chat'],
      ['draft'],
      ['sent'],
      ['draft'],
    ])
    w.vendor.people.sendDraft(ANNA, draft)
    await reader.live()
    expect(flags(draft)).toEqual(['sent'])
  })
})

describe('every request', () => {
  test('asks for ids that stay', async () => {
    const { w, reader } = await reading()
    w.vendor.people.send(ANNA, toCustomer())
    w.vendor.people.deliver(
      ANNA,
      fromCustomer({ attachments: [{ name: 'a.pdf', type: 'application/pdf', content: 'x' }] }),
    )
    await reader.everything()
    await mail.fetch(w.io, await w.mailbox(), [...reader.seen.keys()])
    expect(w.sent.length).toBeGreaterThan(20)
    expect(w.sent.filter(({ prefer }) => !prefer.includes('IdType="ImmutableId"'))).toEqual([])
  })
})

describe('fetch', () => {
  test('reads messages as they are now, and says which are gone', async () => {
    const { w, reader } = await reading()
    const [a, b, c] = [1, 2, 3].map(
      () => w.vendor.people.deliver(ANNA, fromCustomer())[0]?.ids.immutable ?? '',
    )
    w.vendor.people.createFolder(ANNA, 'Deep', { parent: 'inbox' })
    w.vendor.people.move(ANNA, a ?? '', 'Deep')
    w.vendor.people.hardDelete(ANNA, b ?? '')
    await reader.everything()
    const box = await w.mailbox()
    const { sightings } = await mail.fetch(w.io, box, [a ?? '', b ?? '', c ?? '', '../x', 'a?b#c'])
    expect(sightings.map((one) => [one.id, one.kind])).toEqual([
      [a, 'message'],
      [b, 'gone'],
      [c, 'message'],
      ['../x', 'gone'],
      ['a?b#c', 'gone'],
    ])
    expect(sightings[0]).toEqual(reader.seen.get(a ?? ''))
    // Its labels too, or nothing that is read again could ever be logged.
    expect(sightings[2]).toEqual(reader.seen.get(c ?? ''))
    expect(await mail.fetch(w.io, box, [])).toEqual({ sightings: [], bad: [] })
  })

  test('of a mailbox that cannot be read is an error, not a loss of everything', async () => {
    const { w } = await reading()
    const io = w.app([ANNA, BEN])
    const [, ben] = await mail.mailboxes(io)
    w.vendor.switches.applicationScope = new Set([ANNA])
    if (ben === undefined) throw new Error('no mailbox')
    await expect(mail.fetch(io, ben, ['x'])).rejects.toMatchObject({ failure: { kind: 'rejected' } })
  })
})

describe('mailboxes', () => {
  test('of a person: their own, with every address', async () => {
    const { w } = await reading()
    w.vendor.people.addUser('carl@contoso.example', {
      aliases: ['c.arl@contoso.example', 'info@contoso.example'],
    })
    const io = w.app(['Carl@contoso.example'])
    expect(await mail.mailboxes(io)).toMatchObject([
      {
        address: 'carl@contoso.example',
        addresses: ['carl@contoso.example', 'c.arl@contoso.example', 'info@contoso.example'],
      },
    ])
    expect(await mail.mailboxes(w.io)).toMatchObject([{ address: ANNA, addresses: [ANNA] }])
  })

  test('of an application: those that are named, and one that left stops no other', async () => {
    const { w } = await reading()
    w.vendor.people.deliver(BEN, fromCustomer({ to: [person(BEN)] }))
    const io = w.app([BEN, 'left@contoso.example'])
    const [ben, left] = await mail.mailboxes(io)
    if (ben === undefined || left === undefined) throw new Error('no mailbox')
    const reader = new Reader(io, ben)
    await reader.everything()
    expect(reader.seen.size).toBe(1)
    await expect(new Reader(io, left).live()).rejects.toMatchObject({ failure: { kind: 'rejected' } })
  })
})

test('a letter without a sender, and one of another kind, stop nothing', async () => {
  const { w, reader } = await reading()
  w.vendor.people.deliver(ANNA, letter({ text: 'who am I' }))
  w.vendor.people.deliver(ANNA, fromCustomer({ headers: { Date: 'yesterday-ish' } }))
  w.vendor.people.deliver(ANNA, fromCustomer({ to: [] }))
  await reader.everything()
  expect(reader.seen.size + reader.bad.length).toBe(3)
})
