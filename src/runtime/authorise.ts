import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { JsonObject } from '../core/json.ts'
import { type OAuth2, VendorError } from '../connectors/connector.ts'
import { endpointOf, scopesOf, textSetting, type Secrets } from './client/auth.ts'
import { openWire } from './client/client.ts'
import { codeRequest } from './client/grants.ts'
import { tokenSecrets } from './client/oauth.ts'
import { refusalOf } from './client/target.ts'
import { requestTokens } from './client/token-request.ts'
import type { Hub } from './hub.ts'

/** What a person is asked to allow, and what becomes of the answer. */
export type Authorisation = {
  /** To be opened in a browser. */
  readonly url: string
  /** Whether a request to the redirect address is the answer to this question: anybody may send one. */
  isAnswer(redirected: URL): boolean
  /** The credentials that the answer brings. Throws a `VendorError` of kind `auth` where the person or the vendor says no. */
  finish(redirected: URL): Promise<Secrets>
}

/**
 * Authorization code with PKCE and state: https://www.rfc-editor.org/rfc/rfc6749#section-4.1,
 * https://www.rfc-editor.org/rfc/rfc7636, https://www.rfc-editor.org/rfc/rfc9700#section-2.1. `secrets` has the
 * `clientId`, and the `clientSecret` where there is one. Throws a `VendorError` of kind `rejected` for a setting.
 */
export function beginAuthorisation(
  hub: Hub,
  of: {
    readonly connection: string
    readonly auth: OAuth2
    readonly secrets: Secrets
    readonly settings: JsonObject
    readonly redirectUri: string
    readonly transport?: typeof fetch
  },
): Authorisation {
  const { auth, secrets, settings, redirectUri } = of
  const state = randomBytes(32).toString('base64url')
  const verifier = randomBytes(32).toString('base64url')
  const url = endpointOf(auth, 'authorizeUrl', settings)
  const refused = refusalOf(url, textSetting(settings, 'baseUrl'))
  if (refused !== null)
    throw new VendorError({ kind: 'rejected', code: 'address', field: 'authorizeUrl', message: refused })
  const scope = scopesOf(auth, 'code', settings)
  const asked = {
    response_type: 'code',
    client_id: secrets['clientId'] ?? '',
    redirect_uri: redirectUri,
    ...(scope === '' ? {} : { scope }),
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...auth.authorizeParams,
  }
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value)

  return {
    url: url.href,
    isAnswer: (redirected) => same(redirected.searchParams.get('state') ?? '', state),
    async finish(redirected) {
      const answer = redirected.searchParams
      if (!same(answer.get('state') ?? '', state))
        throw refusal('The answer is to another question. Open the address that was shown last.')
      const code = answer.get('code') ?? ''
      if (code === '') {
        const said = [answer.get('error'), answer.get('error_description')].filter(Boolean).join(', ')
        throw refusal(
          `Access was not allowed${said === '' ? '' : `: ${said.slice(0, 300)}`}. Run the command again, and allow it.`,
        )
      }
      const wire = openWire({
        connection: of.connection,
        transport: of.transport ?? fetch,
        clock: hub.clock,
        log: (entry) => hub.log.debug(entry, 'request'),
        secrets: { ...secrets, code, verifier },
        settings,
      })
      const ask = { wire, random: hub.random, stop: hub.stopping }
      const request = codeRequest({ auth, secrets, settings }, { code, verifier, redirectUri })
      const tokens = await requestTokens(ask, request)
      if (tokens.expiresAt !== null && tokens.refreshToken === undefined)
        throw refusal(
          'The vendor gave access for a while only, and nothing to renew it with. Take the access back at the vendor, then allow it again.',
        )
      return { ...secrets, ...tokenSecrets(tokens) }
    },
  }
}

const refusal = (message: string) => new VendorError({ kind: 'auth', message })

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
