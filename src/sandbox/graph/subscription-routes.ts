import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import { type Access, type Env, mailboxOf, selfOf, userOf } from './access.ts'
import { badRequest, GraphError } from './errors.ts'
import { bodyAs } from './listing.ts'
import { time } from './message-view.ts'
import { normalPath } from './path.ts'
import { preferencesOf } from './query.ts'
import { findFolder, type GraphState, type Mailbox } from './state.ts'
import type { ChangeType, Subscription } from './subscription.ts'

/** For messages, events and contacts: https://learn.microsoft.com/en-us/graph/api/resources/subscription */
const LONGEST_MIN = 10_080
/** Shorter ones are made this long. */
const SHORTEST_MIN = 45
const CLIENT_STATE_MAX = 128
const CHANGES: readonly ChangeType[] = ['created', 'updated', 'deleted']

const createBody = z.object({
  changeType: z.string(),
  notificationUrl: z.url(),
  lifecycleNotificationUrl: z.url().nullish(),
  resource: z.string(),
  expirationDateTime: z.iso.datetime({ offset: true }),
  clientState: z.string().nullish(),
  latestSupportedTlsVersion: z.string().nullish(),
})
const patchBody = z.strictObject({
  expirationDateTime: z.iso.datetime({ offset: true }).optional(),
  notificationUrl: z.url().optional(),
})

export function subscriptionRoutes(state: GraphState, handshakeMs: number): Hono<Env> {
  const routes = new Hono<Env>()
  const { subscriptions, notifications } = state

  routes.get('/subscriptions', (c) => {
    dropExpired(state)
    const { appId } = c.get('access')
    const own = [...subscriptions.values()].filter(({ applicationId }) => applicationId === appId)
    return c.json({ value: own.map(view) })
  })

  routes.post('/subscriptions', async (c) => {
    const body = await bodyAs(c, createBody)
    const access = c.get('access')
    const { items, mailbox, folderId } = resourceOf(state, access, body.resource)
    const { notificationUrl, lifecycleNotificationUrl = null, clientState = null } = body
    if (clientState !== null && clientState.length > CLIENT_STATE_MAX)
      throw invalid(`clientState must be at most ${CLIENT_STATE_MAX} characters.`)
    const subscription: Subscription = {
      id: state.mint.uuid(),
      applicationId: access.appId,
      userId: mailbox.user.id,
      resource: body.resource,
      items,
      folderId,
      changeTypes: changesOf(body.changeType),
      notificationUrl,
      lifecycleNotificationUrl,
      clientState,
      ids: preferencesOf(c).ids,
      expiresAt: expiryOf(state, body.expirationDateTime),
      paused: false,
    }
    for (const url of [notificationUrl, lifecycleNotificationUrl]) {
      if (url === null) continue
      if (!isSafe(url)) throw invalid(`The address ${url} must be HTTPS.`)
      const problem = await notifications.validate(url, handshakeMs)
      if (problem !== null)
        throw badRequest(`Subscription validation request failed. ${problem}`, 'ValidationError')
    }
    subscriptions.set(subscription.id, subscription)
    return c.json(view(subscription), 201)
  })

  routes.get('/subscriptions/:id', (c) => c.json(view(subscriptionOf(state, c))))

  routes.patch('/subscriptions/:id', async (c) => {
    const subscription = subscriptionOf(state, c)
    const { expirationDateTime } = await bodyAs(c, patchBody)
    if (expirationDateTime !== undefined) {
      subscription.expiresAt = expiryOf(state, expirationDateTime)
      subscription.paused = false
    }
    return c.json(view(subscription))
  })

  routes.post('/subscriptions/:id/reauthorize', (c) => {
    subscriptionOf(state, c).paused = false
    return c.body(null, 204)
  })

  routes.delete('/subscriptions/:id', (c) => {
    subscriptions.delete(subscriptionOf(state, c).id)
    return c.body(null, 204)
  })
  return routes
}

function subscriptionOf(state: GraphState, c: Context<Env>): Subscription {
  dropExpired(state)
  const found = state.subscriptions.get(c.req.param('id') ?? '')
  if (found === undefined || found.applicationId !== c.get('access').appId)
    throw new GraphError(404, 'ResourceNotFound', 'The object was not found.')
  return found
}

function dropExpired({ subscriptions, now }: GraphState): void {
  for (const { id, expiresAt } of subscriptions.values()) if (expiresAt <= now()) subscriptions.delete(id)
}

function expiryOf({ now }: GraphState, text: string): number {
  const at = Date.parse(text)
  if (at <= now()) throw invalid('Subscription expiration must be in the future.')
  if (at > now() + LONGEST_MIN * 60_000)
    throw invalid(`Subscription expiration can only be ${LONGEST_MIN} minutes in the future.`)
  return Math.max(at, now() + SHORTEST_MIN * 60_000)
}

function changesOf(text: string): ReadonlySet<ChangeType> {
  const wanted = text.split(',').map((one) => one.trim().toLowerCase())
  const known = CHANGES.filter((one) => wanted.includes(one))
  if (known.length !== wanted.length) throw invalid(`Invalid changeType '${text}'.`)
  return new Set(known)
}

/** `me/messages`, `users/{id}/mailFolders('inbox')/messages`, `/users/{id}/contacts`... */
function resourceOf(
  state: GraphState,
  access: Access,
  resource: string,
): { items: Subscription['items']; mailbox: Mailbox; folderId: string | null } {
  const parts = normalPath(`/${resource.replace(/^\//, '')}`)
    .split('/')
    .slice(1)
    .map(decodeURIComponent)
  const isMe = parts[0] === 'me'
  if (!isMe && parts[0] !== 'users') throw unsupported(resource)
  const user = isMe ? selfOf(access) : userOf(state, access, parts[1] ?? '')
  const mailbox = mailboxOf(state, access, user)
  const [collection, folder, items, ...more] = parts.slice(isMe ? 1 : 2)
  if (more.length > 0) throw unsupported(resource)
  if (folder === undefined) {
    if (collection === 'messages') return { items: 'message', mailbox, folderId: null }
    if (collection === 'contacts')
      return { items: 'contact', mailbox, folderId: mailbox.defaultContacts.ids.immutable }
  }
  if (collection === 'mailFolders' && folder !== undefined && items === 'messages') {
    const found = findFolder(mailbox, folder)
    if (found !== null) return { items: 'message', mailbox, folderId: found.ids.immutable }
  }
  if (collection === 'contactFolders' && folder !== undefined && items === 'contacts') {
    const found = mailbox.contactFolders.get(folder)
    if (found !== undefined) return { items: 'contact', mailbox, folderId: found.ids.immutable }
  }
  throw unsupported(resource)
}

/** The vendor takes HTTPS alone; this machine's own addresses may do without, for demos. */
function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

function invalid(message: string): GraphError {
  return badRequest(message, 'InvalidRequest')
}

function unsupported(resource: string): GraphError {
  return badRequest(`Resource '${resource}' is not supported.`, 'ExtensionError')
}

function view(subscription: Subscription): JsonObject {
  return {
    id: subscription.id,
    resource: subscription.resource,
    applicationId: subscription.applicationId,
    changeType: [...subscription.changeTypes].join(','),
    // Who knows the secret may forge notifications: it is never shown again.
    clientState: null,
    notificationUrl: subscription.notificationUrl,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl,
    expirationDateTime: time(subscription.expiresAt),
    creatorId: subscription.userId,
    includeResourceData: null,
    latestSupportedTlsVersion: 'v1_2',
  }
}
