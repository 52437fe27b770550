import { Hono } from 'hono'
import type { JsonObject } from '../../core/json.ts'
import { type Env, selfOf, userOf } from './access.ts'
import { accessDenied, badRequest } from './errors.ts'
import { fits, invalidFilter, readQuery } from './query.ts'
import type { GraphState, User } from './state.ts'

const PAGE = 100
const PAGE_MAX = 999
/** What comes unasked: https://learn.microsoft.com/en-us/graph/api/resources/user#properties */
const UNASKED = [
  'businessPhones',
  'displayName',
  'givenName',
  'jobTitle',
  'mail',
  'mobilePhone',
  'officeLocation',
  'preferredLanguage',
  'surname',
  'userPrincipalName',
]

/** https://learn.microsoft.com/en-us/graph/api/user-list */
export function userRoutes(state: GraphState): Hono<Env> {
  const routes = new Hono<Env>()

  routes.get('/me', (c) => c.json(userView(selfOf(c.get('access')), selectOf(c.req.url))))

  routes.get('/users', (c) => {
    // [GK] A person's token would need User.Read.All, which reading one's own mail does not.
    if (c.get('access').kind !== 'application') throw accessDenied()
    const url = new URL(c.req.url)
    const query = readQuery(url.searchParams)
    if (query.top !== null && (query.top < 1 || query.top > PAGE_MAX))
      throw badRequest(`Invalid page size specified: '${query.top}'. Must be between 1 and 999 inclusive.`)
    const found = state.users.filter((user) => {
      const view = propertiesOf(user)
      return query.filter.every((clause) => {
        const value = view[clause.property]
        if (value === undefined || typeof value === 'object') throw invalidFilter(clause.property)
        return fits(clause, value)
      })
    })
    const at = Number(url.searchParams.get('$skiptoken') ?? 0)
    const size = query.top ?? PAGE
    const more = at + size < found.length
    if (more) url.searchParams.set('$skiptoken', String(at + size))
    return c.json({
      '@odata.context': `${url.origin}/v1.0/$metadata#users`,
      ...(more ? { '@odata.nextLink': url.href } : {}),
      value: found.slice(at, at + size).map((user) => userView(user, query.select)),
    })
  })

  routes.get('/users/:user', (c) =>
    c.json(userView(userOf(state, c.get('access'), c.req.param('user')), selectOf(c.req.url))),
  )
  return routes
}

function selectOf(url: string): readonly string[] | null {
  return readQuery(new URL(url).searchParams).select
}

function userView(user: User, select: readonly string[] | null): JsonObject {
  const all = propertiesOf(user)
  const names = select ?? UNASKED
  return { ...Object.fromEntries(names.map((name) => [name, all[name] ?? null])), id: user.id }
}

function propertiesOf({ id, address, aliases, name, hasMailbox }: User): JsonObject {
  const [givenName = '', ...rest] = name.split(' ')
  return {
    id,
    businessPhones: [],
    displayName: name,
    givenName,
    jobTitle: null,
    mail: hasMailbox ? address : null,
    mobilePhone: null,
    officeLocation: null,
    preferredLanguage: null,
    surname: rest.join(' '),
    userPrincipalName: address,
    accountEnabled: true,
    userType: 'Member',
    otherMails: [],
    proxyAddresses: hasMailbox ? [`SMTP:${address}`, ...aliases.map((alias) => `smtp:${alias}`)] : [],
  }
}
