import { Hono, type Context } from 'hono'
import { stream } from 'hono/streaming'
import { z } from 'zod'
import type { Hub } from '../runtime/hub.ts'
import { eraseRecord } from '../runtime/privacy/erase.ts'
import { exportPerson } from '../runtime/privacy/export.ts'
import { erasedView, erasuresBefore, erasureView } from '../runtime/privacy/views.ts'
import { readObject } from './body.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'
import { readQuery, whole } from './query.ts'

const erasing = z.strictObject({
  dryRun: z.boolean({
    error: 'dryRun must be true or false: {"dryRun": true} only shows what would be erased.',
  }),
})
const listing = z.object({
  open: z.enum(['true', 'false'], { error: 'open must be true or false.' }).default('false'),
  before: whole('before', 1, Number.MAX_SAFE_INTEGER).optional(),
  limit: whole('limit', 1, 500).default(100),
})
const one = '/:id{[1-9][0-9]{0,14}}'

/** A person's data, and its erasure. */
export function privacyRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  const idOf = (c: Context<Env, typeof one>): number => Number(c.req.param('id'))

  app.get(`${one}/export`, async (c) => {
    const id = Number(c.req.param('id'))
    const text = await exportPerson(hub, id)
    if (text === null) return problem(c, 404, `There is no contact ${id}, or it was erased.`)
    c.header('content-type', 'application/json')
    c.header('content-disposition', `attachment; filename="contact-${id}.json"`)
    return stream(
      c,
      async (out) => {
        for await (const piece of text) await out.write(piece)
      },
      async (error) => hub.log.error({ err: error }, 'an export of a person broke off'),
    )
  })

  app.post(`${one}/erase`, async (c) => {
    const body = await readObject(c)
    if ('refused' in body) return body.refused
    const parsed = erasing.safeParse(body.object)
    if (!parsed.success)
      return problem(c, 422, parsed.error.issues[0]?.message ?? 'Say {"dryRun": true} or false.', {
        problems: [],
      })
    const result = await eraseRecord(hub, {
      id: idOf(c),
      by: `api:${c.get('caller')}`,
      dryRun: parsed.data.dryRun,
    })
    if (result.kind === 'refused') return problem(c, result.code === 'missing' ? 404 : 409, result.message)
    return c.json(erasedView(result), result.kind === 'planned' ? 200 : 202)
  })
  return app
}

export function erasureRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/', async (c) => {
    const read = readQuery(c, listing)
    if ('refused' in read) return read.refused
    const { open, before, limit } = read.query
    const { items, next } = await erasuresBefore(hub, {
      open: open === 'true',
      before: before ?? null,
      limit,
    })
    const following = next === null ? null : `/api/erasures?before=${next}&limit=${limit}&open=${open}`
    return c.json({ items: items.map(erasureView), next: following })
  })
  return app
}
