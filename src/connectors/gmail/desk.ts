import type { gmail_v1 } from '@googleapis/gmail'
import type { Instant } from '../../core/json.ts'
import type { Mailbox } from '../../core/mail/message.ts'
import type { MailAsk } from '../mail.ts'
import type { State } from './cursor.ts'
import type { Labels } from './labels.ts'
import type { Found } from './read.ts'

/** What a page is read with. */
export type Desk = {
  readonly client: gmail_v1.Gmail
  readonly mailbox: Mailbox
  readonly labels: Labels
  readonly ask: MailAsk
  now(): Instant
}

export type Step = Found & { readonly state: State }
