import { randomBytes } from 'node:crypto'
import type { AlertChannel } from '../../core/alerts.ts'
import type { Instant } from '../../core/json.ts'
import { messageId, pastAlarms, raisedAlarms, type AlarmRow, type AlertPayload } from '../../store/alarms.ts'
import { countDeliveries, wakeAlerts } from '../../store/alert-deliveries.ts'
import { alertSecretNames, saveAlertSecret } from '../../store/alert-secrets.ts'
import { clear } from '../alarms/watch.ts'
import { iso, type Hub } from '../hub.ts'
import { deliver, goneChannels, goneKey } from './send.ts'
import type { Sent } from './sent.ts'

export type { AlarmRow } from '../../store/alarms.ts'
export type { Sent } from './sent.ts'

export type ChannelStatus = {
  readonly name: string
  readonly kind: AlertChannel['kind']
  /** The URL, or the addresses. */
  readonly to: string
  /** `unset`: it has no secret yet. `gone`: its receiver said so. `failing`: the last attempt did not reach it. */
  readonly state: 'ready' | 'unset' | 'gone' | 'failing'
  readonly waiting: number
  readonly givenUp: number
  readonly lastAt: Instant | null
  readonly problem: string | null
}

/** How the channels of the configuration do. */
export async function channelStatus(hub: Hub): Promise<readonly ChannelStatus[]> {
  const { channels, smtp } = hub.configuration.alerts
  const q = hub.db.sql
  const [counts, secrets, gone] = [
    await countDeliveries(q),
    await alertSecretNames(q),
    await goneChannels(hub),
  ]
  return channels.map((channel): ChannelStatus => {
    const count = counts.find((row) => row.channel === channel.name)
    const needs = channel.kind === 'webhook' ? channel.name : (smtp?.user ?? null) === null ? null : 'smtp'
    const isUnset = needs !== null && !secrets.has(needs)
    const problem = count?.problem ?? null
    return {
      name: channel.name,
      kind: channel.kind,
      to: channel.kind === 'webhook' ? channel.url : channel.to.join(', '),
      state: gone.has(channel.name) ? 'gone' : isUnset ? 'unset' : problem === null ? 'ready' : 'failing',
      waiting: count?.waiting ?? 0,
      givenUp: count?.givenUp ?? 0,
      lastAt: count?.lastAt ?? null,
      problem,
    }
  })
}

/** Alarms that last, the oldest first, and the latest that are over. */
export async function alarms(
  hub: Hub,
  past: number,
): Promise<{ readonly current: readonly AlarmRow[]; readonly past: readonly AlarmRow[] }> {
  return {
    current: await raisedAlarms(hub.db.sql),
    past: past === 0 ? [] : await pastAlarms(hub.db.sql, past),
  }
}

export type Tested = { readonly channel: string; readonly sent: Sent }

/** Sends a test to channels at once. One that was gone, and takes it, is open again. */
export async function testChannels(hub: Hub, channels: readonly AlertChannel[]): Promise<readonly Tested[]> {
  return Promise.all(
    channels.map(async (channel): Promise<Tested> => {
      const timestamp = iso(hub.clock.now())
      const payload: AlertPayload = {
        type: 'test',
        timestamp,
        data: {
          key: 'test',
          kind: 'test',
          title: 'This is a test',
          fix: 'Nothing is to be done.',
          since: timestamp,
        },
      }
      const id = messageId(['test', channel.name, hub.uuid()])
      const sent = await deliver(hub, channel, { id, payload })
      if (sent.kind === 'sent') {
        await clear(hub, goneKey(channel.name))
        await wakeAlerts(hub.db.sql)
      }
      return { channel: channel.name, sent }
    }),
  )
}

/** A fresh secret to sign with, as Standard Webhooks writes it: `whsec_` and 24 random bytes in base64. */
export const freshSecret = (): string => `whsec_${randomBytes(24).toString('base64')}`

const SHORTEST_BYTES = 24
const LONGEST_BYTES = 64

/** What is wrong with a secret that the receiver gave; null: it can be signed with. */
export function secretFault(secret: string): string | null {
  const text = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1]
  const bytes = text === undefined ? 0 : Buffer.from(text, 'base64').length
  if (text === undefined) return 'it is not "whsec_" with base64 after it'
  if (bytes < SHORTEST_BYTES || bytes > LONGEST_BYTES)
    return `it has ${bytes} bytes; a secret has ${SHORTEST_BYTES} to ${LONGEST_BYTES}`
  return null
}

/** Keeps a secret, encrypted; what waited for it is sent. */
export async function setSecret(hub: Hub, name: string, secret: string): Promise<void> {
  await hub.db.sql.begin(async (tx) => {
    await saveAlertSecret(tx, hub.vault, name, secret)
    await tx`update alert_deliveries set not_before = ${hub.clock.now()} where channel = ${name} and delivered_at is null and given_up_at is null`
    await wakeAlerts(tx)
  })
}
