import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openReceiver } from '../runtime/alarms/receiver.ts'
import { openDesk, type Desk } from './support.ts'
import { ROOT } from './wired.ts'

let desk: Desk
let receiver: Awaited<ReturnType<typeof openReceiver>>
beforeEach(async () => {
  desk = await openDesk()
  receiver = await openReceiver()
})
afterEach(async () => {
  await desk.close()
  await receiver.close()
})

async function configure(alerts: string): Promise<void> {
  const folder = mkdtempSync(path.join(desk.dir, 'config-'))
  cpSync(path.join(ROOT, 'config'), folder, { recursive: true })
  writeFileSync(path.join(folder, 'alerts.yaml'), alerts)
  const hub = path.join(folder, 'hub.yaml')
  writeFileSync(hub, 'hub: { defaultCountry: US, defaultCurrency: USD, approvals: none }\n')
  const { code, err } = await desk.run('config', 'apply', folder, '--yes')
  expect([code, err]).toEqual([0, expect.anything()])
}

it('makes a secret, shows it once, and says what a test came to', async () => {
  expect((await desk.run('alerts', 'channels')).out).toContain('Nobody is told')
  expect((await desk.run('alerts', 'test')).code).toBe(2)
  await configure(`alerts:
  webhooks: [{ name: ops, url: "${receiver.url}", allowPrivate: true }]
  email: [{ name: admins, to: [ann@example.com] }]
  smtp: { host: 127.0.0.1, port: 9, security: starttls, user: hub, from: hub@example.com }`)
  expect((await desk.run('alerts', 'channels')).out).toContain('concord alerts secret smtp')
  const unset = await desk.run('alerts', 'test')
  expect([unset.code, unset.out]).toEqual([1, expect.stringContaining('concord alerts secret ops')])

  const made = await desk.run('alerts', 'secret', 'ops')
  expect(made.out).toMatch(/whsec_[A-Za-z0-9+/]{32}\n/)
  desk.answers.push('hunter2')
  const smtp = await desk.run('alerts', 'secret', 'smtp')
  expect([smtp.code, smtp.out.includes('hunter2')]).toEqual([0, false])
  expect((await desk.run('alerts', 'test', 'ops')).out).toBe('took it  ops\n')
  expect(receiver.received).toHaveLength(1)
  const mail = await desk.json('alerts', 'test', 'admins')
  expect(mail).toMatchObject({ code: 1, value: [{ channel: 'admins', kind: 'failed' }] })
  expect((await desk.run('alerts', 'test', 'opps')).err).toContain('Did you mean ops?')

  desk.env['CONCORD_ALERTS_OPS'] = 'whsec_short'
  expect((await desk.run('alerts', 'secret', 'ops', '--own')).code).toBe(2)
  expect((await desk.run('alerts', 'secret', 'admins')).code).toBe(2)
  expect((await desk.json('alerts', 'kinds')).value).toHaveProperty('stream_still')
  expect((await desk.run('secrets', 'rotate')).code).toBe(0)
})

it('shows alarms in status and by themselves, and what is over', async () => {
  await desk.connect()
  expect((await desk.run('alerts')).out).toBe('Nothing is wrong.\n')
})

it('compares a source with the hub, shows it again, and exits with 3 while something is left', async () => {
  await configure('alerts: {}')
  await desk.connect()
  desk.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada' })
  expect((await desk.run('reconcile', '--no-sweep')).out).toContain('Nothing was compared yet')
  await desk.run('sync')
  const clean = await desk.json('reconcile', 'mailchimp')
  expect(clean).toMatchObject({
    code: 0,
    value: { streams: [{ stream: 'mailchimp/members', found: 0, left: [] }], problems: [], held: [] },
  })
  const shown = await desk.run('reconcile', 'mailchimp', '--no-sweep')
  expect(shown.out).toContain('mailchimp/members')
  expect((await desk.run('reconcile', 'nobody')).code).toBe(2)
})
