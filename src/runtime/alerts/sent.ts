import type { Instant } from '../../core/json.ts'

/** What came of one attempt to deliver. */
export type Sent =
  | { readonly kind: 'sent' }
  /** It may be tried again, not before `notBefore` where the receiver asked for that. */
  | { readonly kind: 'failed'; readonly problem: string; readonly notBefore: Instant | null }
  /** The receiver says that it will never take anything again. */
  | { readonly kind: 'gone'; readonly problem: string }
