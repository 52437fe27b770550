import { Hono, type Context } from 'hono'
import type { Logger } from 'pino'
import type { Webhooks } from '../runtime/webhooks.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'

/** What is answered may be what was asked: it must not become a page. */
const PLAIN = { 'content-type': 'text/plain; charset=utf-8' }

/**
 * Where vendors send their hints. Never answers 410: Mailchimp would drop the webhook. What fails here is answered
 * with 500, and the vendor sends it again.
 */
export function webhookRoutes(webhooks: Webhooks, log: Logger): Hono<Env> {
  const take = async (c: Context<Env, '/:connection'>): Promise<Response> => {
    const connection = c.req.param('connection')
    const delivered = await webhooks.receive(connection, {
      method: c.req.method,
      url: c.req.url,
      headers: c.req.raw.headers,
      body: new Uint8Array(await c.req.arrayBuffer()),
    })
    const about = { requestId: c.get('requestId'), connection }
    switch (delivered.kind) {
      case 'unknown':
        return problem(c, 404, 'There is nothing at this address.')
      case 'handshake':
        return new Response(delivered.body, { status: delivered.status, headers: PLAIN })
      case 'stored':
        log.info({ ...about, event: delivered.eventId, fresh: delivered.fresh }, 'webhook')
        return new Response(null, { status: delivered.status })
      case 'unavailable':
        log.warn({ ...about, reason: delivered.reason }, 'webhook not verified')
        return problem(c, 503, 'This cannot be verified now. Send it again.')
      case 'refused':
        log.warn({ ...about, reason: delivered.reason }, 'webhook refused')
        return problem(c, delivered.status, delivered.reason)
    }
  }
  const app = new Hono<Env>()
  app.get('/:connection', take)
  app.post('/:connection', take)
  return app
}
