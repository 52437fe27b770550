import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { letter, person } from '../../src/sandbox/mail/letter.ts'
import { newsletter, reply } from '../../src/sandbox/mail/makers.ts'
import { ANN, openDesk, type Desk } from './support.ts'

const US = person(ANN, 'Ann Lee')
const MIRA = person('mira@lindqvist.example', 'Mira Lindqvist')
const NEWS = person('news@shop.example', 'Shop')

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  await conversation()
  const connected = await desk.connectMail()
  if (connected.code !== 0) throw new Error(connected.err)
  await told('sync', 'gmail')
})
afterEach(() => desk.close())

/** Ann offers, Mira answers; then a newsletter, and one that Ann labelled as private. */
async function conversation(): Promise<void> {
  const { people } = desk.gmail
  const date = Date.now() - 3_600_000
  const offer = letter({
    from: US,
    to: [MIRA],
    subject: 'Offer \u001b[31mred',
    text: 'Dear Mira,\nhere is our offer.',
    date,
    messageId: 'offer@us.example',
    attachments: [{ name: 'offer.pdf', type: 'application/pdf', content: 'x'.repeat(3_000) }],
  })
  await people.send(ANN, offer)
  await people.deliver(
    ANN,
    reply(offer, MIRA, 'We take it.', { date: date + 1, messageId: 'yes@lindqvist.example' }),
  )
  await people.deliver(ANN, newsletter(NEWS, US, 'Sale!', { date, messageId: 'sale@shop.example' }))
  people.createLabel(ANN, 'Private')
  const secret = letter({
    from: MIRA,
    to: [US],
    subject: 'Dinner?',
    text: 'On Friday?',
    date,
    messageId: 'dinner@lindqvist.example',
  })
  await people.deliver(ANN, secret, { labels: ['INBOX', 'Private'] })
}

const told = async (...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await desk.run(...args)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out
}

describe('explain message', () => {
  it('tells what became of a logged message, by each of its names', async () => {
    const out = await told('explain', 'message', '<offer@us.example>')
    expect(out).toContain('sent ')
    expect(out).toContain('Message-ID <offer@us.example>')
    expect(out).toMatch(/gmail ann@us\.example, .* logged {2}\(/)
    expect(out).toMatch(/to Mira Lindqvist <mira@lindqvist\.example>: contact \d+/)
    expect(out).toMatch(/In one thread with\n.*Re: Offer/)
    expect(out).not.toContain('\u001b')
    const { value } = await desk.json('explain', 'message', 'offer@us.example')
    const id = idIn(value)
    expect(await told('explain', 'message', String(id))).toBe(out)
  })

  it('tells why a message was not logged, without knowing anything of it', async () => {
    const bulk = await told('explain', 'message', 'sale@shop.example')
    expect(bulk).toMatch(/Not logged: nothing of it is stored\./)
    expect(bulk).toMatch(/filtered: .*(newsletter|list|bulk)/i)
    expect(bulk).not.toContain('Sale!')
    const secret = await told('explain', 'message', 'dinner@lindqvist.example')
    expect(secret).toMatch(/filtered: .*private/)
    expect((await desk.json('explain', 'message', 'sale@shop.example')).value).toMatchObject({
      message: null,
      mailboxes: [{ connection: 'gmail', mailbox: ANN, verdict: 'filtered', reason: 'bulk' }],
    })
  })

  it('says what it takes where nobody has seen such a message', async () => {
    expect(await desk.run('explain', 'message', 'nobody@nowhere.example')).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        'No mailbox has shown a message nobody@nowhere.example\nFix: Give its Message-ID',
      ),
    })
    expect(await desk.run('explain', 'message', 'offer@us.example', 'subject')).toMatchObject({ code: 2 })
  })
})

