import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { iso, type Hub } from '../runtime/hub.ts'
import { runChanges, runsBefore, runStory, type Run } from '../runtime/runs.ts'
import { planUndo } from '../runtime/undo/plan.ts'
import { undoRun } from '../runtime/undo/undo.ts'
import type { Refused } from '../runtime/undo/undoable.ts'
import { changeView, undoPlanView } from '../runtime/undo/views.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'
import { readQuery, unknownConnection, whole } from './query.ts'

const LARGEST_PAGE = 500
const listing = z.object({
  connection: z.string().optional(),
  before: whole('before', 1, Number.MAX_SAFE_INTEGER).optional(),
  limit: whole('limit', 1, LARGEST_PAGE).default(100),
})
const paging = z.object({
  after: whole('after', 0, Number.MAX_SAFE_INTEGER).default(0),
  limit: whole('limit', 1, LARGEST_PAGE).default(100),
})

const runView = (run: Run) => ({
  ...run,
  startedAt: iso(run.startedAt),
  endedAt: run.endedAt === null ? null : iso(run.endedAt),
})
const STATUS = { missing: 404, conflict: 409, never: 422 } as const

/** What runs did, and how to take one back. */
export function runRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  const one = '/:id{[1-9][0-9]{0,14}}'
  const missing = (c: Context) =>
    problem(c, 404, 'There is no run with this id. List them with GET /api/runs.')
  const refuse = (c: Context, refused: Refused) => problem(c, STATUS[refused.code], refused.message)

  app.get('/', async (c) => {
    const read = readQuery(c, listing)
    if ('refused' in read) return read.refused
    const { before, limit, connection } = read.query
    const unknown = await unknownConnection(c, hub, connection)
    if (unknown !== null) return unknown
    const { runs, next } = await runsBefore(hub, before, limit, connection)
    const of = connection === undefined ? '' : `&connection=${encodeURIComponent(connection)}`
    const following = next === null ? null : `/api/runs?before=${next}&limit=${limit}${of}`
    return c.json({ items: runs.map(runView), next: following })
  })

  app.get(one, async (c) => {
    const story = await runStory(hub, Number(c.req.param('id')))
    if (story === null) return missing(c)
    return c.json({ ...story, run: runView(story.run), first: story.first.map(changeView) })
  })

  app.get(`${one}/changes`, async (c) => {
    const read = readQuery(c, paging)
    if ('refused' in read) return read.refused
    const { after, limit } = read.query
    const id = Number(c.req.param('id'))
    const found = await runChanges(hub, id, after, limit)
    if (found === null) return missing(c)
    const following =
      found.next === null ? null : `/api/runs/${id}/changes?after=${found.next}&limit=${limit}`
    return c.json({ items: found.changes.map(changeView), next: following })
  })

  app.get(`${one}/undo`, async (c) => {
    const result = await planUndo(hub, Number(c.req.param('id')), `api:${c.get('caller')}`)
    return result.kind === 'refused' ? refuse(c, result) : c.json(undoPlanView(result.plan))
  })

  app.post(`${one}/undo`, async (c) => {
    const result = await undoRun(hub, Number(c.req.param('id')), `api:${c.get('caller')}`)
    if (result.kind === 'refused') return refuse(c, result)
    const { run, counts } = result
    return c.json({ run, counts, undo: `/api/runs/${run}/undo` }, 201, { location: `/api/runs/${run}` })
  })
  return app
}
