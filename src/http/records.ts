import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { isMatched } from '../core/duplicates.ts'
import { CATALOG, fieldType } from '../core/model.ts'
import { createRecord, editRecord, type EditResult } from '../runtime/edit.ts'
import { explainRecord } from '../runtime/explain/record.ts'
import type { Hub } from '../runtime/hub.ts'
import { isMergedKind } from '../runtime/merge/facets.ts'
import { mergedInto } from '../runtime/merge/list.ts'
import { timelineOf } from '../runtime/mail/timeline.ts'
import { readRecord, recordByKey, recordsAfter, withTimes } from '../runtime/records.ts'
import { readObject } from './body.ts'
import type { Env } from './env.ts'
import { comparedNow, duplicateRoutes } from './duplicates.ts'
import { ifMatch } from './if-match.ts'
import { mergeRoutes } from './merges.ts'
import { entryView } from '../runtime/mail/views.ts'
import { privacyRoutes } from './privacy.ts'
import { problem } from './problem.ts'
import { readQuery, whole } from './query.ts'
import { etagOf, explanationView, KINDS, viewOf, type Place } from './record-view.ts'

const PAGE = 100
const LARGEST_PAGE = 500

const paging = {
  after: whole('after', 0, Number.MAX_SAFE_INTEGER).default(0),
  limit: whole('limit', 1, LARGEST_PAGE).default(PAGE),
}
const LISTING = {
  contacts: z.object({ ...paging, email: z.string().optional() }),
  companies: z.object({ ...paging, domain: z.string().optional() }),
  deals: z.object(paging),
} as const
const explaining = z.object({ field: z.string().optional() })
const looking = z.object({
  before: z
    .string()
    .regex(/^-?\d{1,13}-\d{1,15}$/, 'before must be the one that an answer gives in next.')
    .optional(),
  limit: paging.limit,
})

const sourceOf = (c: Context<Env>): string => `api:${c.get('caller')}`

