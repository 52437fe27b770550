import { createHash } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { OAuthError } from './errors.ts'
import { mailboxOfAssertion } from './jwt-bearer.ts'
import type { GmailState } from './state.ts'

export type Issued = { readonly accessToken: string; readonly refreshToken: string }

/** An access token for a mailbox, which lives as long as `switches.accessTokenLifeMs` says. */
export function issueAccess(
  state: GmailState,
  given: { mailbox: string; scopes: ReadonlySet<string>; actor: string | null },
): string {
  const token = `ya29.a0${state.ids.hex(40)}`
  state.accessTokens.set(token, { ...given, expiresAt: state.now() + state.switches.accessTokenLifeMs })
  return token
}

export function issueRefresh(
  state: GmailState,
  given: { mailbox: string; scopes: ReadonlySet<string> },
): string {
  const token = `1//0${state.ids.hex(40)}`
  state.refreshTokens.set(token, given)
  return token
}

/** https://developers.google.com/identity/protocols/oauth2/web-server */
export function tokenRoutes(state: GmailState): Hono {
  const routes = new Hono()
  routes.post('/token', async (c) => {
    const form = new URLSearchParams(await c.req.text())
    return c.json(await granted(state, c, form))
  })
  routes.post('/revoke', async (c) => {
    const token = new URLSearchParams(await c.req.text()).get('token') ?? ''
    if (!state.refreshTokens.delete(token) && !state.accessTokens.delete(token))
      throw new OAuthError('invalid_token', 'Token expired or revoked')
    return c.json({})
  })
  return routes
}

async function granted(state: GmailState, c: Context, form: URLSearchParams): Promise<object> {
  switch (form.get('grant_type')) {
    case 'refresh_token':
      authenticate(state, c, form)
      return byRefresh(state, form.get('refresh_token') ?? '')
    case 'authorization_code':
      authenticate(state, c, form)
      return byCode(state, form)
    case 'urn:ietf:params:oauth:grant-type:jwt-bearer': {
      const admitted = await mailboxOfAssertion(state, form.get('assertion') ?? '', c.req.url)
      return reply(state, issueAccess(state, admitted), admitted.scopes)
    }
    default:
      throw new OAuthError('unsupported_grant_type', `Invalid grant_type: ${form.get('grant_type') ?? ''}`)
  }
}

/** The client's id and secret, in the form or as Basic. */
function authenticate(state: GmailState, c: Context, form: URLSearchParams): void {
  const [scheme = '', value = ''] = (c.req.header('authorization') ?? '').split(' ')
  const plain = scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString() : null
  const [basicId = '', basicSecret = ''] = (plain ?? '').split(':').map(decodeURIComponent)
  const id = plain === null ? form.get('client_id') : basicId
  const secret = plain === null ? form.get('client_secret') : basicSecret
  if (id !== state.client.id) throw new OAuthError('invalid_client', 'The OAuth client was not found.', 401)
  if (secret !== state.client.secret) throw new OAuthError('invalid_client', 'Unauthorized', 401)
}

function byRefresh(state: GmailState, token: string): object {
  const known = state.refreshTokens.get(token)
  if (known === undefined) throw new OAuthError('invalid_grant', 'Token has been expired or revoked.')
  const access = issueAccess(state, { ...known, actor: null })
  if (!state.switches.rotateRefreshTokens) return reply(state, access, known.scopes)
  state.refreshTokens.delete(token)
  return reply(state, access, known.scopes, issueRefresh(state, known))
}

/** A code serves once, for the same redirect address, by who can prove to have asked for it (RFC 7636). */
function byCode(state: GmailState, form: URLSearchParams): object {
  const code = form.get('code') ?? ''
  const grant = state.grants.get(code)
  state.grants.delete(code)
  if (grant === undefined || grant.expiresAt <= state.now())
    throw new OAuthError('invalid_grant', 'Malformed auth code.')
  if (grant.redirectUri !== form.get('redirect_uri'))
    throw new OAuthError('redirect_uri_mismatch', 'Bad Request')
  const verifier = form.get('code_verifier')
  if (grant.challenge !== null) {
    if (verifier === null) throw new OAuthError('invalid_grant', 'Missing code verifier.')
    if (createHash('sha256').update(verifier).digest('base64url') !== grant.challenge)
      throw new OAuthError('invalid_grant', 'Invalid code verifier.')
  }
  const access = issueAccess(state, { mailbox: grant.mailbox, scopes: grant.scopes, actor: null })
  return reply(state, access, grant.scopes, grant.offline ? issueRefresh(state, grant) : undefined)
}

function reply(
  state: GmailState,
  access: string,
  scopes: ReadonlySet<string>,
  refreshToken?: string,
): object {
  return {
    access_token: access,
    expires_in: Math.floor(state.switches.accessTokenLifeMs / 1000),
    scope: [...scopes].join(' '),
    token_type: 'Bearer',
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  }
}
