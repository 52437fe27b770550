import { failureOf, type OAuthGrant } from '../../connectors/connector.ts'
import type { Instant } from '../../core/json.ts'
import { textSetting } from './auth.ts'
import { vendorError } from './exchange.ts'
import { assertionRequest, clientRequest, type Credentials, refreshRequest } from './grants.ts'
import { requestTokens, type TokenAsk, type Tokens } from './token-request.ts'

/** Where the tokens of one connection are kept, shared by every process that uses it. */
export type TokenStore = {
  /**
   * The access token to use instead of `stale`: another's, where somebody has refreshed already, else a new one from
   * `refresh`, kept before it is returned. Throws a `VendorError` of kind `auth` where a person must authorise again.
   */
  refresh(stale: string, refresh: (refreshToken: string) => Promise<Tokens>): Promise<string>
}

/** The secrets of an oauth2 connection: `accessToken`, `refreshToken`, `expiresAt` (epoch ms), `clientId`, `clientSecret`. */
export function tokenSecrets(tokens: Tokens): Readonly<Record<string, string>> {
  return {
    accessToken: tokens.accessToken,
    expiresAt: tokens.expiresAt === null ? '' : String(tokens.expiresAt),
    ...(tokens.refreshToken === undefined ? {} : { refreshToken: tokens.refreshToken }),
  }
}

/** The access token of one connection, or of one user that it acts for. */
export type Bearer = {
  /** Renewed first where it expires within a minute. */
  current(): Promise<string>
  /** The one to use after `stale` was refused. Parallel calls share one refresh. */
  renewed(stale: string): Promise<string>
}

type Held = { readonly token: string; readonly expiresAt: Instant }

const EARLY_MS = 60_000
/** Ended before it began: to be renewed at its first use. */
const NOTHING: Held = { token: '', expiresAt: 0 }

/** `user` is whom to act for, null for the connection itself. Only a service account can act for others. */
export function openBearer(
  of: Credentials & TokenAsk & { readonly tokens: TokenStore | undefined },
  grant: OAuthGrant,
  user: string | null,
): Bearer {
  switch (grant) {
    case 'code':
      return keptBearer(of)
    case 'client':
      return renewing(of, NOTHING, async () => held(await requestTokens(of, clientRequest(of))))
    case 'jwt':
      return renewing(of, NOTHING, async () => {
        const sub = user ?? textSetting(of.settings, 'directoryAdmin')
        const request = await assertionRequest(of, { sub, user }, of.wire.clock.now())
        return held(await requestTokens(of, request))
      })
  }
}

/** The token that a person allowed, kept in the store, as what refreshes it may be used up by that. */
function keptBearer(of: Credentials & TokenAsk & { readonly tokens: TokenStore | undefined }): Bearer {
  const { secrets, tokens, wire } = of
  const token = secrets['accessToken'] ?? ''
  const kept: Held =
    token === '' ? NOTHING : { token, expiresAt: Number(secrets['expiresAt'] || Number.POSITIVE_INFINITY) }
  return renewing(of, kept, async (stale) => {
    if (tokens === undefined) {
      const { connection } = wire
      const message = `The access token of ${connection} cannot be renewed. Fix: authorise it again with \`concord connections add ${connection}\`.`
      throw vendorError({ kind: 'auth', message })
    }
    let ours: Tokens | null = null
    const next = await tokens.refresh(stale, async (refreshToken) => {
      wire.scrubber.add(refreshToken)
      ours = await requestTokens(of, refreshRequest(of, refreshToken))
      return ours
    })
    wire.scrubber.add(next)
    // Somebody else's: its end is unknown here, a 401 will tell.
    return { token: next, expiresAt: endOf(ours) }
  })
}

const endOf = (tokens: Tokens | null): Instant => tokens?.expiresAt ?? Number.POSITIVE_INFINITY
const held = (tokens: Tokens): Held => ({ token: tokens.accessToken, expiresAt: endOf(tokens) })

function renewing({ wire }: TokenAsk, first: Held, renew: (stale: string) => Promise<Held>): Bearer {
  let now = first
  let renewal: Promise<string> | null = null

  function renewed(stale: string): Promise<string> {
    if (renewal !== null) return renewal
    if (stale !== now.token) return Promise.resolve(now.token)
    const run = renew(stale)
      .then((next) => {
        now = next
        return next.token
      })
      .finally(() => {
        renewal = null
      })
    renewal = run
    return run
  }

  return {
    renewed,
    async current() {
      const at = wire.clock.now()
      if (now.expiresAt - EARLY_MS > at) return now.token
      try {
        return await renewed(now.token)
      } catch (error) {
        // The old one still works for a moment, and the token endpoint may be back then.
        if (failureOf(error)?.kind === 'unavailable' && now.expiresAt > at) return now.token
        throw error
      }
    },
  }
}
