import type { Instant, JsonObject } from '../../core/json.ts'
import type { Contact, ContactFolder } from './contact.ts'
import { etag, time } from './message-view.ts'
import { chance, type GraphState, type Mailbox, type MailFolder, type Message } from './state.ts'
import type { ChangeType, Subscription } from './subscription.ts'

/** `from` is the folder the item was in before; null: it is new. */
export type Change = {
  readonly mailbox: Mailbox
  readonly item: Message | Contact
  readonly change: ChangeType
  readonly from: MailFolder | ContactFolder | null
}

export type LifecycleEvent = 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed'

export type PendingNotification = {
  readonly subscriptionId: string
  readonly url: string
  readonly body: JsonObject
  readonly firstTriedAt: Instant | null
  readonly attempts: number
  /** Not before. */
  readonly dueAt: Instant
}

/** One POST that was tried. `status` null: nobody answered. */
export type Delivery = {
  readonly at: Instant
  readonly url: string
  readonly status: number | null
  readonly notifications: readonly JsonObject[]
}

/** Graph tries for four hours: https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks */
const TRY_FOR_MS = 4 * 3_600_000
const ANSWER_WITHIN_MS = 10_000
/** In one POST at most. */
const TOGETHER = 5
const KEPT_DELIVERIES = 1_000

/** https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks */
export class NotificationQueue {
  /** Open on purpose: a simulation shuffles, repeats and drops what is in here. */
  readonly pending: PendingNotification[] = []
  readonly #log: Delivery[] = []
  readonly #state: () => GraphState
  readonly #deliver: typeof fetch
  readonly #isAutomatic: boolean
  /** Given up after four hours. */
  lost = 0

  constructor(state: () => GraphState, deliver: typeof fetch, isAutomatic: boolean) {
    this.#state = state
    this.#deliver = deliver
    this.#isAutomatic = isAutomatic
  }

  /** The latest POSTs, whatever came of them; oldest first. */
  deliveries(): readonly Delivery[] {
    return this.#log
  }

  changed(change: Change): void {
    const state = this.#state()
    for (const subscription of state.subscriptions.values()) {
      const type = typeFor(subscription, change)
      if (type === null || subscription.paused || subscription.expiresAt <= state.now()) continue
      if (chance(state, state.switches.lostNotifications)) continue
      const body = notificationOf(state, subscription, change, type)
      const times = chance(state, state.switches.duplicateNotifications) ? 2 : 1
      for (let i = 0; i < times; i++) this.#add(subscription, subscription.notificationUrl, body)
    }
  }

