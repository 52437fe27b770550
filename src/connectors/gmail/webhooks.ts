import { createLocalJWKSet, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import { parsedJson, type Instant, type JsonObject } from '../../core/json.ts'
import type { RawRequest, Receipt, WebhookContext } from '../connector.ts'
import { addressOf } from './settings.ts'
import { noticeWire, pushWire } from './wire.ts'

/** The keys of Google's tokens, as its OpenID configuration names them: https://accounts.google.com/.well-known/openid-configuration */
export const KEYS_URL = 'https://www.googleapis.com/oauth2/v3/certs'
const ISSUERS = ['https://accounts.google.com', 'accounts.google.com']
/** Clocks differ a little. */
const TOLERANCE_SECONDS = 30

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) })
const claims = z.object({ email: z.string(), email_verified: z.literal(true) })

/**
 * A push of Pub/Sub: a token of Google's says that the subscription's own service account sent it, to this endpoint
 * (https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions). It tells which mailbox changed, and nothing
 * that is relied on: what changed is read from the history.
 */
export async function receive(
  raw: RawRequest,
  _secret: string,
  now: Instant,
  context: WebhookContext,
): Promise<Receipt> {
  if (raw.method !== 'POST') return refused(400, 'Pub/Sub pushes by POST.')
  const problem = await problemWith(raw, now, context)
  if (problem !== null) return refused(401, problem)
  const push = pushWire.safeParse(parsedJson(new TextDecoder().decode(raw.body)))
  if (!push.success) return refused(400, 'The body is not a Pub/Sub message. Turn payload unwrapping off.')
  const { messageId, data } = push.data.message
  const notice = noticeWire.safeParse(parsedJson(Buffer.from(data ?? '', 'base64url').toString('utf8')))
  // Refusing what is not Gmail's (a test message) would only have it sent again for days.
  const hints = notice.success ? [{ resource: 'mail', id: addressOf(notice.data.emailAddress) }] : []
  return { kind: 'hints', eventId: messageId, hints, status: 200 }
}

function refused(status: 400 | 401, reason: string): Receipt {
  return { kind: 'refused', status, reason }
}

/** Why the request is not proven to come from the subscription; null where it is. */
async function problemWith(raw: RawRequest, now: Instant, context: WebhookContext): Promise<string | null> {
  const account = setting(context.settings, 'pushServiceAccount')
  if (account === null)
    return 'Set pushServiceAccount to the service account that the Pub/Sub subscription authenticates with.'
  const audience = audienceOf(raw, context.settings)
  if (audience === null) return 'Set pushAudience to the audience of the Pub/Sub subscription.'
  const keys = keySet.safeParse(context.keys)
  if (!keys.success) return "Google's keys are not at hand, so that the token cannot be verified."
  const token = /^Bearer +(\S+)$/i.exec(raw.headers.get('authorization') ?? '')?.[1]
  if (token === undefined)
    return 'The request has no bearer token. Turn on authentication for the Pub/Sub subscription.'
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys.data), {
      algorithms: ['RS256'],
      issuer: ISSUERS,
      audience,
      currentDate: new Date(now),
      clockTolerance: TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'iat'],
    })
    const read = claims.safeParse(payload)
    if (!read.success) return 'The token names no verified address of a service account.'
    if (addressOf(read.data.email) !== addressOf(account))
      return 'The token is of another service account than pushServiceAccount.'
    return null
  } catch (error) {
    if (error instanceof errors.JOSEError)
      return `The token cannot be trusted: ${error.message} (${error.code}).`
    throw error
  }
}

function setting(settings: JsonObject, field: string): string | null {
  const value = settings[field]
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null
}

/**
 * Pub/Sub's default audience is the endpoint, as the subscription names it. `webhookUrl` is that address as an admin gave
 * it: behind a proxy that ends TLS the request itself has come to another one, http and perhaps another host.
 */
function audienceOf({ url }: RawRequest, settings: JsonObject): string | null {
  const named = setting(settings, 'pushAudience') ?? setting(settings, 'webhookUrl')
  return named ?? (URL.canParse(url) ? url : null)
}
