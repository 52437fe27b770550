import { describe, expect, it } from 'vitest'
import { retryAfter } from '../../src/connectors/retry-after.ts'
import { openScrubber } from '../../src/runtime/client/redact.ts'
import { failureFrom, ORIGIN, START, vendor, world } from './client-world.ts'

const ok = () => Response.json({})
const redirect = (to: string, code = 302) => new Response(null, { status: code, headers: { location: to } })

describe('redirects', () => {
  it('are followed for reads within one origin', async () => {
    const { io, seen } = world((_, count) => (count === 1 ? redirect('/there') : ok()))
    await io.fetch(`${ORIGIN}/here`, { headers: { 'x-api-key': 'k' } })
    expect(seen.map(({ url }) => url)).toEqual([`${ORIGIN}/here`, `${ORIGIN}/there`])
    expect(seen[1]?.headers.get('x-api-key')).toBe('k')
  })

  it.each([
    ['to another origin', 'GET', {}, 'https://other.example/'],
    ['of a write', 'POST', {}, `${ORIGIN}/there`],
    ['to where the caller said not to', 'GET', { redirect: 'error' as const }, `${ORIGIN}/there`],
    [
      'of a key in hand to another origin',
      'GET',
      { credentials: 'omit' as const, headers: { authorization: 'x' } },
      'https://other.example/',
    ],
  ])('%s are a failure', async (_, method, init, to) => {
    const { io, seen } = world(() => redirect(to))
    expect(await failureFrom(io.fetch(ORIGIN, { ...init, method }))).toMatchObject({ code: 'redirect' })
    expect(seen).toHaveLength(1)
  })

  it('are followed anywhere public for a request without credentials', async () => {
    const { io, seen } = world((_, count) => (count === 1 ? redirect('https://files.example/1') : ok()))
    await io.fetch(ORIGIN, { credentials: 'omit' })
    expect(seen[1]?.url).toBe('https://files.example/1')
    const inward = world(() => redirect('https://169.254.169.254/latest/meta-data'))
    const failure = await failureFrom(inward.io.fetch(ORIGIN, { credentials: 'omit' }))
    expect(failure).toMatchObject({ kind: 'rejected', code: 'address' })
  })

  it('end after five', async () => {
    const { io, seen } = world(() => redirect('/again'))
    expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ code: 'redirect' })
    expect(seen).toHaveLength(6)
  })
})

describe('addresses', () => {
  it.each([
    'http://api.vendor.example/',
    'https://10.0.0.1/',
    'https://172.16.9.9/',
    'https://192.168.1.1/',
    'https://169.254.169.254/',
    'https://100.64.0.1/',
    'https://0/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://0x0a.0.0.1/',
    'http://127.0.0.1:80/',
    'https://localhost/',
    'https://localhost./',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'ftp://api.vendor.example/',
  ])('%s is refused', async (url) => {
    const { io, seen } = world(ok)
    expect(await failureFrom(io.fetch(url))).toMatchObject({ kind: 'rejected', code: 'address' })
    expect(seen).toHaveLength(0)
  })

  it('on this machine are allowed to a connection whose own base URL is here', async () => {
    const local = world(ok, { settings: { baseUrl: 'http://127.0.0.1:4010' } })
    for (const url of ['http://127.0.0.1:4010/', 'http://localhost:1/', 'http://[::1]:1/']) {
      expect((await local.io.fetch(url)).status).toBe(200)
    }
    expect(await failureFrom(local.io.fetch('http://10.0.0.1/'))).toMatchObject({ code: 'address' })
    const elsewhere = world(ok, { settings: { baseUrl: ORIGIN } })
    expect(await failureFrom(elsewhere.io.fetch('http://127.0.0.1:4010/'))).toMatchObject({ code: 'address' })
  })
})

