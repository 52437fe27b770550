import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createApp } from '../../src/http/app.ts'
import { syncAll } from '../../src/runtime/cycle.ts'
import { watchMailboxes } from '../../src/runtime/mail/watch.ts'
import { createToken } from '../../src/store/api-tokens.ts'
import { FakeMailbox, HOUR, openMailWorld, type MailWorld } from '../runtime/mail.support.ts'
import { answerOf, memoryLog, type Answer } from './support.ts'

const REP = 'rep@ours.example'
const MIRA = 'mira@lindqvist.example'

let world: MailWorld
let box: FakeMailbox
let contact: number
let call: (method: string, path: string, token?: string) => Promise<Answer>
const logged: string[] = []

beforeEach(async () => {
  box = new FakeMailbox(REP)
  box.receive({
    id: 'm1',
    from: `Mira <${MIRA}>`,
    messageId: 'one@lindqvist.example',
    subject: 'Question',
    text: 'How much?',
  })
  box.send({
    id: 'm2',
    to: [MIRA],
    messageId: 'two@ours.example',
    inReplyTo: ['one@lindqvist.example'],
    subject: 'Re: Question',
    text: 'Ten.',
  })
  box.receive({
    id: 'm3',
    from: 'news@shop.example',
    messageId: 'sale@shop.example',
    subject: 'Sale',
    headers: { 'list-id': '<news.shop.example>' },
  })
  world = await openMailWorld([box])
  contact = await world.contact(MIRA)
  await sync()
  const memory = memoryLog()
  const app = createApp({ hub: world.hub, log: memory.log })
  const { token } = await createToken(world.db.sql, 'crm')
  logged.length = 0
  call = async (method, path, bearer = token) => {
    const answer = await answerOf(
      await app.request(path, { method, headers: { authorization: `Bearer ${bearer}` } }),
    )
    logged.push(...memory.logged)
    return answer
  }
})
afterEach(() => world.close())

async function sync(): Promise<void> {
  await syncAll(world.hub, ['mail'], 'changes')
}
const timeline = async (): Promise<readonly unknown[]> => {
  const { body } = await call('GET', `/api/contacts/${contact}/timeline`)
  return z.array(z.unknown()).parse(body['items'])
}

describe('the timeline of a record', () => {
  test('has its messages, latest first, page by page', async () => {
    const first = await call('GET', `/api/contacts/${contact}/timeline?limit=1`)
    expect(first.status).toBe(200)
    const next = String(first.body['next'])
    expect(next).toMatch(new RegExp(`^/api/contacts/${contact}/timeline\\?before=\\d+-\\d+&limit=1$`))
    const second = await call('GET', next)
    const both = [first, second].flatMap(({ body }) => body['items'])
    expect(both.flat()).toEqual(await timeline())
    expect(
      (await timeline()).toSorted((a, b) => JSON.stringify(a).length - JSON.stringify(b).length),
    ).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: 'email',
          subject: 'Question',
          contact,
          at: expect.stringMatching(/^2026-03-02T08:00:00/),
          message: expect.objectContaining({
            direction: 'received',
            messageId: 'one@lindqvist.example',
            text: 'How much?',
            attachments: [],
            participants: [
              { address: MIRA, name: 'Mira', role: 'from', side: 'them', contact },
              { address: REP, name: null, role: 'to', side: 'us', contact: null },
            ],
          }),
        }),
        expect.objectContaining({ message: expect.objectContaining({ direction: 'sent', text: 'Ten.' }) }),
      ]),
    )
    expect((await timeline()).length).toBe(2)
  })

  test('refuses what is not there, and marks that are none', async () => {
    expect((await call('GET', '/api/contacts/999999/timeline')).status).toBe(404)
    expect((await call('GET', `/api/deals/${contact}/timeline`)).status).toBe(404)
    const wrong = await call('GET', `/api/contacts/${contact}/timeline?before=yesterday&limit=0`)
    expect(wrong.status).toBe(400)
    expect(wrong.body['problems']).toMatchObject([{ field: 'before' }, { field: 'limit' }])
    expect((await call('GET', `/api/contacts/${contact}/timeline?form=short`)).status).toBe(400)
    expect((await call('GET', `/api/contacts/${contact}/timeline`, 'wrong')).status).toBe(401)
  })
})

