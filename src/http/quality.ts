import { Hono } from 'hono'
import { z } from 'zod'
import { GOVERNED_KINDS, type GovernedKind } from '../core/governance/rules.ts'
import { iso, type Hub } from '../runtime/hub.ts'
import { checkOf, listPage } from '../runtime/quality/list.ts'
import { measureBy } from '../runtime/quality/measure.ts'
import { qualityReport } from '../runtime/quality/report.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'
import { readQuery, whole } from './query.ts'

const PLACES: Readonly<Record<string, GovernedKind>> = {
  contacts: 'contact',
  companies: 'company',
  deals: 'deal',
}
const place = z.enum(['contacts', 'companies', 'deals'], 'kind must be contacts, companies or deals.')
const reporting = z.object({
  kind: place.optional(),
  by: z.enum(['owner', 'source'], 'by must be owner or source.').optional(),
})
const listing = z.object({
  lacking: z.string().optional(),
  unknown: z.string().optional(),
  is: z.string().optional(),
  source: z.string().optional(),
  owner: z.string().optional(),
  after: whole('after', 0, Number.MAX_SAFE_INTEGER).default(0),
  limit: whole('limit', 1, 500).default(100),
})

/** The quality report, and the records behind its figures. */
export function qualityRoutes(hub: Hub): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/', async (c) => {
    const read = readQuery(c, reporting)
    if ('refused' in read) return read.refused
    const { kind, by } = read.query
    const asked = PLACES[kind ?? '']
    const kinds = asked === undefined ? GOVERNED_KINDS : [asked]
    if (by !== undefined) return c.json({ by, groups: await measureBy(hub, kinds, by) })
    return c.json(await qualityReport(hub, kinds))
  })

  app.get('/:place{contacts|companies|deals}', async (c) => {
    const read = readQuery(c, listing)
    if ('refused' in read) return read.refused
    const { lacking, unknown, is, source, owner, after, limit } = read.query
    const name = c.req.param('place')
    const kind = PLACES[name] ?? 'contact'
    const asked = checkOf(kind, { lacking, unknown, is })
    if (asked.kind === 'wrong') return problem(c, 400, `${asked.message}. ${asked.fix}`)
    const only = { ...(source === undefined ? {} : { source }), ...(owner === undefined ? {} : { owner }) }
    const { records, next } = await listPage(hub, kind, asked.check, { ...only, after, limit })
    const more = new URLSearchParams({ ...c.req.query(), after: String(next), limit: String(limit) })
    return c.json({
      items: records.map((one) => ({ ...one, updatedAt: iso(one.updatedAt) })),
      next: next === null ? null : `/api/quality/${name}?${more.toString()}`,
    })
  })

  return app
}
