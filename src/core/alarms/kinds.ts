/** Every cause that somebody is told about, in words. */
export const ALARM_KINDS = {
  connection_refused: 'a vendor refuses the credentials of a connection',
  connection_paused: 'a connection is paused',
  connection_resting: 'a vendor has asked to be left alone for long',
  stream_failing: 'the passes of a stream fail',
  stream_behind: 'a stream is due and is not looked at',
  stream_still: 'a stream is healthy, but nothing has moved for longer than usual',
  changes_missed: 'full comparisons find changes that nobody reported, twice in a row',
  drift: 'source and hub differ, and the full comparison could not heal it',
  held: 'the guard holds a mass change',
  plan_waiting: 'a plan waits to be approved',
  writes_waiting: 'changes wait to be sent for long',
  outcome_unknown: 'nobody knows what became of a write',
  mailbox_behind: 'a mailbox does not get on',
  webhooks_refused: 'webhooks of a vendor are refused',
  inbox_waiting: 'items of the inbox wait for long',
  configuration_unreadable:
    'a running Concord cannot read the newest configuration, and works on with the one before',
  channel_gone: 'an address for alerts does not exist any more',
  channel_failing: 'alerts cannot be delivered',
} as const

export type AlarmKind = keyof typeof ALARM_KINDS

export const isAlarmKind = (text: string): text is AlarmKind => Object.hasOwn(ALARM_KINDS, text)

/** One cause, as long as it lasts. */
export type Alarm = {
  /** Names the cause: while it is open, it coming back changes nothing. */
  readonly key: string
  readonly kind: AlarmKind
  readonly title: string
  /** What to do about it. */
  readonly fix: string
}

/** What the watch raises and takes back by itself; the others belong to those who raise them. */
export const WATCHED: readonly AlarmKind[] = [
  'connection_refused',
  'connection_paused',
  'connection_resting',
  'stream_failing',
  'stream_behind',
  'stream_still',
  'changes_missed',
  'drift',
  'held',
  'plan_waiting',
  'writes_waiting',
  'outcome_unknown',
  'mailbox_behind',
  'webhooks_refused',
  'inbox_waiting',
]

/** Causes that have an item of their own in the inbox, where they are settled: a second one would be a second place. */
const HAVE_ITEMS: ReadonlySet<AlarmKind> = new Set<AlarmKind>([
  'connection_refused',
  'held',
  'plan_waiting',
  'mailbox_behind',
  'webhooks_refused',
  'inbox_waiting',
])

export const hasItem = (kind: AlarmKind): boolean => HAVE_ITEMS.has(kind)
