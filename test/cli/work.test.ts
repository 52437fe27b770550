import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDesk, type Desk, type Ran } from './support.ts'

const HEADER = 'id,email,first_name,last_name,phone,job_title,company,company_domain,unsubscribed'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk.close())

describe('a newcomer', () => {
  it('is told what to do first', async () => {
    expect(await desk.run('sync')).toMatchObject({
      code: 2,
      err: expect.stringContaining('connections add NAME'),
    })
    expect(await desk.run('status')).toMatchObject({ code: 0, out: expect.stringContaining('not added') })
    expect(await desk.run('inbox')).toMatchObject({ code: 0, out: 'Nothing waits for a person.\n' })
    expect(await desk.run('runs')).toMatchObject({ code: 0 })
  })

  it('is corrected', async () => {
    expect(await desk.run('stauts')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean status?'),
    })
    expect(await desk.run('runs', '--limit', 'many')).toMatchObject({ code: 2 })
    expect(await desk.run('runs', '--connection', 'nobody')).toMatchObject({ code: 2 })
    expect(await desk.run('explain', 'contakt', '1')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean contact?'),
    })
    expect(await desk.run('--help')).toMatchObject({ code: 0 })
  })
})

describe('import, plan, sync and explain', () => {
  let imported: Ran
  beforeEach(async () => {
    await desk.connect()
    desk.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada', LNAME: 'King' })
    const people = desk.file('people.csv', [
      HEADER,
      '1,ada@example.com,Ada,Lovelace,+14155550100,Engineer,Analytical,,no',
      '2,grace@example.com,Grace,Hopper,nonsense,Admiral,Navy,,yes',
      '3,short',
    ])
    imported = await desk.run('import', people, '--as', 'contacts')
  })

  it('tells what of the file could not be read, and makes a csv connection for the first one', async () => {
    expect(imported.code).toBe(0)
    expect(imported.out).toContain('line 4: 2 cells where the header has 9')
    expect(imported.out).toContain('"nonsense" is not a phone number')
    expect((await desk.json('connections', 'list')).value).toContainEqual(
      expect.objectContaining({ name: 'csv', state: 'ready' }),
    )
  })

  it('shows both sides before anything happens, and changes nothing by it', async () => {
    const plan = () => desk.json('plan')
    const first = await plan()
    expect(first.value).toMatchObject({
      streams: expect.arrayContaining([
        expect.objectContaining({
          stream: 'mailchimp/members',
          read: 1,
          hub: expect.objectContaining({ create: 0, link: 1, update: 1, archive: 0 }),
        }),
      ]),
    })
    expect(await plan()).toEqual({ ...first, value: { ...(first.value as object), id: 2 } })
    expect(await desk.run('plan')).toMatchObject({ out: expect.stringContaining('nothing was sent') })
  })

  it('does it, and tells afterwards who said what, when, by which rule, and what lost', async () => {
    const synced = await desk.json('sync')
    expect(synced).toMatchObject({ code: 0, value: { stopped: false } })
    const { out, code } = await desk.run('explain', 'contact', 'ada@example.com')
    expect(code).toBe(0)
    expect(out).toMatch(/Last name \(familyName\): Lovelace\n {2}from csv, .*; rule: created, run \d+/)
    expect(out).toMatch(/lost: mailchimp said "King"; it did not stand \(newer from csv, run \d+\)/)
    expect(out).toContain('ada@example.com: opted in, from mailchimp')
    expect(out).toMatch(/mailchimp\/members [0-9a-f]{32}: linked/)
    const one = await desk.run('explain', 'contacts', 'grace hopper', 'marketing email')
    expect(one.out).toMatch(/Marketing email \(emailConsent\): out/)
    expect(await desk.run('explain', 'contact', 'ada@example.com', 'jobTitel')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean jobTitle?'),
    })
    const told = await desk.json('explain', 'contact', 'ada@example.com', 'familyName')
    expect(told.value).toMatchObject({
      fields: [{ field: 'familyName', value: 'Lovelace', source: 'csv', at: expect.stringMatching(/Z$/) }],
    })
  })

  it('lists what waits for a person, shows it and closes it', async () => {
    const { code, value } = await desk.json('inbox')
    expect(code).toBe(3)
    expect(value).toMatchObject([
      { kind: 'unreadable', state: 'open', createdAt: expect.stringMatching(/Z$/) },
    ])
    expect(await desk.run('inbox', 'show', '1')).toMatchObject({
      code: 0,
      out: expect.stringContaining('line 4'),
    })
    expect(await desk.run('inbox', 'approve', '1')).toMatchObject({ code: 1 })
    expect(await desk.run('inbox', 'show', '99')).toMatchObject({ code: 2 })
    expect(await desk.run('inbox', 'dismiss', '1')).toMatchObject({ code: 0 })
    expect(await desk.run('inbox')).toMatchObject({ code: 0 })
    expect((await desk.json('inbox', '--all')).value).toMatchObject([
      { resolution: 'dismissed by user:mara' },
    ])
  })

  it('fails where a vendor does, and the other connections go on', async () => {
    Object.assign(desk.stripe.state, { apiKey: 'sk_test_changed' })
    const { code, value } = await desk.json('sync')
    expect(code).toBe(1)
    expect(value).toMatchObject({
      connections: expect.arrayContaining([
        expect.objectContaining({ connection: 'stripe', problem: expect.any(String) }),
        expect.objectContaining({ connection: 'mailchimp', problem: null, read: 1 }),
      ]),
    })
    const status = await desk.run('status')
    expect(status.code).toBe(1)
    expect(status.out).toContain('refused:')
  })

  it('refuses a kind of file it does not know, and a file that is not there', async () => {
    expect(await desk.run('import', 'x.csv', '--as', 'people')).toMatchObject({ code: 2 })
    expect(await desk.run('import', 'nowhere.csv', '--as', 'contacts')).toMatchObject({
      code: 2,
      err: expect.stringContaining('nowhere.csv'),
    })
  })
})
