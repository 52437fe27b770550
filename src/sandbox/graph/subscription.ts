import type { Instant } from '../../core/json.ts'

export type ChangeType = 'created' | 'updated' | 'deleted'

export type Subscription = {
  readonly id: string
  readonly applicationId: string
  /** The mailbox's user. */
  readonly userId: string
  /** As it was asked for. */
  readonly resource: string
  readonly items: 'message' | 'contact'
  /** Null: the whole mailbox. */
  readonly folderId: string | null
  readonly changeTypes: ReadonlySet<ChangeType>
  readonly notificationUrl: string
  readonly lifecycleNotificationUrl: string | null
  readonly clientState: string | null
  /** Whether ids in notifications are immutable; settled when it is made. */
  readonly ids: 'immutable' | 'mutable'
  expiresAt: Instant
  /** Waits to be authorised again; what happens meanwhile is never told. */
  paused: boolean
}
