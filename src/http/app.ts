import { Hono } from 'hono'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import type { Logger } from 'pino'
import type { Hub } from '../runtime/hub.ts'
import { readiness } from '../runtime/readiness.ts'
import { openWebhooks } from '../runtime/webhooks.ts'
import { accessLog } from './access-log.ts'
import { alarmRoutes, reconciliationRoutes } from './alarms.ts'
import { withToken } from './auth.ts'
import { limitBody } from './body.ts'
import type { Env } from './env.ts'
import { inboxRoutes } from './inbox.ts'
import { mailRoutes } from './mail.ts'
import { mergeListRoutes } from './merges.ts'
import { messageRoutes } from './messages.ts'
import { planRoutes } from './plans.ts'
import { erasureRoutes } from './privacy.ts'
import { problem } from './problem.ts'
import { qualityRoutes } from './quality.ts'
import { PLACES } from './record-view.ts'
import { recordRoutes } from './records.ts'
import { runRoutes } from './runs.ts'
import { webhookRoutes } from './webhooks.ts'

export type AppOptions = { readonly hub: Hub; readonly log: Logger }

/** Everything Concord answers over HTTP: probes, the vendors' webhooks, and records behind an API token. */
export function createApp({ hub, log }: AppOptions): Hono<Env> {
  const app = new Hono<Env>()
  app.use(requestId(), accessLog(log))
  app.use(
    secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } }),
    async (c, next) => {
      await next()
      c.header('cache-control', 'no-store')
    },
  )
  app.notFound((c) => problem(c, 404, 'There is nothing at this address.'))
  app.onError((error, c) => {
    log.error({ err: error, requestId: c.get('requestId') }, 'a request failed')
    const detail = `Nothing was half done. The log has the cause under request ${c.get('requestId')}.`
    return problem(c, 500, detail)
  })

  app.get('/healthz', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) => {
    const { ready, reasons } = await readiness(hub)
    return ready ? c.json({ status: 'ready' }) : c.json({ status: 'not ready', reasons }, 503)
  })

  app.use('/webhooks/*', limitBody)
  app.route('/webhooks', webhookRoutes(openWebhooks(hub), log))

  app.use('/api/*', withToken(hub), limitBody)
  for (const place of PLACES) app.route(`/api/${place}`, recordRoutes(hub, place))
  app.route('/api/erasures', erasureRoutes(hub))
  app.route('/api/merges', mergeListRoutes(hub))
  app.route('/api/messages', messageRoutes(hub))
  app.route('/api/mail', mailRoutes(hub))
  app.route('/api/alarms', alarmRoutes(hub))
  app.route('/api/reconciliations', reconciliationRoutes(hub))
  app.route('/api/inbox', inboxRoutes(hub))
  app.route('/api/plans', planRoutes(hub))
  app.route('/api/runs', runRoutes(hub))
  app.route('/api/quality', qualityRoutes(hub))
  return app
}
