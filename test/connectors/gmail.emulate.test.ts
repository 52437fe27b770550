import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../../src/core/json.ts'
import { startEmulator } from './gmail.emulator.ts'
import { type Hub, hubOf, ioOver, mail, mailboxAt, messageOf, reads, type Sent } from './gmail.support.ts'

const ANN = 'ann@acme.example'
/** What it makes of fields has its content type below the empty line, so one message is given as it is. */
const HELLO = Buffer.from(
  [
    'From: Jo Wu <jo@customer.example>',
    `To: ${ANN}`,
    'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=',
    'Date: Fri, 01 May 2026 09:59:58 +0000',
    'Message-ID: <hello@customer.example>',
    'Content-Type: text/plain; charset=iso-8859-1',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Sch=F6n, shall we talk?',
    '',
  ].join('\r\n'),
).toString('base64url')
const SEED = {
  users: [{ email: ANN, name: 'Ann Lee' }],
  labels: [
    { id: 'Label_private', user_email: ANN, name: 'Private' },
    { id: 'Label_deals', user_email: ANN, name: 'Deals/Won' },
  ],
  messages: [
    message('msg_hello', { raw: HELLO, date: '2026-05-01T10:00:00.000Z' }),
    message('msg_answer', {
      from: `Ann Lee <${ANN}>`,
      to: 'jo@customer.example, Kim <kim@customer.example>',
      cc: 'lee@customer.example',
      subject: 'Re: Grüße aus Köln',
      label_ids: ['SENT', 'Label_deals'],
      date: '2026-05-02T10:00:00.000Z',
      in_reply_to: '<hello@customer.example>',
      references: '<hello@customer.example>',
    }),
    message('msg_old', { subject: 'Long ago', date: '2025-01-01T10:00:00.000Z' }),
    message('msg_draft', { subject: 'Not sent', label_ids: ['DRAFT'], date: '2026-05-03T10:00:00.000Z' }),
    message('msg_trash', { subject: 'Thrown away', label_ids: ['TRASH'], date: '2026-05-04T10:00:00.000Z' }),
  ],
}

function message(id: string, fields: Readonly<Record<string, unknown>>) {
  return { id, user_email: ANN, from: 'jo@customer.example', to: ANN, body_text: 'Hello', ...fields }
}

const started = await startEmulator(SEED, ANN)
const problem = typeof started === 'string' ? started : null
afterAll(async () => {
  if (typeof started !== 'string') await started.close()
})

