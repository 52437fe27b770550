import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Json } from '../../core/json.ts'
import type { Mailbox } from '../../core/mail/message.ts'
import { failureOf, type Io } from '../connector.ts'
import type { MailSubscription } from '../mail.ts'
import { ask, askPage, bytes, type Listed } from './graph.ts'
import { mailboxesOf } from './settings.ts'
import { subscription } from './wire.ts'

/** As long as Graph allows for messages, less a little for clocks: https://learn.microsoft.com/en-us/graph/api/resources/subscription */
const LIFE_MS = 10_070 * 60_000
const RENEW_BEFORE_MS = 24 * 3_600_000

const keptWire = z.object({ id: z.string(), to: z.string() })

/**
 * Tells Graph where to say that messages changed. One is renewed as long as address and secret stay the same, since
 * neither can be changed later; where Graph has dropped it, a new one takes its place.
 */
export async function subscribe(
  io: Io,
  mailbox: Mailbox,
  kept: Json,
  to: { readonly url: string | null; readonly secret: string | null },
): Promise<MailSubscription | null> {
  if (to.url === null || to.secret === null) return null
  const url = urlFor(to.url, mailbox)
  const clientState = clientStateOf(to.secret)
  const fingerprint = createHash('sha256').update(`${url}\n${clientState}`).digest('hex')
  const old = keptWire.safeParse(kept).data ?? null
  const expirationDateTime = new Date(io.now() + LIFE_MS).toISOString()
  const renewed = old !== null && old.to === fingerprint ? await renew(io, old.id, expirationDateTime) : null
  const now = renewed ?? (await create(io, mailbox, url, clientState, expirationDateTime))
  const until = Date.parse(now.expirationDateTime) || io.now() + LIFE_MS
  return { kept: { id: now.id, to: fingerprint }, renewBefore: until - RENEW_BEFORE_MS }
}

/** Null: it is not there any more. Renewing is also what `reauthorizationRequired` asks for. */
async function renew(io: Io, id: string, expirationDateTime: string) {
  const to = `/subscriptions/${encodeURIComponent(id)}`
  try {
    return await ask(io, { method: 'PATCH', to, body: { expirationDateTime } }, subscription)
  } catch (error) {
    if (failureOf(error)?.kind === 'missing') return null
    throw error
  }
}

/** https://learn.microsoft.com/en-us/graph/api/subscription-post-subscriptions */
async function create(
  io: Io,
  mailbox: Mailbox,
  notificationUrl: string,
  clientState: string,
  expirationDateTime: string,
) {
  const resource = mailboxesOf(io) === null ? 'me/messages' : `users/${mailbox.id}/messages`
  const older = await subscriptionsTo(io, notificationUrl)
  const body = {
    changeType: 'created,updated,deleted',
    resource,
    notificationUrl,
    // It can only be given at creation.
    lifecycleNotificationUrl: notificationUrl,
    clientState,
    expirationDateTime,
  }
  const made = await ask(io, { method: 'POST', to: '/subscriptions', body }, subscription)
  for (const id of older) await drop(io, id)
  return made
}

/** Those of earlier attempts whose answer was lost, and those with another secret: everything would come twice. */
async function subscriptionsTo(io: Io, url: string): Promise<readonly string[]> {
  const ids: string[] = []
  for (let to: string | null = '/subscriptions'; to !== null; ) {
    const read: Listed = await askPage(io, { method: 'GET', to })
    for (const raw of read.value) {
      const { data } = subscription.safeParse(raw)
      if (data?.notificationUrl === url) ids.push(data.id)
    }
    to = read.next
  }
  return ids
}

async function drop(io: Io, id: string): Promise<void> {
  try {
    await bytes(io, { method: 'DELETE', to: `/subscriptions/${encodeURIComponent(id)}` })
  } catch (error) {
    if (failureOf(error)?.kind !== 'missing') throw error
  }
}

/** Names the mailbox: not every notice does. */
function urlFor(url: string, { id }: Mailbox): string {
  const named = new URL(url)
  named.searchParams.set('mailbox', id)
  return named.href
}

/** Graph takes 128 characters. */
export function clientStateOf(secret: string): string {
  return secret.length <= 128 ? secret : createHash('sha256').update(secret).digest('hex')
}
