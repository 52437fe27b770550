import { describe, expect, test } from 'vitest'
import type { Letter } from '../../src/sandbox/mail/letter.ts'
import { person } from '../../src/sandbox/mail/letter.ts'
import {
  ANNA,
  answering,
  fromCustomer,
  mail,
  Reader,
  T0,
  toCustomer,
  type World,
  world,
} from './outlook.support.ts'

async function received(fields: Partial<Letter>, w: World = world()) {
  const [m] = w.vendor.people.deliver(ANNA, fromCustomer(fields))
  return read(w, m?.ids.immutable ?? '')
}

async function read(w: World, id: string) {
  const reader = new Reader(w.io, await w.mailbox())
  await reader.everything()
  return reader.message(id).sighted.message
}

describe('received mail', () => {
  test('is read with its headers, from the page that listed it', async () => {
    const w = world()
    const message = await received(
      {
        messageId: 'a1@customer.example',
        inReplyTo: 'b2@contoso.example',
        references: ['c3@contoso.example', 'b2@contoso.example'],
        to: [person(ANNA, 'Anna')],
        cc: [person('Bo.B@BÜCHER.example', 'Bo')],
        replyTo: [person('desk@customer.example', 'Desk')],
        date: T0 - 90_500,
        headers: { 'List-Id': '<news.customer.example>', 'X-Unread': 'no' },
        text: 'Yes, please.\n\nOn Monday Anna wrote:\n> Shall we?\n',
      },
      w,
    )
    expect(message.envelope).toMatchObject({
      messageId: 'a1@customer.example',
      inReplyTo: ['b2@contoso.example'],
      references: ['c3@contoso.example', 'b2@contoso.example'],
      at: T0,
      sentAt: Math.floor((T0 - 90_500) / 1000) * 1000,
      from: [{ address: 'carla@customer.example', name: 'Carla Cruz' }],
      to: [{ address: ANNA, name: 'Anna' }],
      cc: [{ address: 'bo.b@xn--bcher-kva.example', name: 'Bo' }],
      bcc: [],
      replyTo: [{ address: 'desk@customer.example', name: 'Desk' }],
      headers: { 'list-id': '<news.customer.example>' },
      calendar: null,
      bounce: null,
    })
    expect(message.envelope.headers).not.toHaveProperty('x-unread')
    expect(message.text).toBe('Yes, please.')
    expect(message.quoted).toContain('Shall we?')
    expect(w.sent.filter(({ path }) => path.endsWith('/$value'))).toEqual([])
  })

  test('has its attachments listed, never their contents', async () => {
    const w = world()
    const attachments = [{ name: 'Offer.PDF', type: 'application/PDF', content: 'SECRET CONTENT' }]
    const message = await received({ attachments }, w)
    expect(message.attachments).toEqual([{ name: 'Offer.PDF', type: 'application/pdf', size: 14 }])
    expect(w.sent.find(({ path }) => path.includes('/attachments'))?.path).toContain(
      '$select=name,contentType,size,isInline',
    )
  })

  test('with HTML is sanitised', async () => {
    const html = '<p>Hello <b>Anna</b><script>alert(1)</script><img src="https://track.example/p.gif"></p>'
    const message = await received({ text: null, html })
    expect(message.text).toBe('Hello Anna')
    expect(message.html).toContain('<b>Anna</b>')
    expect(message.html).not.toMatch(/script|track/)
  })
})

describe('sent mail', () => {
  test('has no headers at Graph, so its thread is read from the message as MIME', async () => {
    const w = world()
    const { ids } = w.vendor.people.send(
      ANNA,
      toCustomer({
        messageId: 'reply@contoso.example',
        inReplyTo: 'q@customer.example',
        references: ['q@customer.example'],
        bcc: [person('crm@contoso.example')],
        attachments: [{ name: 'price.txt', type: 'text/plain', content: '12' }],
      }),
    )
    const message = await read(w, ids.immutable)
    expect(message.envelope).toMatchObject({
      messageId: 'reply@contoso.example',
      inReplyTo: ['q@customer.example'],
      references: ['q@customer.example'],
      bcc: [{ address: 'crm@contoso.example', name: null }],
    })
    expect(message.attachments.map(({ name }) => name)).toEqual(['price.txt'])
    // Once as new mail, once as part of its folder; not at each of the passes between.
    expect(w.sent.filter(({ path }) => path.endsWith('/$value')).length).toBeLessThanOrEqual(2)
  })
})

