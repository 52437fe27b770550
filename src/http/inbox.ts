import { Hono, type Context } from 'hono'
import { z } from 'zod'
import type { JsonObject } from '../core/json.ts'
import { iso, type Hub } from '../runtime/hub.ts'
import { approve, dismiss, retryWrite, takeSide, type ActionResult } from '../runtime/inbox-actions.ts'
import { inboxItem, inboxItems, type InboxItem } from '../runtime/status.ts'
import { readObject } from './body.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'
import { readQuery, whole } from './query.ts'

const LARGEST_PAGE = 500
const listing = z.object({
  state: z.enum(['open', 'done', 'all'], 'state must be open, done or all.').default('open'),
  limit: whole('limit', 1, LARGEST_PAGE).default(100),
})
const choice = z.strictObject({ side: z.enum(['hub', 'remote']) })

/** What waits for a person, and what a person may do about it. */
export function inboxRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/', async (c) => {
    const read = readQuery(c, listing)
    if ('refused' in read) return read.refused
    return c.json({ items: (await inboxItems(hub, read.query)).map(itemView) })
  })

  const item = '/:id{[1-9][0-9]{0,14}}'
  const act = async (
    c: Context<Env>,
    work: (id: number, by: string) => Promise<ActionResult>,
  ): Promise<Response> => {
    const id = Number(c.req.param('id'))
    if ((await inboxItem(hub, id)) === undefined) {
      return problem(c, 404, 'The inbox has no item with this id. List them with GET /api/inbox.')
    }
    const result = await work(id, `api:${c.get('caller')}`)
    return result.kind === 'done' ? c.json({ message: result.message }) : problem(c, 409, result.message)
  }
  app.post(`${item}/approve`, (c) => act(c, (id, by) => approve(hub, id, by)))
  app.post(`${item}/retry`, (c) => act(c, (id, by) => retryWrite(hub, id, by)))
  app.post(`${item}/dismiss`, (c) => act(c, (id, by) => dismiss(hub, id, by)))
  app.post(`${item}/resolve`, async (c) => {
    const body = await readObject(c)
    if ('refused' in body) return body.refused
    const chosen = choice.safeParse(body.object)
    if (!chosen.success) {
      return problem(c, 422, 'Say which side stands: {"side": "hub"} or {"side": "remote"}.')
    }
    return act(c, (id, by) => takeSide(hub, id, chosen.data.side, by))
  })
  return app
}

function itemView(item: InboxItem): JsonObject {
  const { id, kind, title, fix, detail, recordId, state, seen, resolution } = item
  const times = { createdAt: iso(item.createdAt), updatedAt: iso(item.updatedAt) }
  return { id, kind, title, fix, detail, recordId, state, seen, resolution, ...times }
}
