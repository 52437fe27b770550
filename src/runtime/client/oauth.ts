import { z } from 'zod'
import { type AuthSpec, type Failure, failureOf, type HttpReply } from '../../connectors/connector.ts'
import { retryAfter } from '../../connectors/retry-after.ts'
import type { Instant } from '../../core/json.ts'
import { exchange, type Exchanged, vendorError, type Wire } from './exchange.ts'
import type { Outgoing } from './outgoing.ts'
import { backoffMs, MAX_ATTEMPTS } from './retry.ts'

/** What a token endpoint grants. Without `refreshToken` the old one stays good. */
export type Tokens = {
  readonly accessToken: string
  readonly refreshToken?: string
  readonly expiresAt: Instant | null
}

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

/** The access token of one connection. */
export type Bearer = {
  /** Renewed first where it expires within a minute. */
  current(): Promise<string>
  /** The one to use after `stale` was refused. Parallel calls share one refresh. */
  renewed(stale: string): Promise<string>
}

type OAuth2 = Extract<AuthSpec, { kind: 'oauth2' }>

const EARLY_MS = 60_000

export function openBearer(options: {
  auth: OAuth2
  secrets: Readonly<Record<string, string>>
  /** Overrides the connector's, for vendors with one per account and for sandboxes. */
  tokenUrl: string | null
  tokens: TokenStore | undefined
  wire: Wire
  random: () => number
  stop: AbortSignal
}): Bearer {
  const { secrets, tokens, wire } = options
  let token = secrets['accessToken'] ?? ''
  let expiresAt = token === '' ? 0 : Number(secrets['expiresAt'] || Number.POSITIVE_INFINITY)
  let renewing: Promise<string> | null = null

  function renewed(stale: string): Promise<string> {
    if (renewing !== null) return renewing
    if (stale !== token) return Promise.resolve(token)
    const run = renew(stale).finally(() => {
      renewing = null
    })
    renewing = run
    return run
  }

  async function renew(stale: string): Promise<string> {
    if (tokens === undefined)
      throw vendorError({ kind: 'auth', message: 'This connection cannot be refreshed.' })
    let ours: Tokens | null = null
    const next = await tokens.refresh(stale, async (refreshToken) => {
      wire.scrubber.add(refreshToken)
      ours = await requestTokens({ ...options, refreshToken })
      return ours
    })
    wire.scrubber.add(next)
    token = next
    // Somebody else's: its end is unknown here, a 401 will tell.
    expiresAt = expiryOf(ours) ?? Number.POSITIVE_INFINITY
    return next
  }

  return {
    renewed,
    async current() {
      const now = wire.clock.now()
      if (expiresAt - EARLY_MS > now) return token
      try {
        return await renewed(token)
      } catch (error) {
        // The old one still works for a moment, and the token endpoint may be back then.
        if (failureOf(error)?.kind === 'unavailable' && expiresAt > now) return token
        throw error
      }
    },
  }
}

const expiryOf = (tokens: Tokens | null) => tokens?.expiresAt ?? null

const granted = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullish(),
  /** Seconds; some vendors send text. */
  expires_in: z.coerce.number().nonnegative().nullish(),
})

/**
 * https://www.rfc-editor.org/rfc/rfc6749#section-6, with the client's credentials in the form (section 2.3.1).
 * A lost reply may hide a rotated refresh token, so where tokens rotate it is not asked again here.
 */
async function requestTokens(options: {
  auth: OAuth2
  secrets: Readonly<Record<string, string>>
  tokenUrl: string | null
  refreshToken: string
  wire: Wire
  random: () => number
  stop: AbortSignal
}): Promise<Tokens> {
  const { auth, wire, random, stop } = options
  const request = refreshRequest(options)
  for (let attempt = 1; ; attempt++) {
    const exchanged = await exchange(wire, request, classify, attempt, () => undefined)
    if (exchanged.kind === 'reply') return readTokens(exchanged.reply.bytes, wire)
    const failure = failureFrom(exchanged)
    if (attempt >= MAX_ATTEMPTS || stop.aborted || !mayAskAgain(exchanged, auth.rotates))
      throw vendorError(failure)
    wire.stats.retries += 1
    try {
      await wire.clock.sleep(backoffMs(attempt, random), stop)
    } catch {
      throw vendorError(failure)
    }
  }
}

function refreshRequest(options: {
  auth: OAuth2
  secrets: Readonly<Record<string, string>>
  tokenUrl: string | null
  refreshToken: string
}): Outgoing {
  const { clientId, clientSecret } = options.secrets
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: options.refreshToken })
  if (clientId !== undefined) form.set('client_id', clientId)
  if (clientSecret !== undefined) form.set('client_secret', clientSecret)
  return {
    method: 'POST',
    url: new URL(options.tokenUrl ?? options.auth.tokenUrl),
    headers: new Headers({
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    }),
    body: new TextEncoder().encode(form.toString()),
    anonymous: true,
    follows: false,
    signal: null,
  }
}

function readTokens(bytes: Uint8Array, wire: Wire): Tokens {
  const read = granted.safeParse(parsed(new TextDecoder().decode(bytes)))
  if (!read.success) {
    const message = 'The token endpoint answered without an access token.'
    throw vendorError({ kind: 'malformed', committed: 'unknown', message })
  }
  const { access_token, refresh_token, expires_in } = read.data
  for (const secret of [access_token, refresh_token ?? '']) wire.scrubber.add(secret)
  return {
    accessToken: access_token,
    expiresAt: expires_in === null || expires_in === undefined ? null : wire.clock.now() + expires_in * 1000,
    ...(refresh_token ? { refreshToken: refresh_token } : {}),
  }
}

function failureFrom(exchanged: Exclude<Exchanged, { kind: 'reply' }>): Failure {
  if (exchanged.kind === 'failed') return exchanged.failure
  return {
    kind: 'auth',
    message: `The token endpoint redirects to ${exchanged.to.origin}; that is not followed.`,
  }
}

function mayAskAgain(exchanged: Exclude<Exchanged, { kind: 'reply' }>, rotates: boolean): boolean {
  if (exchanged.kind !== 'failed' || exchanged.failure.kind !== 'unavailable') return false
  return exchanged.by === 'unsent' || !rotates
}

const refused = z.object({ error: z.string(), error_description: z.string().nullish() })
const THROTTLED_MS = 60_000

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
function classify(reply: HttpReply, now: Instant): Failure {
  const read = refused.safeParse(parsed(reply.body)).data
  const said =
    read === undefined ? '' : `: ${[read.error, read.error_description].filter(Boolean).join(', ')}`
  const message = `The token endpoint answered ${reply.status}${said}`
  if (reply.status === 429) {
    return { kind: 'throttled', retryAt: retryAfter(reply.headers, now) ?? now + THROTTLED_MS, message }
  }
  if (reply.status >= 500 || reply.status === 408)
    return { kind: 'unavailable', committed: 'unknown', message }
  return { kind: 'auth', message }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
