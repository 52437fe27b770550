import { createPublicKey } from 'node:crypto'
import { decodeJwt, errors, jwtVerify } from 'jose'
import { OAuthError } from './errors.ts'
import { type GmailState, mailboxOf } from './state.ts'

const MAX_LIFE_S = 3600

/**
 * Who a service account may act for, by its assertion (RFC 7523) and what the domain's admin allowed.
 * It is made out to Google's token endpoint, or to where this sandbox is served (`endpoint`).
 * https://developers.google.com/identity/protocols/oauth2/service-account
 */
export async function mailboxOfAssertion(
  state: GmailState,
  assertion: string,
  endpoint: string,
): Promise<{ mailbox: string; scopes: ReadonlySet<string>; actor: string }> {
  const account = state.serviceAccounts.get(issuerOf(assertion))
  if (account === undefined) throw invalidGrant('Invalid grant: account not found')
  const { payload } = await jwtVerify(assertion, createPublicKey(account.publicKey), {
    algorithms: ['RS256'],
    currentDate: new Date(state.now()),
    clockTolerance: 300,
    requiredClaims: ['exp', 'iat', 'aud', 'iss'],
  }).catch((error: unknown) => {
    if (error instanceof errors.JWSSignatureVerificationFailed) throw invalidGrant('Invalid JWT Signature.')
    throw invalidGrant(
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    )
  })
  if (payload.aud !== state.tokenUrl && payload.aud !== endpoint) throw invalidGrant('Failed audience check.')
  const { exp = 0, iat = 0, sub } = payload
  if (exp - iat > MAX_LIFE_S || iat > state.now() / 1000 + 300)
    throw invalidGrant(
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.',
    )
  const scope = payload['scope']
  const scopes = new Set(typeof scope === 'string' ? scope.split(' ').filter((one) => one !== '') : [])
  if (scopes.size === 0)
    throw new OAuthError('invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
  if ([...scopes].some((one) => !account.scopes.has(one)))
    throw new OAuthError(
      'unauthorized_client',
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
      401,
    )
  // Without a `sub` the account acts for itself, and it has no mailbox.
  const mailbox = sub === undefined ? undefined : mailboxOf(state, sub)
  if (mailbox === undefined) throw invalidGrant('Invalid email or User ID')
  if (mailbox.suspended) throw invalidGrant('Account has been deleted')
  return { mailbox: mailbox.address, scopes, actor: account.email }
}

function issuerOf(assertion: string): string {
  try {
    return decodeJwt(assertion).iss ?? ''
  } catch {
    throw invalidGrant('Bad Request')
  }
}

function invalidGrant(description: string): OAuthError {
  return new OAuthError('invalid_grant', description)
}
