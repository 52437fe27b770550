import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ANN, openDesk, type Desk } from './support.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk({ asks: true })
  await desk.connect()
  desk.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada', LNAME: '=2+5' })
})
afterEach(() => desk.close())

describe('plans', () => {
  it('are asked for before anything is written, shown, exported whole and approved', async () => {
    const refused = await desk.run('sync')
    expect(refused).toMatchObject({
      code: 3,
      out: expect.stringContaining(
        'mailchimp/members waits for its plan: `concord plan mailchimp`, then `concord plan approve ID`',
      ),
    })
    const made = await desk.run('plan', 'mailchimp')
    expect(made).toMatchObject({ code: 3, out: expect.stringContaining('Plan 1: what a sync would do now.') })
    expect(made.out).toContain('mailchimp/members writes nothing before it is approved')
    const shown = await desk.run('plan', 'show', '1')
    expect(shown).toMatchObject({ code: 3, out: expect.stringContaining('hub  create  Ada') })
    expect((await desk.json('plan', 'show', '1', '--op', 'create', '--limit', '1')).value).toMatchObject({
      state: 'open',
      lines: [{ op: 'create', changes: { givenName: { before: null, after: 'Ada' } } }],
      next: 1,
    })
    const file = path.join(desk.dir, 'plan.csv')
    expect(await desk.run('plan', 'show', '1', '--out', file)).toMatchObject({ code: 0 })
    expect(readFileSync(file, 'utf8')).toMatch(
      /^n,streamId,stream,side,op,.*\n1,\d+,mailchimp\/members,hub,create,/,
    )
    expect(await desk.run('plan', 'show', '1', '--out', file)).toMatchObject({ code: 2 })
    expect(await desk.run('plan', 'show', '1', '--out', path.join(desk.dir, 'x.xls'))).toMatchObject({
      code: 2,
    })
    expect(existsSync(path.join(desk.dir, 'x.xls'))).toBe(false)
    expect(await desk.run('plan', 'approve', '1')).toMatchObject({
      code: 0,
      out:
        'Plan 1 is approved. mailchimp/members may write now.\n' +
        '`concord sync mailchimp` does it; a running `concord start` does it by itself.\n',
    })
    expect(await desk.run('plan', 'approve', '1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('approved by user:mara'),
    })
    expect((await desk.json('sync', 'mailchimp')).value).toMatchObject({
      connections: [{ created: 1, waits: [] }],
    })
    expect((await desk.run('plan', 'list')).out).toContain('approved')
  })

  it('can be made and approved in one go, and rejected', async () => {
    expect(await desk.run('plan', 'stripe', '--approve')).toMatchObject({ code: 0 })
    expect(await desk.run('sync', 'stripe')).toMatchObject({ code: 0 })
    expect(await desk.run('plan', 'mailchimp')).toMatchObject({ code: 3 })
    expect(await desk.run('plan', 'reject', '2')).toMatchObject({ code: 0 })
    expect(await desk.run('plan', 'approve', '2')).toMatchObject({ code: 1 })
    expect(await desk.run('sync', 'mailchimp')).toMatchObject({ code: 3 })
  })

  it('tell of wrong input what is right', async () => {
    expect(await desk.run('plan', 'show', 'one')).toMatchObject({ code: 2 })
    expect(await desk.run('plan', 'show', '7')).toMatchObject({ code: 2 })
    expect(await desk.run('plan', 'approve', '7')).toMatchObject({ code: 1 })
    expect(await desk.run('plan', 'mailchmp')).toMatchObject({
      code: 2,
      err: expect.stringContaining('mailchimp'),
    })
    await desk.run('plan', 'mailchimp')
    expect(await desk.run('plan', 'show', '1', '--op', 'burn')).toMatchObject({ code: 2 })
    expect(await desk.run('plan', 'show', '1', '--stream', 'stripe/customers')).toMatchObject({ code: 2 })
  })

  it('are offered at a sync where a person is there', async () => {
    desk.answers.push('y', 'y')
    const synced = await desk.run('sync', 'mailchimp')
    expect(synced).toMatchObject({ code: 0, out: expect.stringContaining('Plan 1 is approved') })
    expect((await desk.json('explain', 'contact', 'ada@example.com')).code).toBe(0)
  })

  it('keep an imported file until it was planned', async () => {
    const file = desk.file('people.csv', ['id,email,first_name', '1,grace@example.com,Grace'])
    expect(await desk.run('import', file, '--as', 'contacts')).toMatchObject({
      code: 3,
      out: expect.stringContaining('csv/contacts waits for its plan: `concord plan csv`'),
    })
    const planned = await desk.json('plan', 'csv', '--approve')
    expect(planned).toMatchObject({ code: 0, value: { approved: true } })
    expect((await desk.json('sync', 'csv')).value).toMatchObject({ connections: [{ created: 1 }] })
  })

  it('show the mailboxes and rules of mail, which is not read before', async () => {
    await desk.connectMail()
    expect((await desk.json('sync', 'gmail')).value).toMatchObject({
      connections: [{ read: 0, waits: ['gmail/mail'] }],
    })
    const { out, code } = await desk.run('plan', 'gmail')
    expect(code).toBe(3)
    expect(out).toContain(`1 mailbox: ${ANN}`)
    expect(out).toContain('Left out: mail among colleagues; newsletters')
    expect(await desk.run('plan', 'approve', '1')).toMatchObject({
      out: expect.stringContaining('gmail/mail may write now'),
    })
    expect((await desk.json('sync', 'gmail')).value).toMatchObject({ connections: [{ waits: [] }] })
  })
})