describe('explaining a message', () => {
  const explain = (id: string) => call('GET', `/api/messages/explain?id=${encodeURIComponent(id)}`)

  test('by its Message-ID, its id at the vendor or its record', async () => {
    const one = await explain('<one@lindqvist.example>')
    expect(one.body).toMatchObject({
      message: {
        state: 'kept',
        subject: 'Question',
        at: expect.stringMatching(/^2026-/),
        contact,
        people: expect.arrayContaining([expect.objectContaining({ address: MIRA, contact })]),
        thread: expect.arrayContaining([expect.objectContaining({ subject: 'Re: Question' })]),
      },
      mailboxes: [
        { connection: 'mail', mailbox: REP, remoteId: 'm1', verdict: 'logged', reason: null, waits: false },
      ],
    })
    expect((await explain('m1')).body).toEqual(one.body)
    expect((await explain(String(idOf(one)))).body).toEqual(one.body)
  })

  test('of one that was kept out has the reason, and nothing else of it', async () => {
    const { body, text } = await explain('sale@shop.example')
    expect(body).toMatchObject({ message: null, mailboxes: [{ verdict: 'filtered', reason: 'bulk' }] })
    expect(text).not.toContain('Sale')
  })

  test('says what is wrong with the question, and logs neither it nor the answer', async () => {
    expect((await explain('nobody@nowhere.example')).status).toBe(404)
    expect((await call('GET', '/api/messages/explain')).status).toBe(400)
    expect((await explain('')).status).toBe(400)
    expect((await explain('x'.repeat(1_001))).status).toBe(400)
    expect((await explain("'; drop table messages; --")).status).toBe(404)
    expect((await explain('a\u0000')).status).toBe(400)
    expect((await call('GET', '/api/messages/explain?id=m1', 'wrong')).status).toBe(401)
    await explain('one@lindqvist.example')
    expect(logged.join()).not.toMatch(/Question|lindqvist/)
  })
})

describe('taking a message out', () => {
  test.each(['private', 'remove'])('%s: for good, and told twice the same', async (action) => {
    const id = idOf(await call('GET', '/api/messages/explain?id=m1'))
    const done = await call('POST', `/api/messages/${id}/${action}`)
    expect([done.status, done.body]).toEqual([200, { message: expect.stringMatching(/^The message is /) }])
    expect(await timeline()).toEqual([expect.objectContaining({ subject: 'Re: Question' })])
    box.edit('m1', { labels: ['again'] })
    await sync()
    expect(await timeline()).toHaveLength(1)
    const again = await call('POST', `/api/messages/${id}/${action}`)
    expect([again.status, again.body]).toEqual([200, { message: expect.stringContaining('already') }])
    const { body } = await call('GET', '/api/messages/explain?id=m1')
    expect(body['message']).toMatchObject({
      state: action === 'remove' ? 'removed' : 'private',
      subject: null,
    })
  })

  test('can be taken back', async () => {
    const id = idOf(await call('GET', '/api/messages/explain?id=m1'))
    expect((await call('POST', `/api/messages/${id}/restore`)).body['message']).toContain('neither')
    await call('POST', `/api/messages/${id}/private`)
    expect((await call('POST', `/api/messages/${id}/restore`)).status).toBe(200)
    await sync()
    expect(await timeline()).toHaveLength(2)
  })

  test('refuses what is no message', async () => {
    expect((await call('POST', '/api/messages/999999/private')).status).toBe(404)
    expect((await call('POST', `/api/messages/${contact}/remove`)).status).toBe(404)
    expect((await call('POST', '/api/messages/m1/remove')).status).toBe(404)
    expect((await call('POST', '/api/messages/999999/restore', 'wrong')).status).toBe(401)
    expect(await timeline()).toHaveLength(2)
  })
})

test('the status of mail says how far each mailbox has been read', async () => {
  const { status, body } = await call('GET', '/api/mail/status')
  expect(status).toBe(200)
  expect(body).toEqual({
    items: [
      expect.objectContaining({
        connection: 'mail',
        mailbox: REP,
        state: 'current',
        logged: 2,
        filtered: 1,
        quarantined: 0,
        checkedAt: expect.stringMatching(/^2026-03-02T/),
        problem: null,
        alarm: null,
      }),
    ],
  })
  expect((await call('GET', '/api/mail/status', 'wrong')).status).toBe(401)

  world.clock.now += 3 * HOUR
  await watchMailboxes(world.hub)
  const [alarmed] = z
    .object({ items: z.array(z.object({ alarm: z.int() })) })
    .parse((await call('GET', '/api/mail/status')).body).items
  const { body: inbox } = await call('GET', '/api/inbox')
  expect(inbox['items']).toEqual([
    expect.objectContaining({
      id: alarmed?.alarm,
      title: expect.stringContaining(`${REP} has not been read`),
    }),
  ])
  await sync()
  await watchMailboxes(world.hub)
  expect((await call('GET', '/api/mail/status')).body).toMatchObject({ items: [{ alarm: null }] })
})

function idOf({ body }: Answer): number {
  const { message } = body
  return typeof message === 'object' && message !== null ? Number(Reflect.get(message, 'id')) : Number.NaN
}
