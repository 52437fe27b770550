import { type IdSource, idSource } from '../ids.ts'
import type { MeterCounters } from './quota.ts'

/** A message as one mailbox has it. `raw` may be shared between the mailboxes it went to. */
export type Stored = {
  readonly id: string
  readonly threadId: string
  readonly raw: Buffer
  /** Ids, as `INBOX` or `Label_12`. Replaced, never changed in place. */
  labels: readonly string[]
  /** `internalDate`: epoch milliseconds. */
  readonly at: number
  /** Which of two messages of the same millisecond came first. */
  readonly order: number
  historyId: number
}

/** One history record. A record tells of one message, and may hold added and removed labels at once. */
export type Change = {
  readonly id: number
  readonly at: number
  readonly messageId: string
  readonly threadId: string
  /** The labels right after the change: old news by the time somebody reads of it. */
  readonly labels: readonly string[]
  readonly what: 'added' | 'deleted' | 'relabelled'
  readonly labelsAdded: readonly string[]
  readonly labelsRemoved: readonly string[]
}

export type Label = { readonly id: string; name: string; readonly type: 'system' | 'user' }
type Thread = { readonly subject: string; readonly ids: Set<string> }
type Watch = {
  readonly topic: string
  readonly labelIds: readonly string[]
  readonly behaviour: 'include' | 'exclude'
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export type GmailMailbox = {
  readonly address: string
  readonly name: string
  /** May read the directory. */
  readonly isAdmin: boolean
  suspended: boolean
  /** False: a user of the domain without Gmail. */
  readonly hasMail: boolean
  readonly aliases: { readonly address: string; readonly name: string }[]
  readonly byId: Map<string, Stored>
  /** Oldest first. */
  readonly byDate: Stored[]
  readonly threads: Map<string, Thread>
  /** Thread ids by RFC Message-ID, without brackets. */
  readonly threadOf: Map<string, string>
  readonly labels: Map<string, Label>
  readonly drafts: Map<string, string>
  readonly history: Change[]
  historyId: number
  /** Cursors below are forgotten. */
  historyFloor: number
  watch: Watch | null
  lastPushAt: number | null
  nextOrder: number
  nextLabel: number
}

/** What a test may turn to meet the vendor's traps. As at the vendor on a good day at first. */
export type Switches = {
  /** History ids are forgotten after this; "at least a week", seldom only hours. */
  historyLifeMs: number
  /** Every page of history comes after one that has no `history` key. */
  emptyHistoryPages: boolean
  /** True: `messages.get` does not find it (yet), though history or a listing named it. */
  missing: ((messageId: string, mailbox: string) => boolean) | null
  /** A draft's message id changes with every edit. */
  rotateDraftIds: boolean
  /** How a quota that is used up is told: both are in use at the vendor. */
  quotaRefusal: 429 | 403
  /** Calls that a service account makes for its users count as one user's. */
  serviceAccountIsOneUser: boolean
  /** A used refresh token is replaced, and the old one dies. */
  rotateRefreshTokens: boolean
  accessTokenLifeMs: number
  /** Notifications leave so much later. */
  notificationDelayMs: number
  /** How often each notification is delivered. */
  notificationCopies: number
  /** True: this notification never arrives. */
  loseNotification: ((mailbox: string) => boolean) | null
}

export type AccessToken = {
  readonly mailbox: string
  readonly scopes: ReadonlySet<string>
  readonly expiresAt: number
  /** The service account that acts for the user. */
  readonly actor: string | null
}
export type RefreshToken = { readonly mailbox: string; readonly scopes: ReadonlySet<string> }
export type Grant = RefreshToken & {
  readonly redirectUri: string
  readonly challenge: string | null
  readonly offline: boolean
  readonly expiresAt: number
}
export type ServiceAccount = {
  readonly email: string
  /** SPKI in PEM. */
  readonly publicKey: string
  /** Scopes that the domain's admin allowed it to act for users with. */
  readonly scopes: ReadonlySet<string>
}
export type Topic = {
  readonly name: string
  readonly subscription: string
  readonly endpoint: string
  /** What the tokens are made out to: the endpoint unless set. */
  readonly audience: string
  /** The service account that pushes. */
  readonly pusher: string
  /** gmail-api-push@system.gserviceaccount.com may publish. */
  granted: boolean
}
export type Notification = {
  readonly topic: string
  readonly mailbox: string
  readonly messageId: string
  readonly historyId: number
  readonly publishedAt: number
  readonly dueAt: number
  attempts: number
}

export type GmailState = {
  readonly now: () => number
  readonly random: () => number
  readonly ids: IdSource
  readonly client: { readonly id: string; readonly secret: string; readonly redirectUris: readonly string[] }
  readonly tokenUrl: string
  readonly switches: Switches
  /** By main address. */
  readonly mailboxes: Map<string, GmailMailbox>
  readonly accessTokens: Map<string, AccessToken>
  readonly refreshTokens: Map<string, RefreshToken>
  readonly grants: Map<string, Grant>
  readonly serviceAccounts: Map<string, ServiceAccount>
  readonly topics: Map<string, Topic>
  /** Open on purpose: a simulation shuffles, repeats and drops what is in here. */
  readonly pending: Notification[]
  readonly counts: {
    /** Notifications over one a second, which nobody hears of. */
    droppedNotifications: number
    readonly quota: MeterCounters
  }
  onNotification: (() => void) | null
  nextPubsubId: number
}

export const SYSTEM_LABELS: readonly string[] = [
  'INBOX',
  'SENT',
  'DRAFT',
  'SPAM',
  'TRASH',
  'UNREAD',
  'STARRED',
  'IMPORTANT',
  'CHAT',
  'CATEGORY_PERSONAL',
  'CATEGORY_SOCIAL',
  'CATEGORY_PROMOTIONS',
  'CATEGORY_UPDATES',
  'CATEGORY_FORUMS',
]

export function createState(options: {
  now: () => number
  random: () => number
  client: GmailState['client']
  tokenUrl: string
}): GmailState {
  return {
    ...options,
    ids: idSource(options.random),
    switches: {
      historyLifeMs: 7 * 86_400_000,
      emptyHistoryPages: false,
      missing: null,
      rotateDraftIds: true,
      quotaRefusal: 429,
      serviceAccountIsOneUser: false,
      rotateRefreshTokens: false,
      accessTokenLifeMs: 3_599_000,
      notificationDelayMs: 0,
      notificationCopies: 1,
      loseNotification: null,
    },
    mailboxes: new Map(),
    accessTokens: new Map(),
    refreshTokens: new Map(),
    grants: new Map(),
    serviceAccounts: new Map(),
    topics: new Map(),
    pending: [],
    counts: { droppedNotifications: 0, quota: { allowed: 0, refused: 0, units: 0 } },
    onNotification: null,
    nextPubsubId: 2_070_443_601_311_540,
  }
}

export type MailboxSeed = {
  readonly address: string
  readonly name?: string
  readonly aliases?: readonly string[]
  readonly isAdmin?: boolean
  readonly suspended?: boolean
  readonly hasMail?: boolean
}

export function addMailbox(state: GmailState, seed: MailboxSeed): GmailMailbox {
  const address = seed.address.toLowerCase()
  if (mailboxOf(state, address) !== undefined) throw new Error(`There is a mailbox ${address} already`)
  const name = seed.name ?? ''
  const historyId = 1_000 + Math.floor(state.random() * 100_000)
  const mailbox: GmailMailbox = {
    address,
    name,
    isAdmin: seed.isAdmin ?? false,
    suspended: seed.suspended ?? false,
    hasMail: seed.hasMail ?? true,
    aliases: (seed.aliases ?? []).map((alias) => ({ address: alias.toLowerCase(), name })),
    byId: new Map(),
    byDate: [],
    threads: new Map(),
    threadOf: new Map(),
    labels: new Map(SYSTEM_LABELS.map((id) => [id, { id, name: id, type: 'system' }])),
    drafts: new Map(),
    history: [],
    historyId,
    historyFloor: historyId,
    watch: null,
    lastPushAt: null,
    nextOrder: 0,
    nextLabel: 1 + Math.floor(state.random() * 20),
  }
  state.mailboxes.set(address, mailbox)
  return mailbox
}

/** By its main address or an alias, in any case of letters. */
export function mailboxOf(state: GmailState, address: string): GmailMailbox | undefined {
  const wanted = address.toLowerCase()
  const direct = state.mailboxes.get(wanted)
  if (direct !== undefined) return direct
  return [...state.mailboxes.values()].find(({ aliases }) => aliases.some((one) => one.address === wanted))
}
