import type { Instant } from '../../core/json.ts'
import type { MailAddress } from '../../core/mail/message.ts'
import { type Letter, letter, person } from './letter.ts'

/** What a new letter needs that its maker cannot know. */
export type Stamp = { readonly date: Instant; readonly messageId: string }

/** An answer to the sender as mail programs write it: `Re:`, the thread's references, the text quoted below. */
export function reply(
  to: Letter,
  from: MailAddress,
  text: string,
  stamp: Stamp,
  more: Partial<Letter> = {},
): Letter {
  const answered = to.replyTo.length > 0 ? to.replyTo : to.from === null ? [] : [to.from]
  return letter({
    ...stamp,
    from,
    to: answered,
    subject: answerSubject('Re:', to.subject),
    text: `${text}\n\n${quoteOf(to)}`,
    ...threadOf(to),
    ...more,
  })
}

/** The same to everybody who got it, but for who answers. */
export function replyAll(to: Letter, from: MailAddress, text: string, stamp: Stamp): Letter {
  const others = [...to.to, ...to.cc].filter(({ address }) => address !== from.address)
  return reply(to, from, text, stamp, { cc: others })
}

/** A mailing with what large senders must put into it (RFC 2369, RFC 2919, RFC 8058). */
export function newsletter(from: MailAddress, to: MailAddress, subject: string, stamp: Stamp): Letter {
  const domain = from.address.slice(from.address.indexOf('@') + 1)
  const unsubscribe = `https://${domain}/unsubscribe`
  return letter({
    ...stamp,
    from,
    to: [to],
    subject,
    text: `${subject}\n\nUnsubscribe: ${unsubscribe}\n`,
    html: `<h1>${escaped(subject)}</h1><p><a href="${unsubscribe}">Unsubscribe</a></p><img src="https://${domain}/open.gif" width="1" height="1">`,
    headers: {
      'List-Id': `<news.${domain}>`,
      'List-Unsubscribe': `<${unsubscribe}>, <mailto:unsubscribe@${domain}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      Precedence: 'bulk',
      'Feedback-ID': `news:${domain}`,
    },
  })
}

/** An out-of-office answer (RFC 3834). */
export function autoReply(to: Letter, from: MailAddress, stamp: Stamp): Letter {
  return reply(to, from, 'I am out of the office until Monday.', stamp, {
    subject: answerSubject('Automatic reply:', to.subject),
    text: 'I am out of the office until Monday.',
    headers: {
      'Auto-Submitted': 'auto-replied',
      'X-Auto-Response-Suppress': 'All',
      Precedence: 'auto_reply',
    },
  })
}

/** The mail system says that a letter did not reach these people (RFC 3464). `delayed`: it keeps trying. */
export function bounce(
  of: Letter,
  recipients: readonly string[],
  stamp: Stamp,
  action: 'failed' | 'delayed' = 'failed',
): Letter {
  const status = action === 'failed' ? '5.1.1' : '4.4.1'
  return letter({
    ...stamp,
    from: person('mailer-daemon@mx.example.net', 'Mail Delivery Subsystem'),
    to: of.from === null ? [] : [of.from],
    subject: `Delivery Status Notification (${action === 'failed' ? 'Failure' : 'Delay'})`,
    text: `Your message was not delivered to ${recipients.join(', ')}.`,
    ...threadOf(of),
    headers: {
      'Auto-Submitted': 'auto-replied',
      'Return-Path': '<>',
      'X-Failed-Recipients': recipients.join(', '),
    },
    report: {
      recipients: recipients.map((address) => ({ address, action, status })),
      about: `${of.messageId === null ? '' : `Message-ID: <${of.messageId}>\r\n`}Subject: ${of.subject ?? ''}\r\n`,
    },
  })
}

/** A calendar program answers an invitation (RFC 6047). */
export function calendarReply(to: Letter, from: MailAddress, stamp: Stamp): Letter {
  return reply(to, from, '', stamp, {
    subject: answerSubject('Accepted:', to.subject),
    text: `${from.name ?? from.address} has accepted this invitation.`,
    calendar: { method: 'REPLY', content: eventOf('REPLY', to, from, stamp) },
  })
}

/** An invitation to a meeting an hour after it was sent. */
export function invitation(from: MailAddress, to: MailAddress, subject: string, stamp: Stamp): Letter {
  const plain = letter({ ...stamp, from, to: [to], subject, text: `You are invited: ${subject}` })
  return { ...plain, calendar: { method: 'REQUEST', content: eventOf('REQUEST', plain, to, stamp) } }
}

function eventOf(method: string, of: Letter, attendee: MailAddress, stamp: Stamp): string {
  const at = (of.date ?? stamp.date) + 3_600_000
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Example//Calendar//EN',
    `METHOD:${method}`,
    'BEGIN:VEVENT',
    `UID:${of.messageId ?? stamp.messageId}`,
    `DTSTAMP:${icalTime(stamp.date)}`,
    `DTSTART:${icalTime(at)}`,
    `DTEND:${icalTime(at + 1_800_000)}`,
    `SUMMARY:${of.subject ?? ''}`,
    `ATTENDEE;PARTSTAT=${method === 'REPLY' ? 'ACCEPTED' : 'NEEDS-ACTION'}:mailto:${attendee.address}`,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n')
}

function icalTime(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

function threadOf(to: Letter): Pick<Letter, 'inReplyTo' | 'references'> {
  return {
    inReplyTo: to.messageId,
    references: to.messageId === null ? to.references : [...to.references, to.messageId],
  }
}

function answerSubject(prefix: string, subject: string | null): string {
  const plain = subject ?? ''
  return plain.toLowerCase().startsWith(prefix.toLowerCase()) ? plain : `${prefix} ${plain}`
}

function quoteOf({ date, from, text }: Letter): string {
  const when = date === null ? '' : `On ${new Date(date).toUTCString().slice(0, 22)}, `
  const who = from === null ? 'somebody' : `${from.name ?? ''} <${from.address}>`.trimStart()
  const lines = (text ?? '').split('\n').map((line) => `> ${line}`.trimEnd())
  return `${when}${who} wrote:\n${lines.join('\n')}\n`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
