import type { Io } from '../connector.ts'
import { parseReply } from './client.ts'
import { addressOf, baseUrlOf } from './settings.ts'
import { usersWire } from './wire.ts'

const HOST = 'https://admin.googleapis.com'
/** The most a page takes. */
const PAGE = '500'
const FIELDS = 'nextPageToken,users(primaryEmail,suspended,archived,isMailboxSetup)'

/**
 * The main addresses of a domain's users with a mailbox, as its administrator `io` acts for. Needs the scope
 * `admin.directory.user.readonly`. Plain HTTP: it is one request, which would need one more SDK.
 * https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list
 */
export async function directoryUsers(io: Io): Promise<readonly string[]> {
  const found: string[] = []
  const host = baseUrlOf(io.settings) ?? HOST
  for (let page: string | null = ''; page !== null; ) {
    const query = new URLSearchParams({ customer: 'my_customer', maxResults: PAGE, fields: FIELDS })
    if (page !== '') query.set('pageToken', page)
    const response = await io.fetch(`${host}/admin/directory/v1/users?${query.toString()}`, {
      headers: { accept: 'application/json' },
    })
    const { users, nextPageToken } = parseReply('users.list', await response.text(), usersWire)
    for (const user of users ?? []) {
      const reads = user.suspended !== true && user.archived !== true && user.isMailboxSetup !== false
      if (reads) found.push(addressOf(user.primaryEmail))
    }
    page = nextPageToken
  }
  return [...new Set(found)]
}
