import { createHash, generateKeyPairSync } from 'node:crypto'
import { importPKCS8, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { GmailOptions } from '../../../src/sandbox/gmail/index.ts'
import { ANN, BO, gmail, mail, START } from './client.ts'

const READONLY = 'https://www.googleapis.com/auth/gmail.readonly'
const METADATA = 'https://www.googleapis.com/auth/gmail.metadata'
const DIRECTORY = 'https://www.googleapis.com/auth/admin.directory.user.readonly'
const PROFILE = '/gmail/v1/users/me/profile'
const CLIENT = { client_id: 'sandbox-client', client_secret: 'sandbox-secret' }

const reasonOf = (body: object) =>
  z
    .object({ error: z.object({ errors: z.array(z.object({ reason: z.string() })) }) })
    .parse(body)
    .error.errors.map(({ reason }) => reason)

describe('a bearer token', () => {
  test('must be live', async () => {
    const { as, signIn, clock, people } = gmail()
    const { accessToken } = signIn(ANN)
    expect((await as(accessToken)(PROFILE)).status).toBe(200)
    clock.now += 3_600_000
    const late = await as(accessToken)(PROFILE)
    expect([late.status, reasonOf(late.body)]).toEqual([401, ['authError']])
    const other = signIn(ANN).accessToken
    people.revoke(ANN)
    expect((await as(other)(PROFILE)).status).toBe(401)
    expect((await as('')(PROFILE)).status).toBe(401)
  })

  test('opens one mailbox, by `me` or any of its addresses', async () => {
    const { as, signIn } = gmail()
    const ann = as(signIn(ANN).accessToken)
    const profile = async (who: string) => await ann(`/gmail/v1/users/${who}/profile`)
    expect((await profile('Ann@US.example')).body).toMatchObject({ emailAddress: ANN, messagesTotal: 0 })
    expect((await profile('sales@us.example')).status).toBe(200)
    const denied = await profile(BO)
    expect([denied.status, reasonOf(denied.body)]).toEqual([403, ['forbidden']])
  })

  test('that reads metadata only takes no q, and gives no content', async () => {
    const { as, signIn, people } = gmail()
    const [one] = await people.deliver(ANN, mail())
    const ann = as(signIn(ANN, [METADATA]).accessToken)
    const status = async (path: string) => (await ann(`/gmail/v1/users/me${path}`)).status
    expect(await status('/messages?q=in:inbox')).toBe(403)
    expect(await status(`/messages/${one?.id}?format=raw`)).toBe(403)
    expect(await status(`/messages/${one?.id}?format=metadata`)).toBe(200)
    const aliases = await ann('/gmail/v1/users/me/settings/sendAs')
    expect([aliases.status, reasonOf(aliases.body)]).toEqual([403, ['insufficientPermissions']])
  })

  test('of a suspended user reads nothing', async () => {
    const { get, people } = gmail()
    people.suspend(ANN)
    const { status, body } = await get('/profile')
    expect([status, reasonOf(body)]).toEqual([400, ['failedPrecondition']])
  })
})

describe('a refresh token', () => {
  const refresh = (refresh_token: string) => ({ ...CLIENT, grant_type: 'refresh_token', refresh_token })

  test('gives access tokens again and again', async () => {
    const { form, as, signIn } = gmail()
    const { refreshToken } = signIn(ANN)
    const { body } = await form('/token', refresh(refreshToken))
    expect(body).toMatchObject({ expires_in: 3599, token_type: 'Bearer', scope: READONLY })
    expect(body).not.toHaveProperty('refresh_token')
    expect((await as(String(body['access_token']))(PROFILE)).status).toBe(200)
    expect((await form('/token', refresh(refreshToken))).status).toBe(200)
  })

  test('by switch is replaced, and the old one dies', async () => {
    const { form, signIn, switches } = gmail()
    switches.rotateRefreshTokens = true
    const { refreshToken } = signIn(ANN)
    const { body } = await form('/token', refresh(refreshToken))
    const again = await form('/token', refresh(refreshToken))
    expect([again.status, again.body]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    ])
    expect((await form('/token', refresh(String(body['refresh_token'])))).status).toBe(200)
  })

  test('needs the client it was made for', async () => {
    const { form, signIn } = gmail()
    const wrong = { ...refresh(signIn(ANN).refreshToken), client_secret: 'guess' }
    expect(await form('/token', wrong)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect((await form('/token', { grant_type: 'password' })).body).toMatchObject({
      error: 'unsupported_grant_type',
    })
  })
})

const parameters = (all: Record<string, string>) => new URLSearchParams(all).toString()

describe('the code flow', () => {
  const VERIFIER = 'v'.repeat(43)
  const REDIRECT = 'http://127.0.0.1:9/callback'
  const url = (more: Record<string, string> = {}) =>
    `https://accounts.google.com/o/oauth2/v2/auth?${parameters({
      client_id: 'sandbox-client',
      redirect_uri: REDIRECT,
      response_type: 'code',
      scope: READONLY,
      state: 'abc',
      access_type: 'offline',
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      ...more,
    })}`
  const exchange = (code: string, more: Record<string, string> = {}) => ({
    ...CLIENT,
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
    ...more,
  })
  const codeIn = (location: string | null) => new URL(location ?? '').searchParams.get('code') ?? ''

  test('leads through a page to a code, and from it once to tokens', async () => {
    const { fetch, form } = gmail()
    const page = await (await fetch(url())).text()
    expect(page).toContain(BO)
    const action = /action="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const allowed = await fetch(`https://accounts.google.com${action}`, {
      method: 'POST',
      body: new URLSearchParams({ mailbox: BO, answer: 'allow' }),
      redirect: 'manual',
    })
    const location = allowed.headers.get('location')
    expect([allowed.status, new URL(location ?? '').searchParams.get('state')]).toEqual([302, 'abc'])
    const tokens = await form('/token', exchange(codeIn(location)))
    expect(tokens.body).toMatchObject({ refresh_token: expect.any(String), access_token: expect.any(String) })
    expect((await form('/token', exchange(codeIn(location)))).body).toMatchObject({ error: 'invalid_grant' })
  })

  test.each([
    [{ code_verifier: 'w'.repeat(43) }, 'invalid_grant'],
    [{ redirect_uri: 'http://127.0.0.1:9/other' }, 'redirect_uri_mismatch'],
    [{ code: '4/0Aguess' }, 'invalid_grant'],
  ])('refuses %j', async (more, error) => {
    const { consent, form } = gmail()
    const { status, body } = await form('/token', exchange(codeIn(consent(url(), ANN)), more))
    expect([status, body['error']]).toEqual([400, error])
  })

  test('gives a code ten minutes, and no refresh token to who did not ask for one', async () => {
    const { consent, form, clock } = gmail()
    const online = await form('/token', exchange(codeIn(consent(url({ access_type: 'online' }), BO))))
    expect(online.body).not.toHaveProperty('refresh_token')
    const first = await form('/token', exchange(codeIn(consent(url(), BO))))
    const second = await form('/token', exchange(codeIn(consent(url(), BO))))
    const asked = await form('/token', exchange(codeIn(consent(url({ prompt: 'consent' }), BO))))
    expect([first, second, asked].map(({ body }) => 'refresh_token' in body)).toEqual([true, false, true])
    const code = codeIn(consent(url(), BO))
    clock.now += 600_000
    expect((await form('/token', exchange(code))).status).toBe(400)
  })

  test('tells of a refusal, and shows wrong requests to the person', async () => {
    const { consent, fetch } = gmail({
      client: { id: 'sandbox-client', secret: 's', redirectUris: [REDIRECT] },
    })
    expect(new URL(consent(url(), null)).searchParams.get('error')).toBe('access_denied')
    for (const wrong of [
      { client_id: 'other' },
      { redirect_uri: 'http://evil.example' },
      { response_type: 'token' },
      { code_challenge_method: 'plain' },
    ])
      expect((await fetch(url(wrong))).status).toBe(400)
  })
})

