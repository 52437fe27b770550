import { createHash, timingSafeEqual } from 'node:crypto'
import type { Hint, Io, RawRequest, Receipt } from '../connector.ts'
import { ask } from './api.ts'
import { addressHash } from './member.ts'
import { targetOf } from './settings.ts'
import { webhook, webhookList } from './wire.ts'

/**
 * Form fields with bracket keys: https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/.
 *
 * The vendor signs nothing, so the secret is in the URL it was given (`?secret=`). It asks the URL by GET, without
 * meaning anything, before it takes it. An event has no id and a time without zone: the hash of its bytes is its id.
 * 410 is never answered: the vendor would drop the webhook.
 */
export function receive(raw: RawRequest, secret: string): Receipt {
  if (raw.method === 'GET' || raw.method === 'HEAD') return { kind: 'handshake', status: 200, body: '' }
  if (raw.method !== 'POST') return { kind: 'refused', status: 400, reason: 'Webhooks are sent by POST.' }
  const given = new URL(raw.url, 'http://localhost').searchParams.get('secret')
  if (secret === '' || given === null || !equal(given, secret)) {
    return { kind: 'refused', status: 401, reason: 'The secret in the URL is missing or wrong.' }
  }
  const form = new URLSearchParams(new TextDecoder().decode(raw.body))
  const eventId = createHash('sha256').update(raw.body).digest('hex')
  return { kind: 'hints', eventId, hints: hintsOf(form), status: 200 }
}

function hintsOf(form: URLSearchParams): readonly Hint[] {
  switch (form.get('type')) {
    case 'subscribe':
    case 'unsubscribe':
    case 'profile':
    case 'cleaned':
      return hintsAt(form.get('data[email]'))
    case 'upemail':
      return hintsAt(form.get('data[new_email]'), form.get('data[old_email]'))
    default:
      return []
  }
}

/** `data[id]` is the address's id over all audiences, which no path takes. */
function hintsAt(...emails: readonly (string | null)[]): readonly Hint[] {
  return emails.flatMap((email) => (email ? [{ resource: 'members', id: addressHash(email) }] : []))
}

/** In constant time, whatever the lengths. */
function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/**
 * `url` carries the secret. Asking again changes nothing. Changes made by API are left out: they would be mostly our
 * own echo, and the poll sees those of others. https://mailchimp.com/developer/marketing/api/list-webhooks/
 */
export async function subscribe(
  io: Io,
  url: string,
): Promise<{ readonly secret: null; readonly renewBefore: null }> {
  const target = targetOf(io)
  const path = `/lists/${encodeURIComponent(target.list)}/webhooks`
  const { webhooks } = await ask(io, target, { method: 'GET', path }, webhookList)
  if (!webhooks.some((hook) => hook.url === url)) {
    const events = {
      subscribe: true,
      unsubscribe: true,
      profile: true,
      cleaned: true,
      upemail: true,
      campaign: false,
    }
    const body = { url, events, sources: { user: true, admin: true, api: false } }
    await ask(io, target, { method: 'POST', path, body }, webhook)
  }
  return { secret: null, renewBefore: null }
}
