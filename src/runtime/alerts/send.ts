import { retryAfter, wants, type AlertChannel } from '../../core/alerts.ts'
import { isAlarmKind } from '../../core/alarms/kinds.ts'
import { raisedAlarms, type AlertPayload } from '../../store/alarms.ts'
import {
  address,
  delivered,
  giveUpChannel,
  givenUp,
  nextDue,
  postponed,
  takeDelivery,
  wakeAlerts,
  type Delivery,
} from '../../store/alert-deliveries.ts'
import { readAlertSecret } from '../../store/alert-secrets.ts'
import { clear, raise } from '../alarms/watch.ts'
import type { Hub } from '../hub.ts'
import { sendEmail } from './email.ts'
import type { Sent } from './sent.ts'
import { postWebhook } from './webhook.ts'

const BATCH = 100
/** Longer than one attempt can take. */
const LEASE_MS = 120_000
/** One refusal is nothing; after these, somebody should look. */
const FAILING_AFTER = 3

export const goneKey = (channel: string): string => `alerts:gone:${channel}`
const failingKey = (channel: string): string => `alerts:failing:${channel}`

/**
 * Addresses what was told, and delivers what is due to each channel. Any number of processes may do so at once: each
 * takes other messages. What fails is tried again, for three days; each message keeps its id.
 */
export async function sendAlerts(hub: Hub): Promise<void> {
  const { channels } = hub.configuration.alerts
  const closed = await goneChannels(hub)
  const open = channels.filter(({ name }) => !closed.has(name))
  const now = () => hub.clock.now()
  const wanting = (payload: AlertPayload) => open.filter((channel) => isFor(channel, payload))
  for (let more = true; more; )
    more = (await hub.db.sql.begin((tx) => address(tx, wanting, now(), BATCH))) === BATCH
  await Promise.all(open.map((channel) => drain(hub, channel)))
  const next = await nextDue(
    hub.db.sql,
    open.map(({ name }) => name),
  )
  if (next !== null) await wakeAlerts(hub.db.sql, Math.max(next - now(), 1_000))
}

/** Channels that said they are gone; none is written to until a test reaches it. */
export async function goneChannels(hub: Hub): Promise<ReadonlySet<string>> {
  const gone = await raisedAlarms(hub.db.sql, ['channel_gone'])
  const keys = new Set(gone.map(({ key }) => key))
  return new Set(
    hub.configuration.alerts.channels.flatMap(({ name }) => (keys.has(goneKey(name)) ? [name] : [])),
  )
}

function isFor(channel: AlertChannel, { type, data }: AlertPayload): boolean {
  if (data.key === failingKey(channel.name) || data.key === goneKey(channel.name)) return false
  const kind = isAlarmKind(data.kind) ? data.kind : null
  switch (type) {
    case 'test':
      return wants(channel, 'test', kind)
    case 'alarm.raised':
      return wants(channel, 'raised', kind)
    case 'alarm.recovered':
      return wants(channel, 'recovered', kind)
    case 'alarm.reminder':
      return wants(channel, 'reminder', kind)
  }
}

async function drain(hub: Hub, channel: AlertChannel): Promise<void> {
  while (!hub.stopping.aborted) {
    const delivery = await takeDelivery(hub.db.sql, channel.name, hub.clock.now(), LEASE_MS)
    if (delivery === undefined) return
    const sent = await deliver(hub, channel, { id: delivery.messageId, payload: delivery.payload })
    if (sent.kind !== 'sent')
      hub.log.warn({ channel: channel.name, message: delivery.messageId }, sent.problem)
    if (!(await settle(hub, channel, delivery, sent))) return
  }
}

/** Keeps what came of an attempt; false: the channel rests. */
async function settle(hub: Hub, channel: AlertChannel, delivery: Delivery, sent: Sent): Promise<boolean> {
  const { sql } = hub.db
  const now = hub.clock.now()
  switch (sent.kind) {
    case 'sent':
      await delivered(sql, delivery.id, now)
      await clear(hub, failingKey(channel.name))
      return true
    case 'gone':
      await giveUpChannel(sql, channel.name, now, sent.problem)
      await raise(hub, {
        key: goneKey(channel.name),
        kind: 'channel_gone',
        title: `The channel ${channel.name} takes no alerts any more: ${sent.problem}`,
        fix: `Nothing more is sent there. Correct or remove it in alerts.yaml and apply it; \`concord alerts test ${channel.name}\` opens it again once it answers.`,
      })
      return false
    case 'failed': {
      const wait = retryAfter(delivery.attempts, hub.random())
      if (wait === null) await givenUp(sql, delivery.id, now, sent.problem)
      else await postponed(sql, delivery.id, Math.max(now + wait, sent.notBefore ?? 0), sent.problem)
      if (delivery.attempts >= FAILING_AFTER)
        await raise(hub, {
          key: failingKey(channel.name),
          kind: 'channel_failing',
          title: `Alerts do not reach the channel ${channel.name}: ${sent.problem}`,
          fix: `They are kept and tried for three days. Correct the cause; \`concord alerts test ${channel.name}\` says whether it works.`,
        })
      return false
    }
  }
}

/** One attempt to deliver one message. */
export async function deliver(
  hub: Hub,
  channel: AlertChannel,
  message: { readonly id: string; readonly payload: AlertPayload },
): Promise<Sent> {
  if (channel.kind === 'email') {
    const { smtp } = hub.configuration.alerts
    if (smtp === null)
      return { kind: 'failed', problem: 'There is no smtp: in alerts.yaml.', notBefore: null }
    return sendEmail(channel, smtp, await readAlertSecret(hub.db.sql, hub.vault, 'smtp'), message)
  }
  const secret = await readAlertSecret(hub.db.sql, hub.vault, channel.name)
  if (secret === undefined)
    return {
      kind: 'failed',
      problem: `There is no secret to sign with yet. Fix: \`concord alerts secret ${channel.name}\`.`,
      notBefore: null,
    }
  return postWebhook(
    channel,
    secret,
    { id: message.id, body: JSON.stringify(message.payload) },
    hub.clock.now(),
  )
}