describe('timeline', () => {
  it('tells what happened with a contact, latest first, in words that a terminal does not obey', async () => {
    const out = await told('timeline', 'contact', MIRA.address)
    expect(out).toMatch(/received {2}Re: Offer[^]*sent {2}Offer \[31mred/)
    expect(out).toContain('from Ann Lee <ann@us.example>; to Mira Lindqvist <mira@lindqvist.example>')
    expect(out).toContain('  We take it.\n')
    expect(out).toContain('1 attachment: offer.pdf (3 kB)')
    expect(out).not.toMatch(/Dinner|Sale/)
    expect(out).not.toContain('\u001b')
  })

  it('goes on page by page, and is the same in JSON', async () => {
    const first = await told('timeline', 'contacts', MIRA.address, '--limit', '1')
    const before = /--before (\S+)/.exec(first)?.[1] ?? ''
    const second = await told('timeline', 'contact', MIRA.address, '--limit', '1', '--before', before)
    expect(second).toContain('sent  Offer')
    expect(second).not.toContain('Re: Offer')
    const { value } = await desk.json('timeline', 'contact', MIRA.address)
    expect(value).toMatchObject({
      record: { kind: 'contact' },
      entries: [
        { type: 'email', message: { direction: 'received', text: 'We take it.' } },
        { message: { direction: 'sent', attachments: [{ name: 'offer.pdf', size: 3_000 }] } },
      ],
      next: null,
    })
  })

  it('knows no timeline of an invoice', async () => {
    expect(await desk.run('timeline', 'invoice', '1')).toMatchObject({ code: 2 })
    expect(await desk.run('timeline', 'contact', 'nobody@x.example')).toMatchObject({ code: 2 })
  })
})

describe('mail', () => {
  it('tells how far each mailbox has been read, in status too', async () => {
    const out = await told('mail', 'status')
    expect(out).toMatch(/ann@us\.example +gmail +all read +2 +2 +· /)
    expect((await desk.json('mail', 'status')).value).toEqual([
      expect.objectContaining({
        mailbox: ANN,
        state: 'current',
        logged: 2,
        filtered: 2,
        quarantined: 0,
        problem: null,
      }),
    ])
    expect((await desk.run('status')).out).toMatch(/Mail\nmailbox .*\nann@us\.example/)
    expect((await desk.json('status')).value).toMatchObject({ mailboxes: [{ mailbox: ANN }] })
  })

  it('makes a message private for good, after a question', async () => {
    const asked = await desk.run('mail', 'private', 'yes@lindqvist.example')
    expect(asked).toMatchObject({ code: 2, err: expect.stringContaining('Say --yes.') })
    expect(asked.err).toMatch(
      /Make message \d+, "Re: Offer.*", private\?|Make message \d+, "Re: Offer.*" private\?/,
    )
    desk.answers.push('n')
    expect(await desk.run('mail', 'private', 'yes@lindqvist.example')).toMatchObject({ code: 2 })
    expect(await told('timeline', 'contact', MIRA.address)).toContain('We take it.')
    desk.answers.push('y')
    expect(await told('mail', 'private', 'yes@lindqvist.example')).toMatch(/Message \d+ is private now/)
    expect(await told('timeline', 'contact', MIRA.address)).not.toMatch(/We take it|Re: Offer/)
    await told('sync', 'gmail')
    expect(await told('timeline', 'contact', MIRA.address)).not.toMatch(/We take it|Re: Offer/)
    expect(await told('explain', 'message', 'yes@lindqvist.example')).toContain('(made private)')
    expect(await told('mail', 'private', 'yes@lindqvist.example', '--yes')).toContain('is private already')
  })

  it('removes one, and takes that back', async () => {
    expect(await told('mail', 'remove', 'yes@lindqvist.example', '--yes')).toMatch(/is removed/)
    expect(await told('timeline', 'contact', MIRA.address)).not.toContain('We take it')
    expect(await told('mail', 'restore', 'yes@lindqvist.example')).toContain('is read again at the next pass')
    await told('sync', 'gmail')
    expect(await told('timeline', 'contact', MIRA.address)).toContain('We take it')
  })

  it('refuses to take out what is not there', async () => {
    expect(await desk.run('mail', 'remove', 'sale@shop.example', '--yes')).toMatchObject({
      code: 2,
      err: expect.stringContaining('nothing of it is here'),
    })
    expect(await desk.run('mail', 'remove', 'nobody@nowhere.example', '--yes')).toMatchObject({ code: 2 })
  })
})

it('is summed up by a sync', async () => {
  await desk.gmail.people.deliver(
    ANN,
    letter({ from: MIRA, to: [US], subject: 'One more thing', date: Date.now() }),
  )
  expect(await told('sync', 'gmail')).toContain(
    'Mail of gmail: 1 logged, 0 kept out (`concord mail status`).',
  )
  expect(await told('sync', 'gmail')).not.toContain('Mail of gmail')
})

it('is no part of a plan, which says so', async () => {
  expect(await told('plan', 'gmail')).toContain('Mail of gmail is not in here: only a sync reads it.')
})

describe('changed rules', () => {
  const changed = async (from: string, to: string): Promise<string> => {
    const folder = path.join(desk.dir, `config-${Math.random()}`)
    await told('config', 'export', folder)
    const file = path.join(folder, 'gmail.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
    return folder
  }

  it('are counted before they are applied, and then hold for what was read before', async () => {
    const folder = await changed('blocked: []', 'blocked: [lindqvist.example]')
    const counted = await told('mail', 'review', folder)
    expect(counted).toMatch(/What this does to mail that was read before\n/)
    expect(counted).toMatch(/ann@us\.example +gmail +\d+ +2 /)
    expect(counted).toContain('2 messages taken out: 2 blocked.')
    const asked = await desk.run('config', 'apply', folder)
    expect(asked.code).toBe(2)
    expect(asked.out).toContain('2 messages taken out: 2 blocked.')
    expect(await told('timeline', 'contact', MIRA.address)).toContain('We take it')
    const applied = await told('config', 'apply', folder, '--yes')
    expect(applied).toContain('is done at the next passes')
    expect(await told('mail', 'review')).toContain('2 messages taken out: 2 blocked.')
    await told('sync', 'gmail')
    expect(await told('timeline', 'contact', MIRA.address)).not.toContain('We take it')
    expect(await told('mail', 'review')).toBe('Nothing changes: all mail was read by these rules already.\n')
  })

  it('that loosen have mail read again', async () => {
    const folder = await changed('bulk: filter', 'bulk: log')
    expect((await desk.json('config', 'apply', folder, '--yes')).value).toMatchObject({
      mail: [{ mailbox: ANN, takenOut: 0, readAgain: 1 }],
    })
  })

  it('of other kinds count nothing', async () => {
    const folder = await changed('schedule: "*/2', 'schedule: "*/3')
    const out = await told('config', 'apply', folder, '--yes')
    expect(out).not.toContain('mail that was read before')
  })

  it('that are wrong are told with their place', async () => {
    const folder = await changed('bulk: filter', 'bulk: filtered')
    expect(await desk.run('mail', 'review', folder)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/gmail\.yaml:\d+:\d+ {2}mail\.bulk: "filtered" is not allowed here/),
    })
  })
})

function idIn(value: unknown): unknown {
  const message: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'message') : null
  return typeof message === 'object' && message !== null ? Reflect.get(message, 'id') : null
}
