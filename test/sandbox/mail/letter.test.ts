import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import { compose, letter, person, withoutBcc } from '../../../src/sandbox/mail/letter.ts'
import {
  autoReply,
  bounce,
  calendarReply,
  invitation,
  newsletter,
  reply,
  replyAll,
} from '../../../src/sandbox/mail/makers.ts'

const ann = person('ann@acme.example', 'Müller, Ann "the one"')
const jo = person('jo@us.example', 'Jo')
const AT = Date.UTC(2026, 2, 2, 9, 15, 7)
const stamp = { date: AT, messageId: 'two@us.example' }
const first = letter({
  from: ann,
  to: [jo, person('al@us.example')],
  bcc: [person('secret@us.example')],
  subject: 'Grüße & more',
  text: 'Hello\nthere',
  html: '<p>Hello</p>',
  date: AT - 60_000,
  messageId: 'one@acme.example',
})
const parse = async (raw: string) => await PostalMime.parse(raw)

describe('a letter', () => {
  test('reads as it was written', async () => {
    const mail = await parse(await compose(first))
    expect(mail.from).toEqual(expect.objectContaining(ann))
    expect(mail.to?.map(({ address }) => address)).toEqual(['jo@us.example', 'al@us.example'])
    expect(mail.bcc?.map(({ address }) => address)).toEqual(['secret@us.example'])
    expect([mail.subject, mail.text?.trim(), mail.html?.trim()]).toEqual([
      'Grüße & more',
      'Hello\nthere',
      '<p>Hello</p>',
    ])
    expect([mail.messageId, mail.date]).toEqual(['<one@acme.example>', '2026-03-02T09:14:07.000Z'])
  })

  test('is the same text every time, and another for another letter', async () => {
    expect(await compose({ ...first })).toBe(await compose(first))
    expect(await compose({ ...first, text: 'x' })).not.toBe(await compose(first))
  })

  test('without date, id and sender has no such fields', async () => {
    const raw = await compose(letter({ subject: 'x', text: 'Date: no' }))
    expect(raw.slice(0, raw.indexOf('\r\n\r\n'))).not.toMatch(/^(date|message-id|from|to):|letter-without/im)
  })

  test('takes broken fields as they are', async () => {
    const raw = await compose({ ...first, headers: { Date: 'yesterday', 'X-Mailer': 'pen' } })
    expect(raw.match(/^Date:.*$/gm)).toEqual(['Date: yesterday'])
    expect(raw).toContain('X-Mailer: pen\r\n')
  })

  test('goes to others without Bcc', async () => {
    expect(await compose(withoutBcc(first))).not.toContain('secret@us.example')
  })

  test('carries attachments', async () => {
    const content = 'number;1\r\nüber'
    const raw = await compose({ ...first, attachments: [{ name: 'offer.csv', type: 'text/csv', content }] })
    const { attachments } = await parse(raw)
    expect(attachments).toMatchObject([{ filename: 'offer.csv', mimeType: 'text/csv' }])
  })
})

describe('makers', () => {
  test('a reply is in the thread, quotes, and goes to the sender', async () => {
    const answer = reply(first, jo, 'Fine.', stamp)
    const again = reply(answer, ann, 'Thanks', { date: AT, messageId: 'three@acme.example' })
    expect(answer).toMatchObject({ to: [ann], subject: 'Re: Grüße & more', inReplyTo: 'one@acme.example' })
    expect(answer.text).toContain('> Hello\n> there')
    expect(again.subject).toBe('Re: Grüße & more')
    const mail = await parse(await compose(again))
    expect([mail.inReplyTo, mail.references]).toEqual([
      '<two@us.example>',
      '<one@acme.example> <two@us.example>',
    ])
  })

  test('a reply to all leaves out who writes it', () => {
    expect(replyAll(first, jo, 'Fine', stamp).cc.map(({ address }) => address)).toEqual(['al@us.example'])
  })

  test('a newsletter says so', async () => {
    const raw = await compose(newsletter(person('news@shop.example'), jo, 'Spring', stamp))
    expect(raw).toMatch(/^List-ID: <news\.shop\.example>/im)
    expect(raw).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
  })

  test('an automatic answer says so', async () => {
    expect(await compose(autoReply(first, jo, stamp))).toContain('Auto-Submitted: auto-replied')
  })

  test('a bounce is a delivery report', async () => {
    const raw = await compose(bounce(first, ['gone@x.example', 'full@x.example'], stamp))
    expect(raw).toMatch(/Content-Type: multipart\/report; report-type=delivery-status/)
    expect(raw).toContain('Final-Recipient: rfc822; full@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n')
    expect(raw).toContain('X-Failed-Recipients: gone@x.example, full@x.example')
    expect((await parse(raw)).to?.map(({ address }) => address)).toEqual([ann.address])
  })

  test('calendar mail has its method', async () => {
    const invited = invitation(ann, jo, 'Call', stamp)
    expect(await compose(invited)).toContain('text/calendar; charset=utf-8; method=REQUEST')
    const accepted = calendarReply(invited, jo, { date: AT, messageId: 'c@us.example' })
    expect(await compose(accepted)).toContain('text/calendar; charset=utf-8; method=REPLY')
    expect(accepted.calendar?.content).toContain('UID:two@us.example')
  })
})
