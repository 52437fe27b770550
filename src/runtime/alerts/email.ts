import { createTransport } from 'nodemailer'
import type { EmailChannel, Smtp } from '../../core/alerts.ts'
import type { AlertPayload } from '../../store/alarms.ts'
import type { Sent } from './sent.ts'

const TIMEOUT_MS = 15_000

/**
 * Sends a message as plain text to everybody of a channel. Its Message-ID is the same at every attempt. With `starttls`
 * a server that cannot encrypt is told nothing.
 */
export async function sendEmail(
  channel: EmailChannel,
  smtp: Smtp,
  password: string | undefined,
  message: { readonly id: string; readonly payload: AlertPayload },
): Promise<Sent> {
  const { host, port, security, user, from } = smtp
  if (user !== null && password === undefined)
    return {
      kind: 'failed',
      problem: `There is no password for ${user} yet. Fix: \`concord alerts secret smtp\`.`,
      notBefore: null,
    }
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user === null ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    const domain = from.slice(from.lastIndexOf('@') + 1)
    // Refused recipients beside others that took it do not count: sent again, these would have it twice.
    await transport.sendMail({
      from,
      to: [...channel.to],
      messageId: `<${message.id}@${domain}>`,
      date: message.payload.timestamp,
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...letterOf(message.payload),
    })
    return { kind: 'sent' }
  } catch (error) {
    return {
      kind: 'failed',
      problem: error instanceof Error ? error.message : String(error),
      notBefore: null,
    }
  } finally {
    transport.close()
  }
}

/** What people read: what, since when, and what to do. */
export function letterOf({ type, data }: AlertPayload): { readonly subject: string; readonly text: string } {
  const title = data.title.replaceAll(/\s+/g, ' ')
  const since = `${data.since.slice(0, 16).replace('T', ' ')} UTC`
  const foot = '-- \nConcord. `concord alerts` shows all alarms; config/alerts.yaml says who is told.'
  const letter = (subject: string, lines: readonly string[]) => ({
    subject: `Concord: ${subject}`,
    text: [...lines, '', foot, ''].join('\n'),
  })
  switch (type) {
    case 'test':
      return letter('test', ['This is a test. Alarms will reach you here.'])
    case 'alarm.recovered':
      return letter(`over: ${title}`, [
        'It is over:',
        title,
        '',
        `It had lasted since ${since}. Nothing is to be done.`,
      ])
    case 'alarm.reminder':
      return letter(`still: ${title}`, [
        title,
        '',
        `It has lasted since ${since}.`,
        '',
        `What to do: ${data.fix}`,
      ])
    case 'alarm.raised':
      return letter(title, [title, '', `Since ${since}.`, '', `What to do: ${data.fix}`])
  }
}