describe('a service account', () => {
  const sandboxWith = (options: Partial<GmailOptions> = {}) => {
    const sandbox = gmail(options)
    const key = sandbox.serviceAccount()
    const assertion = async (claims: object = {}, privateKey = key.private_key) =>
      await new SignJWT({
        iss: key.client_email,
        sub: BO,
        aud: key.token_uri,
        scope: READONLY,
        iat: START / 1000,
        exp: START / 1000 + 3600,
        ...claims,
      })
        .setProtectedHeader({ alg: 'RS256' })
        .sign(await importPKCS8(privateKey, 'RS256'))
    const ask = async (claims: object = {}, privateKey = key.private_key) =>
      await sandbox.form('/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: await assertion(claims, privateKey),
      })
    return { ...sandbox, ask }
  }

  test('acts for a user of the domain', async () => {
    const { ask, as } = sandboxWith()
    const { body } = await ask()
    expect(body).not.toHaveProperty('refresh_token')
    expect((await as(String(body['access_token']))(PROFILE)).body).toMatchObject({ emailAddress: BO })
  })

  test.each([
    [{ sub: 'nobody@us.example' }, 'invalid_grant'],
    [{ sub: undefined }, 'invalid_grant'],
    [{ iss: 'other@sandbox.iam.gserviceaccount.com' }, 'invalid_grant'],
    [{ aud: 'https://other.example/token' }, 'invalid_grant'],
    [{ exp: START / 1000 - 400, iat: START / 1000 - 4000 }, 'invalid_grant'],
    [{ exp: START / 1000 + 7200 }, 'invalid_grant'],
    [{ scope: 'https://mail.google.com/' }, 'unauthorized_client'],
    [{ scope: '' }, 'invalid_scope'],
  ])('is refused with %j', async (claims, error) => {
    expect((await sandboxWith().ask(claims)).body['error']).toBe(error)
  })

  test('is refused with another key', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    expect((await sandboxWith().ask({}, privateKey)).body).toEqual({
      error: 'invalid_grant',
      error_description: 'Invalid JWT Signature.',
    })
  })

  test('lists the users of the domain for an admin', async () => {
    const { ask, as, people } = sandboxWith()
    people.addMailbox({ address: 'cy@us.example', suspended: true })
    people.addMailbox({ address: 'dee@other.example' })
    const list = async (sub: string, query: string) => {
      const { body } = await ask({ sub, scope: DIRECTORY })
      return await as(String(body['access_token']))(`/admin/directory/v1/users?${query}`)
    }
    const first = await list(ANN, 'domain=us.example&maxResults=2')
    expect(first.body['users']).toMatchObject([
      { primaryEmail: ANN, aliases: ['sales@us.example'], suspended: false, name: { fullName: 'Ann Lee' } },
      { primaryEmail: BO },
    ])
    const second = await list(ANN, `domain=us.example&maxResults=2&pageToken=${first.body.nextPageToken}`)
    expect(second.body).toMatchObject({ users: [{ primaryEmail: 'cy@us.example', suspended: true }] })
    expect(second.body.nextPageToken).toBeUndefined()
    expect((await list(ANN, 'customer=my_customer')).body['users']).toHaveLength(4)
    expect((await list(BO, 'domain=us.example')).status).toBe(403)
    expect((await list(ANN, '')).status).toBe(400)
    const { body } = await ask({ sub: ANN })
    expect(
      (await as(String(body['access_token']))('/admin/directory/v1/users?domain=us.example')).status,
    ).toBe(403)
  })

  test('by switch is metered as one user', async () => {
    const { ask, as, switches } = sandboxWith({ unitsPerUser: 1 })
    switches.serviceAccountIsOneUser = true
    const token = async (sub: string) => String((await ask({ sub })).body['access_token'])
    expect((await as(await token(BO))(PROFILE)).status).toBe(200)
    expect((await as(await token(ANN))(PROFILE)).status).toBe(429)
  })
})

