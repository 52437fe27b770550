import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ANN, BEN, codeOf, graph, mail } from './client.ts'

const LOGIN = 'https://login.microsoftonline.com/contoso.example/oauth2/v2.0'
const BACK = 'https://hub.example/oauth/callback'
const VERIFIER = 'v'.repeat(43)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')
const issued = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_in: z.number(),
})

function entra(options = {}) {
  const sandbox = graph(options)
  const { id, secret } = sandbox.application
  const token = async (form: Record<string, string>, at = LOGIN) => {
    const body = new URLSearchParams({ client_id: id, client_secret: secret, ...form })
    const response = await sandbox.send(`${at}/token`, { method: 'POST', body })
    return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) }
  }
  const authorize = async (more: Record<string, string> = {}) => {
    const query = new URLSearchParams({
      client_id: id,
      response_type: 'code',
      redirect_uri: BACK,
      scope: 'Mail.Read offline_access',
      state: 's1',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      ...more,
    })
    const response = await sandbox.send(`${LOGIN}/authorize?${query.toString()}`, { redirect: 'manual' })
    return { status: response.status, to: new URL(response.headers.get('location') ?? 'about:blank') }
  }
  const redeem = async (code: string, more: Record<string, string> = {}) =>
    token({ grant_type: 'authorization_code', code, redirect_uri: BACK, code_verifier: VERIFIER, ...more })
  return { ...sandbox, token, authorize, redeem }
}

