import { z } from 'zod'

const choice = z.enum(['filter', 'log']).optional()

/** Every rule, as one connection or one owner of a mailbox may set it. */
const rules = {
  since: z.string().nullable().optional().describe('YYYY-MM-DD; older mail is not read. null: everything.'),
  content: z
    .enum(['none', 'subject', 'full'])
    .optional()
    .describe('What is kept: who, when and which thread only; the subject too; the text too.'),
  internalDomains: z
    .array(z.string())
    .optional()
    .describe("Your company's domains. Mail among them alone is not logged."),
  blocked: z
    .array(z.string())
    .optional()
    .describe('Addresses, and domains with all below them, whose mail is never logged.'),
  privateLabels: z
    .array(z.string())
    .optional()
    .describe('Labels or folders that keep a message out, with all below them.'),
  bulk: choice.describe('Newsletters and mailing lists.'),
  automatic: choice.describe('Replies by machines, no-reply senders.'),
  strangers: choice.describe('Received mail with nobody who is a contact.'),
  newContacts: z
    .enum(['sent', 'sent-and-received', 'never'])
    .optional()
    .describe('Which mail makes contacts of people who are none yet.'),
  plusTags: z.boolean().optional().describe('jo+shop@x is jo@x, where its provider delivers them alike.'),
  dots: z.boolean().optional().describe('j.o@gmail.com is jo@gmail.com, where its provider ignores dots.'),
  deleted: z
    .enum(['keep', 'remove'])
    .optional()
    .describe('What becomes of a logged message that was deleted for good in every mailbox.'),
}

const ownerRules = z.strictObject(rules)
export type RulesEntry = z.infer<typeof ownerRules>

/** The `mail:` section of a connection. */
export const mailEntry = z.strictObject({
  schedule: z.string().optional().describe('Cron in UTC: minute hour day month weekday.'),
  ...rules,
  mailboxes: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('The mailboxes that are read, by main address; left out: all that the connection reaches.'),
  alarmAfter: z
    .string()
    .optional()
    .describe('A mailbox that could not be read for so long raises an alarm: 30m, 2h, 1d.'),
  owners: z
    .record(z.string(), z.union([z.literal('off'), ownerRules]))
    .optional()
    .describe('Rules of single mailboxes, by main address; off: it is not read.'),
})
export type MailEntry = z.infer<typeof mailEntry>
