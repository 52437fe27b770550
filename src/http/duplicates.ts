import { Hono, type Context } from 'hono'
import type { JsonObject } from '../core/json.ts'
import type { MatchedKind } from '../core/duplicates.ts'
import type { Hub } from '../runtime/hub.ts'
import { likelyDuplicates, likelyFor, type LikelyDuplicate } from '../runtime/matching/likely.ts'
import { matchWaiting } from '../runtime/matching/step.ts'
import { readRecord } from '../runtime/records.ts'
import { readObject } from './body.ts'
import type { Env } from './env.ts'
import { problem } from './problem.ts'
import type { Place } from './record-view.ts'

const viewOf = (place: Place, likely: readonly LikelyDuplicate[]): readonly JsonObject[] =>
  likely.map(({ id, title, probability, evidence }) => ({
    id,
    url: `/api/${place}/${id}`,
    title,
    probability: Number(probability.toFixed(4)),
    evidence,
  }))

/** Compares a record that was just written with all others, and tells whom it may be. */
export async function comparedNow(
  hub: Hub,
  place: Place,
  kind: MatchedKind,
  id: number,
): Promise<readonly JsonObject[]> {
  await matchWaiting(hub, { only: { kind, ids: [id] } })
  return viewOf(place, await likelyDuplicates(hub, kind, id))
}

/** Whom a record may be, and whom somebody may be who is not stored. */
export function duplicateRoutes(hub: Hub, place: Place, kind: MatchedKind): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/:id{[1-9][0-9]{0,14}}/duplicates', async (c: Context<Env>) => {
    const id = Number(c.req.param('id'))
    if ((await readRecord(hub, kind, id)) === null)
      return problem(c, 404, `There is no ${kind} with this id. List them with GET /api/${place}.`)
    return c.json({ items: viewOf(place, await likelyDuplicates(hub, kind, id)) })
  })
  app.post('/match', async (c) => {
    const body = await readObject(c)
    if ('refused' in body) return body.refused
    const found = await likelyFor(hub, kind, body.object)
    if (found.kind === 'invalid')
      return problem(c, 422, found.problems.map((p) => p.message).join(' '), {
        problems: found.problems.map(({ field, message }) => ({ field, message })),
      })
    return c.json({ items: viewOf(place, found.likely) })
  })
  return app
}