/** Reads and writes the records of one kind. What is written takes the way of a sync: checked, recorded, sent on. */
export function recordRoutes(hub: Hub, place: Place): Hono<Env> {
  const kind = KINDS[place]
  const missing = (c: Context) =>
    problem(c, 404, `There is no ${kind} with this id. List them with GET /api/${place}.`)

  const mergedAway = (c: Context, into: number): Response => {
    const url = urlOf(into)
    const detail = `This ${kind} was merged into ${kind} ${into}. Change that one with PATCH ${url}, or undo the merge.`
    return problem(c, 409, detail, { mergedInto: { id: into, url } }, { location: url })
  }

  const answer = async (c: Context, result: EditResult, status: 200 | 201): Promise<Response> => {
    switch (result.kind) {
      case 'saved': {
        const { record } = result
        const headers = {
          etag: etagOf(record.version),
          ...(status === 201 ? { location: urlOf(record.id) } : {}),
        }
        if (!isMatched(kind) || !result.changed)
          return c.json(viewOf(await withTimes(hub, record)), status, headers)
        const likelyDuplicates = await comparedNow(hub, place, kind, record.id)
        // Merged by rule, it is archived by now.
        const now = (await readRecord(hub, kind, record.id)) ?? (await withTimes(hub, record))
        const view = { ...viewOf(now), ...(status === 201 ? { likelyDuplicates } : {}) }
        return c.json(view, status, { ...headers, etag: etagOf(now.record.version) })
      }
      case 'invalid':
        return problem(c, 422, result.problems.map((p) => p.message).join(' '), {
          problems: result.problems.map(({ field, message }) => ({ field, message })),
        })
      case 'exists': {
        const url = urlOf(result.id)
        const detail = `${result.by} belongs to ${kind} ${result.id} already. Change that one with PATCH ${url}.`
        return problem(c, 409, detail, { existing: { id: result.id, url } }, { location: url })
      }
      case 'missing':
        return missing(c)
      case 'merged':
        return mergedAway(c, result.into)
      case 'changed': {
        const detail = `The ${kind} has version ${result.version} now. Read it again, and repeat the edit if it still makes sense.`
        return problem(c, 412, detail, { version: result.version }, { etag: etagOf(result.version) })
      }
    }
  }
  const urlOf = (id: number): string => `/api/${place}/${id}`

  const app = new Hono<Env>()
  app.get('/', async (c) => {
    const read = readQuery(c, LISTING[place])
    if ('refused' in read) return read.refused
    const { after, limit } = read.query
    const key =
      'email' in read.query ? read.query.email : 'domain' in read.query ? read.query.domain : undefined
    if (key !== undefined && kind !== 'deal') {
      const found = await recordByKey(hub, kind, key)
      if (found.kind === 'unreadable') return problem(c, 400, found.problem)
      return c.json({ items: found.records.map(viewOf), next: null })
    }
    const { records, next } = await recordsAfter(hub, kind, after, limit)
    const following = next === null ? null : `/api/${place}?after=${next}&limit=${limit}`
    return c.json({ items: records.map(viewOf), next: following })
  })

  app.post('/', async (c) => {
    const body = await readObject(c)
    if ('refused' in body) return body.refused
    if (Object.values(body.object).every((value) => value === null)) {
      return problem(c, 422, `A ${kind} needs at least one field with a value.`, { problems: [] })
    }
    return answer(c, await createRecord(hub, kind, body.object, sourceOf(c)), 201)
  })

  if (isMatched(kind)) app.route('/', duplicateRoutes(hub, place, kind))
  if (isMergedKind(kind)) app.route('/', mergeRoutes(hub, kind))
  if (kind === 'contact') app.route('/', privacyRoutes(hub))

  const one = '/:id{[1-9][0-9]{0,14}}'
  const idOf = (c: Context<Env, typeof one>): number => Number(c.req.param('id'))

  app.get(one, async (c) => {
    const found = await readRecord(hub, kind, idOf(c))
    if (found === null) return missing(c)
    const into = found.record.archived ? await mergedInto(hub, found.record.id) : null
    // Its own page is gone for as long as the merge stands; whoever follows finds the record that it is part of.
    if (into !== null)
      return c.json({ id: found.record.id, mergedInto: { id: into, url: urlOf(into) } }, 308, {
        location: urlOf(into),
      })
    const etag = etagOf(found.record.version)
    const known = c.req.header('if-none-match')?.split(',')
    if (known?.some((tag) => tag.trim().replace(/^W\//, '') === etag)) return c.body(null, 304, { etag })
    return c.json(viewOf(found), 200, { etag })
  })

  app.patch(one, async (c) => {
    const version = ifMatch(c)
    if (version instanceof Response) return version
    const body = await readObject(c)
    if ('refused' in body) return body.refused
    return answer(c, await editRecord(hub, kind, idOf(c), body.object, sourceOf(c), version), 200)
  })

  app.delete(one, async (c) => {
    const version = ifMatch(c)
    if (version instanceof Response) return version
    const options = { ...version, archived: true }
    const result = await editRecord(hub, kind, idOf(c), {}, sourceOf(c), options)
    return result.kind === 'saved' ? c.body(null, 204) : answer(c, result, 200)
  })

  app.get(`${one}/explain`, async (c) => {
    const read = readQuery(c, explaining)
    if ('refused' in read) return read.refused
    const id = Number(c.req.param('id'))
    const { field } = read.query
    if (field !== undefined && fieldType(kind, field) === undefined)
      return problem(
        c,
        400,
        `A ${kind} has no field "${field}". field must be one of ${Object.keys(CATALOG[kind]).join(', ')}, or custom.<name>.`,
      )
    const explanation = await explainRecord(hub, id, field)
    if (explanation?.record.kind !== kind) return missing(c)
    return c.json({ ...explanationView(explanation), mergedInto: await mergedInto(hub, id) })
  })

  app.get(`${one}/timeline`, async (c) => {
    const read = readQuery(c, looking)
    if ('refused' in read) return read.refused
    const { before = null, limit } = read.query
    const id = Number(c.req.param('id'))
    if ((await readRecord(hub, kind, id)) === null) return missing(c)
    const { entries, next } = await timelineOf(hub, kind, id, { before, limit })
    const following = next === null ? null : `${urlOf(id)}/timeline?before=${next}&limit=${limit}`
    return c.json({ items: entries.map(entryView), next: following })
  })
  return app
}
