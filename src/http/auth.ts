import { createMiddleware } from 'hono/factory'
import type { Hub } from '../runtime/hub.ts'
import { apiTokenName } from '../runtime/tokens.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'

const BEARER = /^Bearer +([\w~+/.=-]+) *$/i

/** Lets through who shows an API token. https://www.rfc-editor.org/rfc/rfc6750#section-3 */
export const withToken = (hub: Hub) =>
  createMiddleware<Env>(async (c, next) => {
    const header = c.req.header('authorization')
    if (header === undefined) {
      const detail =
        'Send the header "Authorization: Bearer <token>". An admin makes tokens with `concord tokens add`.'
      return problem(c, 401, detail, {}, { 'www-authenticate': 'Bearer realm="concord"' })
    }
    const [, token] = BEARER.exec(header) ?? []
    const caller = token === undefined ? undefined : await apiTokenName(hub.db.sql, token)
    if (caller === undefined) {
      const detail = 'The token is not known, or it was removed. Ask an admin for a new one.'
      return problem(
        c,
        401,
        detail,
        {},
        { 'www-authenticate': 'Bearer realm="concord", error="invalid_token"' },
      )
    }
    c.set('caller', caller)
    return next()
  })
