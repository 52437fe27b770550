import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { flagsOf, keywordsOf, markOf, readMarks, writeMarks } from '../../src/connectors/imap/flags.ts'
import { imap } from '../../src/connectors/imap/index.ts'
import { both, minus, pack, sequenceSet, unpack } from '../../src/connectors/imap/uids.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { failure, hubOf, ioFor, mail, mailboxAt, plainSettings } from './imap.support.ts'
import { type Listening, scripted } from './imap.wire.ts'

const ANN = 'ann@acme.example'
const running: Listening[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
})

type Answers = Parameters<typeof scripted>[0]
async function io(answers: Answers, heard: string[] = [], more: Partial<Parameters<typeof ioFor>[0]> = {}) {
  const server = await scripted(answers, heard)
  running.push(server)
  return ioFor({ settings: plainSettings(server.port, ANN), password: 'secret', ...more })
}

const LOGIN = 'AUTHENTICATE'
const refusing = (words: string): Answers => ({
  AUTHENTICATE: '+ \n',
  [Buffer.from(`\0${ANN}\0secret`).toString('base64').toUpperCase()]: `$ NO ${words}\n`,
})

describe('what servers say when they let nobody in', () => {
  it.each([
    ['[AUTHENTICATIONFAILED] Invalid credentials (Failure)', 'auth'],
    ['[ALERT] Application-specific password required', 'auth'],
    ['[EXPIRED] That password is not any more', 'auth'],
    ['[UNAVAILABLE] Temporary authentication failure', 'unavailable'],
    ['[LIMIT] Too many connections', 'throttled'],
    ['[INUSE] Mailbox is locked', 'throttled'],
    ['Too many simultaneous connections. (Failure)', 'throttled'],
    ['LOGIN failed', 'auth'],
  ])('%s', async (words, kind) => {
    const found = await failure(imap.check(await io(refusing(words))))
    expect(found?.kind).toBe(kind)
    expect(found?.message).toContain(words.replace(/^\[\w+\] /, '').replace(/\.$/, ''))
    expect(found?.message).not.toContain('secret')
  })

  it('waits for a minute where the server does not say how long', async () => {
    const now = () => 1_000_000
    expect(await failure(imap.check(await io(refusing('[LIMIT] Later'), [], { now })))).toMatchObject({
      kind: 'throttled',
      retryAt: 1_060_000,
    })
  })

  it('is told of a server that goes away', async () => {
    const found = await failure(imap.check(await io({ CAPABILITY: '* BYE Shutting down\n' })))
    expect(found?.kind).toBe('unavailable')
  })
})

describe('tokens', () => {
  const token = async () => 'ya29.token'

  it('are sent as XOAUTH2 has it', async () => {
    const heard: string[] = []
    await imap.check(
      await io({ EXAMINE: '* 0 EXISTS\n* OK [UIDVALIDITY 1] ok\n$ OK [READ-ONLY] done\n' }, heard, {
        token,
        password: '',
      }),
    )
    const said = heard.find((line) => line.includes(LOGIN))?.split(' ') ?? []
    expect(said[2]).toBe('XOAUTH2')
    // https://developers.google.com/workspace/gmail/imap/xoauth2-protocol#the_sasl_xoauth2_mechanism
    expect(Buffer.from(said[3] ?? '', 'base64').toString()).toBe(
      `user=${ANN}\u0001auth=Bearer ya29.token\u0001\u0001`,
    )
  })

  it('that are refused ask for a new authorisation', async () => {
    const challenge = Buffer.from('{"status":"400","schemes":"bearer"}').toString('base64')
    const answers = {
      'AUTHENTICATE XOAUTH2': `+ ${challenge}\n$ NO [AUTHENTICATIONFAILED] Invalid credentials\n`,
    }
    const found = await failure(imap.check(await io(answers, [], { token, password: '' })))
    expect(found).toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('Authorise the connection again'),
    })
    expect(found?.message).not.toContain('ya29')
  })
})

