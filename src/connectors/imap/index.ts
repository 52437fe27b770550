import type { Connector } from '../connector.ts'
import { mail } from './mail.ts'
import { examine, inSession } from './session.ts'

/**
 * Mail of any host with IMAP (RFC 3501, RFC 9051), read-only. docs/connect-imap.md says how to connect one.
 *
 * Settings: `host`, `port`, `security`, `user`; `addresses`, where the account has other ones than `user`; `folders` and
 * `withoutFolders`; `authorizeUrl`, `tokenUrl` and `scopes`, where the host takes tokens instead of passwords.
 */
export const imap: Connector = {
  id: 'imap',
  auth: {
    kind: 'either',
    of: [
      { kind: 'apiKey', fields: ['password'] },
      {
        kind: 'oauth2',
        grants: ['code'],
        authorizeUrl: '{authorizeUrl}',
        tokenUrl: '{tokenUrl}',
        scopes: [],
        rotates: true,
      },
    ],
  },
  // Counted by sessions, of which there are two: one that asks, one that listens.
  limits: [],
  resources: {},
  mail,
  async check(io) {
    return inSession(io, async (session) => {
      await examine(session, 'INBOX')
      const { address, host } = session.account
      return { accountId: `${session.account.user}@${host}`, label: address }
    })
  },
  // Nothing is asked by HTTP but tokens, whose failures the runtime reads by itself.
  classify: ({ status }) => ({
    kind: 'unavailable',
    committed: 'no',
    message: `The server answered ${status}.`,
  }),
}
