import { describe, expect, test } from 'vitest'
import { parseMail, UnreadableMail } from '../../../src/connectors/mime/parse.ts'
import { MOST_RECIPIENTS } from '../../../src/core/mail/address.ts'
import type { Envelope, MailMessage } from '../../../src/core/mail/message.ts'
import { DEFAULT_RULES } from '../../../src/core/mail/rules.ts'
import { sift } from '../../../src/core/mail/sift.ts'
import { domainFacts } from '../../../src/runtime/mail/domains.ts'
import { alternative, AT, bounce, bytes, forwarded, HEAD, invitation, plain, raw, tnef } from './seeds.ts'

const parsed = async (source: Uint8Array): Promise<MailMessage> => (await parseMail(source, AT)).message
const enveloped = async (...lines: readonly string[]): Promise<Envelope> =>
  (await parsed(raw(...lines, '', 'x'))).envelope
const box = { id: 'a', address: 'ann@ours.com', addresses: ['ann@ours.com'] }
const reasonOf = async (source: Uint8Array) => {
  const verdict = sift(
    { envelope: (await parsed(source)).envelope, flags: [], labels: [] },
    box,
    DEFAULT_RULES,
    domainFacts,
  )
  return verdict.kind === 'filter' ? verdict.reason : verdict.direction
}

describe('a message', () => {
  test('in plain text', async () => {
    expect(await parsed(plain)).toEqual({
      envelope: {
        messageId: 'one@acme.com',
        inReplyTo: [],
        references: [],
        at: AT,
        sentAt: AT - 30_000,
        from: [{ address: 'jo@acme.com', name: 'Jo Lee' }],
        sender: null,
        replyTo: [],
        to: [{ address: 'ann@ours.com', name: 'Ann' }],
        cc: [],
        bcc: [],
        headers: {},
        calendar: null,
        bounce: null,
      },
      subject: 'Offer',
      text: 'Hello Ann,\n\nyes.',
      quoted: null,
      signature: null,
      html: null,
      attachments: [],
    })
  })

  test('of nested parts: text, safe HTML, and names of attachments without their contents', async () => {
    const message = await parsed(alternative)
    expect(message.text).toBe('Grüße aus Köln')
    expect(message.html).toBe('<p>Grüße aus <b>Köln</b></p>')
    expect(message.attachments).toEqual([
      { name: 'logo.png', type: 'image/png', size: 8 },
      { name: 'Angebot für Sie.pdf', type: 'application/pdf', size: 9 },
    ])
  })

  test('of TNEF keeps its text and lists winmail.dat', async () => {
    const message = await parsed(tnef)
    expect([message.text, message.attachments[0]?.name]).toEqual(['Grüße', 'winmail.dat'])
  })

  test('with another message in it lists that one, and is not what that one is', async () => {
    const message = await parsed(forwarded)
    expect(message.attachments.map(({ type }) => type)).toEqual(['message/rfc822'])
    expect(JSON.stringify(message)).not.toMatch(/not mine|private\.org|victim/)
    expect(await reasonOf(forwarded)).toBe('received')
  })

  test('with HTML only', async () => {
    const message = await parsed(
      raw(...HEAD, 'Content-Type: text/html', '', '<p>Hello</p><p>you &amp; me</p>'),
    )
    expect([message.text, message.html]).toEqual(['Hello\n\nyou & me', '<p>Hello</p><p>you &amp; me</p>'])
  })

  test('with nothing in it', async () => {
    const message = await parsed(raw(...HEAD, '', ''))
    expect([message.text, message.html, message.quoted]).toEqual([null, null, null])
  })

  test('that breaks off in the middle of a part', async () => {
    const message = await parsed(alternative.slice(0, 700))
    expect(message.subject).toBe('Offer')
  })
})

