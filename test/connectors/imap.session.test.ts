import { createServer, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { imap } from '../../src/connectors/imap/index.ts'
import { type Dovecot, startDovecot, WITHOUT_DOVECOT, WITHOUT_OPENSSL } from './imap.dovecot.ts'
import { failure, hubOf, ioFor, mail, mailboxAt, type Person, plainSettings, signIn } from './imap.support.ts'
import { type Wire, wireTo } from './imap.wire.ts'

const problem = WITHOUT_DOVECOT ?? WITHOUT_OPENSSL
const why = problem === null ? '' : ` (skipped: ${problem})`
const TOKEN = 'ya29.right'

describe.skipIf(problem !== null)(`sessions of imap${why}`, () => {
  let server: Dovecot
  let tokens: Server
  let wire: Wire
  const people: Person[] = []
  const authorities = getCACertificates()

  beforeAll(async () => {
    // What RFC 7662 has, as Google has it: who a token is for.
    tokens = createServer((request, response) => {
      const isRight = decodeURIComponent(request.url ?? '').endsWith(TOKEN)
      response.writeHead(isRight ? 200 : 401, { 'content-type': 'application/json' })
      response.end(JSON.stringify(isRight ? { email: 'token@acme.example' } : { error: 'invalid_token' }))
    })
    await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve))
    const address = tokens.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    server = await startDovecot({ tls: true, tokenInfo: `http://127.0.0.1:${port}/?access_token=` })
    wire = await wireTo(server.port)
  }, 30_000)
  afterEach(() => {
    setDefaultCACertificates(authorities)
    wire.said.length = 0
    wire.connections = 0
    wire.cutAfter = Number.POSITIVE_INFINITY
  })
  afterAll(async () => {
    for (const { client } of people) client.close()
    await wire.close()
    await server.stop()
    await new Promise((resolve) => tokens.close(resolve))
  })

  async function person(name: string): Promise<Person> {
    const made = await signIn(server.port, `${name}@acme.example`)
    people.push(made)
    return made
  }
  const over = (name: string, more: Partial<Parameters<typeof ioFor>[0]> = {}) =>
    ioFor({ settings: plainSettings(wire.port, `${name}@acme.example`), password: 'secret', ...more })

  describe('signing in', () => {
    it('names the account', async () => {
      expect(await imap.check(over('ann'))).toEqual({
        accountId: 'ann@acme.example@127.0.0.1',
        label: 'ann@acme.example',
      })
    })

    it('tells of app passwords where the password is wrong, and never the password', async () => {
      const found = await failure(imap.check(over('ann', { password: 'hunter2' })))
      expect(found).toMatchObject({ kind: 'auth', message: expect.stringContaining('app password') })
      expect(found?.message).toContain('ann@acme.example')
      expect(found?.message).not.toContain('hunter2')
    })

    it('says that a host is not found, and that a port is not open', async () => {
      const settings = { ...plainSettings(1, 'ann@acme.example') }
      expect(await failure(imap.check(ioFor({ settings, password: 'x' })))).toMatchObject({
        kind: 'unavailable',
        message: 'The connection to 127.0.0.1:1 failed (ECONNREFUSED).',
      })
      const nowhere = { host: 'imap.nowhere.invalid', user: 'ann@acme.example' }
      const found = await failure(imap.check(ioFor({ settings: nowhere, password: 'x' })))
      // Without a network the resolver itself does not answer.
      expect(found?.kind).toBe(found?.message.includes('EAI_AGAIN') === true ? 'unavailable' : 'rejected')
    })

    it('signs in by token', async () => {
      const token = async () => TOKEN
      const io = over('token', { token, password: '' })
      expect(await imap.check(io)).toMatchObject({ label: 'token@acme.example' })
      const said = wire.said.find((line) => line.startsWith('AUTHENTICATE'))
      expect(said).toMatch(/^AUTHENTICATE OAUTHBEARER /)
      const wrong = over('token', { token: async () => 'ya29.wrong', password: '' })
      expect(await failure(imap.check(wrong))).toMatchObject({
        kind: 'auth',
        message: expect.stringContaining('Authorise the connection again'),
      })
    })
  })

  describe('TLS', () => {
    const tls = (settings: object) =>
      ioFor({ settings: { user: 'ann@acme.example', ...settings }, password: 'secret' })

    it('is refused with a certificate that nobody vouches for', async () => {
      const found = await failure(imap.check(tls({ host: 'localhost', port: server.tlsPort })))
      expect(found).toMatchObject({ kind: 'rejected', field: 'host' })
      expect(found?.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
      expect(found?.message).toContain('NODE_EXTRA_CA_CERTS')
    })

    it.each(['tls', 'starttls'])('works from the first byte, and by STARTTLS (%s)', async (security) => {
      setDefaultCACertificates([...authorities, server.certificate ?? ''])
      const port = security === 'tls' ? server.tlsPort : server.port
      expect(await imap.check(tls({ host: 'localhost', port, security }))).toMatchObject({
        label: 'ann@acme.example',
      })
    })

    it('says when a port begins without it', async () => {
      const found = await failure(imap.check(tls({ host: 'localhost', port: server.port })))
      expect(found).toMatchObject({ kind: 'rejected', field: 'port' })
    })
  })

  it('keeps one session for all pages', async () => {
    const ann = await person('pages')
    for (let n = 0; n < 30; n++) await ann.append('INBOX', `Mail ${n}`)
    const hub = hubOf(over('pages'), mailboxAt(ann.address))
    await hub.settle()
    expect(hub.subjects()).toHaveLength(30)
    expect(wire.connections).toBe(1)
    expect(wire.said.filter((line) => /^(?:SELECT|STORE|UID STORE|EXPUNGE|APPEND)/.test(line))).toEqual([])
    expect(wire.said.filter((line) => /FETCH.*BODY/.test(line) && !line.includes('PEEK'))).toEqual([])
  })

  it('goes on with a new session where the old one died unnoticed', async () => {
    const ann = await person('idle')
    const hub = hubOf(over('idle'), mailboxAt(ann.address))
    await hub.settle()
    wire.cutAfter = 1
    await ann.append('INBOX', 'New')
    await hub.drain('live')
    expect(hub.subjects()).toEqual(['New'])
    expect(wire.connections).toBe(2)
  })

  it('keeps its place when the connection breaks in the middle of a message', async () => {
    const ann = await person('broken')
    for (let n = 0; n < 20; n++) await ann.append('INBOX', `Mail ${n}`, { text: 'x'.repeat(20_000) })
    const io = over('broken')
    const hub = hubOf(io, mailboxAt(ann.address))
    await hub.page('live')
    const before = JSON.stringify(hub.cursor)
    const other = over('broken')
    wire.cutAfter = 100_000
    const cut = hubOf(other, mailboxAt(ann.address))
    cut.cursor = hub.cursor
    expect(await failure(cut.page('backfill'))).toMatchObject({ kind: 'unavailable' })
    expect(JSON.stringify(cut.cursor)).toBe(before)
    expect(cut.read.size).toBe(0)
    await cut.settle()
    expect(cut.subjects()).toHaveLength(20)
  })

  it('ends at once when the hub stops', async () => {
    const stopping = new AbortController()
    const ann = await person('stop')
    for (let n = 0; n < 25; n++) await ann.append('INBOX', `Mail ${n}`, { text: 'x'.repeat(50_000) })
    const hub = hubOf(over('stop', { stopping: stopping.signal }), mailboxAt(ann.address))
    await hub.page('live')
    const page = failure(hub.page('backfill'))
    await sleep(5)
    stopping.abort()
    expect(await page).toMatchObject({ kind: 'unavailable', message: 'The hub is stopping.' })
  })

  describe('listening', () => {
    async function listener(name: string) {
      const ann = await person(name)
      await ann.append('INBOX', 'First')
      const stop = new AbortController()
      const calls: number[] = []
      const done = mail.listen?.(
        over(name),
        mailboxAt(ann.address),
        () => calls.push(Date.now()),
        stop.signal,
      )
      while (calls.length === 0) await sleep(10)
      while (!wire.said.includes('IDLE')) await sleep(10)
      await sleep(50)
      calls.length = 0
      return { ann, stop, calls, done: done ?? Promise.resolve() }
    }
    const within = async (calls: readonly number[], ms: number) => {
      const until = Date.now() + ms
      while (calls.length === 0 && Date.now() < until) await sleep(10)
      return calls.length
    }

    it('tells of new, flagged and deleted mail within a second, and ends when told to', async () => {
      const { ann, stop, calls, done } = await listener('listen')
      for (const act of [
        () => ann.append('INBOX', 'New'),
        () => ann.within('INBOX', (client) => client.messageFlagsAdd('1', ['Private'])),
        () => ann.within('INBOX', (client) => client.messageDelete('1')),
      ]) {
        calls.length = 0
        await act()
        expect(await within(calls, 1_000)).toBeGreaterThan(0)
        await sleep(150)
      }
      stop.abort()
      await done
    }, 10_000)

    it('tells once of many changes at once', async () => {
      const { ann, stop, calls, done } = await listener('many')
      for (let n = 0; n < 10; n++) await ann.append('INBOX', `New ${n}`)
      await sleep(600)
      expect(calls.length).toBeGreaterThan(0)
      expect(calls.length).toBeLessThan(10)
      stop.abort()
      await done
    }, 10_000)

    it('fails when the connection breaks', async () => {
      const { done } = await listener('breaks')
      const ended = failure(done)
      wire.cut()
      expect(await ended).toMatchObject({ kind: 'unavailable' })
    })

    it('does not begin where it is to end', async () => {
      const ended = AbortSignal.abort()
      await mail.listen?.(over('ann'), mailboxAt('ann@acme.example'), () => undefined, ended)
      expect(wire.connections).toBe(0)
    })
  })
})
