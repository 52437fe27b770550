/** What a test or simulation may turn to make the vendor behave badly. All are off at first; rates are from 0 to 1. */
export type Switches = {
  /** A page of delta is empty and has a nextLink all the same. */
  emptyPages: number
  /** For each item of a delta page: one that was there before comes along again. */
  repeats: number
  /** A page of a first round reports something removed that the client never heard of. */
  ghosts: number
  /** A later round brings of what was changed (not of what is new) only the properties that changed. */
  sparseUpdates: boolean
  /** A move is reported by the folder that was left and never by the one that was entered. */
  lostMoves: number
  /** A link to a further page of delta is forgotten when it is followed. */
  deadNextLinks: number
  /** How a forgotten token is answered: reports name all of them. */
  expiry: 'gone' | 'gone-with-location' | 'not-found' | 'bad-request'
  /** A filtered delta ends after this many messages, and says nothing. */
  filterCap: number
  /** What too many requests are answered with. */
  throttleStatus: 429 | 503
  /** Each notification: never sent, sent twice, sent `lateMs` later. */
  lostNotifications: number
  duplicateNotifications: number
  lateNotifications: number
  lateMs: number
  /** A refresh token dies when it is used. Entra keeps it alive, and clients must not count on that. */
  singleUseRefreshTokens: boolean
  /** What the person in the browser answers. */
  consent: 'allow' | 'deny'
  /** Mailboxes that an application may read by itself (addresses); null: all. */
  applicationScope: ReadonlySet<string> | null
  /** Holds every request to a mailbox while it counts as running, so that others may overlap it. */
  gate: (() => Promise<void>) | null
}

export function noTraps(): Switches {
  return {
    emptyPages: 0,
    repeats: 0,
    ghosts: 0,
    sparseUpdates: false,
    lostMoves: 0,
    deadNextLinks: 0,
    expiry: 'gone',
    filterCap: 5_000,
    throttleStatus: 429,
    lostNotifications: 0,
    duplicateNotifications: 0,
    lateNotifications: 0,
    lateMs: 60_000,
    singleUseRefreshTokens: false,
    consent: 'allow',
    applicationScope: null,
    gate: null,
  }
}

/** What Microsoft documents or users report of delta and notifications, all of it at once. */
export const TRAPS = {
  emptyPages: 0.2,
  repeats: 0.1,
  ghosts: 0.2,
  sparseUpdates: true,
  lateNotifications: 0.2,
  duplicateNotifications: 0.2,
  lostNotifications: 0.1,
} as const satisfies Partial<Switches>
