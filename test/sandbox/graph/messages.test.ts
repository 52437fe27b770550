import { describe, expect, test } from 'vitest'
import { createMint } from '../../../src/sandbox/graph/mint.ts'
import { calendarReply, invitation } from '../../../src/sandbox/mail/makers.ts'
import { person } from '../../../src/sandbox/mail/letter.ts'
import { ANN, BEN, codeOf, graph, IMMUTABLE, mail, START } from './client.ts'

const STAMP = { date: START, messageId: 'cal@customer.example' }

describe('ids', () => {
  test('without the header they change on a move; with it they stay', async () => {
    const { people, list, get } = graph()
    people.deliver(ANN, mail())
    const [before] = (await list('/v1.0/me/messages')).value
    const [immutable] = (await list('/v1.0/me/messages', IMMUTABLE)).value
    people.move(ANN, before?.id ?? '', 'archive')
    const [after] = (await list('/v1.0/me/messages')).value
    expect(after?.id).not.toBe(before?.id)
    expect((await get(`/v1.0/me/messages/${before?.id}`)).status).toBe(404)
    expect((await get(`/v1.0/me/messages/${immutable?.id}`, IMMUTABLE)).body).toMatchObject({
      id: immutable?.id,
    })
  })

  test('are case-sensitive: some differ in case alone', async () => {
    const { people, get } = graph()
    const ids = Array.from({ length: 6 }, () => people.deliver(ANN, mail())[0]?.ids.immutable ?? '')
    const mint = createMint(() => 0.5)
    const [one, twin] = [mint.id('AAkA'), mint.id('AAkA')]
    expect(one).not.toBe(twin)
    expect(one.toLowerCase()).toBe(twin.toLowerCase())
    expect(new Set(ids).size).toBe(6)
    expect((await get(`/v1.0/me/messages/${ids[0]?.toLowerCase()}`)).status).toBe(404)
  })

  test('a draft keeps its immutable id when it is sent, and only then reaches colleagues', () => {
    const { people } = graph()
    const draft = people.makeDraft(ANN, mail({ from: person(ANN), to: [person(BEN)] }))
    const { immutable, mutable } = draft.ids
    people.editDraft(ANN, immutable, { subject: 'Better' })
    expect(people.messages(BEN)).toHaveLength(0)
    const sent = people.sendDraft(ANN, immutable)
    expect(sent.ids.immutable).toBe(immutable)
    expect(sent.ids.mutable).not.toBe(mutable)
    expect(people.messages(ANN, 'sentitems')).toEqual([sent])
    expect(people.messages(BEN).map((one) => one.letter.subject)).toEqual(['Better'])
    expect(people.messages(BEN)[0]?.letter.messageId).toBe(sent.letter.messageId)
  })

  test('what was exported and imported has new ones', () => {
    const { people } = graph()
    const [message] = people.deliver(ANN, mail())
    const again = people.reimport(ANN, message?.ids.immutable ?? '')
    expect(again.ids.immutable).not.toBe(message?.ids.immutable)
    expect(people.message(ANN, message?.ids.immutable ?? '')).toBeNull()
  })
})

