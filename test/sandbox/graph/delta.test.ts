import { describe, expect, test } from 'vitest'
import { ANN, codeOf, graph, IMMUTABLE, isRemoved, mail, START } from './client.ts'

const DELTA = '/v1.0/me/mailFolders/inbox/messages/delta'
const sized = (size: number) => ({ prefer: `IdType="ImmutableId", odata.maxpagesize=${size}` })

describe('a first round', () => {
  test('lists all of the folder, in pages of the preferred size, with absolute links', async () => {
    const { people, round } = graph()
    const ids = Array.from({ length: 7 }, () => people.deliver(ANN, mail())[0]?.ids.immutable ?? '')
    people.deliver(ANN, mail(), { folder: 'archive' })
    const { pages, items, link } = await round(DELTA, sized(3))
    expect(pages.map(({ value }) => value.length)).toEqual([3, 3, 1])
    expect(items.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect(items.map(({ id }) => id)).not.toEqual(ids)
    expect(pages[0]?.['@odata.nextLink']).toMatch(
      /^https:\/\/graph\.microsoft\.com\/v1\.0\/me\/.*\$skiptoken=/,
    )
    expect(link).toContain('$deltatoken=')
  })

  test('by time, latest first, where asked', async () => {
    const { people, round } = graph()
    for (const hour of [3, 1, 2])
      people.deliver(ANN, mail({ subject: `${hour}` }), { at: START + hour * 3_600_000 })
    const { items } = await round(`${DELTA}?$orderby=receivedDateTime desc`)
    expect(items.map(({ subject }) => subject)).toEqual(['3', '2', '1'])
  })

  test('a link may be followed twice and gives the same page', async () => {
    const { people, list } = graph()
    for (let i = 0; i < 4; i++) people.deliver(ANN, mail())
    const first = await list(DELTA, sized(2))
    const next = first['@odata.nextLink'] ?? ''
    expect((await list(next, sized(2))).value).toEqual((await list(next, sized(2))).value)
  })

  test('says what left while it went on', async () => {
    const { people, list, round } = graph()
    for (let i = 0; i < 4; i++) people.deliver(ANN, mail())
    const first = await list(DELTA, sized(2))
    const seen = new Set(first.value.map(({ id }) => id))
    const left = people.messages(ANN).find(({ ids }) => !seen.has(ids.immutable))
    people.hardDelete(ANN, left?.ids.immutable ?? '')
    const { items } = await round(first['@odata.nextLink'] ?? '', sized(2))
    expect(items.filter(isRemoved).map(({ id }) => id)).toEqual([left?.ids.immutable])
  })

  test('a filter ends it silently at its cap, with a deltaLink', async () => {
    const { people, round } = graph({ switches: { filterCap: 5 } })
    for (let i = 0; i < 8; i++) people.deliver(ANN, mail())
    const filtered = await round(`${DELTA}?$filter=receivedDateTime ge 2026-01-01T00:00:00Z`)
    expect(filtered.items).toHaveLength(5)
    expect(filtered.link).not.toBe('')
    expect((await round(DELTA)).items).toHaveLength(8)
  })

  test.each([
    ['$filter=isRead eq false', 'ErrorInvalidUrlQueryFilter'],
    ['$filter=receivedDateTime le 2026-01-01T00:00:00Z', 'ErrorInvalidUrlQueryFilter'],
    ['$orderby=subject', 'BadRequest'],
    ['$search="x"', 'BadRequest'],
    ['$select=nothing', 'RequestBroker--ParseUri'],
    ['$deltatoken=latest', 'SyncStateInvalid'],
  ])('refuses %s', async (query, code) => {
    const { status, body } = await graph().get(`${DELTA}?${query}`)
    expect([status, codeOf(body)]).toEqual([400, code])
  })

  test('there is none of a whole mailbox', async () => {
    expect((await graph().get('/v1.0/me/messages/delta')).status).toBe(400)
  })
})

describe('a later round', () => {
  test('brings only what changed, as it asked at first', async () => {
    const { people, round } = graph()
    const [kept, edited] = [people.deliver(ANN, mail())[0], people.deliver(ANN, mail())[0]]
    const first = await round(`${DELTA}?$select=subject,isRead`)
    people.read(ANN, edited?.ids.immutable ?? '')
    const fresh = people.deliver(ANN, mail({ subject: 'Fresh' }))[0]
    const { items } = await round(first.link)
    expect(items.map(({ id }) => id).toSorted()).toEqual(
      [edited?.ids.immutable ?? '', fresh?.ids.immutable ?? ''].toSorted(),
    )
    expect(items.every((item) => !('body' in item) && 'subject' in item)).toBe(true)
    expect(items.map(({ id }) => id)).not.toContain(kept?.ids.immutable)
  })

  test('is empty where nothing happened, and its link goes on', async () => {
    const { people, round } = graph()
    const { link } = await round(DELTA)
    const second = await round(link)
    expect(second.items).toEqual([])
    people.deliver(ANN, mail())
    expect((await round(second.link)).items).toHaveLength(1)
    expect((await round(link)).items).toHaveLength(1)
  })

  test('a move is a removal in one folder and the same id in the other', async () => {
    const { people, round } = graph()
    const [message] = people.deliver(ANN, mail())
    const inbox = await round(DELTA)
    const archive = await round('/v1.0/me/mailFolders/archive/messages/delta')
    people.move(ANN, message?.ids.immutable ?? '', 'archive')
    expect((await round(inbox.link)).items).toEqual([
      {
        '@odata.type': '#microsoft.graph.message',
        id: message?.ids.immutable,
        '@removed': { reason: 'deleted' },
      },
    ])
    expect((await round(archive.link)).items.map(({ id }) => id)).toEqual([message?.ids.immutable])
  })

  test('a move there and back is no removal', async () => {
    const { people, round } = graph()
    const [message] = people.deliver(ANN, mail())
    const id = message?.ids.immutable ?? ''
    const { link } = await round(DELTA)
    people.move(ANN, id, 'archive')
    people.move(ANN, id, 'inbox')
    const { items } = await round(link)
    expect(items.map((item) => [item.id, isRemoved(item)])).toEqual([[id, false]])
  })

  test('without the header, what moved comes under an id nobody knew', async () => {
    const { people, round } = graph()
    const [message] = people.deliver(ANN, mail())
    const before = await round(DELTA, {})
    const archive = await round('/v1.0/me/mailFolders/archive/messages/delta', {})
    people.move(ANN, message?.ids.immutable ?? '', 'archive')
    const [gone] = (await round(before.link, {})).items
    const [there] = (await round(archive.link, {})).items
    expect(gone?.id).toBe(before.items[0]?.id)
    expect(there?.id).not.toBe(gone?.id)
  })

  test('of one kind of change alone, where asked', async () => {
    const { people, round } = graph()
    const [old] = people.deliver(ANN, mail())
    const links = await Promise.all(
      ['created', 'updated', 'deleted'].map(
        async (kind) => (await round(`${DELTA}?changeType=${kind}`)).link,
      ),
    )
    people.read(ANN, old?.ids.immutable ?? '')
    const [fresh] = people.deliver(ANN, mail())
    const [doomed] = people.deliver(ANN, mail())
    people.hardDelete(ANN, doomed?.ids.immutable ?? '')
    const found = await Promise.all(links.map(async (link) => (await round(link)).items.map(({ id }) => id)))
    expect(found).toEqual([[fresh?.ids.immutable], [old?.ids.immutable], [doomed?.ids.immutable]])
  })
})

describe('traps', () => {
  test('empty pages with a nextLink, repeats and ghosts lose nothing', async () => {
    const { people, round } = graph({ switches: { emptyPages: 0.5, repeats: 0.3, ghosts: 0.5 } })
    const ids = Array.from({ length: 40 }, () => people.deliver(ANN, mail())[0]?.ids.immutable ?? '')
    const { pages, items } = await round(DELTA, sized(4))
    const empty = pages.filter((page) => page.value.length === 0)
    expect(empty.length).toBeGreaterThan(0)
    expect(empty.every((page) => page['@odata.nextLink'] !== undefined)).toBe(true)
    expect(items.filter(isRemoved).length).toBeGreaterThan(0)
    const there = items.filter((item) => !isRemoved(item)).map(({ id }) => id)
    expect(there.length).toBeGreaterThan(40)
    expect([...new Set(there)].toSorted()).toEqual(ids.toSorted())
  })

  test('sparse updates bring what changed alone, of new messages everything', async () => {
    const { people, round } = graph({ switches: { sparseUpdates: true } })
    const [old] = people.deliver(ANN, mail())
    const { link } = await round(DELTA)
    people.categorise(ANN, old?.ids.immutable ?? '', ['Private'])
    people.deliver(ANN, mail({ subject: 'Fresh' }))
    const { items } = await round(link)
    expect(items.find(({ id }) => id === old?.ids.immutable)).toEqual({
      '@odata.type': '#microsoft.graph.message',
      '@odata.etag': expect.any(String),
      id: old?.ids.immutable,
      categories: ['Private'],
    })
    expect(items.find(({ subject }) => subject === 'Fresh')).toHaveProperty('body')
  })

  test('a lost move never shows in the folder it went to, though the message is there', async () => {
    const { people, round, list } = graph({ switches: { lostMoves: 1 } })
    const [message] = people.deliver(ANN, mail())
    const id = message?.ids.immutable ?? ''
    const inbox = await round(DELTA)
    const archive = await round('/v1.0/me/mailFolders/archive/messages/delta')
    people.move(ANN, id, 'archive')
    expect((await round(inbox.link)).items.map(isRemoved)).toEqual([true])
    expect((await round(archive.link)).items).toEqual([])
    expect(
      (await list('/v1.0/me/mailFolders/archive/messages', IMMUTABLE)).value.map((one) => one.id),
    ).toEqual([id])
  })

  test.each([
    ['gone', 410],
    ['gone-with-location', 410],
    ['not-found', 404],
    ['bad-request', 400],
  ] as const)('a forgotten token: %s', async (expiry, status) => {
    const { people, round, get, vendor } = graph({ switches: { expiry } })
    people.deliver(ANN, mail())
    people.deliver(ANN, mail(), { folder: 'archive' })
    const inbox = await round(DELTA)
    const archive = await round('/v1.0/me/mailFolders/archive/messages/delta')
    vendor.expireDelta(ANN, 'inbox')
    const answer = await get(inbox.link, IMMUTABLE)
    expect([answer.status, codeOf(answer.body).toLowerCase()]).toEqual([status, 'syncstatenotfound'])
    const to = answer.response.headers.get('location')
    expect(to === null).toBe(expiry !== 'gone-with-location')
    expect((await round(to ?? DELTA)).items).toHaveLength(1)
    expect((await round(archive.link)).items).toEqual([])
    expect((await round(DELTA)).items).toHaveLength(1)
  })

  test('links to further pages die by themselves, links to further rounds live on', async () => {
    const { people, list, round, get, vendor } = graph()
    for (let i = 0; i < 4; i++) people.deliver(ANN, mail())
    const { link } = await round(DELTA)
    const page = await list(DELTA, sized(2))
    vendor.expireNextLinks(ANN, 'inbox')
    expect((await get(page['@odata.nextLink'] ?? '', sized(2))).status).toBe(410)
    expect((await get(link, IMMUTABLE)).status).toBe(200)
  })

  test('or in mid-walk', async () => {
    const { people, list, get } = graph({ switches: { deadNextLinks: 1 } })
    for (let i = 0; i < 4; i++) people.deliver(ANN, mail())
    const page = await list(DELTA, sized(2))
    expect((await get(page['@odata.nextLink'] ?? '', sized(2))).status).toBe(410)
  })

  test('a token of one folder is none of another', async () => {
    const { round, get } = graph()
    const { link } = await round(DELTA)
    const token = new URL(link).searchParams.get('$deltatoken')
    const { status } = await get(`/v1.0/me/mailFolders/archive/messages/delta?$deltatoken=${token}`)
    expect(status).toBe(400)
  })
})

test('a round after one change reads one change of 20,000 messages', async () => {
  const { people, round, list } = graph()
  for (let i = 0; i < 20_000; i++) people.deliver(ANN, mail())
  let link = (await round(DELTA, sized(1_000))).link
  const began = performance.now()
  for (let i = 0; i < 200; i++) {
    people.deliver(ANN, mail())
    const page = await list(link, IMMUTABLE)
    expect(page.value).toHaveLength(1)
    link = page['@odata.deltaLink'] ?? ''
  }
  // A scan of the folder for each round would take several times as long.
  expect(performance.now() - began).toBeLessThan(3_000)
})
