import { beforeEach, describe, expect, it } from 'vitest'
import type { Io } from '../../src/connectors/connector.ts'
import {
  DAY,
  type Hub,
  hubOf,
  idsIn,
  mail,
  mailboxAt,
  messageOf,
  MINUTE,
  reads,
  T0,
  units,
} from './gmail.support.ts'
import { ANN, world, type World } from './gmail.world.ts'

let it_: World
let io: Io
let hub: Hub
beforeEach(() => {
  it_ = world()
  io = it_.io()
  hub = hubOf(io, mailboxAt(ANN))
})
const people = () => it_.google.people
const deliverMany = async (count: number, prefix = 'Number'): Promise<string[]> => {
  const ids: string[] = []
  for (let n = 0; n < count; n++) ids.push(await it_.deliver(`${prefix} ${n}`, { at: T0 - (n + 1) * MINUTE }))
  return ids
}

describe('the first page of a mailbox', () => {
  it('takes the place in the history before anything is listed, and reads nothing', async () => {
    await deliverMany(3)
    const page = await hub.page('live')
    expect(it_.sent[0]?.path).toBe(`/gmail/v1/users/${ANN}/profile`)
    expect(it_.sent.some(({ path }) => path.includes('/messages'))).toBe(false)
    expect(page).toMatchObject({
      sightings: [],
      more: false,
      backfill: { kind: 'waiting', listed: 0, total: 3 },
    })
  })

  it('misses nothing that arrives before the backfill is over', async () => {
    const before = await deliverMany(60)
    await hub.page('live')
    const during = [await it_.deliver('Right after')]
    await hub.page('backfill')
    during.push(await it_.deliver('In the middle'))
    await hub.drain('backfill')
    await hub.drain('live')
    expect([...hub.read.keys()].sort()).toEqual([...before, ...during].sort())
  })
})