describe('what is no correspondence', () => {
  test('a delivery report says whom mail did not reach', async () => {
    const message = await received({
      from: person('postmaster@contoso.example'),
      report: {
        recipients: [{ address: 'gone@customer.example', action: 'failed', status: '5.1.1' }],
        about: 'Message-ID: <x@contoso.example>',
      },
    })
    expect(message.envelope.bounce).toEqual({
      recipients: [{ address: 'gone@customer.example', status: '5.1.1', permanent: true }],
    })
  })

  test.each([
    ['REQUEST', 'REQUEST'],
    ['REPLY', 'REPLY'],
    ['CANCEL', 'CANCEL'],
  ])('a meeting message of method %s', async (method, expected) => {
    const calendar = { method, content: `BEGIN:VCALENDAR\r\nMETHOD:${method}\r\nEND:VCALENDAR` }
    expect((await received({ calendar })).envelope.calendar).toBe(expected)
  })
})

describe('what Graph may answer', () => {
  const folder = { id: 'F1', displayName: 'Inbox', parentFolderId: 'ROOT', totalItemCount: 1 }
  const base = {
    '@odata.type': '#microsoft.graph.message',
    id: 'M1',
    parentFolderId: 'F1',
    receivedDateTime: '2026-03-01T08:00:00Z',
    body: { contentType: 'text', content: 'hello' },
    toRecipients: [{ emailAddress: { name: ANNA, address: ANNA } }],
    from: { emailAddress: { name: 'C', address: 'c@customer.example' } },
    internetMessageHeaders: [{ name: 'Date', value: 'Sun, 1 Mar 2026 08:59:00 +0100' }],
  }

  type Extra = (path: string, prefer: string) => Response | null

  /** A mailbox with one folder that holds `items`; `extra` answers what else is asked. */
  function graph(items: readonly unknown[], extra: Extra = () => null) {
    return answering((request) => {
      const { pathname, origin } = new URL(request.url)
      const answer = extra(pathname, request.headers.get('prefer') ?? '')
      if (answer !== null) return answer
      const deltaLink = `${origin}${pathname}?$deltatoken=done`
      if (pathname.endsWith('/mailFolders/delta'))
        return Response.json({ value: [folder], '@odata.deltaLink': deltaLink })
      if (pathname.endsWith('/messages/delta'))
        return Response.json({ value: items, '@odata.deltaLink': deltaLink })
      if (pathname.endsWith('/messages')) return Response.json({ value: [] })
      if (pathname.endsWith('/mailFolders/inbox')) return Response.json({ id: 'F1' })
      return Response.json({ error: { code: 'ErrorItemNotFound', message: 'Not found.' } }, { status: 404 })
    })
  }
  const box = { id: 'u1', address: ANNA, addresses: [ANNA] }
  const one = async (item: unknown, extra?: Extra) => {
    const reader = new Reader(graph([item], extra), box)
    await reader.everything()
    return reader
  }

  test('a sender without an address, as Exchange names its own people, is read from the MIME', async () => {
    const x500 = '/O=EXCHANGELABS/OU=EXCHANGE ADMINISTRATIVE GROUP/CN=RECIPIENTS/CN=BEN'
    const raw = 'From: Ben <ben@contoso.example>\r\nTo: anna@contoso.example\r\nSubject: x\r\n\r\nhello'
    const from = { emailAddress: { name: 'Ben', address: x500 } }
    const reader = await one({ ...base, from }, (path) =>
      path.endsWith('/$value') ? new Response(raw) : null,
    )
    expect(reader.message('M1').sighted.message.envelope.from).toEqual([
      { address: 'ben@contoso.example', name: 'Ben' },
    ])
  })

  test('an odd message is a bad row with its id and nothing of its content, and the others are read', async () => {
    const odd = { ...base, id: 'M2', subject: 'TOP SECRET', toRecipients: 'everybody' }
    const reader = new Reader(graph([odd, { ...base, id: 'M3' }, { subject: 'TOP SECRET' }, null]), box)
    await reader.page('live')
    await reader.page('backfill')
    expect([...reader.seen.keys()]).toEqual(['M3'])
    expect(reader.bad.map(({ id }) => id)).toEqual([null, null, 'M2'])
    expect(JSON.stringify(reader.bad)).not.toContain('SECRET')
  })

  test('a message whose MIME is nothing is a bad row', async () => {
    const { internetMessageHeaders: _, ...bare } = base
    const reader = await one(bare, (path) => (path.endsWith('/$value') ? new Response('') : null))
    expect(new Set(reader.bad.map(({ id }) => id))).toEqual(new Set(['M1']))
  })

  test('a page of a proxy in place of messages stops the page, and makes none of them bad', async () => {
    const { internetMessageHeaders: _, ...bare } = base
    let isOut = false
    const proxy: Extra = (path) => {
      if (isOut && /(?:\$value|inbox)$/.test(path)) return new Response('<html>Back soon</html>')
      return path.endsWith('/$value')
        ? new Response('From: c@customer.example\r\nSubject: x\r\n\r\nhello')
        : null
    }
    const reader = new Reader(graph([bare], proxy), box)
    await reader.page('live')
    isOut = true
    await expect(reader.page('backfill')).rejects.toMatchObject({ failure: { kind: 'malformed' } })
    isOut = false
    await reader.everything()
    expect(reader.bad).toEqual([])
    expect(reader.message('M1').id).toBe('M1')
  })

  test('a message that went while its page was read is gone', async () => {
    const { internetMessageHeaders: _, ...bare } = base
    expect((await one(bare)).places()).toEqual({ M1: 'gone' })
  })

  test('the zone of the Date header counts', async () => {
    const { envelope } = (await one(base)).message('M1').sighted.message
    expect(envelope.sentAt).toBe(Date.parse('2026-03-01T07:59:00Z'))
  })

  test('a message in a folder nobody can name has no labels, so that nothing of it is logged', async () => {
    const reader = await one({ ...base, parentFolderId: 'F9' })
    expect(reader.message('M1').sighted.labels).toBeNull()
  })

  test.each([
    'https://evil.example/v1.0/me/messages/delta?$deltatoken=x',
    'http://graph.microsoft.com/v1.0/me/x',
    'https://graph.microsoft.com.evil.example/v1.0/me/x',
    'https://graph.microsoft.com@evil.example/v1.0/me/x',
    'http://127.0.0.1:4012/metadata/identity',
    'file:///etc/passwd',
    '/v1.0/me/messages',
    '',
  ])('a link to %s is not followed', async (link) => {
    const asked: string[] = []
    const io = answering((request) => {
      asked.push(request.url)
      return request.url.includes('/mailFolders/delta')
        ? Response.json({ value: [], '@odata.nextLink': link })
        : Response.json({ id: 'F1' })
    })
    await expect(new Reader(io, box).page('live')).rejects.toMatchObject({ failure: { kind: 'malformed' } })
    expect(new Set(asked.map((url) => new URL(url).origin))).toEqual(new Set(['http://127.0.0.1:4012']))
  })

  test('a link of Graph itself is followed to where the connection is, to the letter', async () => {
    const asked: string[] = []
    const tail = "/v1.0/users('u%2B1')/mailFolders/delta?$skiptoken=a=b%2Bc==&$select=x,y&flag"
    const io = answering((request) => {
      asked.push(request.url)
      if (request.url.includes('skiptoken'))
        return Response.json({ value: [], '@odata.deltaLink': `https://graph.microsoft.com${tail}` })
      return request.url.includes('/mailFolders/delta')
        ? Response.json({ value: [], '@odata.nextLink': `https://graph.microsoft.com${tail}` })
        : Response.json({ id: 'F1' })
    })
    await new Reader(io, box).page('live')
    expect(asked).toContain(`http://127.0.0.1:4012${tail}`)
  })

  test('a page that says neither how to go on nor that it was the last is an error', async () => {
    const io = answering(() => Response.json({ id: 'x', value: [] }))
    await expect(new Reader(io, box).page('live')).rejects.toMatchObject({ failure: { kind: 'malformed' } })
  })

  test('a page too large to be read is asked for in smaller ones', async () => {
    const sizes: string[] = []
    const io = graph([base], (path, prefer) => {
      if (!path.endsWith('/messages/delta')) return null
      sizes.push(/maxpagesize=(\d+)/.exec(prefer)?.[1] ?? '')
      return prefer.endsWith('maxpagesize=1') ? null : new Response('{"value":[{"id":"M1","body":"cut o')
    })
    const reader = new Reader(io, box)
    await reader.everything()
    expect([...reader.seen.keys()]).toEqual(['M1'])
    expect(sizes.slice(0, 3)).toEqual(['25', '5', '1'])
  })

  test('nothing is sent twice by the SDK', async () => {
    let asked = 0
    const io = answering(() => {
      asked += 1
      return new Response('', { status: 503, headers: { 'retry-after': '0' } })
    })
    await expect(mail.mailboxes(io)).rejects.toMatchObject({ failure: { kind: 'throttled' } })
    expect(asked).toBe(1)
  })

  test('without a baseUrl it is Graph itself that is asked', async () => {
    const asked: string[] = []
    const io = answering((request) => {
      asked.push(request.url)
      return Response.json({
        id: 'u1',
        mail: 'Anna@Contoso.example',
        proxyAddresses: ['SIP:anna', 'X500:/o=x'],
      })
    })
    const boxes = await mail.mailboxes({ ...io, settings: {} })
    expect(boxes).toEqual([{ id: 'u1', address: ANNA, addresses: [ANNA] }])
    expect(asked[0]).toMatch(/^https:\/\/graph\.microsoft\.com\/v1\.0\/me\?\$select=id,/)
  })

  test('a mailbox that is moved away is an error, not a loss of everything', async () => {
    const away = { error: { code: 'MailboxNotEnabledForRESTAPI', message: 'The mailbox is inactive.' } }
    const io = answering(() => Response.json(away, { status: 404 }))
    await expect(mail.fetch(io, box, ['M1'])).rejects.toMatchObject({ failure: { kind: 'rejected' } })
  })
})
