import type { Connector, Metered, MeteredRequest } from '../connector.ts'
import { check } from './check.ts'
import { classify } from './classify.ts'
import { contacts } from './contacts.ts'
import { CONCURRENT } from './graph.ts'
import { mail } from './mail.ts'
import { webhooks } from './webhooks.ts'

const AUTHORITY = 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0'

/**
 * Outlook of Microsoft 365 through Microsoft Graph v1.0: mail, and contacts both ways. docs/connect-outlook.md says how
 * to register the application.
 *
 * Settings: `tenant` (its id or domain); `mailboxes`, where the application reads several by itself; `contactMailbox`,
 * `contactFolder`; `baseUrl` (a national cloud, a sandbox).
 *
 * A mailbox takes 10,000 requests in 10 minutes and 4 at once from one application:
 * https://learn.microsoft.com/en-us/graph/throttling-limits#outlook-service-limits
 */
export const outlook: Connector = {
  id: 'outlook',
  auth: {
    kind: 'oauth2',
    // A person's tokens come first: an application that reads by itself has none.
    grants: ['code', 'client'],
    authorizeUrl: `${AUTHORITY}/authorize`,
    tokenUrl: `${AUTHORITY}/token`,
    scopes: ['offline_access', 'User.Read', 'Mail.Read', 'Contacts.ReadWrite'],
    grantScopes: { client: ['https://graph.microsoft.com/.default'] },
    rotates: true,
  },
  limits: [{ permits: 10_000, windowMs: 600_000 }, { concurrent: CONCURRENT }],
  resources: { contacts },
  mail,
  webhooks,
  meter,
  check,
  classify,
}

/** By mailbox, as the URL names it. What concerns none (subscriptions) counts for the connection. */
function meter({ url }: MeteredRequest): Metered {
  const [, version, kind = '', id = ''] = url.pathname.split('/')
  const key = kind === 'users' ? decoded(id).toLowerCase() : kind === 'me' ? 'me' : ''
  return { key: version === 'v1.0' ? key : '', units: 1 }
}

/** What is no valid encoding is counted as it stands: a request is never kept from being sent by how it is counted. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
