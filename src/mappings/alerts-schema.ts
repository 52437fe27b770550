import { z } from 'zod'
import { ALERT_EVENTS } from '../core/alerts.ts'

const interest = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be small letters, digits and "-"')
    .describe('What `concord alerts` calls it.'),
  events: z.array(z.enum(ALERT_EVENTS)).min(1).optional().describe('All where left out.'),
  kinds: z.array(z.string()).min(1).optional().describe('Kinds of alarms; all where left out.'),
}

const webhook = z.strictObject({
  ...interest,
  url: z.string().describe('https://…; its secret is set by `concord alerts secret NAME`.'),
  allowPrivate: z
    .boolean()
    .optional()
    .describe('Plain HTTP and addresses of private networks are right for this one.'),
})

const email = z.strictObject({ ...interest, to: z.array(z.string()).min(1).max(50) })

const smtp = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).optional().describe('465 for tls, 587 for starttls, 25 for none.'),
  security: z
    .enum(['tls', 'starttls', 'none'])
    .optional()
    .describe('starttls where left out; none is for a relay in your own network.'),
  user: z.string().min(1).optional().describe('Its password is set by `concord alerts secret smtp`.'),
  from: z.string().describe('The address the mail comes from.'),
})

export const alertsFile = z.strictObject({
  alerts: z.strictObject({
    webhooks: z.array(webhook).optional(),
    email: z.array(email).optional(),
    smtp: smtp.optional(),
    remindAfter: z
      .string()
      .optional()
      .describe('Tell again of an alarm that lasts so long: 24h. Never where left out.'),
    writesWaiting: z.string().optional().describe('Changes may wait to be sent for so long: 6h.'),
    inboxWaiting: z
      .string()
      .optional()
      .describe('Items of the inbox may wait for so long: 7d. For ever where left out.'),
  }),
})
export type AlertsEntry = z.infer<typeof alertsFile>['alerts']
