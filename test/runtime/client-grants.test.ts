import { exportPKCS8, exportSPKI, generateKeyPair, importSPKI, jwtVerify } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AuthSpec, OAuth2 } from '../../src/connectors/connector.ts'
import { chosenAuth, endpointOf, scopesOf } from '../../src/runtime/client/auth.ts'
import {
  type Answer,
  failureFrom,
  networkError,
  OAUTH,
  ORIGIN,
  START,
  testClock,
  vendor,
  world,
} from './client-world.ts'

const SCOPES = ['https://mail.example/read', 'https://directory.example/users']
const google: OAuth2 = { ...OAUTH, grants: ['code', 'jwt'], scopes: SCOPES, rotates: false }
const entra: OAuth2 = {
  ...OAUTH,
  grants: ['code', 'client'],
  tokenUrl: `${ORIGIN}/{tenant}/token`,
  scopes: ['Mail.Read', 'offline_access'],
  grantScopes: { client: ['https://graph.microsoft.com/.default'] },
}

let serviceAccountKey = ''
let publicKey = ''
beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true })
  publicKey = await exportSPKI(pair.publicKey)
  serviceAccountKey = JSON.stringify({
    type: 'service_account',
    client_email: 'hub@project.iam.example',
    private_key_id: 'key-1',
    private_key: await exportPKCS8(pair.privateKey),
    token_uri: 'https://thief.example/token',
  })
})

const formOf = (body: string) => Object.fromEntries(new URLSearchParams(body))

/** Grants tokens `token-1`, `token-2`, … for an hour. */
function granting(more: (body: string) => Response | null = () => null): Answer & { asked: string[] } {
  const asked: string[] = []
  const answer: Answer = ({ url, body }) => {
    if (!url.endsWith('/token')) return Response.json({})
    asked.push(body)
    return more(body) ?? Response.json({ access_token: `token-${asked.length}`, expires_in: 3600 })
  }
  return Object.assign(answer, { asked })
}

const jwt = (answer: Answer, over: Parameters<typeof world>[1] = {}) =>
  world(answer, { connector: vendor({ auth: google }), secrets: { serviceAccountKey }, ...over })

async function assertionOf(body: string) {
  const { assertion = '', ...form } = formOf(body)
  const verified = await jwtVerify(assertion, await importSPKI(publicKey, 'RS256'), {
    currentDate: new Date(START),
  })
  return { form, ...verified }
}