async function call(method: string, path: string, body?: unknown): Promise<JsonObject> {
  if (typeof started === 'string') throw new Error(started)
  const reply = await fetch(`${started.url}/gmail/v1/users/me${path}`, {
    method,
    headers: { authorization: `Bearer ${started.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`)
  const text = await reply.text()
  return text === '' ? {} : (JSON.parse(text) as JsonObject)
}

async function insert(subject: string, labelIds: readonly string[] = ['INBOX']): Promise<string> {
  const raw = `From: jo@customer.example\r\nTo: ${ANN}\r\nSubject: ${subject}\r\n\r\nHello\r\n`
  const made = await call('POST', '/messages', { raw: Buffer.from(raw).toString('base64url'), labelIds })
  return z.string().parse(made['id'])
}

/**
 * Over the wire as it is, but for two defects: it knows no getProfile, so that its newest history id is given instead,
 * and it takes `-in:` for a word to look for.
 */
async function answer(request: Request): Promise<Response> {
  if (typeof started === 'string') throw new Error(started)
  const url = new URL(request.url)
  if (url.pathname.endsWith('/profile')) {
    const { historyId } = await call('GET', '/history?startHistoryId=0')
    return Response.json({ emailAddress: ANN, historyId, messagesTotal: SEED.messages.length })
  }
  const q = url.searchParams.get('q')
  if (q !== null)
    url.searchParams.set('q', q.replace('-in:drafts', '-label:DRAFT').replace('-in:chats', '-label:CHAT'))
  const headers = new Headers(request.headers)
  headers.set('authorization', `Bearer ${started.token}`)
  const body = request.method === 'GET' ? null : await request.text()
  return fetch(url, { method: request.method, headers, body })
}

describe.skipIf(problem !== null)(`gmail against emulate${problem === null ? '' : `: ${problem}`}`, () => {
  let sent: Sent[] = []
  let hub: Hub
  const io = () => {
    const baseUrl = typeof started === 'string' ? '' : started.url
    return ioOver({ answer, settings: { baseUrl, topic: 'projects/p/topics/gmail' } }, sent)
  }
  beforeEach(() => {
    sent = []
    hub = hubOf(io(), mailboxAt(ANN))
  })

  it('finds the mailbox of the authorised user', async () => {
    expect(await mail.mailboxes(io())).toEqual([{ id: ANN, address: ANN, addresses: [ANN] }])
  })

  it('reads what was there before, newest first, without drafts and trash', async () => {
    expect((await hub.page('live')).backfill).toEqual({ kind: 'waiting', listed: 0, total: 5 })
    await hub.drain('backfill')
    expect([...hub.read.keys()]).toEqual(['msg_answer', 'msg_hello', 'msg_old'])

    const hello = messageOf(hub.read.get('msg_hello'))
    expect(hello.message.envelope).toMatchObject({
      messageId: 'hello@customer.example',
      from: [{ address: 'jo@customer.example', name: 'Jo Wu' }],
      to: [{ address: ANN }],
      at: Date.parse('2026-05-01T10:00:00Z'),
      sentAt: Date.parse('2026-05-01T09:59:58Z'),
    })
    expect(hello.message).toMatchObject({ subject: 'Grüße aus Köln', text: 'Schön, shall we talk?' })
    expect(hello).toMatchObject({ flags: [], labels: [] })

    const answered = messageOf(hub.read.get('msg_answer'))
    expect(answered).toMatchObject({ flags: ['sent'], labels: ['Deals/Won'] })
    expect(answered.message.envelope).toMatchObject({
      to: [{ address: 'jo@customer.example' }, { address: 'kim@customer.example', name: 'Kim' }],
      cc: [{ address: 'lee@customer.example' }],
      inReplyTo: ['hello@customer.example'],
      references: ['hello@customer.example'],
    })
  })

  it('leaves out mail from before the beginning', async () => {
    hub.since = Date.parse('2026-05-01T10:00:00Z')
    await hub.page('live')
    await hub.drain('backfill')
    expect([...hub.read.keys()]).toEqual(['msg_answer', 'msg_hello'])
  })

  it('follows arrivals, labels, the trash and deletes, and reads nothing for a star', async () => {
    await hub.page('live')
    const arrived = await insert('Arrived')
    const starred = 'msg_hello'
    await call('POST', `/messages/${starred}/modify`, { addLabelIds: ['STARRED'], removeLabelIds: ['INBOX'] })
    await call('POST', '/messages/msg_old/modify', { addLabelIds: ['Label_private'] })
    const trashed = await insert('Trashed')
    await call('POST', `/messages/${trashed}/trash`)
    const deleted = await insert('Deleted')
    await call('DELETE', `/messages/${deleted}`)
    sent.length = 0
    await hub.drain('live')

    expect([...hub.read.keys()].sort()).toEqual([arrived, trashed, deleted, 'msg_old'].sort())
    expect(messageOf(hub.read.get(arrived)).message.subject).toBe('Arrived')
    expect(messageOf(hub.read.get('msg_old')).labels).toEqual(['Private'])
    expect(messageOf(hub.read.get(trashed)).flags).toEqual(['trash'])
    expect(hub.read.get(deleted)).toEqual({ kind: 'gone', id: deleted })
    expect(reads(sent).sort()).toEqual([arrived, trashed, 'msg_old'].sort())

    hub.read.clear()
    await hub.drain('live')
    expect(hub.read.size).toBe(0)
  })

  it('goes through several pages of history in small pages of its own', async () => {
    await hub.page('live')
    const made: string[] = []
    for (let n = 0; n < 120; n++) made.push(await insert(`Number ${n}`))
    const pages = await hub.drain('live')
    expect([...hub.read.keys()].sort()).toEqual(made.sort())
    expect(Math.max(...pages.map(({ sightings }) => sightings.length))).toBe(50)
    for (const id of made) await call('DELETE', `/messages/${id}`)
  })

  it('reads named messages, and watches', async () => {
    const found = await mail.fetch(io(), mailboxAt(ANN), ['msg_hello', 'msg_nowhere', 'msg_hello'])
    expect(found.bad).toEqual([])
    expect(found.sightings.map(({ kind, id }) => [kind, id])).toEqual([
      ['message', 'msg_hello'],
      ['gone', 'msg_nowhere'],
    ])
    const to = { url: null, secret: null }
    const watched = await mail.subscribe?.(io(), mailboxAt(ANN), null, to)
    expect(watched?.kept).toMatchObject({ topicName: 'projects/p/topics/gmail' })
  })
})
