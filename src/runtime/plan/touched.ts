import type { Json, JsonObject } from '../../core/json.ts'
import { planLink, type LinkPlan } from '../../core/plan.ts'
import type { HubRecord } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { linksAfter, type Link } from '../../store/links.ts'
import { loadRecords } from '../../store/records.ts'
import type { Hub, Target } from '../hub.ts'
import { resolveRefs } from '../refs.ts'

const CHUNK = 500

/** A link, its record, and what a stream would make of the two from what was last seen of the object. */
export type Seen = { readonly link: Link; readonly record: HubRecord; readonly plan: LinkPlan | null }

/**
 * Goes through a stream's links in chunks, and plans each from what was last seen of its object: no vendor is asked.
 * `plan` is null for links without an object. `visit` may write: each chunk is read after the one before was visited.
 */
export async function eachLink(
  hub: Hub,
  q: Query,
  target: Target,
  visit: (chunk: readonly Seen[]) => Promise<void>,
): Promise<void> {
  for (let after = 0; ; ) {
    const links = await linksAfter(q, target.id, after, CHUNK)
    const last = links.at(-1)
    if (last === undefined || hub.stopping.aborted) return
    after = last.id
    await visit(await planLinks(hub, q, target, links))
  }
}

/** Plans links from what was last seen of their objects. */
export async function planLinks(
  hub: Hub,
  q: Query,
  target: Target,
  links: readonly Link[],
): Promise<readonly Seen[]> {
  const { stream } = target
  const records = await loadRecords(
    q,
    stream.record,
    links.map((link) => link.recordId),
  )
  const bodies = links.flatMap((link): JsonObject[] => (link.observed === null ? [] : [link.observed]))
  const fields = [...records.values()].map((record) => record.fields)
  const lenses = stream.lenses(await resolveRefs(hub, q, target, bodies, fields))
  return links.flatMap((link): Seen[] => {
    const record = records.get(link.recordId)
    if (record === undefined) return []
    if (link.state !== 'linked' || link.observed === null || record.archived)
      return [{ link, record, plan: null }]
    const observed = {
      body: link.observed,
      modifiedAt: stream.trustTimes ? link.modifiedAt : null,
      isHandoff: target.push?.isHandoff === true,
    }
    return [{ link, record, plan: planLink(lenses, record, observed, link.base, stream.connection) }]
  })
}

/** Whether a plan leads to a write on either side, or to a question. */
export const isTouched = (plan: LinkPlan | null): plan is LinkPlan =>
  plan !== null &&
  (Object.keys(plan.hub).length > 0 ||
    plan.patch !== null ||
    plan.asks.length > 0 ||
    plan.unreadable.length > 0)

/** The effect of a plan, to be compared with another one's. */
export const effectOf = (plan: LinkPlan | null): Json =>
  plan === null
    ? null
    : {
        hub: Object.fromEntries(Object.entries(plan.hub).map(([field, edit]) => [field, edit.value])),
        patch: plan.patch,
        asks: plan.asks.map((ask) => [ask.lens, ask.hub, ask.remote]),
        unreadable: plan.unreadable.map((bad) => bad.lens),
      }