describe('a service account', () => {
  it('signs an assertion for the user it acts for, to the endpoint of the connector and not of the file', async () => {
    const answer = granting()
    const { io, seen } = jwt(answer)
    await io.as('ann@example.com').fetch(`${ORIGIN}/mail`)
    expect(seen.map(({ url, headers }) => [url, headers.get('authorization')])).toEqual([
      [OAUTH.tokenUrl, null],
      [`${ORIGIN}/mail`, 'Bearer token-1'],
    ])
    const { form, payload, protectedHeader } = await assertionOf(answer.asked[0] ?? '')
    expect(form).toEqual({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' })
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-1' })
    expect(payload).toEqual({
      iss: 'hub@project.iam.example',
      sub: 'ann@example.com',
      aud: OAUTH.tokenUrl,
      scope: SCOPES.join(' '),
      iat: START / 1000,
      exp: START / 1000 + 3600,
    })
  })

  it('has a token for each user, used until it is about to end', async () => {
    const answer = granting((body) =>
      Response.json({ access_token: `for-${decoded(body).sub}`, expires_in: 3600 }),
    )
    const { io, seen, clock } = jwt(answer)
    const users = ['ann@example.com', 'bob@example.com']
    const round = () =>
      Promise.all([...users, ...users].map((user) => io.as(user).fetch(`${ORIGIN}/${user}`)))
    await round()
    await round()
    expect(subsOf(answer.asked)).toEqual(users)
    const bearers = seen.flatMap(({ url, headers }) =>
      url.endsWith('/token') ? [] : [`${url.split('/').at(-1)} ${headers.get('authorization')}`],
    )
    expect(new Set(bearers)).toEqual(new Set(users.map((user) => `${user} Bearer for-${user}`)))
    await clock.sleep(3_600_000 - 60_000)
    await round()
    expect(subsOf(answer.asked)).toEqual([...users, ...users].toSorted())
    expect(await io.as('ann@example.com').token()).toBe('for-ann@example.com')
  })

  it('asks anew for a token that is refused before its end, once', async () => {
    let isRefused = true
    const answer = granting()
    const { io, seen } = jwt((one, count) => {
      if (one.url.endsWith('/token') || !isRefused) return answer(one, count)
      isRefused = false
      return new Response('', { status: 401 })
    })
    expect((await io.as('ann@example.com').fetch(`${ORIGIN}/mail`)).status).toBe(200)
    expect(seen.at(-1)?.headers.get('authorization')).toBe('Bearer token-2')
  })

  it('acts for the admin of the domain where nobody is named, and for itself where there is none', async () => {
    const answer = granting()
    const { io } = jwt(answer, { settings: { directoryAdmin: 'Admin@example.com' } })
    await io.fetch(`${ORIGIN}/directory`)
    expect(io.as('admin@example.com')).toBe(io)
    const alone = granting()
    await jwt(alone).io.fetch(`${ORIGIN}/directory`)
    expect([decoded(answer.asked[0] ?? '').sub, decoded(alone.asked[0] ?? '').sub]).toEqual([
      'Admin@example.com',
      undefined,
    ])
  })

  it('that may not act for one user fails for that user alone', async () => {
    const refusing = granting((body) =>
      decoded(body).sub === 'gone@example.com'
        ? Response.json({ error: 'invalid_grant', error_description: 'Invalid email' }, { status: 400 })
        : null,
    )
    const { io } = jwt(refusing)
    const failure = await failureFrom(io.as('gone@example.com').fetch(ORIGIN))
    expect(failure).toMatchObject({ kind: 'rejected', code: 'user' })
    expect(failure.message).toContain('gone@example.com')
    expect((await io.as('ann@example.com').fetch(ORIGIN)).status).toBe(200)
  })

  it.each([
    ['unauthorized_client', 'ann@example.com'],
    ['invalid_grant', null],
  ])('that is refused itself (%s for %s) needs a person', async (error, user) => {
    const { io } = jwt(granting(() => Response.json({ error }, { status: 401 })))
    const view = user === null ? io : io.as(user)
    expect(await failureFrom(view.fetch(ORIGIN))).toMatchObject({ kind: 'auth' })
    expect(await failureFrom(view.token())).toMatchObject({ kind: 'auth' })
  })

  it.each([
    ['no JSON', 'private stuff'],
    ['another file', '{"installed":{"client_id":"private stuff"}}'],
    ['a key that is none', '{"client_email":"a@b.c","private_key":"private stuff"}'],
  ])('whose file is %s is refused without quoting it, and nothing is sent', async (_, text) => {
    const { io, seen } = jwt(granting(), { secrets: { serviceAccountKey: text } })
    const failure = await failureFrom(io.fetch(ORIGIN))
    expect(failure).toMatchObject({ kind: 'auth' })
    expect(failure.message).toContain('Fix:')
    expect(JSON.stringify(failure)).not.toContain('private stuff')
    expect(seen).toEqual([])
  })

  it('is in no log and no message, nor are its tokens', async () => {
    const { io, log } = jwt(({ url, headers, body }) =>
      url.endsWith('/token')
        ? Response.json({ access_token: 'very-secret-token' })
        : new Response(`no ${headers.get('authorization')} ${body}`, { status: 400 }),
    )
    const failure = await failureFrom(io.as('ann@example.com').fetch(`${ORIGIN}/?t=very-secret-token`))
    expect(JSON.stringify([failure, log])).not.toContain('very-secret-token')
  })

  it('shares the limits between the users it acts for', async () => {
    const { io, seen } = jwt(granting(), {
      connector: vendor({ auth: google, limits: [{ permits: 2, windowMs: 60_000 }] }),
    })
    await Promise.all(['a', 'b', 'c'].map((user) => io.as(user).fetch(`${ORIGIN}/mail`)))
    const at = seen.filter(({ url }) => !url.endsWith('/token')).map((one) => one.at - START)
    expect([at.slice(0, 2), (at[2] ?? 0) >= 60_000]).toEqual([[0, 0], true])
  })
})

describe('an application', () => {
  const client = (answer: Answer, settings = { tenant: 'contoso.example' } as Record<string, string>) =>
    world(answer, {
      connector: vendor({ auth: entra }),
      secrets: { clientId: 'app-1', clientSecret: 'hush-hush' },
      settings,
    })

  it('gets its token with its own credentials, in its tenant, for all users', async () => {
    const answer = granting()
    const { io, seen } = client(answer)
    await io.as('ann@example.com').fetch(`${ORIGIN}/users/ann`)
    await io.as('bob@example.com').fetch(`${ORIGIN}/users/bob`)
    expect(seen[0]?.url).toBe(`${ORIGIN}/contoso.example/token`)
    expect(answer.asked.map(formOf)).toEqual([
      {
        grant_type: 'client_credentials',
        scope: 'https://graph.microsoft.com/.default',
        client_id: 'app-1',
        client_secret: 'hush-hush',
      },
    ])
  })

  it('asks again after a lost reply, as nothing was used up', async () => {
    const answer = granting()
    const { io, seen } = client((one, count) => {
      if (count === 1) throw networkError('ECONNRESET')
      return answer(one, count)
    })
    expect((await io.fetch(ORIGIN)).status).toBe(200)
    expect(seen).toHaveLength(3)
  })

  it('names the setting that its address lacks', async () => {
    const { io, seen } = client(granting(), {})
    expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ kind: 'rejected', field: 'tenant' })
    expect(seen).toEqual([])
  })

  it.each(['http://127.0.0.1:9/token', 'http://login.example/token', 'https://10.0.0.1/token'])(
    'sends its secret to no token endpoint such as %s',
    async (tokenUrl) => {
      const { io, seen } = client(granting(), { tokenUrl })
      expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ kind: 'rejected', code: 'address' })
      expect(seen).toEqual([])
    },
  )

  it('does not leave its own part of an address', () => {
    const at = (tenant: string) => endpointOf(entra, 'tokenUrl', { tenant }).href
    expect(at('../evil?x=#y')).toBe(`${ORIGIN}/..%2Fevil%3Fx%3D%23y/token`)
    expect(endpointOf(entra, 'tokenUrl', { tokenUrl: 'https://login.other.example/t' }).host).toBe(
      'login.other.example',
    )
  })
})