describe('the quota', () => {
  test('is 300 reads a minute for one user, and others have their own', async () => {
    const { people, get, quota, clock, as, signIn } = gmail()
    const [one] = await people.deliver(ANN, mail())
    for (let i = 0; i < 300; i += 1)
      expect((await get(`/messages/${one?.id}?format=minimal`)).status).toBe(200)
    const refused = await get('/profile')
    expect([refused.status, reasonOf(refused.body)]).toEqual([429, ['rateLimitExceeded']])
    expect(refused.response.headers.get('retry-after')).toBeNull()
    expect(quota).toEqual({ allowed: 300, refused: 1, units: 6000 })
    expect((await as(signIn(BO).accessToken)(PROFILE)).status).toBe(200)
    clock.now += 60_000
    expect((await get('/profile')).status).toBe(200)
  })

  test('by switch is told as 403, with a reason that other 403s do not have', async () => {
    const { get, switches } = gmail({ unitsPerUser: 6 })
    switches.quotaRefusal = 403
    expect((await get('/messages')).status).toBe(200)
    const { status, body } = await get('/messages')
    expect([status, reasonOf(body)]).toEqual([403, ['userRateLimitExceeded']])
    expect(body).toMatchObject({ error: { errors: [{ domain: 'usageLimits' }] } })
    expect((await get('/profile')).status).toBe(200)
  })

  test('of the project is shared', async () => {
    const { get, as, signIn } = gmail({ unitsPerProject: 10 })
    const bo = as(signIn(BO).accessToken)
    expect((await get('/messages')).status).toBe(200)
    expect((await bo('/gmail/v1/users/me/messages')).status).toBe(200)
    expect((await bo(PROFILE)).status).toBe(429)
  })
})

test('faults reach the API', async () => {
  const { faults, get } = gmail()
  faults.plan = () => ({ kind: 'status', status: 503 })
  expect((await get('/profile').catch(() => null))?.status ?? 503).toBe(503)
  expect(faults.fired.get('status')).toBe(1)
})
