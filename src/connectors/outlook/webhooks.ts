import { createHash, timingSafeEqual } from 'node:crypto'
import { parsedJson, type Instant } from '../../core/json.ts'
import type { Hint, RawRequest, Receipt, Webhooks } from '../connector.ts'
import { clientStateOf } from './subscribe.ts'
import { type NotificationWire, notifications } from './wire.ts'

const HOUR_MS = 3_600_000

export const webhooks: Webhooks = { receive }

/**
 * Basic notifications are not signed: each carries the secret as its `clientState`. A new subscription is confirmed by
 * sending back a token. https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks
 */
function receive(raw: RawRequest, secret: string, now: Instant): Receipt {
  const query = queryOf(raw.url)
  const token = query.get('validationToken')
  if (token !== null) return { kind: 'handshake', status: 200, body: token }
  const read = notifications.safeParse(parsedJson(new TextDecoder().decode(raw.body)))
  if (!read.success) return { kind: 'refused', status: 400, reason: 'The body is no list of notifications.' }
  const genuine = read.data.value.filter(({ clientState }) => isSecret(clientState ?? '', secret))
  if (genuine.length === 0)
    return { kind: 'refused', status: 401, reason: 'No notification carries the secret as its clientState.' }
  const hints = genuine.flatMap((one) => hintOf(one, query.get('mailbox')))
  return { kind: 'hints', eventId: eventIdOf(genuine, now), hints: distinct(hints), status: 202 }
}

/** In time that says nothing about how much was right. An empty secret is nobody's. */
function isSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return secret !== '' && timingSafeEqual(digest(given), digest(clientStateOf(secret)))
}

/** https://learn.microsoft.com/en-us/graph/change-notifications-lifecycle-events */
function hintOf(one: NotificationWire, mailbox: string | null): readonly Hint[] {
  const id = mailbox ?? mailboxIn(one.resource ?? '')
  if (id === null) return []
  switch (one.lifecycleEvent ?? '') {
    case '':
      return isMessage(one) ? [{ resource: 'mail', id }] : []
    case 'reauthorizationRequired':
    case 'subscriptionRemoved':
    case 'missed':
      return [{ resource: 'mail/subscription', id }]
    default:
      return []
  }
}

const KINDS = new Set(['created', 'updated', 'deleted'])
const isMessage = ({ changeType, resource }: NotificationWire) =>
  KINDS.has(changeType ?? '') && /messages?(?:$|[/('])/i.test(resource ?? '')

/** `Users/{id}/Messages/{id}`, or with keys in brackets, or with the tenant behind an `@`. `me/...` names nobody. */
function mailboxIn(resource: string): string | null {
  const [, slashed, quoted] = /^\/?users(?:\/([^/]+)|\('([^']+)'\))/i.exec(resource) ?? []
  return (slashed ?? quoted)?.replace(/^([\da-f-]{36})@[\da-f-]{36}$/i, '$1') ?? null
}

/**
 * By what is told, since Graph may deliver the same notices in other company. Lifecycle events have nothing that tells
 * one from the next: within an hour they count as one.
 */
function eventIdOf(all: readonly NotificationWire[], now: Instant): string {
  const told = all.map((one) => {
    const when = one.lifecycleEvent ? Math.floor(now / HOUR_MS) : (one.resourceData?.['@odata.etag'] ?? '')
    return [one.subscriptionId, one.resource, one.changeType, one.lifecycleEvent, when].join(' ')
  })
  return createHash('sha256').update(told.toSorted().join('\n')).digest('hex')
}

function distinct(hints: readonly Hint[]): readonly Hint[] {
  return [...new Map(hints.map((hint) => [`${hint.resource} ${hint.id}`, hint])).values()]
}

function queryOf(url: string): URLSearchParams {
  return URL.canParse(url, 'http://hub') ? new URL(url, 'http://hub').searchParams : new URLSearchParams()
}
