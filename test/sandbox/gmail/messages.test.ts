import { describe, expect, test } from 'vitest'
import { person } from '../../../src/sandbox/mail/letter.ts'
import { reply } from '../../../src/sandbox/mail/makers.ts'
import { ANN, BO, EVE, gmail, mail, START } from './client.ts'

const DAY = 86_400_000
const idsOf = (list: { body: { messages?: { id: string }[] | undefined } }) =>
  (list.body.messages ?? []).map(({ id }) => id)

describe('mail that arrives', () => {
  test('has its own ids in each mailbox, and one Message-ID', async () => {
    const { people, get, as, signIn } = gmail()
    const [one, two] = await people.deliver([ANN, BO], mail({ messageId: 'same@client.example' }))
    expect(one?.id).not.toBe(two?.id)
    const mine = await get(`/messages/${one?.id}?format=raw`)
    const theirs = await as(signIn(BO).accessToken)(`/gmail/v1/users/${BO}/messages/${two?.id}?format=raw`)
    expect(mine.body['raw']).toBe(theirs.body['raw'])
    expect(Buffer.from(String(mine.body['raw']), 'base64url').toString()).toContain('<same@client.example>')
    expect(mine.body).toMatchObject({
      id: one?.id,
      threadId: one?.id,
      labelIds: ['INBOX', 'UNREAD'],
      internalDate: String(START),
      snippet: 'Hello',
    })
  })

  test('shows its Bcc to the sender alone', async () => {
    const { people, get, as, signIn } = gmail()
    const letter = mail({ from: person(ANN), to: [EVE], bcc: [person(BO)] })
    const [sent, copy] = await people.send(ANN, letter)
    const raw = async (call: typeof get, id: string | undefined) =>
      Buffer.from(String((await call(`/messages/${id}?format=raw`)).body['raw']), 'base64url').toString()
    const bo = as(signIn(BO).accessToken)
    expect(copy?.mailbox).toBe(BO)
    expect(await raw(get, sent?.id)).toContain('Bcc: bo@us.example')
    expect(await raw((path) => bo(`/gmail/v1/users/me${path}`), copy?.id)).not.toContain('Bcc')
    expect((await get(`/messages/${sent?.id}`)).body.labelIds).toEqual(['SENT'])
  })

  test('joins a conversation by reference and subject, not by one of them', async () => {
    const { people } = gmail()
    const first = mail({ subject: 'Grüße' })
    const stamp = (messageId: string) => ({ date: START, messageId })
    const [start] = await people.deliver(ANN, first)
    const [answer] = await people.send(ANN, reply(first, person(ANN), 'Hi', stamp('a@us.example')))
    const renamed = reply(first, EVE, 'Hi', stamp('b@client.example'), { subject: 'Something else' })
    const [other] = await people.deliver(ANN, renamed)
    const [lookalike] = await people.deliver(ANN, mail({ subject: 'Re: Grüße' }))
    expect(answer?.threadId).toBe(start?.threadId)
    expect(new Set([start, other, lookalike].map((one) => one?.threadId)).size).toBe(3)
  })

  test('may be any bytes', async () => {
    const { people, get } = gmail()
    const bytes = Buffer.from('Subject: caf\xe9\r\n\r\n\xff\xfe', 'latin1')
    const [broken] = await people.deliver(ANN, bytes)
    const { body } = await get(`/messages/${broken?.id}?format=raw`)
    expect(Buffer.from(String(body['raw']), 'base64url').equals(bytes)).toBe(true)
    expect((await get(`/messages/${(await people.deliver(ANN, ''))[0]?.id}`)).status).toBe(200)
  })
})

describe('formats', () => {
  test('full has the parts, with attachments by themselves', async () => {
    const { people, get } = gmail()
    const letter = mail({
      subject: 'Grüße',
      text: 'Grüß Gott <b>',
      html: '<p>x</p>',
      attachments: [{ name: 'a.pdf', type: 'application/pdf', content: 'PDF' }],
    })
    const [one] = await people.deliver(ANN, letter)
    const { body } = await get(`/messages/${one?.id}`)
    expect(body['snippet']).toBe('Grüß Gott &lt;b&gt;')
    const attachmentId = expect.stringMatching(/^ANGjdJ/)
    expect(body['payload']).toMatchObject({
      mimeType: 'multipart/mixed',
      headers: expect.arrayContaining([{ name: 'Subject', value: 'Grüße' }]),
      parts: [
        {
          partId: '0',
          mimeType: 'multipart/alternative',
          parts: [
            { partId: '0.0', body: { data: Buffer.from('Grüß Gott <b>').toString('base64url') } },
            { partId: '0.1', mimeType: 'text/html' },
          ],
        },
        { partId: '1', filename: 'a.pdf', body: { size: 3, attachmentId } },
      ],
    })
    const payload = body['payload'] as { parts: { body: { attachmentId: string } }[] }
    const part = payload.parts[1]?.body.attachmentId
    const attachment = await get(`/messages/${one?.id}/attachments/${part}`)
    expect(attachment.body).toMatchObject({ size: 3, data: Buffer.from('PDF').toString('base64url') })
  })

  test('metadata has the header fields that were asked for; minimal has none', async () => {
    const { people, get } = gmail()
    const [one] = await people.deliver(ANN, mail())
    const metadata = await get(
      `/messages/${one?.id}?format=metadata&metadataHeaders=from&metadataHeaders=Subject`,
    )
    expect(metadata.body['payload']).toEqual({
      mimeType: 'text/plain',
      headers: [
        { name: 'From', value: 'Eve <eve@client.example>' },
        { name: 'Subject', value: 'Offer' },
      ],
    })
    expect((await get(`/messages/${one?.id}?format=minimal`)).body).not.toHaveProperty('payload')
    expect((await get(`/messages/${one?.id}?format=mime`)).status).toBe(400)
  })

  test('fields chooses; what the vendor does not know is refused', async () => {
    const { people, get } = gmail()
    const [one] = await people.deliver(ANN, mail())
    const list = await get('/messages?fields=messages(id,threadId),nextPageToken')
    expect(list.body).toEqual({ messages: [{ id: one?.id, threadId: one?.threadId }] })
    const { body } = await get(`/messages/${one?.id}?fields=id,payload/headers(name)`)
    expect(Object.keys(body).toSorted()).toEqual(['id', 'payload'])
    expect((await get('/messages?limit=3')).body).toMatchObject({
      error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringContaining('"limit"') },
    })
  })
})

