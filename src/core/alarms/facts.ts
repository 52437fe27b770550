import type { Instant } from '../json.ts'
import type { Quiet } from '../stream.ts'
import type { AlarmKind } from './kinds.ts'

export type ConnectionFacts = {
  readonly name: string
  readonly state: 'ready' | 'unauthorised' | 'paused'
  readonly problem: string | null
  /** The vendor asked to be left alone until then. */
  readonly notBefore: Instant | null
}

/** Work of one kind that waits: how much, since when at least, and why, where somebody said. */
export type Waiting = { readonly count: number; readonly since: Instant; readonly why: string | null }

export type StreamFacts = {
  /** Of its row. */
  readonly id: number
  readonly label: string
  readonly connection: string
  readonly problem: string | null
  readonly held: boolean
  /** Of its last pass that succeeded; the connection's beginning before the first. Null: it is not to be read (now). */
  readonly checkedAt: Instant | null
  /** The longest pause of its schedule. */
  readonly everyMs: number
  readonly quiet: Quiet
  /** When it brought news, ascending; only the last where that is a day ago at most. */
  readonly moves: readonly Instant[]
  /** Its last full comparisons, newest first: what nobody had reported, and what is left. */
  readonly comparisons: readonly { readonly missed: number; readonly left: readonly string[] }[]
  readonly waiting: Waiting | null
  readonly unknown: Waiting | null
}

/** An open item of the inbox that stands for an alarm. */
export type ItemFacts = {
  readonly kind: AlarmKind
  readonly key: string
  readonly title: string
  readonly fix: string
}

export type HubFacts = {
  readonly now: Instant
  readonly connections: readonly ConnectionFacts[]
  readonly streams: readonly StreamFacts[]
  readonly items: readonly ItemFacts[]
  /** Plans that nobody has decided about. */
  readonly plans: readonly { readonly id: number; readonly connections: readonly string[] }[]
  readonly inbox: Waiting | null
}
