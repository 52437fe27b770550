import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Dovecot, type DovecotOptions, startDovecot, WITHOUT_DOVECOT } from './imap.dovecot.ts'
import {
  DAY,
  gone,
  type Hub,
  hubOf,
  ioFor,
  mail,
  mailboxAt,
  type Person,
  plainSettings,
  signIn,
} from './imap.support.ts'

const SERVERS: readonly (readonly [string, DovecotOptions])[] = [
  ['a server with everything', {}],
  [
    'one with CONDSTORE, without QRESYNC',
    { capability: 'IMAP4rev1 ENABLE IDLE CONDSTORE UIDPLUS SPECIAL-USE' },
  ],
  ['one from the last century', { capability: 'IMAP4rev1 UIDPLUS', isOld: true }],
]

const why = WITHOUT_DOVECOT === null ? '' : ` (skipped: ${WITHOUT_DOVECOT})`

describe.skipIf(WITHOUT_DOVECOT !== null).each(SERVERS)(`imap against %s${why}`, (_name, options) => {
  let server: Dovecot
  let users = 0
  const open: Person[] = []
  const clock = { ahead: 0 }
  const sent = options.isOld === true ? 'Sent Items' : 'Verschickt'
  const delimiter = options.isOld === true ? '.' : '/'

  beforeAll(async () => {
    server = await startDovecot(options)
  }, 20_000)
  afterAll(async () => {
    for (const { client } of open) client.close()
    await server.stop()
  })

  async function start(settings = {}): Promise<{ ann: Person; hub: Hub }> {
    users += 1
    const address = `ann${users}@acme.example`
    const ann = await signIn(server.port, address)
    open.push(ann)
    return { ann, hub: again(address, settings) }
  }

  const again = (address: string, settings = {}) =>
    hubOf(
      ioFor({
        settings: { ...plainSettings(server.port, address), ...settings },
        password: 'secret',
        now: () => Date.now() + clock.ahead,
      }),
      mailboxAt(address),
    )

  /** Where nothing tells of flags, they are looked through every quarter of an hour. */
  const later = () => {
    clock.ahead += 16 * 60_000
  }

  it('reads what was there, the newest first, and tells how far it is', async () => {
    const { ann, hub } = await start()
    for (let n = 1; n <= 60; n++) await ann.append('INBOX', `Mail ${n}`)
    await ann.append(sent, 'Answer', { from: { address: ann.address, name: 'Ann' } })
    const first = await hub.page('live')
    expect(first).toMatchObject({
      sightings: [],
      more: false,
      backfill: { kind: 'waiting', listed: 0, total: 61 },
    })
    await ann.append('INBOX', 'Meanwhile')

    const page = await hub.page('backfill')
    expect(page.sightings).toHaveLength(25)
    expect(hub.subjects()).toContain('Mail 60')
    expect(hub.subjects()).toContain('Mail 36')
    expect(page.backfill).toEqual({ kind: 'waiting', listed: 25, total: 61 })
    await hub.drain('backfill')
    expect(hub.pages.at(-1)?.backfill).toEqual({ kind: 'done' })
    expect(hub.subjects()).not.toContain('Meanwhile')
    await hub.drain('live')
    expect(hub.subjects()).toHaveLength(62)
    expect(hub.bySubject('Meanwhile')).toMatchObject({ flags: [], labels: ['INBOX'] })
    expect(hub.bySubject('Answer')).toMatchObject({ flags: ['sent'], labels: [sent] })
    const { message } = hub.bySubject('Mail 7')
    expect(message.text).toBe('Hello, Mail 7')
    expect(message.envelope.messageId).toBe(`${ann.address}-7@customer.example`)
    expect(Math.abs(message.envelope.at - Date.now())).toBeLessThan(60_000)
    expect(hub.bad.size).toBe(0)
  })

  it('leaves messages unread, and changes nothing at all', async () => {
    const { ann, hub } = await start()
    await ann.append('INBOX', 'Unread')
    await hub.settle()
    await mail.fetch(
      ioFor({ settings: plainSettings(server.port, ann.address), password: 'secret' }),
      mailboxAt(ann.address),
      [...hub.read.keys()],
    )
    const flags = await ann.within(
      'INBOX',
      async (client) => (await client.fetchOne('1', { flags: true })) || null,
    )
    expect([...(flags?.flags ?? [])].filter((flag) => flag !== '\\Recent')).toEqual([])
  })

  it('does nothing where nothing happened', async () => {
    const { ann, hub } = await start()
    await ann.append('INBOX', 'One')
    await hub.settle()
    const before = JSON.stringify(hub.cursor)
    const page = await hub.page('live')
    expect(page).toMatchObject({ sightings: [], bad: [], more: false })
    expect(JSON.stringify(page.cursor)).toBe(before)
  })

  it('sees flags, keywords and drafts come and go, and cares nothing for what was read', async () => {
    const { ann, hub } = await start()
    await ann.append('INBOX', 'Tagged')
    await ann.append('INBOX', 'Read')
    await ann.append('INBOX', 'Draft', { flags: ['\\Draft'] })
    await hub.settle()
    expect(hub.bySubject('Draft').flags).toEqual(['draft'])
    await ann.within('INBOX', (client) => client.messageFlagsAdd('1', ['Private', '$MDNSent', 'NonJunk']))
    await ann.within('INBOX', (client) => client.messageFlagsAdd('2', ['\\Seen', '\\Answered']))
    await ann.within('INBOX', (client) => client.messageFlagsRemove('3', ['\\Draft']))
    later()
    const pages = await hub.drain('live')
    expect(pages.flatMap(({ sightings }) => sightings)).toHaveLength(2)
    expect(hub.bySubject('Tagged').labels).toEqual(['INBOX', 'Private'])
    expect(hub.bySubject('Draft').flags).toEqual([])
    await ann.within('INBOX', (client) => client.messageFlagsRemove('1', ['Private']))
    later()
    await hub.drain('live')
    expect(hub.bySubject('Tagged').labels).toEqual(['INBOX'])
    await ann.within('INBOX', (client) => client.messageFlagsAdd('1', ['\\Deleted', '$Junk']))
    later()
    await hub.drain('live')
    expect(hub.bySubject('Tagged').flags.toSorted()).toEqual(['spam', 'trash'])
  })

  it('reports what was deleted while it was away', async () => {
    const { ann, hub } = await start()
    for (let n = 1; n <= 5; n++) await ann.append('INBOX', `Mail ${n}`)
    await hub.settle()
    await ann.within('INBOX', (client) => client.messageDelete('2,4', { uid: true }))
    await ann.append('INBOX', 'New')
    await hub.drain('live')
    expect(hub.subjects()).toEqual(['Mail 1', 'Mail 3', 'Mail 5', 'New'])
    expect(gone(hub)).toBe(2)
    await ann.within('INBOX', (client) => client.messageDelete('1:*', { uid: true }))
    await hub.drain('live')
    expect(hub.subjects()).toEqual([])
    expect(gone(hub)).toBe(6)
  })

  it('sees a moved message in its new folder before it is gone from the old one', async () => {
    const { ann, hub } = await start()
    await ann.client.mailboxCreate(['Clients', 'Ärger & Co'])
    await ann.append('INBOX', 'Moved')
    await ann.append('INBOX', 'Stays')
    await hub.settle()
    await ann.within('INBOX', (client) => client.messageMove('1', ['Clients', 'Ärger & Co'].join(delimiter)))
    const from = hub.pages.length
    await hub.drain('live')
    const kinds = hub.pages.slice(from).flatMap(({ sightings }) => sightings.map(({ kind }) => kind))
    expect(kinds).toEqual(['message', 'gone'])
    expect(hub.bySubject('Moved')).toMatchObject({ labels: [`Clients${delimiter}Ärger & Co`] })
  })

  it('also where the old folder is looked at after the new one', async () => {
    const { ann, hub } = await start()
    await ann.client.mailboxCreate('Zoo')
    await ann.append('Zoo', 'Moved')
    await hub.settle()
    await ann.within('Zoo', (client) => client.messageMove('1', 'INBOX'))
    const from = hub.pages.length
    await hub.drain('live')
    const kinds = hub.pages.slice(from).flatMap(({ sightings }) => sightings.map(({ kind }) => kind))
    expect(kinds).toEqual(['message', 'gone'])
  })

  it('knows drafts, spam, trash and sent mail by their folders, and those below', async () => {
    const { ann, hub } = await start()
    await hub.settle()
    await ann.client.mailboxCreate(['Trash', 'Old'])
    await ann.client.mailboxCreate(['Clients', 'Sent'])
    await ann.append('Drafts', 'A draft')
    await ann.append('Junk', 'Spam')
    await ann.append(['Trash', 'Old'].join(delimiter), 'Rubbish')
    await ann.append(sent, 'Mine')
    await ann.append(['Clients', 'Sent'].join(delimiter), 'Filed')
    await hub.settle()
    const flags = (subject: string) => hub.bySubject(subject).flags
    expect(flags('A draft')).toEqual(['draft'])
    expect(flags('Spam')).toEqual(['spam'])
    expect(flags('Rubbish')).toEqual(['trash'])
    expect(flags('Mine')).toEqual(['sent'])
    expect(flags('Filed')).toEqual([])
  })

  it('passes over spam, trash and drafts from before', async () => {
    const { ann, hub } = await start()
    await ann.append('Junk', 'Spam')
    await ann.append('Trash', 'Rubbish')
    await ann.append('Drafts', 'A draft')
    await hub.settle()
    expect(hub.subjects()).toEqual([])
    await ann.within('Trash', (client) => client.messageMove('1', 'INBOX'))
    await hub.drain('live')
    expect(hub.subjects()).toEqual(['Rubbish'])
  })

  it('starts a folder over when its UIDs mean other messages, and gives up the old ids last', async () => {
    const { ann, hub } = await start()
    await ann.client.mailboxCreate('Work')
    for (let n = 1; n <= 3; n++) await ann.append('Work', `Old ${n}`, { at: Date.now() - 9 * DAY })
    await hub.settle()
    const ids = [...hub.read.keys()]
    await ann.client.mailboxDelete('Work')
    await ann.client.mailboxCreate('Work')
    for (let n = 1; n <= 3; n++) await ann.append('Work', `New ${n}`, { at: Date.now() - 9 * DAY })
    await ann.append('Work', 'Just now')
    await hub.drain('live')
    expect(gone(hub)).toBe(0)
    expect(hub.subjects()).toContain('Just now')
    expect(hub.pages.at(-1)?.backfill.kind).toBe('waiting')
    await hub.settle()
    expect(hub.subjects()).toEqual(['Just now', 'New 1', 'New 2', 'New 3'])
    for (const id of ids) expect(hub.read.get(id)?.kind).toBe('gone')
  })

  it('follows a folder that is renamed, and one that is deleted', async () => {
    const { ann, hub } = await start()
    await ann.client.mailboxCreate('Work')
    await ann.client.mailboxCreate('Doomed')
    for (let n = 1; n <= 3; n++) await ann.append('Work', `Mail ${n}`, { at: Date.now() - 9 * DAY })
    await ann.append('Doomed', 'Doomed')
    await hub.settle()
    await ann.client.mailboxRename('Work', 'Private')
    await ann.client.mailboxDelete('Doomed')
    await hub.settle()
    expect(hub.subjects()).toEqual(['Mail 1', 'Mail 2', 'Mail 3'])
    expect(hub.bySubject('Mail 2').labels).toEqual(['Private'])
    expect(gone(hub)).toBe(4)
  })

  it('reads from a day on, and what lies before once that is asked for', async () => {
    const { ann, hub } = await start()
    for (const days of [1, 5, 50, 500])
      await ann.append('INBOX', `${days} days`, { at: Date.now() - days * DAY })
    hub.since = Date.now() - 10 * DAY
    await hub.settle()
    expect(hub.subjects()).toEqual(['1 days', '5 days'])
    hub.since = null
    await hub.settle()
    expect(hub.subjects()).toHaveLength(4)
    expect(hub.pages.flatMap(({ sightings }) => sightings)).toHaveLength(4)
  })

  it('reads only new messages, and those that were flagged, where its cursor was lost', async () => {
    const { ann, hub } = await start()
    for (let n = 1; n <= 30; n++) await ann.append('INBOX', `Mail ${n}`)
    await hub.settle()
    await ann.within('INBOX', (client) => client.messageFlagsAdd('3', ['Private']))
    await ann.append('INBOX', 'New')
    hub.cursor = { some: 'other version' }
    const from = hub.pages.length
    await hub.settle()
    expect(hub.pages.slice(from).flatMap(({ sightings }) => sightings)).toHaveLength(2)
    expect(hub.bySubject('Mail 3').labels).toEqual(['INBOX', 'Private'])
  })

  it('reads the folders that it is told to, and leaves out those that it is told to', async () => {
    const { ann } = await start()
    await ann.client.mailboxCreate(['Work', 'Deals'])
    await ann.client.mailboxCreate('Workshop')
    for (const folder of ['INBOX', ['Work', 'Deals'].join(delimiter), 'Workshop'])
      await ann.append(folder, folder)
    const only = again(ann.address, { folders: ['INBOX', 'work'] })
    await only.settle()
    expect(only.subjects()).toEqual(['INBOX', ['Work', 'Deals'].join(delimiter)])
    const without = again(ann.address, { withoutFolders: ['Work'] })
    await without.settle()
    expect(without.subjects()).toEqual(['INBOX', 'Workshop'])
  })

  it('quarantines a message that is none, and goes on', async () => {
    const { ann, hub } = await start()
    await ann.append('INBOX', 'Before')
    const uid = await ann.raw('INBOX', 'no header at all, just words\r\n')
    await ann.append('INBOX', 'After')
    await hub.settle()
    expect(hub.subjects()).toEqual(['After', 'Before'])
    expect([...hub.bad].map(([id]) => id)).toEqual([expect.stringMatching(new RegExp(`:${uid}$`))])
    expect([...hub.bad.values()].join()).not.toContain('just words')
  })

  it('reads a huge message without its attachments, and lists them', async () => {
    const { ann, hub } = await start()
    const attachments = [
      { name: 'Plan für 2027.pdf', type: 'application/pdf', content: 'x'.repeat(9_000_000) },
    ]
    await ann.append('INBOX', 'Huge', {
      text: 'Schöne Grüße',
      html: '<p>Schöne <b>Grüße</b></p>',
      attachments,
    })
    await ann.append('INBOX', 'Small')
    await hub.settle()
    const { message } = hub.bySubject('Huge')
    expect(message.text).toBe('Schöne Grüße')
    expect(message.html).toContain('<b>Grüße</b>')
    expect(message.attachments).toEqual([
      { name: 'Plan für 2027.pdf', type: 'application/pdf', size: expect.any(Number) },
    ])
    expect(message.envelope).toMatchObject({ from: [{ address: 'jo@customer.example', name: 'Jo Wu' }] })
    expect(hub.subjects()).toHaveLength(2)
  }, 30_000)

  it('reads named messages again, and says which are gone', async () => {
    const { ann, hub } = await start()
    for (let n = 1; n <= 3; n++) await ann.append('INBOX', `Mail ${n}`)
    await hub.settle()
    await ann.within('INBOX', (client) => client.messageDelete('2', { uid: true }))
    const [first = ''] = hub.read.keys()
    const stale = first.replace(/:\d+:/, ':1:')
    const ids = [...hub.read.keys(), stale, 'nonsense', first]
    const io = ioFor({ settings: plainSettings(server.port, ann.address), password: 'secret' })
    const { sightings, bad } = await mail.fetch(io, mailboxAt(ann.address), ids)
    expect(bad).toEqual([])
    expect(new Set(sightings.map(({ id }) => id))).toEqual(new Set(ids))
    expect(sightings.filter(({ kind }) => kind === 'message')).toHaveLength(2)
  })
})
