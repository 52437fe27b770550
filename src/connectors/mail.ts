import type { Mailbox, Sighted } from '../core/mail/message.ts'
import type { Instant, Json } from '../core/json.ts'
import type { BadRow, Cursor, Io, RemoteId } from './connector.ts'

/** One message of one mailbox, by the vendor's id, as it is now. */
export type Sighting =
  | { readonly kind: 'message'; readonly id: RemoteId; readonly sighted: Sighted }
  /** Deleted for good; a message in the trash is still there. */
  | { readonly kind: 'gone'; readonly id: RemoteId }

export type MailAsk = {
  /**
   * `live`: what changed since the cursor; with no cursor, only where to go on from later, taken before anything is
   * listed. `backfill`: one small page of what was there before, newest first, sent with `priority: 'low'`.
   */
  readonly want: 'live' | 'backfill'
  /** Mail from before is left out of the backfill. */
  readonly since: Instant | null
  /**
   * Which of these ids a backfill that starts over need not read again: those read before, but for those that were
   * kept out for what their labels or flags were then (private, draft, spam, trash, unclear), as these may have changed
   * while nobody looked.
   */
  known(ids: readonly RemoteId[]): Promise<ReadonlySet<RemoteId>>
}

export type MailPage = {
  /** Every id that was listed is in here or in `bad`, but for known ones that a backfill passes over. */
  readonly sightings: readonly Sighting[]
  readonly bad: readonly BadRow[]
  readonly cursor: Cursor
  /** More of what was asked for waits now. */
  readonly more: boolean
  /** `total` is the vendor's estimate, null where it gives none; `listed` counts ids, known ones too. */
  readonly backfill:
    | { readonly kind: 'done' }
    | { readonly kind: 'waiting'; readonly listed: number; readonly total: number | null }
}

/**
 * Asks the vendor to say at once when a mailbox changes. `kept` is what the last call returned. It is asked again a day
 * before `renewBefore`.
 */
export type MailSubscription = { readonly kept: Json; readonly renewBefore: Instant }

/**
 * Mail of a connector: read-only, one way in, mailbox by mailbox. Hints of webhooks about it have the resource `mail`
 * (or `mail/subscription` where the subscription itself is at stake) and the mailbox's `id` or `address` as their id.
 */
export type Mail = {
  /** A backfill that starts over lists the whole mailbox, never single folders: what it does not show is gone. */
  readonly listsWhole?: true
  /** The mailboxes that the connection's credentials reach. */
  mailboxes(io: Io): Promise<readonly Mailbox[]>
  /**
   * One page. The cursor holds both ways of reading and is JSON of the connector's own. A cursor the vendor has
   * forgotten is not an error: that part starts over, with `backfill` waiting again.
   */
  pull(io: Io, mailbox: Mailbox, from: Cursor | null, ask: MailAsk): Promise<MailPage>
  /** The named messages as they are now, in any order; `gone` for those that are. */
  fetch(
    io: Io,
    mailbox: Mailbox,
    ids: readonly RemoteId[],
  ): Promise<{ readonly sightings: readonly Sighting[]; readonly bad: readonly BadRow[] }>
  /** `url` is where the hub takes in webhooks, `secret` what they carry; both null where it has no public address. */
  subscribe?(
    io: Io,
    mailbox: Mailbox,
    kept: Json,
    to: { readonly url: string | null; readonly secret: string | null },
  ): Promise<MailSubscription | null>
  /** Holds a connection open and calls `changed` when the mailbox changes. Resolves when `stop` aborts, throws when it breaks. */
  listen?(io: Io, mailbox: Mailbox, changed: () => void, stop: AbortSignal): Promise<void>
}