const APP = { grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' }

describe('an application by itself', () => {
  test('gets a token for mailboxes by address or id, not for /me', async () => {
    const { token, call, state } = entra()
    const { access_token: bearer } = issued.parse((await token(APP)).body)
    const status = async (path: string) => (await call('GET', path, { token: bearer })).status
    expect(await status(`/v1.0/users/${ANN}/messages`)).toBe(200)
    expect(await status(`/v1.0/users/${state.users[1]?.id}/mailFolders`)).toBe(200)
    expect(await status('/v1.0/me')).toBe(400)
    expect(await status('/v1.0/users/nobody@contoso.example/messages')).toBe(404)
    expect(await status('/v1.0/users')).toBe(200)
  })

  test.each([
    [{ client_secret: 'wrong' }, 401, 'invalid_client'],
    [{ client_id: 'wrong' }, 400, 'unauthorized_client'],
    [{ scope: 'Mail.Read' }, 400, 'invalid_scope'],
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('%j is refused', async (wrong, status, error) => {
    const answer = await entra().token({ ...APP, ...wrong })
    expect([answer.status, answer.body['error']]).toEqual([status, error])
    expect(answer.body['error_description']).toMatch(/^AADSTS\d+: /)
  })

  test('needs its own tenant', async () => {
    expect((await entra().token(APP, LOGIN.replace('contoso.example', 'common'))).status).toBe(400)
    expect((await entra().token(APP, LOGIN.replace('contoso', 'fabrikam'))).status).toBe(400)
  })

  test('may be kept to some mailboxes', async () => {
    const { call, token } = graph({ switches: { applicationScope: new Set([ANN]) } })
    const status = async (who: string) =>
      (await call('GET', `/v1.0/users/${who}/messages`, { token: token() })).status
    expect([await status(ANN), await status(BEN)]).toEqual([200, 403])
  })
})

describe('a person', () => {
  test('allows it in the browser, with PKCE, and the code is good once', async () => {
    const { authorize, redeem, call } = entra()
    const { status, to } = await authorize({ login_hint: BEN })
    expect([status, to.searchParams.get('state'), to.origin]).toEqual([302, 's1', 'https://hub.example'])
    const code = to.searchParams.get('code') ?? ''
    const { access_token: bearer } = issued.parse((await redeem(code)).body)
    expect((await call('GET', '/v1.0/me', { token: bearer })).body).toMatchObject({ mail: BEN })
    expect((await call('GET', `/v1.0/users/${ANN}/messages`, { token: bearer })).status).toBe(403)
    expect((await redeem(code)).body).toMatchObject({ error: 'invalid_grant' })
  })

  test('a wrong verifier, a wrong address, a late code: refused', async () => {
    const { authorize, redeem, clock } = entra()
    const code = async () => (await authorize()).to.searchParams.get('code') ?? ''
    expect((await redeem(await code(), { code_verifier: 'x'.repeat(43) })).status).toBe(400)
    expect((await redeem(await code(), { redirect_uri: 'https://other.example' })).status).toBe(400)
    const late = await code()
    clock.now += 600_000
    expect((await redeem(late)).status).toBe(400)
  })

  test('may decline', async () => {
    const { authorize } = entra({ switches: { consent: 'deny' } })
    expect((await authorize()).to.searchParams.get('error')).toBe('access_denied')
  })

  test('no refresh token without offline_access; addresses that are not registered are not led to', async () => {
    const { authorize, redeem } = entra({ application: { redirectUris: [BACK] } })
    const { to } = await authorize({ scope: 'Mail.Read' })
    expect((await redeem(to.searchParams.get('code') ?? '')).body).not.toHaveProperty('refresh_token')
    expect((await authorize({ redirect_uri: 'https://evil.example' })).status).toBe(400)
  })

  test.each([false, true])(
    'each refresh gives a new refresh token; the old dies by switch: %s',
    async (single) => {
      const { authorize, redeem, token } = entra({ switches: { singleUseRefreshTokens: single } })
      const code = (await authorize()).to.searchParams.get('code') ?? ''
      const first = issued.parse((await redeem(code)).body).refresh_token ?? ''
      const refresh = async (refresh_token: string) => token({ grant_type: 'refresh_token', refresh_token })
      const second = issued.parse((await refresh(first)).body).refresh_token ?? ''
      expect(second).not.toBe(first)
      expect((await refresh(second)).status).toBe(200)
      expect((await refresh(first)).status).toBe(single ? 400 : 200)
    },
  )
})

describe('a token', () => {
  test('expires, is revoked, is missed', async () => {
    const { get, call, clock, token, revoke, expireTokens } = graph()
    expect((await get('/v1.0/me')).status).toBe(200)
    clock.now += 3_600_000
    const late = await get('/v1.0/me')
    expect([late.status, codeOf(late.body)]).toEqual([401, 'InvalidAuthenticationToken'])
    expect(late.text).toContain('expired')
    const fresh = token(ANN)
    expect((await call('GET', '/v1.0/me', { token: fresh })).status).toBe(200)
    revoke(ANN)
    expect((await call('GET', '/v1.0/me', { token: fresh })).status).toBe(401)
    const again = token(ANN)
    expireTokens()
    expect((await call('GET', '/v1.0/me', { token: again })).status).toBe(401)
    expect((await call('GET', '/v1.0/me', { token: 'nonsense' })).status).toBe(401)
    expect((await call('GET', '/v1.0/me', { headers: { authorization: '' } })).status).toBe(401)
  })
})

describe('users', () => {
  test('are listed in pages; who has no mailbox has no mail', async () => {
    const { people, call, token } = graph()
    people.addUser('guest@contoso.example', { hasMailbox: false })
    people.addUser('cara@contoso.example', { name: 'Cara Lee', aliases: ['c.lee@contoso.example'] })
    const bearer = token()
    const list = async (path: string) => {
      const { body } = await call('GET', path, { token: bearer })
      return z
        .object({ value: z.array(z.looseObject({})), '@odata.nextLink': z.string().optional() })
        .parse(body)
    }
    const page = await list('/v1.0/users?$top=3&$select=id,mail,proxyAddresses')
    expect(page.value.map(({ mail }) => mail)).toEqual([ANN, BEN, null])
    const rest = await list(page['@odata.nextLink'] ?? '')
    expect(rest.value).toMatchObject([
      { proxyAddresses: ['SMTP:cara@contoso.example', 'smtp:c.lee@contoso.example'] },
    ])
    const none = await call('GET', '/v1.0/users/guest@contoso.example/messages', { token: bearer })
    expect(codeOf(none.body)).toBe('MailboxNotEnabledForRESTAPI')
  })

  test('who left is nobody, whoever asks', async () => {
    const { people, call, get, token } = graph()
    people.removeUser(ANN)
    const gone = await call('GET', `/v1.0/users/${ANN}/messages`, { token: token() })
    expect([gone.status, codeOf(gone.body)]).toEqual([404, 'ErrorInvalidUser'])
    expect((await get('/v1.0/me/messages')).status).toBe(404)
    expect(() => people.deliver(ANN, mail())).toThrow(/No mailbox/)
  })
})
