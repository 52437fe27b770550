import type { Connector } from '../connector.ts'
import { classify } from './classify.ts'
import { gmailFor } from './client.ts'
import { labelsOf } from './labels.ts'
import { check, mailboxes } from './mailboxes.ts'
import { meter } from './meter.ts'
import { pull } from './pull.ts'
import { readAll } from './read.ts'
import { subscribe } from './watch.ts'
import { KEYS_URL, receive } from './webhooks.ts'

/**
 * Gmail API v1 through its SDK, read-only. Settings: `mailboxes` or `directoryAdmin` (a service account that acts for
 * the users of a domain), `topic`, `pushServiceAccount` and `pushAudience` (Pub/Sub), and `baseUrl` (another server, for
 * sandboxes).
 */
export const gmail: Connector = {
  id: 'gmail',
  auth: {
    kind: 'oauth2',
    grants: ['jwt', 'code'],
    // https://developers.google.com/identity/protocols/oauth2/web-server
    authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    // The narrowest with which whole messages and the addresses somebody sends from can be read:
    // https://developers.google.com/workspace/gmail/api/auth/scopes
    scopes: ['https://www.googleapis.com/auth/gmail.readonly'],
    settingScopes: { directoryAdmin: ['https://www.googleapis.com/auth/admin.directory.user.readonly'] },
    authorizeParams: { access_type: 'offline', prompt: 'consent' },
    rotates: false,
  },
  // Per user and project, in the units of `meter`: https://developers.google.com/workspace/gmail/api/reference/quota
  limits: [{ permits: 6000, windowMs: 60_000 }],
  meter,
  resources: {},
  mail: {
    listsWhole: true,
    mailboxes,
    pull,
    async fetch(io, mailbox, ids) {
      const client = gmailFor(io.as(mailbox.address), 'auto')
      return readAll(client, mailbox, labelsOf(client, mailbox.address), [...new Set(ids)])
    },
    subscribe,
  },
  webhooks: { keysUrl: KEYS_URL, receive },
  check,
  classify,
}
