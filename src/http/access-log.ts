import { createMiddleware } from 'hono/factory'
import type { Logger } from 'pino'
import type { Env } from './env.ts'

/** One line a request: no query (Mailchimp's carries its secret), no headers, no bodies. Probes only at debug. */
export const accessLog = (log: Logger) =>
  createMiddleware<Env>(async (c, next) => {
    const startedAt = performance.now()
    await next()
    const ms = Math.round((performance.now() - startedAt) * 10) / 10
    const { method, path } = c.req
    // Unset before authentication, whatever the type says.
    const caller: string | undefined = c.get('caller')
    const line = { requestId: c.get('requestId'), method, path, status: c.res.status, ms, caller }
    if (path === '/healthz' || path === '/readyz') log.debug(line, 'request')
    else log.info(line, 'request')
  })