describe('config apply', () => {
  const edited = async (from: string, to: string): Promise<string> => {
    const folder = path.join(desk.dir, 'edited')
    await desk.run('config', 'export', folder, '--force')
    const file = path.join(folder, 'mailchimp.yaml')
    desk.file('edited/mailchimp.yaml', [readFileSync(file, 'utf8').replace(from, to)])
    return folder
  }
  beforeEach(async () => {
    await desk.run('plan', '--approve')
    await desk.run('sync')
  })

  it('shows what it touches, and has that approved', async () => {
    const folder = await edited('hub: givenName,', 'hub: jobTitle2,'.replace('jobTitle2', 'custom.nick'))
    const asked = await desk.run('config', 'apply', folder, '--yes')
    expect(asked).toMatchObject({
      code: 3,
      out: expect.stringContaining('mailchimp/members touches 1 record (1 in the hub).'),
    })
    expect(asked.out).toContain('custom.nick: nothing → Ada')
    expect(await desk.run('sync', 'mailchimp')).toMatchObject({ code: 3 })
    expect(await desk.run('plan', 'mailchimp', '--approve')).toMatchObject({ code: 0 })
    expect(await desk.run('sync', 'mailchimp')).toMatchObject({ code: 0 })
    const told = await desk.run('explain', 'contact', 'ada@example.com', 'custom.nick')
    expect(told.out).toContain('Ada')
  })

  it('asks nothing where nothing is touched, or it is approved at once', async () => {
    const idle = await edited('archives: archive', 'archives: keep')
    expect(await desk.run('config', 'apply', idle, '--yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Nothing to approve.'),
    })
    expect(await desk.run('sync', 'mailchimp')).toMatchObject({ code: 0 })
    const folder = await edited('hub: givenName,', 'hub: custom.nick,')
    const applied = await desk.json('config', 'apply', folder, '--yes', '--approve')
    expect(applied).toMatchObject({
      code: 0,
      value: { touched: [{ stream: 'mailchimp/members', records: 1 }], waits: [] },
    })
    expect(await desk.run('sync', 'mailchimp')).toMatchObject({ code: 0 })
  })

  it('counts the merged records that other rules of survivorship touch, and has that approved first', async () => {
    const record = async (email: string, jobTitle: string) => {
      desk.mailchimp.admin.subscribe(email, { FNAME: 'Eve', JOBTITLE: jobTitle })
      await desk.run('sync', 'mailchimp')
    }
    await record('eve@example.com', 'CTO')
    await record('eve@example.org', 'Chief technology officer')
    expect(await desk.run('merge', 'contact', 'eve@example.com', 'eve@example.org', '--yes')).toMatchObject({
      code: 0,
    })
    const folder = path.join(desk.dir, 'ruled')
    await desk.run('config', 'export', folder, '--force')
    const policies = readFileSync(path.join(folder, 'policies.yaml'), 'utf8')
    desk.file('ruled/policies.yaml', [
      policies.replace(
        'survivorship:\n  default: survivor\n  contact:',
        (rules) => `${rules}\n    jobTitle: longest`,
      ),
    ])
    const asked = await desk.run('config', 'apply', folder, '--yes')
    expect(asked).toMatchObject({
      code: 3,
      out: expect.stringContaining('survivorship touches 1 merged record.'),
    })
    expect(asked.out).toContain('jobTitle: CTO → Chief technology officer')
    expect(asked.out).toContain('Nothing was applied')
    expect((await desk.json('config', 'apply', folder, '--yes')).value).toMatchObject({
      version: 1,
      applied: false,
      merged: { records: 1 },
    })
    expect(await desk.run('config', 'apply', folder, '--yes', '--approve')).toMatchObject({ code: 0 })
    expect(await desk.run('sync', 'mailchimp')).toMatchObject({ code: 0 })
    const told = await desk.run('explain', 'contact', 'eve@example.com', 'jobTitle')
    expect(told.out).toContain('the rules of survivorship are others now: longest')
    expect(desk.mailchimp.admin.member('eve@example.com')?.mergeFields.get('JOBTITLE')).toBe(
      'Chief technology officer',
    )
  })
})