describe('headers', () => {
  test('encoded words, folded and in several charsets', async () => {
    const message = await parsed(
      raw(
        'From: =?ISO-8859-1?Q?J=F6rg_M=FCller?= <J.Mueller@B=?x?=',
        'To: =?utf-8?B?w4RubmE=?= =?utf-8?B?IMOWeg==?= <a@ours.com>, "Lee, =?utf-8?q?Ann?=" <l@ours.com>',
        'Subject: =?utf-8?Q?Gr=C3=BC?=',
        ' =?utf-8?Q?=C3=9Fe?= =?windows-1252?Q?_=80?= =?no-such-charset?Q?x?= =?utf-8?Q?=FF?=',
        '',
        'x',
      ),
    )
    expect(message.subject).toMatch(/^Grüße ?€ ?x/)
    expect(message.envelope.to).toEqual([
      { address: 'a@ours.com', name: 'Änna Öz' },
      { address: 'l@ours.com', name: 'Lee, Ann' },
    ])
  })

  test('groups are flattened, empty ones are nobody', async () => {
    const one = await enveloped('From: a@b.de', 'To: Undisclosed recipients:;')
    expect(one.to).toEqual([])
    const two = await enveloped(
      'From: a@b.de',
      'To: Team: x@b.de, "Y" <y@b.de>;, z@b.de',
      'Cc: undisclosed-recipients',
    )
    expect([...two.to, ...two.cc].map(({ address }) => address)).toEqual(['x@b.de', 'y@b.de', 'z@b.de'])
    const nested = await enveloped('From: a@b.de', 'To: A: b@x.de, C: d@x.de;; , E <e@x.de>')
    expect(nested.to.map(({ address }) => address)).toEqual(['b@x.de', 'd@x.de', 'e@x.de'])
  })

  test('addresses in small letters with ASCII domains', async () => {
    const one = await enveloped('From: Jo@BÜCHER.de', 'To: "odd name"@x.de, <>, a@x.de., =?utf-8?Q?J?=')
    expect(one.from).toEqual([{ address: 'jo@xn--bcher-kva.de', name: null }])
    expect(one.to.map(({ address }) => address)).toContain('a@x.de')
  })

  test('a name that looks like another address is not one', async () => {
    const one = await enveloped('From: "boss@ours.com" <evil@x.io>')
    expect(one.from).toEqual([{ address: 'evil@x.io', name: 'boss@ours.com' }])
  })

  test.each<[string | null, number | null]>([
    ['Mon, 5 Jan 2026 12:59:30 +0100', AT - 30_000],
    ['5 Jan 2026 12:00:00 GMT', AT],
    ['Mon, 5 Jan 2026 12:00:00', AT],
    ['Mon, 5 Jan 2026 13:00:00 +0100 (CET (odd))', AT],
    ['Mon, 5 Jan 2026 12:00:00 Arabian Standard Time', AT],
    ['2026-01-05T12:00:00Z', AT],
    ['2026-01-05 12:00:00', AT],
    ['Mon, 5 Jan 2026 12:00:00 +-0700', null],
    ['Tue, 28 May 0102 21:38:11 +0500', null],
    ['Mon, 32 Jan 2026 12:00:00 +0000', null],
    ['yesterday', null],
    ['2026', null],
    ['', null],
    [null, null],
  ])('Date %j', async (date, at) => {
    const one = await enveloped('From: a@b.de', ...(date === null ? [] : [`Date: ${date}`]))
    expect(one.sentAt).toBe(at)
  })

  test.each<[string | null, string | null]>([
    ['<a@b>', 'a@b'],
    [' <a', null],
    ['a@b', 'a@b'],
    ['<a@b> (added by x)', 'a@b'],
    ['<a b@c>', 'ab@c'],
    ['<>', null],
    ['', null],
    [null, null],
    [`<${'x'.repeat(999)}>`, null],
  ])('Message-ID %j', async (id, plainId) => {
    const one = await enveloped('From: a@b.de', ...(id === null ? [] : [`Message-ID: ${id}`]))
    expect(one.messageId).toBe(id === ' <a' ? 'a' : plainId)
  })

  test('references: all of them, oldest first, bounded', async () => {
    const ids = Array.from({ length: 500 }, (_, i) => `<r${i}@x>`)
    const one = await enveloped(
      'From: a@b.de',
      'References: <a@x>',
      '\t<b@x>,<a@x>',
      'In-Reply-To: Your message <b@x> of Monday',
    )
    expect([one.references, one.inReplyTo]).toEqual([['a@x', 'b@x'], ['b@x']])
    const two = await enveloped('From: a@b.de', `References: ${ids.join('\r\n ')}`)
    expect(two.references).toHaveLength(200)
    expect([two.references[0], two.references.at(-1)]).toEqual(['r0@x', 'r499@x'])
  })

  test('that come twice: no mark hides another, recipients add up, the top Return-Path counts', async () => {
    const one = await enveloped(
      'Return-Path: <>',
      'Return-Path: <a@b.de>',
      'From: a@b.de',
      'To: x@b.de',
      'To: y@b.de',
      'Precedence: first-class',
      'precedence: bulk',
      'AUTO-SUBMITTED: no',
      'Auto-Submitted: auto-generated',
    )
    expect(one.to).toHaveLength(2)
    expect(one.headers).toEqual({
      'return-path': '<>',
      precedence: 'first-class, bulk',
      'auto-submitted': 'no, auto-generated',
    })
    const twice = raw(...HEAD, 'Auto-Submitted: no', 'Auto-Submitted: auto-generated', '', 'x')
    expect(await reasonOf(twice)).toBe('automatic')
  })

  test('no From is unclear, and so is one that cannot be read', async () => {
    expect(await reasonOf(raw('To: ann@ours.com', 'Subject: x', '', 'x'))).toBe('unclear')
    expect(await reasonOf(raw('From: Somebody', 'To: ann@ours.com', '', 'x'))).toBe('unclear')
    expect(await reasonOf(raw('From: <jo@>', 'To: ann@ours.com', '', 'x'))).toBe('unclear')
  })

  test('10,000 recipients are not read to the end, and the rules see that there are too many', async () => {
    const to = Array.from({ length: 10_000 }, (_, i) => `"Name ${i}" <p${i}@acme.com>`).join(',\r\n ')
    const source = raw('From: a@b.de', `To: ${to}`, '', 'x')
    expect((await parsed(source)).envelope.to).toHaveLength(MOST_RECIPIENTS + 1)
    expect(await reasonOf(source)).toBe('unclear')
  })

  test('huge headers are refused, long ones cut', async () => {
    await expect(parseMail(raw(...HEAD, `X-Junk: ${'x'.repeat(2e6)}`, '', 'x'), AT)).rejects.toThrow(
      UnreadableMail,
    )
    const message = await parsed(
      raw(...HEAD.slice(0, 4), `Subject: ${'é'.repeat(5_000)}`, `List-Id: ${'y'.repeat(50_000)}`, '', 'x'),
    )
    expect([message.subject?.length, message.envelope.headers['list-id']?.length]).toEqual([1_000, 1_000])
  })
})

