import { setTimeout as wait } from 'node:timers/promises'
import type { Connector } from '../connector.ts'
import { check } from './check.ts'
import { classify } from './classify.ts'
import { membersResource } from './members.ts'
import { receive, subscribe } from './webhooks.ts'

/** Waits between two looks at a batch, in milliseconds. A simulation with its own clock gives its own. */
export type Sleep = (ms: number) => Promise<unknown>

/**
 * Mailchimp's Marketing API 3.0, spoken over plain HTTP: https://mailchimp.com/developer/marketing/api/.
 *
 * Secrets: `apiKey`, whose suffix names the data centre. Settings: `list` (the audience's id) and, for a
 * simulator or a proxy, `baseUrl`. The vendor allows 10 requests at once per user, over all of that user's apps:
 * https://mailchimp.com/developer/marketing/docs/fundamentals/#api-limits
 */
export function createMailchimp(options: { readonly sleep?: Sleep } = {}): Connector {
  return {
    id: 'mailchimp',
    auth: { kind: 'apiKey', fields: ['apiKey'] },
    limits: [{ concurrent: 10 }],
    resources: { members: membersResource(options.sleep ?? wait) },
    webhooks: { receive, subscribe, secretInUrl: true },
    check,
    classify,
  }
}

export const mailchimp: Connector = createMailchimp()
