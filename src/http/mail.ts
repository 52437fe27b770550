import { Hono } from 'hono'
import type { Hub } from '../runtime/hub.ts'
import { mailAlarms } from '../runtime/mail/alarms.ts'
import { mailProgress } from '../runtime/mail/progress.ts'
import type { Env } from './env.ts'
import { progressView } from '../runtime/mail/views.ts'

/** How far the mail of every mailbox has been read. */
export function mailRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/status', async (c) => {
    const [mailboxes, alarms] = [await mailProgress(hub), await mailAlarms(hub)]
    return c.json({ items: mailboxes.map((mailbox) => progressView(mailbox, alarms)) })
  })
  return app
}