describe('broken bytes', () => {
  test('charsets that are wrong, unknown or missing', async () => {
    const body = (charset: string, text: string) =>
      parsed(
        bytes(...HEAD, `Content-Type: text/plain${charset}`, 'Content-Transfer-Encoding: 8bit', '', text),
      )
    expect((await body('; charset=iso-8859-1', 'Gr\xfc\xdfe')).text).toBe('Grüße')
    expect((await body('; charset=windows-1252', '\x80 5')).text).toBe('€ 5')
    expect((await body('; charset=koi8-r', '\xf0\xd2\xc9')).text).toBe('При')
    for (const charset of ['', '; charset=no-such', '; charset=""', '; charset=utf-8'])
      expect((await body(charset, 'Gr\xfc\xdfe ok')).text).toMatch(/^Gr.{1,2}e ok$/)
  })

  test('nothing that PostgreSQL refuses comes through', async () => {
    const message = await parsed(
      raw(
        'From: "J\u0000o" <j\u0000o@acme.com>',
        'Subject: a\u0000b =?utf-16?B?2AA=?= \u0007',
        'List-Id: \u0000<x>',
        'Message-ID: <a\u0000@b>',
        'Content-Type: text/html; charset=utf-8',
        '',
        '<p>a\u0000b &#0; &#xD800; \u001b</p>',
      ),
    )
    const everything: string[] = []
    JSON.stringify(message, (_, value: unknown) => {
      if (typeof value === 'string') everything.push(value)
      return value
    })
    expect(everything.length).toBeGreaterThan(5)
    for (const text of everything) {
      // oxlint-disable-next-line no-control-regex -- these are what must be gone
      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/)
      expect(text.isWellFormed()).toBe(true)
    }
  })

  test.each<[string, Uint8Array]>([
    ['nothing', raw()],
    ['zeros', new Uint8Array(100)],
    ['only a body', raw('', 'hello')],
    ['an error page', raw('<html><body>', '<p style="a: b">502 Bad Gateway', '')],
    [
      'parts nested too deep',
      raw(
        ...HEAD,
        ...Array.from(
          { length: 150 },
          (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}`,
        ),
      ),
    ],
  ])('%s is unreadable, in words for people', async (_, source) => {
    await expect(parseMail(source, AT)).rejects.toThrow(/^the message /)
  })
})

describe('delivery reports', () => {
  test('say whom they mean, by the address it was sent to, and whether for good', async () => {
    const { envelope, text, attachments } = await parsed(bounce)
    expect(envelope.bounce).toEqual({
      recipients: [
        { address: 'jo+shop@acme.com', status: '5.1.1', permanent: true },
        { address: 'slow@acme.com', status: '4.4.1', permanent: false },
        { address: 'full@acme.com', status: '4.2.2', permanent: false },
      ],
    })
    expect(text).toBe('It did not work.')
    expect(attachments).toHaveLength(2)
    expect(JSON.stringify(envelope)).not.toMatch(/secret/)
    expect(await reasonOf(bounce)).toBe('bounce')
  })

  test('of Exim and Gmail name them in X-Failed-Recipients', async () => {
    const source = raw(
      'From: mailer-daemon@ours.com',
      'To: ann@ours.com',
      'X-Failed-Recipients: Jo@acme.com,',
      ' not an address, bo@acme.com',
      '',
      'x',
    )
    expect((await parsed(source)).envelope.bounce?.recipients.map(({ address }) => address)).toEqual([
      'jo@acme.com',
      'bo@acme.com',
    ])
    expect(await reasonOf(source)).toBe('bounce')
  })

  test('nobody can forge one with an attached report', async () => {
    const source = raw(
      ...HEAD,
      'Content-Type: multipart/mixed; boundary=m',
      '',
      '--m',
      'Content-Type: message/delivery-status',
      '',
      'Final-Recipient: rfc822; bo@acme.com',
      'Action: failed',
      '--m--',
    )
    expect((await parsed(source)).envelope.bounce).toBeNull()
  })

  test('of success mark nobody, and are still reports', async () => {
    const source = raw(
      ...HEAD,
      'Content-Type: multipart/report; report-type=delivery-status; boundary=m',
      '',
      '--m',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; x',
      '',
      'Final-Recipient: rfc822; bo@acme.com',
      'Action: delivered',
      '--m--',
    )
    expect((await parsed(source)).envelope.bounce).toEqual({ recipients: [] })
    expect(await reasonOf(source)).toBe('bounce')
  })
})

describe('calendar parts', () => {
  test.each<[string, string, string | null]>([
    ['; method=REPLY', 'METHOD:REPLY', 'REPLY'],
    ['; method="request"', '', 'REQUEST'],
    ['', 'METHOD:CANCEL', 'CANCEL'],
    ['', 'METHOD;X=1:counter', 'COUNTER'],
    ['', 'VERSION:2.0', null],
    ['\r\nContent-Disposition: attachment; filename=a.ics', 'METHOD:REPLY', null],
    ['; method=REPLY\r\nContent-Disposition: attachment; filename=a.ics', 'METHOD:REPLY', 'REPLY'],
  ])('%j and %j', async (parameter, line, method) => {
    expect((await parsed(invitation(parameter, line))).envelope.calendar).toBe(method)
  })
})

describe('attachments', () => {
  test('are listed with their size, and nothing of their contents is held', async () => {
    const line = `${'A'.repeat(76)}\r\n`
    const parts = Array.from({ length: 250 }, (_, i) => [
      '--b',
      `Content-Type: application/pdf; name="../../${i}\u0000 \u202e.pdf"`,
      'Content-Transfer-Encoding: base64',
      '',
      line.repeat(i === 0 ? 130_000 : 1),
    ])
    const head = [...HEAD, 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'hi']
    const message = await parsed(raw(...head, ...parts.flat(), '--b--'))
    expect(message.attachments).toHaveLength(200)
    expect(message.attachments[0]).toMatchObject({ type: 'application/pdf', size: 7_410_000 })
    expect(JSON.parse(JSON.stringify(message))).toEqual(message)
    expect(JSON.stringify(message).length).toBeLessThan(30_000)
  }, 30_000)

  test('without a name are listed too', async () => {
    const message = await parsed(
      raw(...HEAD, 'Content-Type: application/octet-stream', 'Content-Transfer-Encoding: base64', '', 'AAAA'),
    )
    expect(message.attachments).toEqual([{ name: 'unnamed', type: 'application/octet-stream', size: 3 }])
  })
})