describe('the way that is used', () => {
  const key = { kind: 'apiKey', fields: ['user', 'password'] } as const
  const turned: OAuth2 = { ...entra, grants: ['client', 'code'] }
  const either: AuthSpec = { kind: 'either', of: [key, google] }

  it.each([
    [either, { user: 'a', password: 'b', refreshToken: 'r' }, 'none'],
    [either, { user: 'a', refreshToken: 'r' }, 'code'],
    [either, { user: 'a', password: '', serviceAccountKey: '{}' }, 'jwt'],
    [either, { user: 'a' }, 'none'],
    [google, {}, 'code'],
    [google, { refreshToken: 'r', serviceAccountKey: '{}' }, 'code'],
    [entra, { clientId: 'a', clientSecret: 'b' }, 'client'],
    [entra, { clientId: 'a', clientSecret: 'b', refreshToken: 'r' }, 'code'],
    [turned, { clientId: 'a', clientSecret: 'b', refreshToken: 'r' }, 'code'],
    [key, { user: 'a', password: 'b' }, 'none'],
  ])('is the first whose credentials are there (%#)', (spec, secrets, expected) => {
    const chosen = chosenAuth(spec, secrets)
    expect(chosen.kind === 'none' ? 'none' : chosen.grant).toBe(expected)
  })

  it('of a password sends no token, and has none for another protocol', async () => {
    const { io, seen } = world(() => Response.json({}), {
      connector: vendor({ auth: either }),
      secrets: { user: 'ann', password: 'hush-hush' },
      clock: testClock(),
    })
    await io.fetch(ORIGIN)
    expect([seen[0]?.headers.get('authorization'), io.as('bob')]).toEqual([null, io])
    const failure = await failureFrom(io.token())
    expect(failure).toMatchObject({ kind: 'auth' })
    expect(failure.message).toContain('concord connections add books')
  })

  it('asks for more scopes only where a setting calls for them', () => {
    const auth: OAuth2 = {
      ...google,
      scopes: ['mail'],
      settingScopes: { directoryAdmin: ['directory', 'mail'] },
    }
    expect(scopesOf(auth, 'jwt', {})).toBe('mail')
    expect(scopesOf(auth, 'jwt', { directoryAdmin: 'a@b.c' })).toBe('mail directory')
    expect(scopesOf(auth, 'jwt', { scopes: 'only this', directoryAdmin: 'a@b.c' })).toBe('only this')
  })
})

const subsOf = (asked: readonly string[]) => asked.map((body) => decoded(body).sub ?? '').toSorted()

function decoded(body: string): { sub?: string } {
  const [, claims = ''] = (formOf(body)['assertion'] ?? '').split('.')
  const read: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString())
  const sub = read !== null && typeof read === 'object' && 'sub' in read ? read.sub : undefined
  return typeof sub === 'string' ? { sub } : {}
}
