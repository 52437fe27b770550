import type { MiddlewareHandler } from 'hono'
import type { Instant } from '../../core/json.ts'
import { accessDenied, badRequest, GraphError } from './errors.ts'
import { findUser, type GraphState, type Mailbox, type User } from './state.ts'

/** Whose token a request carries: an application by itself, or one that acts for a person. */
export type Access =
  | { readonly kind: 'application'; readonly appId: string }
  | { readonly kind: 'delegated'; readonly appId: string; readonly user: User }

export type AccessTokens = Map<string, { readonly access: Access; readonly expiresAt: Instant }>

export type Env = { Variables: { access: Access; mailbox: Mailbox } }

export function requireToken(state: GraphState, tokens: AccessTokens): MiddlewareHandler<Env> {
  return async (c, next) => {
    const [scheme, text = ''] = (c.req.header('authorization') ?? '').split(' ', 2)
    if (scheme?.toLowerCase() !== 'bearer' || text === '') throw unauthorized('Access token is empty.')
    const token = tokens.get(text)
    if (token === undefined)
      throw unauthorized(
        'IDX14100: JWT is not well formed, there are no dots (.). The token needs to be in JWS or JWE Compact Serialization Format.',
      )
    if (token.expiresAt <= state.now())
      throw unauthorized('Lifetime validation failed, the token is expired.')
    c.set('access', token.access)
    return next()
  }
}

/** Only with a person's token: https://learn.microsoft.com/en-us/graph/api/user-get */
export function selfOf(access: Access): User {
  if (access.kind === 'delegated') return access.user
  throw badRequest('/me request is only valid with delegated authentication flow.')
}

export function userOf(state: GraphState, access: Access, name: string): User {
  const user = findUser(state, name)
  if (user !== null && access.kind === 'delegated' && access.user !== user) throw accessDenied()
  if (user === null) throw new GraphError(404, 'ErrorInvalidUser', `The requested user '${name}' is invalid.`)
  return user
}

export function mailboxOf(state: GraphState, access: Access, user: User): Mailbox {
  const scope = state.switches.applicationScope
  if (access.kind === 'application' && scope !== null && !scope.has(user.address))
    throw new GraphError(
      403,
      'ErrorAccessDenied',
      'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.',
    )
  const mailbox = state.mailboxes.get(user.id)
  if (mailbox === undefined)
    throw new GraphError(
      404,
      'MailboxNotEnabledForRESTAPI',
      'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
    )
  return mailbox
}

function unauthorized(message: string): GraphError {
  return new GraphError(401, 'InvalidAuthenticationToken', message, {
    'www-authenticate':
      'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"',
  })
}
