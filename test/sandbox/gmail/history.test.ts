import { describe, expect, test } from 'vitest'
import { ANN, EVE, gmail, mail } from './client.ts'

describe('history', () => {
  test('tells what came, what was labelled and what went, in rising ids with gaps', async () => {
    const { people, since, cursor } = gmail()
    const start = await cursor()
    const [one] = await people.deliver(ANN, mail())
    const id = one?.id ?? ''
    const label = people.createLabel(ANN, 'Private')
    people.label(ANN, id, 'Private')
    people.markRead(ANN, id)
    people.trash(ANN, id)
    people.deleteForever(ANN, id)
    const records = await since(start)
    const ids = records.map((record) => Number(record.id))
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    expect((ids.at(-1) ?? 0) - (ids[0] ?? 0)).toBeGreaterThan(ids.length)
    expect(records).toMatchObject([
      { messagesAdded: [{ message: { id, labelIds: ['INBOX', 'UNREAD'] } }] },
      { labelsAdded: [{ message: { id }, labelIds: [label] }] },
      { labelsRemoved: [{ labelIds: ['UNREAD'] }] },
      { labelsAdded: [{ labelIds: ['TRASH'] }], labelsRemoved: [{ labelIds: ['INBOX'] }] },
      { messagesDeleted: [{ message: { id } }] },
    ])
    expect(records.filter((record) => record.messagesDeleted !== undefined)).toHaveLength(1)
  })

  test('says nothing of what changes nothing', async () => {
    const { people, since, cursor } = gmail()
    const [one] = await people.deliver(ANN, mail())
    const start = await cursor()
    people.label(ANN, one?.id ?? '', 'INBOX')
    people.createLabel(ANN, 'New')
    expect(await since(start)).toEqual([])
  })

  test('pages; only the last has no token, all have the id of the mailbox', async () => {
    const { people, get, cursor } = gmail()
    const start = await cursor()
    for (let i = 0; i < 5; i += 1) await people.deliver(ANN, mail())
    const seen: string[] = []
    let token = ''
    for (let pages = 0; pages < 10; pages += 1) {
      const { body } = await get(`/history?startHistoryId=${start}&maxResults=2${token}`)
      seen.push(...(body.history ?? []).map(({ messages }) => messages[0]?.id ?? ''))
      expect(body.historyId).toBe(await cursor())
      if (body.nextPageToken === undefined) break
      token = `&pageToken=${body.nextPageToken}`
    }
    expect(seen).toEqual(
      people
        .messages(ANN)
        .map(({ id }) => id)
        .toReversed(),
    )
  })

  test('chooses types within a page, so that a page may be without history and have a next one', async () => {
    const { people, get, cursor } = gmail()
    const [one] = await people.deliver(ANN, mail())
    const start = await cursor()
    people.markRead(ANN, one?.id ?? '')
    people.archive(ANN, one?.id ?? '')
    await people.deliver(ANN, mail())
    const page = await get(`/history?startHistoryId=${start}&historyTypes=messageAdded&maxResults=2`)
    expect(page.body).toEqual({ historyId: expect.any(String), nextPageToken: expect.any(String) })
    const next = await get(
      `/history?startHistoryId=${start}&historyTypes=messageAdded&maxResults=2&pageToken=${page.body.nextPageToken}`,
    )
    expect(next.body.history).toHaveLength(1)
    expect((await get(`/history?startHistoryId=${start}&historyTypes=messagesAdded`)).status).toBe(400)
  })

  test('by switch, every page comes after an empty one', async () => {
    const { people, get, cursor, switches } = gmail()
    switches.emptyHistoryPages = true
    const start = await cursor()
    await people.deliver(ANN, mail())
    const empty = await get(`/history?startHistoryId=${start}`)
    expect(empty.body).toEqual({ historyId: expect.any(String), nextPageToken: expect.any(String) })
    const full = await get(`/history?startHistoryId=${start}&pageToken=${empty.body.nextPageToken}`)
    expect(full.body.history).toHaveLength(1)
    expect(full.body.nextPageToken).toBeUndefined()
  })

  test('of one label has what wears it, or wore it', async () => {
    const { people, since, cursor } = gmail()
    const start = await cursor()
    const [one, two] = [await people.deliver(ANN, mail()), await people.deliver(ANN, mail())].flat()
    people.archive(ANN, one?.id ?? '')
    people.label(ANN, two?.id ?? '', 'STARRED')
    const named = (await since(start, '&labelId=STARRED')).map(({ messages }) => messages[0]?.id)
    expect(new Set(named)).toEqual(new Set([two?.id]))
    expect(await since(start, '&labelId=INBOX')).toHaveLength(4)
  })

  test('is forgotten after its time, and what is older is a 404', async () => {
    const { people, get, cursor, clock, switches } = gmail()
    switches.historyLifeMs = 60_000
    const start = await cursor()
    await people.deliver(ANN, mail())
    const later = await cursor()
    clock.now += 61_000
    await people.deliver(ANN, mail())
    const lost = await get(`/history?startHistoryId=${start}`)
    expect(lost.status).toBe(404)
    expect(lost.body).toMatchObject({
      error: {
        code: 404,
        message: 'Requested entity was not found.',
        errors: [{ domain: 'global', reason: 'notFound' }],
        status: 'NOT_FOUND',
      },
    })
    expect((await get(`/history?startHistoryId=${later}`)).body.history).toHaveLength(1)
    people.expireHistory(ANN)
    expect((await get(`/history?startHistoryId=${later}`)).status).toBe(404)
    expect((await get(`/history?startHistoryId=${await cursor()}`)).status).toBe(200)
  })

  test.each([
    ['', 400],
    ['?startHistoryId=abc', 400],
    ['?startHistoryId=99999999999', 404],
    ['?startHistoryId=1', 404],
  ])('%s is a %i', async (query, status) => {
    expect((await gmail().get(`/history${query}`)).status).toBe(status)
  })
})

test('a draft is another message after every edit; its own id stays', async () => {
  const { people, since, cursor, get, switches } = gmail()
  const start = await cursor()
  const draft = await people.makeDraft(ANN, mail({ subject: 'One' }))
  const edited = await people.editDraft(ANN, draft.draftId, mail({ subject: 'Two' }))
  const [sent] = await people.sendDraft(ANN, draft.draftId, mail({ subject: 'Two', to: [EVE] }))
  expect(await since(start)).toMatchObject([
    { messagesAdded: [{ message: { id: draft.id, labelIds: ['DRAFT'] } }] },
    { messagesDeleted: [{ message: { id: draft.id } }] },
    { messagesAdded: [{ message: { id: edited } }] },
    { messagesDeleted: [{ message: { id: edited } }] },
    { messagesAdded: [{ message: { id: sent?.id, labelIds: ['SENT'] } }] },
  ])
  expect((await get(`/messages/${draft.id}`)).status).toBe(404)
  switches.rotateDraftIds = false
  const kept = await people.makeDraft(ANN, mail())
  expect(await people.editDraft(ANN, kept.draftId, mail({ text: 'edited' }))).toBe(kept.id)
  expect((await get(`/messages/${kept.id}`)).body['snippet']).toBe('edited')
})

test('by switch, a message is not found right after history named it', async () => {
  const { people, get, switches } = gmail()
  const [one] = await people.deliver(ANN, mail())
  switches.missing = (id) => id === one?.id
  expect((await get(`/messages/${one?.id}`)).status).toBe(404)
  switches.missing = null
  expect((await get(`/messages/${one?.id}`)).status).toBe(200)
})