describe('a secret', () => {
  const KEY = 'sk_live_0123456789'
  const secrets = { apiKey: KEY }

  it('in a header, the query or the body is in no log entry and no error message', async () => {
    const echo = world(
      ({ headers, url, body }) =>
        new Response(`bad key ${headers.get('authorization')} ${url} ${body} ${encodeURIComponent(KEY)}`, {
          status: 400,
        }),
      { secrets },
    )
    const basic = Buffer.from(`any:${KEY}`).toString('base64')
    for (const authorization of [`Bearer ${KEY}`, `Basic ${basic}`]) {
      const failure = await failureFrom(
        echo.io.fetch(`${ORIGIN}/v1?api_key=${KEY}&page=2&other=${KEY}`, {
          method: 'POST',
          headers: { authorization },
          body: `key=${KEY}`,
        }),
      )
      expect(JSON.stringify([failure, echo.log])).not.toContain(KEY)
      expect(JSON.stringify([failure, echo.log])).not.toContain(basic)
    }
    expect(echo.log[0]?.url).toContain('page=2')
  })

  it('in what a vendor calls the code or the field of its refusal is not passed on', async () => {
    const said = (text: string) => ({ kind: 'rejected', code: text, field: text, message: text }) as const
    const connector = vendor({ classify: ({ body }) => said(body) })
    const { io } = world(() => new Response(`Bearer ${KEY}`, { status: 400 }), { secrets, connector })
    expect(await failureFrom(io.fetch(ORIGIN))).toEqual(said('Bearer ***'))
  })

  it('that makes a request invalid is not quoted', async () => {
    const { io } = world(ok, { secrets })
    const bad = io.fetch(ORIGIN, { headers: { authorization: `Bearer ${KEY}\nx` } })
    await expect(bad).rejects.toThrow(TypeError)
    await expect(bad).rejects.not.toThrow(KEY)
    await expect(io.fetch(`https://user:${KEY}@api.vendor.example/`)).rejects.not.toThrow(KEY)
  })

  it('in a network error is not quoted either', async () => {
    const { io, log } = world(() => Promise.reject(new Error(`could not send ${KEY}`)), { secrets })
    const failure = await failureFrom(io.fetch(`${ORIGIN}/?token=abc123secret`))
    expect(JSON.stringify([failure, log])).not.toMatch(/sk_live|abc123secret/)
  })
})

describe('a scrubber', () => {
  it('hides what is given for good and the newest tokens, and does not grow with every token', () => {
    const scrubber = openScrubber(['for-good'])
    for (let n = 0; n < 1000; n++) scrubber.add(`token-${n}-x`)
    expect(scrubber.scrub('for-good token-999-x token-990-x')).toBe('*** *** ***')
    expect(scrubber.scrub('token-1-x')).toBe('token-1-x')
  })
})

describe('the log', () => {
  it('has one entry an attempt', async () => {
    const { io, log } = world((_, count) =>
      count === 1
        ? new Response('down', { status: 503 })
        : new Response('fine', { headers: { 'request-id': 'req_1' } }),
    )
    await io.fetch(`${ORIGIN}/a?limit=1#fragment`)
    const shared = { connection: 'books', method: 'GET', url: `${ORIGIN}/a?limit=1`, ms: 0, bytes: 4 }
    expect(log).toEqual([
      { ...shared, status: 503, attempt: 1, failure: 'unavailable', requestId: null },
      { ...shared, status: 200, attempt: 2, failure: null, requestId: 'req_1' },
    ])
  })
})

describe('keys', () => {
  it('are never added by the client', async () => {
    const { io, seen } = world(ok, { connector: vendor(), secrets: { apiKey: 'sk_live_0123456789' } })
    await io.fetch(ORIGIN)
    expect([...(seen[0]?.headers ?? [])].map(([name]) => name)).toEqual([])
  })
})

describe('Retry-After', () => {
  it.each([
    ['120', START + 120_000],
    ['0', START],
    ['1.5', START + 1500],
    [new Date(START + 5000).toUTCString(), START + 5000],
    [new Date(START - 5000).toUTCString(), START],
    ['-1', null],
    ['soon', null],
    ['2 minutes', null],
    ['', null],
  ])('%j is read', (text, at) => {
    expect(retryAfter(new Headers({ 'retry-after': text }), START)).toBe(at)
  })

  it('may be missing', () => {
    expect(retryAfter(new Headers(), START)).toBeNull()
  })
})
