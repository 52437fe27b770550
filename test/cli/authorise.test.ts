import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Writable } from 'node:stream'
import { exportPKCS8, generateKeyPair } from 'jose'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runCli } from '../../src/cli/program.ts'
import type { Wiring } from '../../src/cli/wiring.ts'
import type { Connector } from '../../src/connectors/connector.ts'
import { readConnection, readSecrets, setConnectionState } from '../../src/store/connections.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { openVault } from '../../src/store/secrets.ts'
import { testDatabase } from '../support/database.ts'
import { ROOT } from './wired.ts'

const KEY = 'a key that is only for tests'
const POST = 'http://127.0.0.1:4191'

const post: Connector = {
  id: 'post',
  auth: {
    kind: 'oauth2',
    grants: ['jwt', 'client', 'code'],
    authorizeUrl: 'https://login.post.example/{tenant}/authorize?lang=en',
    tokenUrl: 'https://login.post.example/{tenant}/token',
    scopes: ['mail.read', 'offline'],
    authorizeParams: { access_type: 'offline' },
    rotates: true,
  },
  limits: [],
  resources: {},
  mail: {
    mailboxes: async () => [],
    pull: () => Promise.reject(new Error('nothing is read here')),
    fetch: async () => ({ sightings: [], bad: [] }),
    subscribe: async () => null,
  },
  webhooks: { receive: () => ({ kind: 'handshake', status: 200, body: '' }) },
  async check(io) {
    const reply = await io.fetch(`${POST}/me`)
    return { accountId: await reply.text(), label: 'Ann' }
  },
  classify: ({ status, url }) =>
    status === 401
      ? { kind: 'auth', message: `${url} refuses the token.` }
      : { kind: 'rejected', code: String(status), field: null, message: `${url}: ${status}` },
}

type Ran = { code: number; out: string; err: string }
type Vendor = {
  /** What the token endpoint was asked with, oldest first. */
  readonly asked: Record<string, string>[]
  /** Answers the token endpoint. */
  grant: (form: Record<string, string>) => Response
  /** The access token that works. */
  good: string
}

let dir: string
let db: Database
let drop: () => Promise<void>
let vendor: Vendor
let env: Record<string, string | undefined>
let answers: { hidden: boolean; question: string; answer: string }[]
/** What a person does with the address that is shown. */
let browse: (url: URL) => Promise<void>
let stop: AbortController

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'concord-auth-'))
  for (const name of ['hub.yaml', 'pipelines.yaml'])
    cpSync(path.join(ROOT, 'config', name), path.join(dir, 'config', name))
  writeFileSync(path.join(dir, 'config', 'post.yaml'), 'connection: post\nconnector: post\nmail: {}\n')
  const database = await testDatabase()
  drop = () => database.drop()
  db = openDatabase(database.url)
  env = { CONCORD_DIR: dir, DATABASE_URL: database.url, CONCORD_SECRET_KEY: KEY }
  answers = []
  stop = new AbortController()
  vendor = { asked: [], good: 'access-1', grant: () => tokens(1) }
  browse = (url) => comeBack(url, { code: 'code-1' })
})
afterEach(async () => {
  await db.close()
  await drop()
  rmSync(dir, { recursive: true, force: true })
})

const tokens = (n: number, more: object = {}) =>
  Response.json({ access_token: `access-${n}`, refresh_token: `refresh-${n}`, expires_in: 3600, ...more })

async function transport(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  const { pathname } = new URL(request.url)
  if (pathname.endsWith('/token')) {
    const form = Object.fromEntries(new URLSearchParams(await request.text()))
    vendor.asked.push({ ...form, at: request.url })
    return vendor.grant(form)
  }
  return request.headers.get('authorization') === `Bearer ${vendor.good}`
    ? new Response('account-1')
    : new Response('', { status: 401 })
}

async function comeBack(shown: URL, answer: Record<string, string>): Promise<void> {
  const redirect = new URL(shown.searchParams.get('redirect_uri') ?? '')
  const state = shown.searchParams.get('state') ?? ''
  for (const [name, value] of Object.entries({ state, ...answer })) redirect.searchParams.set(name, value)
  await fetch(redirect)
}

async function run(...args: readonly string[]): Promise<Ran> {
  const told = { out: '', err: '' }
  const stream = (to: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        told[to] += chunk.toString()
        const shown = /^https?:\S+$/m.exec(chunk.toString())?.[0]
        if (to === 'err' && shown !== undefined) void browse(new URL(shown))
        done()
      },
    })
  const wiring: Wiring = {
    version: '0.0.0',
    connectors: { post },
    shipped: path.join(dir, 'config'),
    env,
    transport,
    stopping: stop.signal,
    terminal: {
      out: stream('out'),
      err: stream('err'),
      interactive: false,
      colour: false,
      columns: 120,
      ask: async (question, hidden) => {
        const answer = question.startsWith('clientId') ? 'client-1' : 'hush-hush'
        answers.push({ hidden, question, answer })
        return answer
      },
    },
    makeLog: () => pino({ level: 'silent' }),
    serveHttp: () => Promise.reject(new Error('nothing is served here')),
    runDemo: async () => 1,
  }
  return { code: await runCli(args, wiring), ...told }
}