describe('a message', () => {
  test('has its header only where asked, and only where it came through transport', async () => {
    const { people, get } = graph()
    const [received] = people.deliver(ANN, mail({ headers: { 'List-Id': '<news.example>' } }))
    const sent = people.send(
      ANN,
      mail({ from: person(ANN), to: [person('x@y.example')], inReplyTo: 'q@y.example' }),
    )
    const at = (message: typeof received) => `/v1.0/me/messages/${message?.ids.immutable}`
    expect((await get(at(received))).body).not.toHaveProperty('internetMessageHeaders')
    const { body } = await get(`${at(received)}?$select=subject,internetMessageHeaders`)
    expect(body['internetMessageHeaders']).toContainEqual({ name: 'List-ID', value: '<news.example>' })
    expect((await get(`${at(sent)}?$select=subject,internetMessageHeaders`)).body).not.toHaveProperty(
      'internetMessageHeaders',
    )
    expect((await get(`${at(sent)}/$value`)).text).toMatch(/^In-Reply-To: <q@y.example>\r$/m)
    const expand =
      "$expand=singleValueExtendedProperties($filter=id eq 'String 0x1042' or id eq 'String 0x1039')"
    expect((await get(`${at(sent)}?$select=id&${expand}`)).body['singleValueExtendedProperties']).toEqual([
      { id: 'String 0x1042', value: '<q@y.example>' },
    ])
  })

  test('gives its body as HTML or as text, as preferred', async () => {
    const { people, get } = graph()
    const [plain] = people.deliver(ANN, mail({ text: 'a < b\nc' }))
    const [rich] = people.deliver(ANN, mail({ text: null, html: '<p>Hello <b>Ann</b></p>' }))
    const body = async (message: typeof plain, headers = {}) =>
      (await get(`/v1.0/me/messages/${message?.ids.immutable}?$select=body`, headers)).body['body']
    const text = { prefer: 'outlook.body-content-type="text"' }
    expect(await body(plain)).toMatchObject({
      contentType: 'html',
      content: expect.stringContaining('a &lt; b<br>'),
    })
    expect(await body(plain, text)).toEqual({ contentType: 'text', content: 'a < b\nc' })
    expect(await body(rich, text)).toEqual({ contentType: 'text', content: 'Hello Ann' })
    const { response } = await get(`/v1.0/me/messages/${rich?.ids.immutable}`, text)
    expect(response.headers.get('preference-applied')).toContain('outlook.body-content-type="text"')
  })

  test('names invitations and their answers by type', async () => {
    const { people, list } = graph()
    const invited = invitation(person(ANN), person('bob@customer.example'), 'Lunch', STAMP)
    people.send(ANN, invited)
    people.deliver(ANN, calendarReply(invited, person('bob@customer.example', 'Bob'), STAMP))
    people.deliver(ANN, mail())
    const { value } = await list(
      '/v1.0/me/messages?$select=subject,microsoft.graph.eventMessage/meetingMessageType',
    )
    expect(
      value.map((item) => `${String(item['@odata.type'])} ${String(item['meetingMessageType'])}`).toSorted(),
    ).toEqual([
      '#microsoft.graph.eventMessageRequest meetingRequest',
      '#microsoft.graph.eventMessageResponse meetingAccepted',
      'undefined undefined',
    ])
    expect(codeOf((await graph().get('/v1.0/me/messages?$select=meetingMessageType')).body)).toContain(
      'ParseUri',
    )
  })

  test('does so in delta as well, though what kind of answer it is cannot be selected there', async () => {
    const { people, list } = graph()
    people.deliver(ANN, invitation(person('bob@customer.example'), person(ANN), 'Lunch', STAMP))
    const delta = '/v1.0/me/mailFolders/inbox/messages/delta'
    const [selected] = (await list(`${delta}?$select=subject,meetingMessageType`)).value
    expect(selected).toMatchObject({ '@odata.type': '#microsoft.graph.eventMessageRequest' })
    expect(selected).not.toHaveProperty('meetingMessageType')
    expect((await list(delta)).value).toMatchObject([{ meetingMessageType: 'meetingRequest' }])
  })

  test('lists attachments', async () => {
    const { people, get, list } = graph()
    const attachments = [{ name: 'Quote.pdf', type: 'application/pdf', content: 'x'.repeat(100) }]
    const [message] = people.deliver(ANN, mail({ attachments }))
    const at = `/v1.0/me/messages/${message?.ids.immutable}`
    expect((await get(at)).body).toMatchObject({ hasAttachments: true })
    const { value } = await list(`${at}/attachments?$select=name,contentType,size`)
    expect(value).toMatchObject([{ name: 'Quote.pdf', contentType: 'application/pdf', size: 100 }])
    expect(value[0]).not.toHaveProperty('contentBytes')
  })

  test('is read as Outlook would where its header is broken', async () => {
    const { people, list } = graph()
    people.deliver(
      ANN,
      mail({
        headers: { From: 'bob@customer.example (Bob)', Date: 'yesterday', 'Message-ID': 'no brackets' },
      }),
      { at: START + 5_000 },
    )
    const { value } = await list('/v1.0/me/messages')
    expect(value).toMatchObject([
      {
        from: { emailAddress: { address: 'bob@customer.example' } },
        sentDateTime: '2026-03-02T08:00:05Z',
        internetMessageId: 'no brackets',
      },
    ])
  })

  test('gets a Message-ID from transport, the same in every mailbox; an import gets none', async () => {
    const { people, list } = graph()
    const [a, b] = people.deliver([ANN, BEN], mail({ messageId: null }))
    expect(a?.letter.messageId).not.toBeNull()
    expect(a?.letter.messageId).toBe(b?.letter.messageId)
    people.deliver(ANN, mail({ messageId: null, subject: 'Old' }), { isImported: true })
    const { value } = await list("/v1.0/me/messages?$filter=subject eq 'Old'")
    expect(value).toHaveLength(1)
    expect(value[0]).not.toHaveProperty('internetMessageId')
  })

  test('shows blind copies to their sender alone', async () => {
    const { people, list, sandboxToken } = withBen()
    people.send(ANN, mail({ from: person(ANN), to: [person('x@y.example')], bcc: [person(BEN)] }))
    expect((await list('/v1.0/me/messages')).value).toMatchObject([
      { bccRecipients: [{ emailAddress: { address: BEN } }] },
    ])
    expect(await sandboxToken('/v1.0/me/messages')).toMatchObject([{ bccRecipients: [] }])
  })
})

