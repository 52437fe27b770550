import { z } from 'zod'
import type { Failure, HttpReply } from '../../connectors/connector.ts'
import { retryAfter } from '../../connectors/retry-after.ts'
import { parsedJson, type Instant } from '../../core/json.ts'
import { exchange, type Exchanged, vendorError, type Wire } from './exchange.ts'
import type { Outgoing } from './outgoing.ts'
import { backoffMs, MAX_ATTEMPTS } from './retry.ts'

/** What a token endpoint grants. Without `refreshToken` the old one stays good. */
export type Tokens = {
  readonly accessToken: string
  readonly refreshToken?: string
  readonly expiresAt: Instant | null
}

/** What every request for tokens of one connection is made with. */
export type TokenAsk = {
  readonly wire: Wire
  readonly random: () => number
  readonly stop: AbortSignal
}

export type TokenRequest = {
  readonly url: URL
  readonly form: URLSearchParams
  /** What is used up when it is asked with (a code, a rotating refresh token) is not asked with again after a lost reply. */
  readonly isOnce: boolean
  /** Whom the token is to act for, where that is not the connection itself. */
  readonly user: string | null
}

/**
 * Asks a token endpoint: https://www.rfc-editor.org/rfc/rfc6749#section-5. Throws a `VendorError`: `auth` where it
 * refuses, `rejected` with the code `user` where it refuses only to act for that user.
 */
export async function requestTokens(ask: TokenAsk, request: TokenRequest): Promise<Tokens> {
  const { wire, random, stop } = ask
  const classify = (reply: HttpReply, now: Instant) => classified(reply, now, wire.connection, request.user)
  for (let attempt = 1; ; attempt++) {
    const exchanged = await exchange(wire, outgoingOf(request), classify, attempt, () => undefined)
    if (exchanged.kind === 'reply') return readTokens(exchanged.reply.bytes, wire)
    const failure = failureFrom(exchanged)
    if (attempt >= MAX_ATTEMPTS || stop.aborted || !mayAskAgain(exchanged, request.isOnce))
      throw vendorError(failure)
    wire.stats.retries += 1
    try {
      await wire.clock.sleep(backoffMs(attempt, random), stop)
    } catch {
      throw vendorError(failure)
    }
  }
}

function outgoingOf({ url, form }: TokenRequest): Outgoing {
  return {
    method: 'POST',
    url,
    headers: new Headers({
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    }),
    body: new TextEncoder().encode(form.toString()),
    anonymous: true,
    follows: false,
    isLow: false,
    signal: null,
  }
}

const granted = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullish(),
  /** Seconds; some vendors send text. */
  expires_in: z.coerce.number().nonnegative().nullish(),
})

function readTokens(bytes: Uint8Array, wire: Wire): Tokens {
  const read = granted.safeParse(parsedJson(new TextDecoder().decode(bytes)))
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
    message: `The token endpoint redirects to ${exchanged.to.origin}; that is not followed. Fix: correct the setting tokenUrl.`,
  }
}

/** A lost reply may hide what was used up. */
function mayAskAgain(exchanged: Exclude<Exchanged, { kind: 'reply' }>, isOnce: boolean): boolean {
  if (exchanged.kind !== 'failed' || exchanged.failure.kind !== 'unavailable') return false
  return exchanged.by === 'unsent' || !isOnce
}

const refused = z.object({ error: z.string(), error_description: z.string().nullish() })
const THROTTLED_MS = 60_000

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
function classified(reply: HttpReply, now: Instant, connection: string, user: string | null): Failure {
  const read = refused.safeParse(parsedJson(reply.body)).data
  const said =
    read === undefined ? '' : `: ${[read.error, read.error_description].filter(Boolean).join(', ')}`
  const message = `The token endpoint answered ${reply.status}${said}`
  if (reply.status === 429) {
    return { kind: 'throttled', retryAt: retryAfter(reply.headers, now) ?? now + THROTTLED_MS, message }
  }
  if (reply.status >= 500 || reply.status === 408)
    return { kind: 'unavailable', committed: 'unknown', message }
  if (user === null || read?.error !== 'invalid_grant')
    return { kind: 'auth', message: `${message}. Fix: ${fixOf(read?.error, connection)}` }
  // Also what a revoked key is answered with; but that is answered so for the connection itself, too.
  const fix = `see whether ${user} exists and the service account may act for it, or leave it out of the mailboxes.`
  return { kind: 'rejected', code: 'user', field: null, message: `${message}. Fix: ${fix}` }
}

/** What those errors mean: https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
function fixOf(error: string | undefined, connection: string): string {
  const again = `\`concord connections add ${connection}\``
  switch (error) {
    case 'invalid_client':
      return `copy the client's id and secret, or the service account's key, from the vendor and give them with ${again}.`
    case 'unauthorized_client':
    case 'invalid_scope':
      return `allow the application or service account its scopes at the vendor, as its guide in docs/ says, then run ${again}.`
    default:
      return `authorise the connection again with ${again}.`
  }
}
