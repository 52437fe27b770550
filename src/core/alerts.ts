import type { AlarmKind } from './alarms/kinds.ts'

export const ALERT_EVENTS = ['raised', 'recovered', 'reminder'] as const
export type AlertEvent = (typeof ALERT_EVENTS)[number]

/** Whom a channel tells of what. */
export type Interest = {
  readonly events: readonly AlertEvent[]
  /** Null: every kind. */
  readonly kinds: readonly AlarmKind[] | null
}

export type WebhookChannel = Interest & {
  readonly kind: 'webhook'
  readonly name: string
  readonly url: string
  /** The admin vouches for the address: plain HTTP, and addresses of private networks. */
  readonly allowPrivate: boolean
}
export type EmailChannel = Interest & {
  readonly kind: 'email'
  readonly name: string
  readonly to: readonly string[]
}
export type AlertChannel = WebhookChannel | EmailChannel

export type Smtp = {
  readonly host: string
  readonly port: number
  /** `tls` from the first byte, `starttls` before anything is said (RFC 3207), `none` inside a trusted network only. */
  readonly security: 'tls' | 'starttls' | 'none'
  /** Null: it takes mail without signing in. */
  readonly user: string | null
  readonly from: string
}

/** From when on something that lasts is an alarm, and who is told. */
export type Alerts = {
  readonly channels: readonly AlertChannel[]
  readonly smtp: Smtp | null
  /** Null: an alarm that lasts is told once. */
  readonly remindMs: number | null
  readonly writesMs: number
  /** Null: items of the inbox may wait. */
  readonly inboxMs: number | null
}

const HOUR_MS = 3_600_000
export const DEFAULT_ALERTS: Alerts = {
  channels: [],
  smtp: null,
  remindMs: null,
  writesMs: 6 * HOUR_MS,
  inboxMs: null,
}

export function wants(channel: Interest, event: AlertEvent | 'test', kind: AlarmKind | null): boolean {
  if (event === 'test') return true
  return (
    channel.events.includes(event) &&
    (channel.kinds === null || kind === null || channel.kinds.includes(kind))
  )
}

const MINUTE_MS = 60_000
/**
 * How long after each failed attempt the next one is made: about three days in all, as Standard Webhooks recommends.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
 */
const RETRIES_MS: readonly number[] = [
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
]

/** The wait after the `attempts`-th attempt, up to a tenth longer by `chance` in [0, 1); null: it is given up. */
export function retryAfter(attempts: number, chance: number): number | null {
  const ms = RETRIES_MS[attempts - 1]
  return ms === undefined ? null : Math.round(ms * (1 + chance / 10))
}
