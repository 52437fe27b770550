import { Hono, type Context } from 'hono'
import { z } from 'zod'
import type { MergedKind } from '../core/survivorship.ts'
import { iso, type Hub } from '../runtime/hub.ts'
import { mergesAfter } from '../runtime/merge/list.ts'
import { mergeRecords } from '../runtime/merge/merge.ts'
import { unmergeRecord } from '../runtime/merge/unmerge.ts'
import { mergeView, unmergeView } from '../runtime/merge/views.ts'
import { readObject } from './body.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'
import { readQuery, whole } from './query.ts'

const LOSERS = 'losers must be a list of ids: {"losers": [12]}.'
const merging = z.strictObject({
  losers: z.array(z.int().positive(), { error: LOSERS }).min(1, LOSERS),
  dryRun: z.boolean({ error: 'dryRun must be true or false.' }).optional(),
})
const unmerging = z.strictObject({
  dryRun: z.boolean({ error: 'dryRun must be true or false.' }).optional(),
  mayMatchAgain: z.boolean({ error: 'mayMatchAgain must be true or false.' }).optional(),
})
const listing = z.object({
  record: whole('record', 1, Number.MAX_SAFE_INTEGER).optional(),
  before: whole('before', 1, 2_147_483_647).optional(),
  limit: whole('limit', 1, 500).default(100),
})

const STATUS = { missing: 404, wrong: 409, conflict: 409 } as const

const by = (c: Context<Env>): string => `api:${c.get('caller')}`
const one = '/:id{[1-9][0-9]{0,14}}'

/** Merging records of one kind, and taking it back; each can be asked for as a plan first. */
export function mergeRoutes(hub: Hub, kind: MergedKind): Hono<Env> {
  const app = new Hono<Env>()
  app.post(`${one}/merge`, async (c) => {
    const body = await readBody(c, merging)
    if ('refused' in body) return body.refused
    const { losers, dryRun } = body.value
    const source = by(c)
    const result = await mergeRecords(hub, {
      kind,
      survivor: Number(c.req.param('id')),
      losers,
      by: source,
      rule: `merged by ${source}`,
      dryRun: dryRun === true,
    })
    return result.kind === 'refused'
      ? problem(c, STATUS[result.code], result.message)
      : c.json(mergeView(result))
  })
  app.post(`${one}/unmerge`, async (c) => {
    const body = await readBody(c, unmerging)
    if ('refused' in body) return body.refused
    const { dryRun, mayMatchAgain } = body.value
    const result = await unmergeRecord(hub, {
      kind,
      loser: Number(c.req.param('id')),
      by: by(c),
      dryRun: dryRun === true,
      mayMatchAgain: mayMatchAgain === true,
    })
    return result.kind === 'refused'
      ? problem(c, STATUS[result.code], result.message)
      : c.json(unmergeView(result))
  })
  return app
}

export function mergeListRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/', async (c) => {
    const read = readQuery(c, listing)
    if ('refused' in read) return read.refused
    const { record, before, limit } = read.query
    const { items, next } = await mergesAfter(hub, {
      limit,
      ...(record === undefined ? {} : { record }),
      ...(before === undefined ? {} : { before }),
    })
    const same = record === undefined ? '' : `&record=${record}`
    return c.json({
      items: items.map((merge) => ({
        ...merge,
        at: iso(merge.at),
        undoneAt: merge.undoneAt === null ? null : iso(merge.undoneAt),
      })),
      next: next === null ? null : `/api/merges?before=${next}&limit=${limit}${same}`,
    })
  })
  return app
}

async function readBody<Shape extends z.ZodType>(
  c: Context<Env>,
  shape: Shape,
): Promise<{ readonly value: z.infer<Shape> } | { readonly refused: Response }> {
  const body = await readObject(c)
  if ('refused' in body) return body
  const parsed = shape.safeParse(body.object)
  if (parsed.success) return { value: parsed.data }
  const [issue] = parsed.error.issues
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const detail =
    unknown === undefined
      ? (issue?.message ?? 'The body is wrong.')
      : `There is no "${unknown}" here. Leave it out.`
  return { refused: problem(c, 422, detail, { problems: [] }) }
}