describe('a server with faults', () => {
  const UIDS = [1, 2, 3]
  const fetchOf = (command: string, bad: (uid: number) => string | null) => {
    const set = /^UID FETCH (\S+)/.exec(command)?.[1] ?? ''
    const asked = UIDS.filter((uid) =>
      set.split(',').some((part) => {
        const [from = '', to = from] = part.split(':')
        return uid >= Number(from) && uid <= Number(to)
      }),
    )
    if (!command.includes('BODY'))
      return `${asked.map((uid) => `* ${uid} FETCH (UID ${uid} FLAGS () INTERNALDATE "01-May-2026 09:00:00 +0000" RFC822.SIZE 60)\n`).join('')}$ OK\n`
    const refusal = asked.map(bad).find((text) => text !== null)
    if (refusal !== undefined) return refusal
    const text = (uid: number) => `From: jo@customer.example\r\nSubject: Mail ${uid}\r\n\r\nHello\r\n`
    return `${asked.map((uid) => `* ${uid} FETCH (UID ${uid} BODY[] {${text(uid).length}}\n${text(uid).replaceAll('\r\n', '\n')})\n`).join('')}$ OK\n`
  }
  const answersWith = (bad: (uid: number) => string | null): Answers => ({
    'LIST ': '* LIST () "/" INBOX\n* LIST (\\Noselect) "/" Groups\n* LIST (\\All) "/" "All Mail"\n$ OK\n',
    STATUS: '* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 7)\n$ OK\n',
    EXAMINE: '* 3 EXISTS\n* OK [UIDVALIDITY 7] ok\n* OK [UIDNEXT 4] ok\n$ OK [READ-ONLY] done\n',
    'UID SEARCH': '* SEARCH 1 2 3\n$ OK\n',
    'UID FETCH': (command) => fetchOf(command, bad),
  })

  it('that trips over one message still gives out the others', async () => {
    const access = await io(answersWith((uid) => (uid === 2 ? '$ NO [SERVERBUG] Internal error\n' : null)))
    const hub = hubOf(access, mailboxAt(ANN))
    await hub.settle()
    expect(hub.subjects()).toEqual(['Mail 1', 'Mail 3'])
    expect([...hub.bad.keys()]).toEqual([expect.stringMatching(/:7:2$/)])
  })

  it.each([
    ['$ NO [UNAVAILABLE] Storage is away\n', 'unavailable'],
    ['$ NO [INUSE] Locked\n', 'throttled'],
    ['$ NO [SERVERBUG] Internal error\n', 'unavailable'],
    ['$ BAD what?\n', 'malformed'],
  ])('that gives out nothing at all (%j) has no message called bad', async (answer, kind) => {
    const hub = hubOf(await io(answersWith(() => answer)), mailboxAt(ANN))
    await hub.page('live')
    expect(await failure(hub.page('backfill'))).toMatchObject({ kind })
    expect(hub.bad.size).toBe(0)
  })

  it('is asked again later where it refuses to search', async () => {
    const access = await io({ ...answersWith(() => null), 'UID SEARCH': '$ NO no\n' })
    expect(await failure(hubOf(access, mailboxAt(ANN)).page('live'))).toMatchObject({ kind: 'unavailable' })
  })

  it('is not asked for what shows messages twice, nor for what cannot be opened', async () => {
    const heard: string[] = []
    const hub = hubOf(
      await io(
        answersWith(() => null),
        heard,
      ),
      mailboxAt(ANN),
    )
    await hub.settle()
    expect(heard.filter((line) => /EXAMINE/.test(line)).every((line) => line.endsWith('INBOX'))).toBe(true)
    expect(hub.subjects()).toHaveLength(3)
  })

  it('that refuses IDLE is not asked for it over and over', async () => {
    const access = await io({
      ...answersWith(() => null),
      CAPABILITY: '* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN SASL-IR\n$ OK\n',
      IDLE: '$ NO not now\n',
    })
    const listening = mail.listen?.(access, mailboxAt(ANN), () => undefined, new AbortController().signal)
    expect(await failure(listening ?? Promise.resolve())).toMatchObject({ kind: 'unavailable' })
  })
})

