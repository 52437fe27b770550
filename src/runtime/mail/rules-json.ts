import { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import { MARK_HEADERS, type Envelope } from '../../core/mail/message.ts'
import { DEFAULT_RULES, type MailRules } from '../../core/mail/rules.ts'

/** Rules as they lie beside a mailbox. What an older version did not know yet was as it is by default. */
const schema = z.object({
  since: z.number().nullable().default(DEFAULT_RULES.since),
  content: z.enum(['none', 'subject', 'full']).default(DEFAULT_RULES.content),
  internalDomains: z.array(z.string()).default([]),
  blocked: z.array(z.string()).default([]),
  privateLabels: z.array(z.string()).default([...DEFAULT_RULES.privateLabels]),
  bulk: z.enum(['filter', 'log']).default(DEFAULT_RULES.bulk),
  automatic: z.enum(['filter', 'log']).default(DEFAULT_RULES.automatic),
  strangers: z.enum(['filter', 'log']).default(DEFAULT_RULES.strangers),
  newContacts: z.enum(['sent', 'sent-and-received', 'never']).default(DEFAULT_RULES.newContacts),
  plusTags: z.boolean().default(DEFAULT_RULES.plusTags),
  dots: z.boolean().default(DEFAULT_RULES.dots),
  deleted: z.enum(['keep', 'remove']).default(DEFAULT_RULES.deleted),
})

export const rulesFrom = (stored: JsonObject): MailRules => schema.parse(stored)
export const rulesJson = (rules: MailRules): JsonObject => ({ ...rules })

/** A review under way: of what all that came before is judged by, and how far it came. */
export type ReviewBegun = {
  readonly rules: MailRules
  /** The last id that was looked at; empty: none yet. */
  readonly after: string
  /** Rules that some of it was read or judged by since the last review that came to its end. */
  readonly under: readonly MailRules[]
}

const begun = z.object({
  rules: schema,
  after: z.string().default(''),
  under: z.array(schema).default([]),
})

export const reviewFrom = (stored: JsonObject): ReviewBegun => begun.parse(stored)
export const reviewJson = ({ rules, after, under }: ReviewBegun): JsonObject => ({
  rules: rulesJson(rules),
  after,
  under: under.map(rulesJson),
})

const address = z.object({ address: z.string(), name: z.string().nullable() })
const envelope = z.object({
  messageId: z.string().nullable(),
  inReplyTo: z.array(z.string()),
  references: z.array(z.string()),
  at: z.number(),
  sentAt: z.number().nullable(),
  from: z.array(address),
  sender: address.nullable(),
  replyTo: z.array(address),
  to: z.array(address),
  cc: z.array(address),
  bcc: z.array(address),
  headers: z.partialRecord(z.enum(MARK_HEADERS), z.string()),
  calendar: z.string().nullable(),
  bounce: z
    .object({
      recipients: z.array(
        z.object({ address: z.string(), status: z.string().nullable(), permanent: z.boolean() }),
      ),
    })
    .nullable(),
})

/** The envelope of a message as it was stored; null where it was taken out, or was written by a version too old. */
export function envelopeFrom(stored: unknown): Envelope | null {
  const read = envelope.safeParse(stored)
  return read.success ? read.data : null
}