describe('a listing', () => {
  test('is newest first, by when mail came, and pages do not shift as mail comes in', async () => {
    const { people, get, clock } = gmail()
    const delivered: string[] = []
    for (const days of [3, 1, 2, 5, 4]) {
      const [one] = await people.deliver(ANN, mail(), { at: START - days * DAY })
      delivered[days] = one?.id ?? ''
    }
    const first = await get('/messages?maxResults=2')
    clock.now += 1000
    await people.deliver(ANN, mail())
    const second = await get(`/messages?maxResults=2&pageToken=${first.body.nextPageToken}`)
    const third = await get(`/messages?maxResults=2&pageToken=${second.body.nextPageToken}`)
    expect([...idsOf(first), ...idsOf(second), ...idsOf(third)]).toEqual(delivered.slice(1))
    expect(third.body.nextPageToken).toBeUndefined()
    expect((await get('/messages?pageToken=rubbish')).status).toBe(400)
  })

  test('has drafts and chats, but no spam and trash unless asked', async () => {
    const { people, get } = gmail()
    const draft = await people.makeDraft(ANN, mail())
    const chat = people.chat(ANN, 'bo@us.example', 'hi')
    const [spam, trash, plain] = await Promise.all(
      [0, 1, 2].map(async () => (await people.deliver(ANN, mail()))[0]),
    )
    people.spam(ANN, spam?.id ?? '')
    people.trash(ANN, trash?.id ?? '')
    expect(new Set(idsOf(await get('/messages')))).toEqual(new Set([draft.id, chat.id, plain?.id]))
    expect(idsOf(await get('/messages?q=-in:drafts%20-in:chats'))).toEqual([plain?.id])
    expect(idsOf(await get('/messages?includeSpamTrash=true'))).toHaveLength(5)
    expect(idsOf(await get('/messages?q=in:trash'))).toEqual([trash?.id])
    expect(idsOf(await get('/messages?labelIds=SPAM'))).toEqual([spam?.id])
  })

  test('knows times and labels, and refuses what it does not know', async () => {
    const { people, get } = gmail()
    people.createLabel(ANN, 'Private/My health')
    const [old] = await people.deliver(ANN, mail(), { at: START - 10 * DAY, labels: ['Private/My health'] })
    const [fresh] = await people.deliver(ANN, mail())
    const q = async (query: string) => idsOf(await get(`/messages?q=${encodeURIComponent(query)}`))
    expect(await q(`after:${START / 1000 - 1}`)).toEqual([fresh?.id])
    expect(await q(`after:${START / 1000}`)).toEqual([])
    expect(await q(`before:${START / 1000 - 60}`)).toEqual([old?.id])
    expect(await q('after:2026/11/20')).toEqual([fresh?.id])
    expect(await q('newer_than:5d')).toEqual([fresh?.id])
    expect(await q('label:private-my-health')).toEqual([old?.id])
    expect(await q('-label:private-my-health')).toEqual([fresh?.id])
    expect((await get('/messages?q=has:attachment')).status).toBe(400)
    expect((await get('/messages?labelIds=Label_999')).status).toBe(400)
  })

  test('estimates poorly, and an empty one has no messages', async () => {
    const { people, get } = gmail()
    expect((await get('/messages')).body).toEqual({ resultSizeEstimate: 0 })
    for (let i = 0; i < 5; i += 1) await people.deliver(ANN, mail())
    expect((await get('/messages?maxResults=2')).body['resultSizeEstimate']).toBe(201)
  })
})

test('labels have ids of their own, which a new name does not change', async () => {
  const { people, get } = gmail()
  const id = people.createLabel(ANN, 'Private')
  expect(id).toMatch(/^Label_\d+$/)
  people.renameLabel(ANN, 'Private', 'Very private')
  const labels = (await get('/labels')).body['labels']
  expect(labels).toEqual(
    expect.arrayContaining([
      { id: 'INBOX', name: 'INBOX', type: 'system' },
      expect.objectContaining({ id, name: 'Very private', type: 'user' }),
    ]),
  )
})

test('send-as addresses are the main one and the aliases', async () => {
  const { get, people } = gmail()
  people.addAlias(ANN, 'Ann.Lee@us.example')
  expect((await get('/settings/sendAs')).body['sendAs']).toMatchObject([
    { sendAsEmail: ANN, isPrimary: true },
    { sendAsEmail: 'sales@us.example' },
    { sendAsEmail: 'ann.lee@us.example', verificationStatus: 'accepted' },
  ])
})
