import type { OidcKeys } from './oidc.ts'
import type { GmailMailbox, GmailState, Notification } from './state.ts'

/** At most one notification a second and user; those over it are dropped, and nobody is told. */
const MIN_GAP_MS = 1000

/** Tells the watch of a mailbox that something happened to a message with these labels. */
export function notify(state: GmailState, mailbox: GmailMailbox, labels: readonly string[]): void {
  const { watch } = mailbox
  const at = state.now()
  if (watch === null || watch.expiresAt <= at) return
  const named = watch.labelIds.some((id) => labels.includes(id))
  if (watch.labelIds.length > 0 && named !== (watch.behaviour === 'include')) return
  if (mailbox.lastPushAt !== null && at - mailbox.lastPushAt < MIN_GAP_MS) {
    state.counts.droppedNotifications += 1
    return
  }
  mailbox.lastPushAt = at
  if (state.switches.loseNotification?.(mailbox.address) === true) return
  const notification = {
    topic: watch.topic,
    mailbox: mailbox.address,
    messageId: String(state.nextPubsubId++),
    historyId: mailbox.historyId,
    publishedAt: at,
    dueAt: at + state.switches.notificationDelayMs,
  }
  for (let copy = 0; copy < state.switches.notificationCopies; copy += 1)
    state.pending.push({ ...notification, attempts: 0 })
  state.onNotification?.()
}

/** A push as it arrives at its endpoint. */
export type Delivery = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly notification: Notification
}

/** Posts one push and answers the receiver's status; a rejection is a receiver that did not answer. */
export type Deliver = (
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
) => Promise<number>

/** Signed, with the token of the moment; null where its topic is gone. */
export async function deliveryOf(
  state: GmailState,
  keys: OidcKeys,
  notification: Notification,
): Promise<Delivery | null> {
  const topic = state.topics.get(notification.topic)
  if (topic === undefined) return null
  const token = await keys.pushToken({ audience: topic.audience, email: topic.pusher, now: state.now() })
  const publishTime = new Date(notification.publishedAt).toISOString()
  const data = { emailAddress: notification.mailbox, historyId: notification.historyId }
  const { messageId } = notification
  return {
    url: topic.endpoint,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'user-agent': 'APIs-Google',
    },
    body: JSON.stringify({
      message: {
        data: Buffer.from(JSON.stringify(data)).toString('base64url'),
        messageId,
        message_id: messageId,
        publishTime,
        publish_time: publishTime,
      },
      subscription: topic.subscription,
    }),
    notification,
  }
}

/** Takes what is due out of the queue. */
export function takeDue(state: GmailState): readonly Notification[] {
  const at = state.now()
  const due = state.pending.filter(({ dueAt }) => dueAt <= at)
  const later = state.pending.filter(({ dueAt }) => dueAt > at)
  state.pending.splice(0, state.pending.length, ...later)
  return due
}

/** Statuses that acknowledge a push: https://docs.cloud.google.com/pubsub/docs/push */
const ACKNOWLEDGED: ReadonlySet<number> = new Set([102, 200, 201, 202, 204])
const MAX_ATTEMPTS = 20

/** One try for everything that is due. What is not acknowledged waits for the next flush. */
export async function flush(state: GmailState, keys: OidcKeys, deliver: Deliver): Promise<number> {
  let delivered = 0
  for (const notification of takeDue(state)) {
    const delivery = await deliveryOf(state, keys, notification)
    if (delivery === null) continue
    const status = await deliver(delivery.url, delivery.body, delivery.headers).catch(() => null)
    notification.attempts += 1
    if (status !== null && ACKNOWLEDGED.has(status)) delivered += 1
    else if (notification.attempts < MAX_ATTEMPTS) state.pending.push(notification)
  }
  return delivered
}

const AGAIN_MS = 1_000

/** Delivers as notifications arise, one after the other; what is late or not acknowledged is tried every second. */
export function deliverAlways(state: GmailState, keys: OidcKeys, deliver: Deliver): void {
  let isRunning = false
  const run = async (): Promise<void> => {
    while (state.pending.length > 0) {
      await flush(state, keys, deliver)
      if (state.pending.length > 0) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref())
    }
  }
  state.onNotification = () => {
    if (isRunning) return
    isRunning = true
    void run().finally(() => (isRunning = false))
  }
}

const DELIVERY_TIMEOUT_MS = 10_000

export const deliverByFetch: Deliver = async (url, body, headers) => {
  const signal = AbortSignal.timeout(DELIVERY_TIMEOUT_MS)
  const response = await fetch(url, { method: 'POST', body, headers, signal })
  await response.body?.cancel()
  return response.status
}