describe('settings', () => {
  const at = (settings: JsonObject) => failure(mail.mailboxes(ioFor({ settings, password: 'x' })))

  it.each<[JsonObject, string]>([
    [{}, 'user'],
    [{ user: ANN }, 'host'],
    [{ user: ANN, host: 'https://imap.example.com' }, 'host'],
    [{ user: ANN, host: 'ann@imap.example.com' }, 'host'],
    [{ user: ANN, host: 'imap.example.com:993' }, 'host'],
    [{ user: ANN, host: 'imap.example.com', port: '993' }, 'port'],
    [{ user: ANN, host: 'imap.example.com', port: 0 }, 'port'],
    [{ user: ANN, host: 'imap.example.com', security: 'ssl' }, 'security'],
    [{ user: ANN, host: 'imap.example.com', security: 'none' }, 'security'],
    [{ user: ANN, host: '127.0.0.1.example.com', security: 'none' }, 'security'],
    [{ user: 'ann', host: 'imap.example.com' }, 'addresses'],
    [{ user: 'ann', host: 'imap.example.com', addresses: ['ann'] }, 'addresses'],
    [{ user: ANN, host: 'imap.example.com', folders: 'INBOX' }, 'folders'],
  ])('%j is refused for its %s', async (settings, field) => {
    expect(await at(settings)).toMatchObject({ kind: 'rejected', field })
  })

  it('give the mailbox and its addresses', async () => {
    const settings = {
      user: 'Ann@Acme.example',
      host: 'imap.example.com',
      addresses: ['Sales@acme.example', ANN],
    }
    expect(await mail.mailboxes(ioFor({ settings, password: 'x' }))).toEqual([
      { id: ANN, address: ANN, addresses: [ANN, 'sales@acme.example'] },
    ])
  })
})

describe('sets of UIDs', () => {
  const uids = fc.uniqueArray(fc.integer({ min: 1, max: 4_294_967_295 }))
  const dense = fc.uniqueArray(fc.integer({ min: 1, max: 60 }))
  const sorted = (all: readonly number[]) => all.toSorted((a, b) => a - b)

  it('come back from their text', () => {
    fc.assert(
      fc.property(fc.oneof(uids, dense), (all) => {
        expect(unpack(pack(all))).toEqual(sorted(all))
      }),
    )
  })

  it('are written as IMAP has them', () => {
    expect(sequenceSet([5, 3, 2, 1, 9, 8])).toBe('1:3,5,8:9')
    fc.assert(
      fc.property(dense, (all) => {
        const parts = all.length === 0 ? [] : sequenceSet(all).split(',')
        const back = parts.flatMap((part) => {
          const [from = 0, to = from] = part.split(':').map(Number)
          return Array.from({ length: to - from + 1 }, (_, n) => from + n)
        })
        expect(back).toEqual(sorted(all))
      }),
    )
  })

  it('are taken from each other', () => {
    fc.assert(
      fc.property(dense, dense, (a, b) => {
        expect(sorted([...minus(a, b), ...both(a, b)])).toEqual(sorted(a))
      }),
    )
  })

  it('stay short', () => {
    expect(pack(Array.from({ length: 100_000 }, (_, n) => n + 1))).toBe('1-255s')
    const holes = Array.from({ length: 100_000 }, (_, n) => n * 3 + 1)
    expect(pack(holes).length).toBeLessThan(201_000)
  })
})

describe('flags', () => {
  it('count in any case of letters, and keywords of programs do not', () => {
    expect(flagsOf(['\\draft', '\\Seen', '$JUNK', '\\Deleted']).toSorted()).toEqual([
      'draft',
      'spam',
      'trash',
    ])
    expect(keywordsOf(['$Forwarded', 'NonJunk', 'Deals', '\\Flagged'])).toEqual(['Deals'])
    expect(markOf(['\\Seen', '$MDNSent'])).toBe('')
  })

  it('are kept by what they say', () => {
    const marks = new Map([
      [1, 'draft'],
      [2, ''],
      [3, '#Deals #Private'],
      [4, 'draft'],
    ])
    expect(readMarks(writeMarks(marks))).toEqual(new Map([...marks].filter(([, mark]) => mark !== '')))
  })
})