const SANDBOX = ['--set', `baseUrl=${POST}`, '--set', 'tenant=acme']
const add = (...more: readonly string[]) => run('connections', 'add', 'post', ...SANDBOX, ...more)
const secrets = () => readSecrets(db.sql, openVault([KEY]), 'post')
const row = () => readConnection(db.sql, 'post')

describe('a person in a browser', () => {
  it('allows it: with state and a challenge, at a port of this machine, and the code is spent with the verifier', async () => {
    let shown = new URL('http://none.example')
    browse = (url) => comeBack((shown = url), { code: 'code-1' })
    expect(await add()).toMatchObject({ code: 0, out: expect.stringContaining('post is connected: Ann.') })
    const asked = Object.fromEntries(shown.searchParams)
    expect(shown.href).toMatch(/^https:\/\/login\.post\.example\/acme\/authorize\?lang=en&/)
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: 'client-1',
      scope: 'mail.read offline',
      access_type: 'offline',
      code_challenge_method: 'S256',
    })
    expect(asked['redirect_uri']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/oauth\/callback$/)
    const [form = {}] = vendor.asked
    expect(form).toMatchObject({
      at: 'https://login.post.example/acme/token',
      grant_type: 'authorization_code',
      code: 'code-1',
      client_id: 'client-1',
      client_secret: 'hush-hush',
      redirect_uri: asked['redirect_uri'],
    })
    const challenge = createHash('sha256')
      .update(form['code_verifier'] ?? '')
      .digest('base64url')
    expect(challenge).toBe(asked['code_challenge'])
    expect(await secrets()).toMatchObject({
      accessToken: 'access-1',
      refreshToken: 'refresh-1',
      clientId: 'client-1',
    })
    expect(answers.map(({ hidden }) => hidden)).toEqual([false, true])
    // A second question has another state and another challenge.
    const before = asked
    browse = (url) => comeBack((shown = url), { code: 'code-2' })
    expect((await add('--browser')).code).toBe(0)
    for (const name of ['state', 'code_challenge'])
      expect(shown.searchParams.get(name)).not.toBe(before[name])
  })

  it('is waited for while others knock with a wrong state, at another path, or by another method', async () => {
    const statuses: number[] = []
    browse = async (url) => {
      const redirect = url.searchParams.get('redirect_uri') ?? ''
      const knock = async (to: string, init?: RequestInit) => statuses.push((await fetch(to, init)).status)
      await knock(`${redirect}?code=stolen&state=guess`)
      await knock(`${redirect}?code=stolen`)
      await knock(redirect.replace('/oauth/callback', '/'))
      await knock(`${redirect}?code=stolen&state=${url.searchParams.get('state')}`, { method: 'POST' })
      await comeBack(url, { code: 'code-1' })
    }
    expect((await add()).code).toBe(0)
    expect(statuses).toEqual([400, 400, 404, 404])
    expect(vendor.asked.map(({ code }) => code)).toEqual(['code-1'])
  })

  it.each([
    ['says no', { error: 'access_denied', error_description: 'Ann said no' }, 'access_denied, Ann said no'],
    ['comes back with nothing', {}, 'not allowed'],
  ])('who %s leaves nothing behind', async (_, answer, said) => {
    browse = (url) => comeBack(url, answer)
    const ran = await add()
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(said) })
    expect(ran.err).toContain('Nothing was saved')
    expect([await row(), vendor.asked]).toEqual([undefined, []])
  })

  it.each([
    [
      'refuses the code',
      () => Response.json({ error: 'invalid_grant', error_description: 'hush-hush' }, { status: 400 }),
      'invalid_grant',
    ],
    [
      'gives nothing to renew it with',
      () => Response.json({ access_token: 'a', expires_in: 3600 }),
      'nothing to renew it with',
    ],
    ['answers nonsense', () => new Response('<html>'), 'without an access token'],
  ])('is told when the vendor %s, and nothing is saved', async (_, grant, said) => {
    vendor.grant = grant
    const ran = await add()
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(said) })
    expect(ran.out + ran.err).not.toContain('hush-hush')
    expect(await row()).toBeUndefined()
    // The code may have been spent.
    expect(vendor.asked).toHaveLength(1)
  })

  it('is not sent to an address without TLS, nor to this machine unless the vendor is here', async () => {
    for (const authorizeUrl of ['http://login.other.example/', 'https://192.168.0.1/']) {
      const ran = await add('--set', `authorizeUrl=${authorizeUrl}`)
      expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('--set authorizeUrl=') })
    }
    const ran = await run('connections', 'add', 'post')
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('--set tenant=') })
  })

  it('who never comes is not waited for when the command is stopped', async () => {
    browse = async () => stop.abort()
    expect(await add()).toMatchObject({ code: 130 })
    expect(await row()).toBeUndefined()
  })

  it('is told of a port that is taken, and asked for another', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = z.object({ port: z.number() }).parse(taken.address())
    const ran = await add('--redirect-port', String(address.port))
    taken.close()
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('in use') })
    browse = (url) => {
      expect(url.searchParams.get('redirect_uri')).toBe(`http://127.0.0.1:${address.port}/oauth/callback`)
      return comeBack(url, { code: 'code-1' })
    }
    expect((await add('--redirect-port', String(address.port))).code).toBe(0)
  })

  it('is asked again only where the vendor has taken it back', async () => {
    await add()
    browse = () => Promise.reject(new Error('nobody is asked'))
    expect((await add('--set', 'note=x')).code).toBe(0)
    await setConnectionState(db.sql, 'post', 'unauthorised', 'revoked')
    const seen: URL[] = []
    browse = (url) => (seen.push(url), comeBack(url, { code: 'code-2' }))
    expect((await add()).code).toBe(0)
    expect([seen.length, (await row())?.state]).toEqual([1, 'ready'])
  })
})

