import { importPKCS8, SignJWT } from 'jose'
import { z } from 'zod'
import type { OAuth2 } from '../../connectors/connector.ts'
import type { Instant, JsonObject } from '../../core/json.ts'
import { endpointOf, scopesOf, type Secrets } from './auth.ts'
import { vendorError } from './exchange.ts'
import type { TokenRequest } from './token-request.ts'

/** What the requests for tokens of one connection are made of. */
export type Credentials = {
  readonly auth: OAuth2
  readonly secrets: Secrets
  readonly settings: JsonObject
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-6 */
export function refreshRequest(of: Credentials, refreshToken: string): TokenRequest {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
  return { ...byClient(of, form), isOnce: of.auth.rotates }
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3 and https://www.rfc-editor.org/rfc/rfc7636#section-4.5 */
export function codeRequest(
  of: Credentials,
  given: { readonly code: string; readonly verifier: string; readonly redirectUri: string },
): TokenRequest {
  const { code, verifier, redirectUri } = given
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  })
  return { ...byClient(of, form), isOnce: true }
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
export function clientRequest(of: Credentials): TokenRequest {
  const scope = scopesOf(of.auth, 'client', of.settings)
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === '' ? {} : { scope }) })
  return byClient(of, form)
}

/** The client's own credentials go in the form: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 */
function byClient({ auth, secrets, settings }: Credentials, form: URLSearchParams): TokenRequest {
  const { clientId, clientSecret } = secrets
  if (clientId !== undefined) form.set('client_id', clientId)
  // A public client has none, and is refused where it sends an empty one.
  if (clientSecret !== undefined && clientSecret !== '') form.set('client_secret', clientSecret)
  return { url: endpointOf(auth, 'tokenUrl', settings), form, isOnce: false, user: null }
}

const ASSERTION_MS = 3_600_000

/**
 * A service account's own assertion: https://www.rfc-editor.org/rfc/rfc7523#section-2.1 and
 * https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests. `sub` is the user it
 * acts for. The file's own `token_uri` is not heeded: it would send the assertion wherever the file says.
 */
export async function assertionRequest(
  of: Credentials,
  acting: { readonly sub: string | null; readonly user: string | null },
  now: Instant,
): Promise<TokenRequest> {
  const url = endpointOf(of.auth, 'tokenUrl', of.settings)
  const account = readServiceAccount(of.secrets['serviceAccountKey'] ?? '')
  const token = new SignJWT({ scope: scopesOf(of.auth, 'jwt', of.settings) })
    .setProtectedHeader({
      alg: 'RS256',
      typ: 'JWT',
      ...(account.private_key_id === undefined ? {} : { kid: account.private_key_id }),
    })
    .setIssuer(account.client_email)
    .setAudience(url.href)
    .setIssuedAt(Math.floor(now / 1000))
    .setExpirationTime(Math.floor((now + ASSERTION_MS) / 1000))
  if (acting.sub !== null) token.setSubject(acting.sub)
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: await token.sign(await privateKey(account.private_key)),
  })
  return { url, form, isOnce: false, user: acting.user }
}

const serviceAccount = z.object({
  client_email: z.string().min(3),
  private_key: z.string().min(1),
  private_key_id: z.string().min(1).optional(),
})

/** Throws a `VendorError` of kind `auth` that quotes nothing of the file. */
export function readServiceAccount(text: string): z.infer<typeof serviceAccount> {
  try {
    return serviceAccount.parse(JSON.parse(text))
  } catch {
    throw notAKey('has no client_email and private_key')
  }
}

async function privateKey(pem: string): ReturnType<typeof importPKCS8> {
  try {
    return await importPKCS8(pem, 'RS256')
  } catch {
    throw notAKey('has a private_key that is no RSA key in PKCS #8')
  }
}

const notAKey = (why: string) =>
  vendorError({
    kind: 'auth',
    message: `serviceAccountKey ${why}. Fix: give the whole JSON file of the service account's key.`,
  })
