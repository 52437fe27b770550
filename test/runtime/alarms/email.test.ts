import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EmailChannel, Smtp } from '../../../src/core/alerts.ts'
import { letterOf, sendEmail } from '../../../src/runtime/alerts/email.ts'
import type { AlertPayload } from '../../../src/store/alarms.ts'
import { openMailServer } from './receiver.ts'

const CHANNEL: EmailChannel = {
  kind: 'email',
  name: 'admins',
  to: ['ann@example.com', 'ben@example.com'],
  events: [],
  kinds: null,
}
const PAYLOAD: AlertPayload = {
  type: 'alarm.raised',
  timestamp: '2026-03-02T09:00:00.000Z',
  data: {
    key: 'held:1',
    kind: 'held',
    title: 'csv/contacts would remove 90\r\nBcc: eve@example.com of 100 records',
    fix: 'Approve it, or correct the source.',
    since: '2026-03-02T08:59:00.000Z',
  },
}
let server: Awaited<ReturnType<typeof openMailServer>>
beforeEach(async () => {
  server = await openMailServer()
})
afterEach(() => server.close())

const send = (smtp: Partial<Smtp> = {}, password?: string, payload = PAYLOAD) =>
  sendEmail(
    CHANNEL,
    { host: '127.0.0.1', port: server.port, security: 'none', user: null, from: 'hub@example.com', ...smtp },
    password,
    { id: 'msg_abc', payload },
  )

describe('a mail', () => {
  it('says what, since when and what to do, to everybody, under one id', async () => {
    expect(await send()).toEqual({ kind: 'sent' })
    const [letter] = server.letters
    expect(letter?.to).toHaveLength(2)
    expect(letter?.text).toMatch(/^Message-ID: <msg_abc@example\.com>/im)
    expect(letter?.text).toContain('Auto-Submitted: auto-generated')
    expect(letter?.text).toContain('Since 2026-03-02 08:59 UTC.')
    expect(letter?.text).toContain('What to do: Approve it')
    expect(letter?.text).not.toMatch(/^Bcc:/im)
  })

  it('tells of recovery as such', () => {
    const { subject, text } = letterOf({ ...PAYLOAD, type: 'alarm.recovered' })
    expect(subject).toMatch(/^Concord: over: csv\/contacts/)
    expect(text).toContain('It is over')
    expect(text).not.toContain('What to do')
  })

  it('signs in where there is a user, and says so where there is no password', async () => {
    expect(await send({ user: 'hub' }, 'pass')).toEqual({ kind: 'sent' })
    expect(server.letters[0]?.user).toBe('hub:pass')
    expect(await send({ user: 'hub' })).toMatchObject({
      problem: expect.stringContaining('concord alerts secret smtp'),
    })
    server.refuses.user = true
    const refused = await send({ user: 'hub' }, 'pass')
    expect(refused).toMatchObject({ kind: 'failed', problem: expect.stringContaining('535') })
    expect(JSON.stringify(refused)).not.toContain('pass"')
  })

  it('is not sent to a server that cannot encrypt, where that is asked for', async () => {
    expect(await send({ security: 'starttls', user: 'hub' }, 'pass')).toMatchObject({ kind: 'failed' })
    expect(server.commands.some((line) => /^(AUTH|MAIL)/.test(line))).toBe(false)
    expect(server.letters).toEqual([])
  })

  it('that the server does not take now is tried again', async () => {
    server.refuses.mail = true
    expect(await send()).toMatchObject({ kind: 'failed', problem: expect.stringContaining('451') })
  })
})
