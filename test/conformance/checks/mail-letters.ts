import type { MailMessage } from '../../../src/core/mail/message.ts'
import { fingerprintOf, identityText, sameMessage } from '../../../src/core/mail/identity.ts'
import { type Letter, person } from '../../../src/sandbox/mail/letter.ts'
import type { MailRig } from '../mail-rig.ts'
import { need, short, want, wantSame } from '../verdict.ts'
import { answer, HOUR, type MailCheck, MINUTE, question, readAll } from './mail-check.ts'

const ENVELOPE = 'Envelope: "What the rules may look at"; src/connectors/mime/parse.ts makes one of MIME.'

const HIDEOUS = `<html><head><style>p { color: red }</style><script>alert(1)</script></head><body>
<p onclick="alert(2)">Hello <b>there</b></p><img src="https://track.example/p.gif" width="1" height="1">
<a href="javascript:alert(3)">here</a><form action="https://x.example"><input name="a"></form>
<iframe src="https://x.example"></iframe></body></html>`
const UNSAFE = /<(?:script|style|form|input|iframe|img[^>]+src="?https?:)|onclick|javascript:|track\.example/i

export const MAIL_LETTERS: readonly MailCheck[] = [
  {
    name: 'the envelope says who wrote to whom, with their names',
    contract: ENVELOPE,
    async run(rig) {
      const from = person('jo@customer.example', 'Jürgen Ünal 😀')
      const to = [person(rig.stand.address, 'Lee, Ann'), person('carla@partner.example', null)]
      const cc = [person('dan@customer.example', "Dan O'Neil")]
      const shouting = [person('SALES@Customer.EXAMPLE', 'Sales')]
      const { envelope, subject } = await delivered(rig, {
        from,
        to,
        cc,
        replyTo: shouting,
        subject: 'Größe „L“ 😀',
      })
      wantSame(envelope.from, [from], 'From')
      wantSame(envelope.to, to, 'To')
      wantSame(envelope.cc, cc, 'Cc')
      wantSame(
        envelope.replyTo.map(({ address }) => address),
        ['sales@customer.example'],
        'Reply-To, in small letters,',
      )
      wantSame(subject, 'Größe „L“ 😀', 'The subject')
    },
  },
  {
    name: 'the envelope says in which thread: Message-ID, In-Reply-To and References',
    contract: 'Envelope.messageId: "without its angle brackets"; references "Oldest first".',
    async run(rig) {
      const thread = {
        messageId: 'Three.3@customer.example',
        inReplyTo: 'two@acme.example',
        references: ['one@customer.example', 'two@acme.example'],
      }
      const { envelope } = await delivered(rig, thread)
      const { messageId, inReplyTo, references } = envelope
      const expected = { ...thread, inReplyTo: [thread.inReplyTo] }
      wantSame({ messageId, inReplyTo, references }, expected, 'The thread of a message')
    },
  },
  {
    name: 'the envelope has both times: of the Date header, and of the mailbox',
    contract: 'Envelope.sentAt: "The Date header… The same in every mailbox"; at: "by the vendor’s clock".',
    async run(rig) {
      const now = Math.floor(rig.io.now() / 1000) * 1000
      const { envelope } = await delivered(rig, { date: now - 5 * HOUR }, now - 2 * HOUR)
      wantSame(envelope.sentAt, now - 5 * HOUR, 'The time of the Date header')
      const off = Math.abs(envelope.at - (now - 2 * HOUR))
      want(off < MINUTE, `The time of arrival is off by ${off} ms`)
    },
  },
  {
    name: 'mail that was sent shows whom it went to in Bcc, and in which thread',
    contract: 'Envelope.bcc: the copy of the sender is the only one that has it.',
    async run(rig) {
      const { stand } = rig
      const bcc = [person('vera@customer.example', 'Vera Ito')]
      const thread = { inReplyTo: 'q0@customer.example', references: ['q0@customer.example'] }
      const sent = answer(rig, { bcc, ...thread })
      const id = await stand.send(stand.address, sent)
      const { envelope } = (await readAll(rig)).sighted(id, 'A message that was sent').message
      wantSame(envelope.bcc, bcc, 'Bcc')
      wantSame(envelope.messageId, sent.messageId, 'The Message-ID of a sent message')
      wantSame(
        [envelope.inReplyTo, envelope.references],
        [['q0@customer.example'], ['q0@customer.example']],
        'The thread of a sent message',
      )
      wantSame(envelope.from[0]?.address, stand.address, 'From')
    },
  },
  {
    name: 'one message in two mailboxes is one: the same Message-ID, sender and date',
    contract: 'identityText and sameMessage (src/core/mail/identity.ts): one activity over all mailboxes.',
    async run(rig) {
      const { stand } = rig
      const other = need(stand.other, 'the connection has one mailbox only')
      const sent = answer(rig, { to: [person('jo@customer.example'), person(other)] })
      const cases = [
        [await stand.deliver(stand.address, question(rig)), null],
        [await stand.send(stand.address, sent), sent],
      ] as const
      for (const [id, letter] of cases) {
        const one = (await readAll(rig)).sighted(id, 'A message').message
        const copy = letter ?? question(rig, { messageId: one.envelope.messageId, date: one.envelope.sentAt })
        if (letter === null) await stand.deliver(other, copy)
        const seen = [...(await readAll(rig, other)).seen.values()]
        const found = seen.find(
          (two) =>
            two.kind === 'message' && two.sighted.message.envelope.messageId === one.envelope.messageId,
        )
        want(
          found?.kind === 'message',
          `In ${other}, no message has the Message-ID ${one.envelope.messageId}`,
        )
        const two = found.sighted.message
        wantSame(identityText(two), identityText(one), 'What makes it one message')
        want(
          sameMessage(fingerprintOf(one), fingerprintOf(two)),
          `Sender or date differ: ${short(fingerprintOf(one))} and ${short(fingerprintOf(two))}`,
        )
      }
    },
  },
  {
    name: 'the marks of newsletters and automatic mail are there',
    contract: 'MARK_HEADERS: "Header fields that rules read, in small letters".',
    async run(rig) {
      const headers = {
        'List-Id': '<news.shop.example>',
        'List-Unsubscribe': '<https://shop.example/off>',
        Precedence: 'bulk',
        'Auto-Submitted': 'auto-generated',
      }
      const { envelope } = await delivered(rig, { headers })
      const expected = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
      const got = new Map(Object.entries(envelope.headers))
      for (const [name = '', value = ''] of expected) wantSame(got.get(name), value, `The header ${name}`)
      wantSame([envelope.calendar, envelope.bounce], [null, null], 'What is no invitation and no bounce')
    },
  },
  {
    name: 'a reply to an invitation is told by its calendar method',
    contract: 'Envelope.calendar: "The method of a calendar part".',
    async run(rig) {
      const content = ['BEGIN:VCALENDAR', 'METHOD:REPLY', 'END:VCALENDAR', ''].join('\r\n')
      const { envelope } = await delivered(rig, { calendar: { method: 'REPLY', content } })
      wantSame(envelope.calendar, 'REPLY', 'The calendar method')
    },
  },
  {
    name: 'a delivery report names whom mail did not reach',
    contract: 'Envelope.bounce: "A delivery report (RFC 3464) that a message is".',
    async run(rig) {
      const { envelope } = await delivered(rig, {
        from: person('mailer-daemon@mx.example'),
        subject: 'Undelivered',
        report: {
          recipients: [{ address: 'gone@customer.example', action: 'failed', status: '5.1.1' }],
          about: 'Subject: Hello\r\nMessage-ID: <x@acme.example>\r\n',
        },
      })
      wantSame(
        envelope.bounce?.recipients,
        [{ address: 'gone@customer.example', status: '5.1.1', permanent: true }],
        'The recipients of the report',
      )
    },
  },
  {
    name: 'HTML is safe to show, and its words are the text too',
    contract: 'MailMessage.html: "no script, style, form, tracking pixel or remote image; safe to show".',
    async run(rig) {
      const { html, text } = await delivered(rig, { text: null, html: HIDEOUS })
      want(html?.includes('there') === true, `The HTML lacks what it said: ${short(html)}`)
      want(!UNSAFE.test(html), `The HTML is not safe: ${short(UNSAFE.exec(html)?.[0])} in ${short(html)}`)
      want(text?.includes('Hello') === true, `The text is ${short(text)}, without the words of the HTML`)
      want(!/<|alert|color/.test(text), `The text has more than words: ${short(text)}`)
    },
  },
  {
    name: 'quoted text and signature are apart from what its author wrote',
    contract: 'MailMessage.text: "What its author wrote, without quoted text and signature."',
    async run(rig) {
      const quoting =
        'Monday suits us.\r\n\r\nOn Mon, 1 Jun 2026 at 10:00, Ann <ann@acme.example> wrote:\r\n> Shall we?\r\n'
      const reply = await delivered(rig, { text: quoting })
      want(reply.text?.includes('Monday suits us.') === true, `The text is ${short(reply.text)}`)
      want(!reply.text.includes('Shall we?'), `The text has what was quoted: ${short(reply.text)}`)
      want(reply.quoted?.includes('Shall we?') === true, `The quoted text is ${short(reply.quoted)}`)
      const signed = await delivered(rig, {
        text: 'Monday suits us.\r\n\r\n-- \r\nJo Wu\r\nCustomer Ltd\r\n',
      })
      want(
        signed.text?.includes('Customer Ltd') === false,
        `The text has the signature: ${short(signed.text)}`,
      )
      want(signed.signature?.includes('Customer Ltd') === true, `The signature is ${short(signed.signature)}`)
    },
  },
  {
    name: 'attachments are listed with name and type, and their content is nowhere',
    contract: 'MailMessage.attachments: listed, not stored.',
    async run(rig) {
      const content = 'TOP-SECRET-CONTENT of the offer'
      const message = await delivered(rig, {
        attachments: [{ name: 'Offer.pdf', type: 'application/pdf', content }],
      })
      const listed = message.attachments.map(({ name, type }) => ({ name, type }))
      wantSame(listed, [{ name: 'Offer.pdf', type: 'application/pdf' }], 'The attachments')
      want(
        !JSON.stringify(message).includes('TOP-SECRET'),
        'The message carries the content of an attachment',
      )
    },
  },
]

/** What the connector makes of a letter of a customer. */
async function delivered(rig: MailRig, fields: Partial<Letter>, at?: number): Promise<MailMessage> {
  const id = await rig.stand.deliver(rig.stand.address, question(rig, fields), at)
  return (await readAll(rig)).sighted(id, 'The message').message
}
