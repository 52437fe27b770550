import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import type { Instant } from '../../core/json.ts'
import type { Access, AccessTokens } from './access.ts'
import { findUser, type GraphState, type User } from './state.ts'

export type Application = {
  readonly id: string
  readonly secret: string
  readonly redirectUris: readonly string[]
}

type Code = {
  readonly appId: string
  readonly user: User
  readonly redirectUri: string
  readonly challenge: string | null
  readonly offline: boolean
  readonly expiresAt: Instant
}
type Refresh = { readonly appId: string; readonly user: User; readonly expiresAt: Instant }

export type Entra = {
  readonly routes: Hono
  readonly codes: Map<string, Code>
  readonly refreshTokens: Map<string, Refresh>
  /** What the person or an administrator does: no token of this user is good any more. */
  revoke(user: User): void
}

const CODE_MS = 10 * 60_000
const REFRESH_MS = 90 * 86_400_000

class Refused extends Error {
  readonly status: 400 | 401
  readonly error: string
  readonly code: number
  constructor(status: 400 | 401, error: string, code: number, message: string) {
    super(`AADSTS${code}: ${message}`)
    this.status = status
    this.error = error
    this.code = code
  }
}

/** https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow */
export function entra(
  state: GraphState,
  tokens: AccessTokens,
  app: Application,
  tokenSeconds: number,
): Entra {
  const codes = new Map<string, Code>()
  const refreshTokens = new Map<string, Refresh>()
  const routes = new Hono()

  routes.get('/:tenant/oauth2/v2.0/authorize', (c) => {
    const query = c.req.query()
    const redirectUri = query['redirect_uri'] ?? ''
    if (query['client_id'] !== app.id) return c.text('AADSTS700016: Application was not found.', 400)
    if (!URL.canParse(redirectUri) || !isAllowed(app, redirectUri))
      return c.text(
        `AADSTS50011: The redirect URI '${redirectUri}' does not match the redirect URIs configured.`,
        400,
      )
    const back = new URL(redirectUri)
    if (query['state'] !== undefined) back.searchParams.set('state', query['state'])
    const user = query['login_hint'] === undefined ? state.users[0] : findUser(state, query['login_hint'])
    if (state.switches.consent === 'deny' || user === null || user === undefined) {
      back.searchParams.set('error', 'access_denied')
      back.searchParams.set('error_description', 'AADSTS65004: User declined to consent to access the app.')
      return c.redirect(back.href)
    }
    const code = state.mint.token()
    codes.set(code, {
      appId: app.id,
      user,
      redirectUri,
      challenge: query['code_challenge'] ?? null,
      offline: (query['scope'] ?? '').split(' ').includes('offline_access'),
      expiresAt: state.now() + CODE_MS,
    })
    back.searchParams.set('code', code)
    return c.redirect(back.href)
  })

  routes.post('/:tenant/oauth2/v2.0/token', async (c) => {
    const form = new URLSearchParams(await c.req.text())
    try {
      return c.json(grant(form, c.req.param('tenant'), c.req.header('authorization')))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const body = {
        error: error.error,
        error_description: `${error.message} Trace ID: ${state.mint.uuid()}`,
        error_codes: [error.code],
        timestamp: new Date(state.now()).toISOString().slice(0, 19).replace('T', ' ') + 'Z',
        trace_id: state.mint.uuid(),
        correlation_id: state.mint.uuid(),
      }
      return c.json(body, error.status)
    }
  })

  return {
    routes,
    codes,
    refreshTokens,
    revoke(user) {
      for (const [text, held] of refreshTokens) if (held.user === user) refreshTokens.delete(text)
      for (const [text, { access }] of tokens)
        if (access.kind === 'delegated' && access.user === user) tokens.delete(text)
    },
  }

  function grant(form: URLSearchParams, tenant: string, authorization: string | undefined) {
    identify(form, tenant, authorization)
    switch (form.get('grant_type')) {
      case 'client_credentials': {
        if (['common', 'organizations', 'consumers'].includes(tenant))
          throw new Refused(400, 'invalid_request', 50_059, 'No tenant-identifying information found.')
        if (form.get('scope')?.endsWith('/.default') !== true)
          throw new Refused(
            400,
            'invalid_scope',
            1_002_012,
            `The provided value for scope ${form.get('scope') ?? ''} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.`,
          )
        return issued({ kind: 'application', appId: app.id }, null)
      }
      case 'authorization_code':
        return redeemed(form)
      case 'refresh_token': {
        const text = form.get('refresh_token') ?? ''
        const held = refreshTokens.get(text)
        if (held === undefined)
          throw new Refused(
            400,
            'invalid_grant',
            9_002_313,
            'Invalid request. Request is malformed or invalid.',
          )
        if (held.expiresAt <= state.now())
          throw new Refused(400, 'invalid_grant', 700_082, 'The refresh token has expired due to inactivity.')
        // "Refresh tokens aren't revoked when used to acquire new access tokens":
        // https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens
        if (state.switches.singleUseRefreshTokens) refreshTokens.delete(text)
        return issued({ kind: 'delegated', appId: app.id, user: held.user }, held.user)
      }
      default:
        throw new Refused(
          400,
          'unsupported_grant_type',
          70_003,
          'The app requested an unsupported grant type.',
        )
    }
  }

  function identify(form: URLSearchParams, tenant: string, authorization: string | undefined): void {
    const known = [state.tenant.id, state.tenant.domain, 'common', 'organizations']
    if (!known.includes(tenant))
      throw new Refused(400, 'invalid_request', 90_002, `Tenant '${tenant}' not found.`)
    const basic = Buffer.from(authorization?.replace(/^Basic /i, '') ?? '', 'base64')
      .toString()
      .split(':')
    const id = form.get('client_id') ?? decodeURIComponent(basic[0] ?? '')
    const secret = form.get('client_secret') ?? decodeURIComponent(basic[1] ?? '')
    if (id !== app.id)
      throw new Refused(
        400,
        'unauthorized_client',
        700_016,
        `Application with identifier '${id}' was not found in the directory.`,
      )
    if (secret !== app.secret)
      throw new Refused(401, 'invalid_client', 7_000_215, 'Invalid client secret provided.')
  }

  function redeemed(form: URLSearchParams) {
    const text = form.get('code') ?? ''
    const code = codes.get(text)
    codes.delete(text)
    if (code === undefined)
      throw new Refused(400, 'invalid_grant', 54_005, 'OAuth2 Authorization code was already redeemed.')
    if (code.expiresAt <= state.now())
      throw new Refused(400, 'invalid_grant', 70_008, 'The provided authorization code has expired.')
    if (form.get('redirect_uri') !== code.redirectUri)
      throw new Refused(
        400,
        'invalid_grant',
        500_112,
        'The reply address does not match the one provided when requesting the code.',
      )
    const verifier = form.get('code_verifier') ?? ''
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    if (code.challenge !== null && code.challenge !== challenge)
      throw new Refused(
        400,
        'invalid_grant',
        501_481,
        'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
      )
    return issued({ kind: 'delegated', appId: app.id, user: code.user }, code.offline ? code.user : null)
  }

  /** `forUser`: with a new refresh token, which replaces the one that was used. */
  function issued(access: Access, forUser: User | null) {
    const text = `eyJ0.${state.mint.token()}.${state.mint.token()}`
    tokens.set(text, { access, expiresAt: state.now() + tokenSeconds * 1000 })
    const answer = {
      token_type: 'Bearer',
      expires_in: tokenSeconds,
      ext_expires_in: tokenSeconds,
      access_token: text,
    }
    if (forUser === null) return answer
    const refresh = `1.A${state.mint.token()}`
    refreshTokens.set(refresh, { appId: app.id, user: forUser, expiresAt: state.now() + REFRESH_MS })
    return { ...answer, scope: 'Mail.Read Contacts.ReadWrite User.Read', refresh_token: refresh }
  }
}

/** `http://localhost` is taken with any port: https://learn.microsoft.com/en-us/entra/identity-platform/reply-url */
function isAllowed({ redirectUris }: Application, given: string): boolean {
  if (redirectUris.includes(given)) return true
  const url = new URL(given)
  return (
    redirectUris.length === 0 || (url.hostname === 'localhost' && redirectUris.includes('http://localhost'))
  )
}