describe('the backfill', () => {
  it('reads small pages of low priority, newest first, and says how far it is', async () => {
    const ids = await deliverMany(60)
    await hub.page('live')
    it_.sent.length = 0
    const pages = await hub.drain('backfill')
    expect(idsIn(pages)).toEqual(ids)
    expect(pages.map(({ sightings }) => sightings.length)).toEqual([25, 25, 10])
    expect(pages.map(({ backfill }) => backfill)).toEqual([
      { kind: 'waiting', listed: 60, total: 60 },
      { kind: 'waiting', listed: 60, total: 60 },
      { kind: 'done' },
    ])
    expect(new Set(it_.sent.map(({ priority }) => priority))).toEqual(new Set(['low']))
    // Spam, trash and drafts are looked through for mail that was read before.
    expect(units(it_.sent)).toBe(3 * 5 + 5 + 60 * 20)
  })

  it('leaves out drafts, chats, spam and trash', async () => {
    const kept = await it_.deliver('Kept', { labels: [] })
    await it_.deliver('Draft', { labels: ['DRAFT'] })
    await it_.deliver('Spam', { labels: ['SPAM'] })
    await it_.deliver('Trash', { labels: ['TRASH'] })
    people().chat(ANN, 'bob@acme.example', 'Lunch?')
    await hub.page('live')
    await hub.drain('backfill')
    expect([...hub.read.keys()]).toEqual([kept])
  })

  it('begins where it is told, with what arrived at that very moment', async () => {
    const since = T0 - DAY
    const first = await it_.deliver('First', { at: since })
    await it_.deliver('Too old', { at: since - 3000 })
    hub.since = since
    await hub.page('live')
    const pages = await hub.drain('backfill')
    expect(idsIn(pages)).toEqual([first])
  })

  it('is begun again when its beginning moves back, without reading twice', async () => {
    const older = await it_.deliver('Older', { at: T0 - 10 * DAY })
    const newer = await it_.deliver('Newer', { at: T0 - DAY })
    hub.since = T0 - 2 * DAY
    await hub.page('live')
    expect(idsIn(await hub.drain('backfill'))).toEqual([newer])
    hub.since = null
    expect((await hub.page('live')).backfill).toMatchObject({ kind: 'waiting' })
    expect(idsIn(await hub.drain('backfill'))).toEqual([older])
    hub.since = T0 - 5 * DAY
    expect((await hub.page('live')).backfill).toEqual({ kind: 'done' })
  })

  it('can be killed after any request of any page', async () => {
    const ids = await deliverMany(130)
    await hub.page('live')
    for (let n = 0; ; n++) {
      let left = 3 + ((n * 7) % 40)
      it_.intercept = () => (left-- > 0 ? null : new Response(null, { status: 503 }))
      const page = await hub.page('backfill').catch(() => null)
      it_.intercept = null
      if (page === null) await hub.page('backfill')
      if (hub.pages.at(-1)?.more === false) break
      if (n > 100) throw new Error('no end')
    }
    expect([...hub.read.keys()].sort()).toEqual(ids.sort())
  })

  it('lists anew when Google has forgotten the page, and reads only what it has not read', async () => {
    const ids = await deliverMany(150)
    await hub.page('live')
    for (let n = 0; n < 4; n++) await hub.page('backfill')
    const text = JSON.stringify(hub.cursor)
    expect(text).toMatch(/"page":"[^"]+"/)
    hub.cursor = JSON.parse(text.replace(/"page":"[^"]+"/, '"page":"forgotten"')) as typeof hub.cursor
    it_.sent.length = 0
    await hub.drain('backfill')
    expect([...hub.read.keys()].sort()).toEqual([...ids].sort())
    expect(reads(it_.sent)).toHaveLength(50)
  })

  it('looks later for one that was listed and not there', async () => {
    const id = await it_.deliver('Late')
    await hub.page('live')
    it_.google.switches.missing = () => true
    await hub.drain('backfill')
    expect(hub.read.get(id)?.kind).toBe('gone')
    it_.google.switches.missing = null
    it_.clock.now += MINUTE
    await hub.drain('live')
    expect(hub.read.get(id)?.kind).toBe('message')
  })

  it('reads known messages no more', async () => {
    const ids = await deliverMany(250)
    hub.knows = (id) => ids.indexOf(id) !== 200
    await hub.page('live')
    it_.sent.length = 0
    expect(idsIn(await hub.drain('backfill'))).toEqual([ids[200]])
    expect(units(it_.sent)).toBe(3 * 5 + 3 * 5 + 20)
  })
})

describe('live', () => {
  beforeEach(async () => {
    await hub.page('live')
  })

  it('reads what arrived with its flags and labels, and finds nothing the next time', async () => {
    people().createLabel(ANN, 'Deals/Won')
    const id = await it_.deliver('Arrived', { labels: ['INBOX', 'SENT', 'Deals/Won', 'CATEGORY_PERSONAL'] })
    await hub.drain('live')
    expect(messageOf(hub.read.get(id))).toMatchObject({
      flags: ['sent'],
      labels: ['Deals/Won'],
      message: { subject: 'Arrived', envelope: { at: T0, messageId: '1@customer.example' } },
    })
    it_.sent.length = 0
    expect(await hub.page('live')).toMatchObject({ sightings: [], bad: [], more: false })
    expect(units(it_.sent)).toBe(3)
  })

  it('reads nothing for labels that cannot matter, and again for those that can', async () => {
    const id = await it_.deliver('Arrived')
    people().createLabel(ANN, 'Private')
    await hub.drain('live')
    for (const idle of ['STARRED', 'IMPORTANT', 'CATEGORY_PROMOTIONS']) people().label(ANN, id, idle)
    people().markRead(ANN, id)
    people().archive(ANN, id)
    it_.sent.length = 0
    await hub.drain('live')
    expect(reads(it_.sent)).toEqual([])

    people().label(ANN, id, 'Private')
    await hub.drain('live')
    expect(messageOf(hub.read.get(id)).labels).toEqual(['Private'])
    people().unlabel(ANN, id, 'Private')
    people().trash(ANN, id)
    await hub.drain('live')
    expect(messageOf(hub.read.get(id))).toMatchObject({ labels: [], flags: ['trash'] })
    people().untrash(ANN, id)
    await hub.drain('live')
    expect(messageOf(hub.read.get(id)).flags).toEqual([])
    expect(reads(it_.sent)).toEqual([id, id, id])
  })

  it('tells what was deleted for good, and does not look for it', async () => {
    const id = await it_.deliver('Short-lived')
    people().deleteForever(ANN, id)
    await hub.drain('live')
    expect(hub.read.get(id)).toEqual({ kind: 'gone', id })
    expect(reads(it_.sent)).toEqual([])
  })

  it('takes a message that the history names and that is not there for gone', async () => {
    const lost = await it_.deliver('Lost')
    const there = await it_.deliver('There')
    it_.google.switches.missing = (id) => id === lost
    await hub.drain('live')
    expect(hub.read.get(lost)).toEqual({ kind: 'gone', id: lost })
    expect(hub.read.get(there)?.kind).toBe('message')
  })

  it('looks once more for one that was not there, unless the history says that it was deleted', async () => {
    const [late, never, deleted] = [
      await it_.deliver('Late'),
      await it_.deliver('Never'),
      await it_.deliver('Deleted'),
    ]
    it_.google.switches.missing = () => true
    await hub.drain('live')
    people().deleteForever(ANN, deleted)
    it_.google.switches.missing = (id) => id === never
    it_.sent.length = 0
    await hub.drain('live')
    expect(reads(it_.sent)).toEqual([])
    for (let n = 0; n < 3; n++) {
      it_.clock.now += MINUTE
      await hub.drain('live')
    }
    expect(reads(it_.sent)).toEqual([late, never])
    expect(hub.read.get(late)?.kind).toBe('message')
    expect(hub.read.get(never)?.kind).toBe('gone')
  })

  it.each([false, true])('goes through many pages, also empty ones (%s), in small steps', async (empty) => {
    it_.google.switches.emptyHistoryPages = empty
    const ids = await deliverMany(230)
    const saved = JSON.stringify(hub.cursor)
    const pages = await hub.drain('live')
    expect([...hub.read.keys()].sort()).toEqual([...ids].sort())
    expect(Math.max(...pages.map(({ sightings }) => sightings.length))).toBe(50)
    // The place in the history moves on only with the last page of it.
    const from = (at: number) => /"from":"(\d+)"/.exec(JSON.stringify(pages[at]?.cursor))?.[1]
    expect(from(0)).toBe(/"from":"(\d+)"/.exec(saved)?.[1])
    expect(from(-1 + pages.length)).not.toBe(from(0))
  })

  it('begins the history page again when Google has forgotten the place in it', async () => {
    const ids = await deliverMany(230)
    for (let n = 0; n < 3; n++) await hub.page('live')
    const text = JSON.stringify(hub.cursor)
    hub.cursor = JSON.parse(text.replace(/"page":"[^"]+"/, '"page":"forgotten"')) as typeof hub.cursor
    await hub.drain('live')
    expect([...hub.read.keys()].sort()).toEqual([...ids].sort())
  })

  it('sees a label that was made after the labels were listed', async () => {
    await it_.deliver('First')
    let lists = 0
    it_.intercept = (request) => {
      if (!request.url.endsWith('/labels')) return null
      lists += 1
      return lists === 1 ? Response.json({ labels: [] }) : null
    }
    people().createLabel(ANN, 'Private')
    const id = await it_.deliver('Second', { labels: ['Private'] })
    await hub.drain('live')
    expect(messageOf(hub.read.get(id)).labels).toEqual(['Private'])
    expect(lists).toBe(2)
  })

  it('does not know the labels of a message with one that nobody lists', async () => {
    people().createLabel(ANN, 'Private')
    const id = await it_.deliver('Secret', { labels: ['Private'] })
    const plain = await it_.deliver('Plain')
    it_.intercept = (request) => (request.url.endsWith('/labels') ? Response.json({}) : null)
    await hub.drain('live')
    expect(messageOf(hub.read.get(id)).labels).toBeNull()
    expect(messageOf(hub.read.get(plain)).labels).toEqual([])
  })

  it('reads the messages of a renamed label again, of which the history says nothing', async () => {
    const label = people().createLabel(ANN, 'Misc')
    const ids = [
      await it_.deliver('One', { labels: ['Misc'] }),
      await it_.deliver('Two', { labels: ['Misc'] }),
    ]
    await it_.deliver('Other')
    await hub.drain('live')
    await hub.drain('backfill')
    expect(messageOf(hub.read.get(ids[0] ?? '')).labels).toEqual(['Misc'])
    people().renameLabel(ANN, label, 'Private')
    it_.sent.length = 0
    expect((await hub.page('live')).backfill).toMatchObject({ kind: 'waiting' })
    await hub.drain('backfill')
    expect(reads(it_.sent).sort()).toEqual([...ids].sort())
    for (const id of ids) expect(messageOf(hub.read.get(id)).labels).toEqual(['Private'])
    expect(hub.pages.at(-1)?.backfill).toEqual({ kind: 'done' })
    expect(JSON.stringify(hub.cursor)).not.toMatch(/Private|Misc/)
  })
})

describe('a history that Google has forgotten', () => {
  it('starts over without reading known mail again, and misses no label change of the gap', async () => {
    people().createLabel(ANN, 'Private')
    people().createLabel(ANN, 'Deals')
    const plain = await deliverMany(40)
    const open = await it_.deliver('Becomes private')
    const binned = await it_.deliver('Goes to the trash')
    const freed = await it_.deliver('Was private', { labels: ['Private'] })
    const labelled = await it_.deliver('Stays in Deals', { labels: ['Deals'] })
    await hub.page('live')
    await hub.drain('backfill')
    await hub.drain('live')

    people().label(ANN, open, 'Private')
    people().trash(ANN, binned)
    people().unlabel(ANN, freed, 'Private')
    const arrived = await it_.deliver('In the gap')
    people().expireHistory(ANN)
    // What a hub keeps out for its labels is what it wants to see again.
    hub.knows = (id) => id !== freed && hub.read.has(id)
    it_.sent.length = 0
    const page = await hub.page('live')
    expect(page).toMatchObject({ sightings: [], bad: [], more: false, backfill: { kind: 'waiting' } })
    const afterwards = await it_.deliver('After the gap')
    await hub.drain('live')
    await hub.drain('backfill')

    expect(messageOf(hub.read.get(open)).labels).toEqual(['Private'])
    expect(messageOf(hub.read.get(binned)).flags).toEqual(['trash'])
    expect(messageOf(hub.read.get(freed)).labels).toEqual([])
    expect(reads(it_.sent).sort()).toEqual([open, binned, freed, labelled, arrived, afterwards].sort())
    expect(plain.every((id) => hub.read.has(id))).toBe(true)
    expect(hub.pages.at(-1)?.backfill).toEqual({ kind: 'done' })
  })

  it('keeps what was listed and not read before', async () => {
    await hub.page('live')
    const ids = await deliverMany(80)
    await hub.page('live')
    for (const id of ids.slice(0, 40)) people().trash(ANN, id)
    people().expireHistory(ANN)
    await hub.drain('live')
    await hub.drain('live')
    await hub.drain('backfill')
    expect([...hub.read.keys()].sort()).toEqual([...ids].sort())
  })

  it.each([[null], [{ version: 'from another time' }]])('starts over from the cursor %j', async (cursor) => {
    const id = await it_.deliver('Known')
    await hub.page('live')
    await hub.drain('backfill')
    people().trash(ANN, id)
    hub.cursor = cursor
    await hub.page('live')
    await hub.drain('backfill')
    expect(messageOf(hub.read.get(id)).flags).toEqual(['trash'])
  })
})

describe('what goes wrong with one message', () => {
  it('is told of it alone, and says nothing of what is in it', async () => {
    await hub.page('live')
    const good = await it_.deliver('Good')
    const [broken] = await people().deliver(ANN, new Uint8Array())
    const refused = await it_.deliver('Refused')
    it_.intercept = (request) =>
      request.url.includes(`/messages/${refused}`)
        ? Response.json(
            { error: { code: 400, message: 'Invalid id value', errors: [{ reason: 'invalidArgument' }] } },
            { status: 400 },
          )
        : null
    const page = await hub.page('live')
    expect(page.sightings.map(({ id }) => id)).toEqual([good])
    expect(page.bad.map(({ id }) => id)).toEqual([broken?.id, refused])
    expect(page.bad[0]).toMatchObject({ where: `mailbox ${ANN} message ${broken?.id}`, raw: '' })
    expect(page.more).toBe(false)
  })

  it.each([
    ['a proxy that knows no such page', new Response('<html>Not Found</html>', { status: 404 })],
    ['a refusal of everything', Response.json({ error: { code: 403, message: 'No' } }, { status: 403 })],
    ['a reply cut short', new Response('{"id":"1', { status: 200 })],
    ['a page of a proxy', new Response('<html>Hello</html>', { status: 200 })],
    ['a limit', Response.json({ error: { code: 429, message: 'Slow down' } }, { status: 429 })],
  ])('is not what stops all of them: %s', async (_, reply) => {
    await hub.page('live')
    const id = await it_.deliver('Fine')
    it_.intercept = (request) => (request.url.includes('/messages/') ? reply.clone() : null)
    await expect(hub.page('live')).rejects.toThrow(/./)
    it_.intercept = null
    await hub.drain('live')
    expect(hub.read.get(id)?.kind).toBe('message')
  })

  it('sends no more once it has failed', async () => {
    await hub.page('live')
    await deliverMany(50)
    it_.sent.length = 0
    it_.intercept = (request) =>
      request.url.includes('/messages/') ? new Response(null, { status: 500 }) : null
    await expect(hub.page('live')).rejects.toThrow(/500/)
    expect(reads(it_.sent)).toHaveLength(5)
  })
})

describe('named messages', () => {
  it('are read as they are now, each once', async () => {
    const id = await it_.deliver('Named')
    const found = await mail.fetch(io, mailboxAt(ANN), [id, 'nowhere', id])
    expect(found.sightings.map((one) => [one.kind, one.id])).toEqual([
      ['message', id],
      ['gone', 'nowhere'],
    ])
  })
})