function withBen() {
  const sandbox = graph()
  const token = sandbox.token(BEN)
  return {
    ...sandbox,
    sandboxToken: async (path: string) => (await sandbox.call('GET', path, { token })).body['value'],
  }
}

describe('the list', () => {
  test('filters and orders by time, and pages by $skip', async () => {
    const { people, list, get } = graph()
    for (let hour = 0; hour < 30; hour++)
      people.deliver(ANN, mail({ subject: `${hour}` }), { at: START + hour * 3_600_000 })
    const query =
      '$filter=receivedDateTime ge 2026-03-02T18:00:00Z and receivedDateTime lt 2026-03-02T23:00:00Z'
    const page = await list(
      `/v1.0/me/mailFolders/inbox/messages?${query}&$orderby=receivedDateTime desc&$top=3`,
    )
    expect(page.value.map(({ subject }) => subject)).toEqual(['14', '13', '12'])
    const rest = await list(page['@odata.nextLink'] ?? '')
    expect(rest.value.map(({ subject }) => subject)).toEqual(['11', '10'])
    expect(rest['@odata.nextLink']).toBeUndefined()
    const gt = await list(
      '/v1.0/me/messages?$filter=receivedDateTime gt 2026-03-03T12:00:00Z&$orderby=receivedDateTime asc',
    )
    expect(gt.value.map(({ subject }) => subject)).toEqual(['29'])
    expect((await get('/v1.0/me/mailFolders/inbox/messages/$count')).text).toBe('30')
    expect((await get('/v1.0/me/messages?$count=true&$top=1')).body).toMatchObject({ '@odata.count': 30 })
  })

  test('refuses an order it has not filtered by, and too large a page', async () => {
    const { get } = graph()
    const order = await get("/v1.0/me/messages?$filter=subject eq 'x'&$orderby=receivedDateTime")
    expect([order.status, codeOf(order.body)]).toEqual([400, 'InefficientFilter'])
    expect((await get('/v1.0/me/messages?$top=1001')).status).toBe(400)
    expect((await get('/v1.0/me/messages?$search="x"')).status).toBe(400)
    expect((await get('/v1.0/me/messages?$since=yesterday')).status).toBe(400)
  })

  test('has no order that a page could miss something by, but for what comes meanwhile', async () => {
    const { people, list } = graph()
    const old = Array.from({ length: 4 }, () => people.deliver(ANN, mail(), { at: START })[0]?.ids.immutable)
    const first = await list('/v1.0/me/messages?$top=2', IMMUTABLE)
    people.deliver(ANN, mail(), { at: START + 60_000 })
    const second = await list(first['@odata.nextLink'] ?? '', IMMUTABLE)
    // The newcomer pushed one of the first page onto the second: $skip is no cursor.
    expect(second.value[0]?.id).toBe(first.value[1]?.id)
    expect(old).toContain(second.value[0]?.id)
  })
})