describe('tokens that are used up while the connection is added again', () => {
  it('are kept as the vendor replaced them', async () => {
    await add()
    vendor.good = 'access-2'
    vendor.grant = ({ refresh_token }) =>
      refresh_token === 'refresh-1' ? tokens(2) : Response.json({ error: 'invalid_grant' }, { status: 400 })
    expect((await add('--set', 'note=x')).code).toBe(0)
    expect(await secrets()).toMatchObject({ accessToken: 'access-2', refreshToken: 'refresh-2' })
  })

  it('also where they were brought from elsewhere', async () => {
    env['CONCORD_POST_REFRESH_TOKEN'] = 'brought'
    const seen: URL[] = []
    browse = async (url) => void seen.push(url)
    expect((await add()).code).toBe(0)
    expect([vendor.asked[0]?.['refresh_token'], seen]).toEqual(['brought', []])
    expect(await secrets()).toMatchObject({ accessToken: 'access-1', refreshToken: 'refresh-1' })
  })
})

describe('without a person', () => {
  const keyFile = async (): Promise<string> => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    const file = path.join(dir, 'key.json')
    const key = { client_email: 'hub@post.example', private_key: await exportPKCS8(privateKey) }
    writeFileSync(file, JSON.stringify(key))
    return file
  }

  it('a service account works from its file, for the admin that is named', async () => {
    const file = await keyFile()
    expect((await add('--service-account', file, '--admin-user', 'admin@acme.example')).code).toBe(0)
    const [, claims = ''] = (vendor.asked[0]?.['assertion'] ?? '').split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'hub@post.example',
      sub: 'admin@acme.example',
      aud: 'https://login.post.example/acme/token',
    })
    expect((await row())?.settings).toMatchObject({ directoryAdmin: 'admin@acme.example' })
    expect(Object.keys(await secrets())).toEqual(['serviceAccountKey'])
  })

  it('an application works with its own credentials, which take the place of a person', async () => {
    await add()
    expect((await add('--client-credentials')).code).toBe(0)
    expect(vendor.asked.at(-1)).toMatchObject({ grant_type: 'client_credentials', client_id: 'client-1' })
    expect(Object.keys(await secrets()).toSorted()).toEqual(['clientId', 'clientSecret'])
    // And so it stays.
    expect((await add('--set', 'note=x')).code).toBe(0)
    expect(vendor.asked.at(-1)).toMatchObject({ grant_type: 'client_credentials' })
  })

  it.each([
    [['--service-account', 'nowhere.json'], 'nowhere.json'],
    [['--admin-user', 'a@b.c'], '--service-account'],
    [['--browser', '--client-credentials'], 'exclude each other'],
  ])('%j is not enough', async (options, said) => {
    expect(await add(...options)).toMatchObject({ code: 2, err: expect.stringContaining(said) })
  })
})

describe('--webhook-url for mail', () => {
  it('is kept with a secret of our own, which stays when it is given again', async () => {
    const hooked = await add('--webhook-url', 'https://hub.example.com')
    expect(hooked).toMatchObject({
      code: 0,
      out: expect.stringContaining('https://hub.example.com/webhooks/post.'),
    })
    expect((await row())?.settings).toMatchObject({ webhookUrl: 'https://hub.example.com/webhooks/post' })
    const { webhookSecret = '' } = await secrets()
    expect(webhookSecret.length).toBeGreaterThanOrEqual(32)
    expect(hooked.out + hooked.err).not.toContain(webhookSecret)
    await add('--webhook-url', 'https://other.example.com/hooks')
    expect(await secrets()).toMatchObject({ webhookSecret })
    expect((await row())?.settings).toMatchObject({ webhookUrl: 'https://other.example.com/hooks' })
  })
})