  /** Where no lifecycle address was given, nobody is told. */
  lifecycle(subscription: Subscription, lifecycleEvent: LifecycleEvent): void {
    const { id, clientState, lifecycleNotificationUrl: url } = subscription
    if (url === null) return
    this.#add(subscription, url, {
      subscriptionId: id,
      subscriptionExpirationDateTime: time(subscription.expiresAt),
      tenantId: this.#state().tenant.id,
      ...(clientState === null ? {} : { clientState }),
      lifecycleEvent,
      ...(lifecycleEvent === 'missed' ? {} : { resource: subscription.resource }),
    })
  }

  /** One try for everything that is due; answers how many POSTs went well. Failures wait and are tried again. */
  async flush(): Promise<number> {
    const now = this.#state().now()
    const waiting = this.pending.splice(0)
    this.pending.push(...waiting.filter(({ dueAt }) => dueAt > now))
    let delivered = 0
    for (const group of grouped(waiting.filter(({ dueAt }) => dueAt <= now))) {
      if (await this.#post(group)) delivered += 1
    }
    return delivered
  }

  /** Asks whoever is at `url` to prove that it wants notifications. Answers why not; null: it does. */
  async validate(url: string, withinMs: number): Promise<string | null> {
    const token = `Validation: Testing client application reachability for subscription Request-Id: ${this.#state().mint.uuid()}`
    const at = new URL(url)
    at.searchParams.set('validationToken', token)
    try {
      const reply = await this.#deliver(at, {
        method: 'POST',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        signal: AbortSignal.timeout(withinMs),
      })
      const text = await reply.text()
      if (reply.status !== 200) return `Notification endpoint must respond with 200 OK, not ${reply.status}.`
      if (reply.headers.get('content-type')?.startsWith('text/plain') !== true)
        return 'Notification endpoint must respond with text/plain.'
      return text === token ? null : 'Notification endpoint must respond with the validation token.'
    } catch {
      return 'The operation has timed out.'
    }
  }

  #add(subscription: Subscription, url: string, body: JsonObject): void {
    const state = this.#state()
    const isLate = chance(state, state.switches.lateNotifications)
    this.pending.push({
      subscriptionId: subscription.id,
      url,
      body,
      firstTriedAt: null,
      attempts: 0,
      dueAt: state.now() + (isLate ? state.switches.lateMs : 0),
    })
    if (this.#isAutomatic) this.#later(isLate ? state.switches.lateMs : 0)
  }

  #later(ms: number): void {
    // A timer may go off a little before its time by the clock.
    setTimeout(() => void this.flush(), ms + 10).unref()
  }

  async #post(group: readonly PendingNotification[]): Promise<boolean> {
    const [first] = group
    if (first === undefined) return true
    const state = this.#state()
    const value = group.map(({ body }) => body)
    const status = await this.#deliver(first.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ value }),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    }).then(
      async (reply) => {
        await reply.body?.cancel()
        return reply.status
      },
      () => null,
    )
    const now = state.now()
    this.#log.push({ at: now, url: first.url, status, notifications: value })
    if (this.#log.length > KEPT_DELIVERIES) this.#log.shift()
    if (status !== null && status >= 200 && status < 300) return true
    for (const one of group) this.#again(one, now)
    return false
  }

  #again(one: PendingNotification, now: Instant): void {
    const since = one.firstTriedAt ?? now
    const waitMs = Math.min(10_000 * 2 ** one.attempts, 600_000)
    if (now + waitMs - since > TRY_FOR_MS) {
      this.lost += 1
      return
    }
    this.pending.push({ ...one, firstTriedAt: since, attempts: one.attempts + 1, dueAt: now + waitMs })
    if (this.#isAutomatic) this.#later(waitMs)
  }
}

function grouped(due: readonly PendingNotification[]): PendingNotification[][] {
  const open = new Map<string, PendingNotification[]>()
  const all: PendingNotification[][] = []
  for (const one of due) {
    const group = open.get(one.url)
    if (group !== undefined && group.length < TOGETHER) {
      group.push(one)
      continue
    }
    const started = [one]
    open.set(one.url, started)
    all.push(started)
  }
  return all
}

/** What the change is to this subscription; null: not its business. A move leaves one folder and enters another. */
function typeFor(subscription: Subscription, { mailbox, item, change, from }: Change): ChangeType | null {
  if (subscription.userId !== mailbox.user.id || subscription.items !== item.kind) return null
  const { folderId } = subscription
  const isIn = folderId === null || item.folder.ids.immutable === folderId
  const wasIn = from !== null && (folderId === null || from.ids.immutable === folderId)
  const type =
    change === 'deleted'
      ? wasIn
        ? 'deleted'
        : null
      : isIn
        ? wasIn
          ? 'updated'
          : 'created'
        : wasIn
          ? 'deleted'
          : null
  return type !== null && subscription.changeTypes.has(type) ? type : null
}

function notificationOf(
  { tenant }: GraphState,
  subscription: Subscription,
  { mailbox, item }: Change,
  changeType: ChangeType,
): JsonObject {
  const id = item.ids[subscription.ids]
  const resource = `Users/${mailbox.user.id}/${item.kind === 'message' ? 'Messages' : 'Contacts'}/${id}`
  return {
    subscriptionId: subscription.id,
    subscriptionExpirationDateTime: time(subscription.expiresAt),
    changeType,
    resource,
    resourceData: {
      '@odata.type': item.kind === 'message' ? '#Microsoft.Graph.Message' : '#Microsoft.Graph.Contact',
      '@odata.id': resource,
      '@odata.etag': etag(item),
      id,
    },
    ...(subscription.clientState === null ? {} : { clientState: subscription.clientState }),
    tenantId: tenant.id,
  }
}
