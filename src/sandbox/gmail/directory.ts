import { Hono } from 'hono'
import { SCOPES, tokenOf } from './access.ts'
import { GoogleError, invalid, scopeInsufficient } from './errors.ts'
import { project } from './fields.ts'
import { countIn, knowing, optional } from './params.ts'
import type { GmailMailbox, GmailState } from './state.ts'

const KNOWN = [
  'customer',
  'domain',
  'maxResults',
  'orderBy',
  'pageToken',
  'projection',
  'query',
  'showDeleted',
  'sortOrder',
  'viewType',
]

/** Users of the domain, by address. https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list */
export function directoryRoutes(state: GmailState): Hono {
  const routes = new Hono()
  routes.get('/admin/directory/v1/users', (c) => {
    const query = knowing(c, KNOWN)
    const token = tokenOf(state, c)
    if (!token.scopes.has(SCOPES.directory)) throw scopeInsufficient()
    const reader = state.mailboxes.get(token.mailbox)
    const domain = query.get('domain')?.toLowerCase()
    if (domain === undefined && !query.has('customer')) throw invalid('Bad Request')
    // Anyone may look at what colleagues may see; the rest is for admins.
    if (reader?.isAdmin !== true && query.get('viewType') !== 'domain_public')
      throw new GoogleError(
        403,
        'forbidden',
        'PERMISSION_DENIED',
        'Not Authorized to access this resource/api',
      )
    const users = [...state.mailboxes.values()]
      .filter(({ address }) => domain === undefined || address.endsWith(`@${domain}`))
      .toSorted((a, b) => (a.address < b.address ? -1 : 1))
    const after = afterIn(optional(query, 'pageToken'))
    const rest = users.filter(({ address }) => address > after)
    const page = rest.slice(0, countIn(query, 500, 100))
    const last = page.at(-1)
    const more = page.length < rest.length && last !== undefined
    const body = {
      kind: 'admin#directory#users',
      etag: '"sandbox"',
      ...(page.length === 0 ? {} : { users: page.map(userWire) }),
      ...(more ? { nextPageToken: Buffer.from(last.address).toString('base64url') } : {}),
    }
    const fields = query.get('fields')
    return c.json(fields === null ? body : project(body, fields))
  })
  return routes
}

function userWire({ address, name, aliases, isAdmin, suspended, hasMail }: GmailMailbox): object {
  const [givenName = '', ...rest] = name.split(' ')
  const all = [{ address, primary: true }, ...aliases.map((alias) => ({ address: alias.address }))]
  return {
    kind: 'admin#directory#user',
    id: Buffer.from(address).toString('hex').slice(0, 21),
    etag: '"sandbox"',
    primaryEmail: address,
    name: { givenName, familyName: rest.join(' '), fullName: name },
    isAdmin,
    isDelegatedAdmin: false,
    suspended,
    archived: false,
    isMailboxSetup: hasMail,
    emails: all,
    ...(aliases.length === 0 ? {} : { aliases: aliases.map((alias) => alias.address) }),
  }
}

function afterIn(token: string | undefined): string {
  return token === undefined ? '' : Buffer.from(token, 'base64url').toString()
}
