import { Hono, type Context } from 'hono'
import { z } from 'zod'
import type { JsonObject } from '../core/json.ts'
import { connectionsOf } from '../runtime/connect.ts'
import { iso, type Hub } from '../runtime/hub.ts'
import { approvePlan, rejectPlan, type Decided } from '../runtime/plan/decide.ts'
import { makePlan } from '../runtime/plan/make.ts'
import { linesOf, PLAN_OPS, planOf, plansOf, type Plan } from '../runtime/plan/read.ts'
import { summaryJson } from '../runtime/plan/summary.ts'
import { readObject } from './body.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'
import { readQuery, whole } from './query.ts'

const LARGEST_PAGE = 500
const listing = z.object({
  before: whole('before', 1, Number.MAX_SAFE_INTEGER).optional(),
  limit: whole('limit', 1, LARGEST_PAGE).default(50),
})
const lineListing = z.object({
  after: whole('after', 0, 2_147_483_647).default(0),
  limit: whole('limit', 1, LARGEST_PAGE).default(100),
  stream: z.string().optional(),
  side: z.enum(['hub', 'remote'], 'side must be hub or remote.').optional(),
  op: z.enum(PLAN_OPS, `op must be one of ${PLAN_OPS.join(', ')}.`).optional(),
})
const wanted = z.strictObject({ connections: z.array(z.string()).min(1).optional() })
const chosen = z.strictObject({ streams: z.array(z.string()).min(1).optional() })

/** What syncs would do, and a person's word on it. */
export function planRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/', async (c) => {
    const read = readQuery(c, listing)
    if ('refused' in read) return read.refused
    const { before = null, limit } = read.query
    const plans = await plansOf(hub, limit, before)
    const last = plans.length === limit ? plans.at(-1) : undefined
    return c.json({
      items: plans.map(planView),
      next: last === undefined ? null : `/api/plans?before=${last.id}&limit=${limit}`,
    })
  })

  app.post('/', async (c) => {
    const body = await readObject(c)
    if ('refused' in body) return body.refused
    const asked = wanted.safeParse(body.object)
    if (!asked.success)
      return problem(c, 422, 'Say which connections: {"connections": ["mailchimp"]}, or {} for all of them.')
    const added = (await connectionsOf(hub)).map(({ name }) => name)
    const known = hub.configuration.connections.map(({ name }) => name).filter((name) => added.includes(name))
    if (known.length === 0)
      return problem(
        c,
        409,
        'No connection was added yet. An admin adds one: `concord connections add NAME`.',
      )
    const names = asked.data.connections ?? known
    const unknown = names.find((name) => !known.includes(name))
    if (unknown !== undefined) {
      return problem(c, 422, `No connection "${unknown}" was added. Known are ${known.join(', ')}.`)
    }
    const id = await begin(hub, names, `api:${c.get('caller')}`)
    const plan = await planOf(hub, id)
    if (plan === undefined) return missing(c)
    return c.json(planView(plan), 202, { location: `/api/plans/${id}` })
  })

  const one = '/:id{[1-9][0-9]{0,14}}'
  const idOf = (c: Context<Env, typeof one>): number => Number(c.req.param('id'))
  app.get(one, async (c) => {
    const plan = await planOf(hub, idOf(c))
    return plan === undefined ? missing(c) : c.json(planView(plan))
  })

  app.get(`${one}/lines`, async (c) => {
    const read = readQuery(c, lineListing)
    if ('refused' in read) return read.refused
    const id = Number(c.req.param('id'))
    const plan = await planOf(hub, id)
    if (plan === undefined) return missing(c)
    const { after, limit, ...query } = read.query
    if (query.stream !== undefined && !plan.covers.includes(query.stream))
      return problem(c, 400, `stream must be one that the plan covers: ${plan.covers.join(', ')}.`)
    const lines = await linesOf(hub, id, query, after, limit)
    const last = lines.length === limit ? lines.at(-1) : undefined
    const next = new URLSearchParams({ after: String(last?.n), limit: String(limit) })
    for (const [name, value] of Object.entries(query)) if (value !== undefined) next.set(name, value)
    return c.json({
      items: lines,
      next: last === undefined ? null : `/api/plans/${id}/lines?${next.toString()}`,
    })
  })

  const answer = async (c: Context<Env>, decided: Decided): Promise<Response> =>
    decided.kind === 'done'
      ? c.json({ message: decided.message, streams: decided.streams })
      : problem(c, 409, decided.message)
  app.post(`${one}/approve`, async (c) => {
    const id = Number(c.req.param('id'))
    if ((await planOf(hub, id)) === undefined) return missing(c)
    const hasBody = c.req.header('content-type') !== undefined
    const body = hasBody ? await readObject(c) : { object: {} }
    if ('refused' in body) return body.refused
    const only = chosen.safeParse(body.object)
    if (!only.success)
      return problem(
        c,
        422,
        'Say which streams: {"streams": ["mailchimp/members"]}, or nothing for all of them.',
      )
    return answer(c, await approvePlan(hub, id, `api:${c.get('caller')}`, only.data.streams ?? []))
  })
  app.post(`${one}/reject`, async (c) => {
    const id = Number(c.req.param('id'))
    if ((await planOf(hub, id)) === undefined) return missing(c)
    return answer(c, await rejectPlan(hub, id, `api:${c.get('caller')}`))
  })
  return app
}

const missing = (c: Context) =>
  problem(c, 404, 'There is no plan with this id. List them with GET /api/plans.')

/** Begins a plan, which may take longer than a request: its state tells when it is there. */
async function begin(hub: Hub, names: readonly string[], by: string): Promise<number> {
  const begun = Promise.withResolvers<number>()
  const made = makePlan(hub, names, by, begun.resolve)
  made.catch((error: unknown) => hub.log.warn({ err: error }, 'a plan did not come to its end'))
  return Promise.race([begun.promise, made.then(({ id }) => id)])
}

function planView(plan: Plan): JsonObject {
  const { id, connections, state, covers, summary, by, decidedBy } = plan
  const times = {
    createdAt: iso(plan.createdAt),
    decidedAt: plan.decidedAt === null ? null : iso(plan.decidedAt),
  }
  return {
    id,
    connections: [...connections],
    state,
    covers: [...covers],
    by,
    decidedBy,
    ...times,
    ...summaryJson(summary),
  }
}
