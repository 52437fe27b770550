import { consentToSend, type ConsentState } from '../../core/consent.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { planLink, type LinkPlan } from '../../core/plan.ts'
import type { HubRecord } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { linksAfter, type Link } from '../../store/links.ts'
import { loadRecords } from '../../store/records.ts'
import { consentOf } from '../consent.ts'
import type { Hub, Target } from '../hub.ts'
import { resolveRefs } from '../refs.ts'

const CHUNK = 500

/** A link, its record, and what a stream would make of the two from what was last seen of the object. */
export type Seen = {
  readonly link: Link
  readonly record: HubRecord
  /** Null for links without an object. */
  readonly plan: LinkPlan | null
  /** What the object says of consent, and what it would be told. */
  readonly says: ConsentState | null
  readonly tell: ConsentState | null
}

/**
 * Goes through a stream's links in chunks, and plans each from what was last seen of its object: no vendor is asked.
 * `visit` may write: each chunk is read after the one before was visited.
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
      return [{ link, record, plan: null, says: link.consent, tell: null }]
    const observed = {
      body: link.observed,
      modifiedAt: stream.trustTimes ? link.modifiedAt : null,
      isHandoff: target.push?.isHandoff === true,
    }
    const says = stream.consent?.read(link.observed)?.state ?? null
    const sends = target.push === null ? [] : (stream.consent?.sends ?? [])
    const tell = consentToSend(consentOf(record.fields), says, sends)
    const plan = planLink(lenses, record, observed, link.base, stream.connection)
    // What the vendor takes no edits of is not written to.
    const isFrozen = (target.push?.frozen?.(link.observed) ?? null) !== null
    return [{ link, record, plan: isFrozen ? { ...plan, patch: null } : plan, says, tell }]
  })
}

/** Whether it leads to a write on either side, to a statement of consent, or to a question. */
export const isTouched = ({ link, plan, says, tell }: Seen): boolean =>
  says !== link.consent ||
  tell !== null ||
  (plan !== null &&
    (Object.keys(plan.hub).length > 0 ||
      plan.patch !== null ||
      plan.asks.length > 0 ||
      plan.unreadable.length > 0))

/** What it leads to, to be compared with another one's. */
export const effectOf = ({ plan, says, tell }: Seen): Json => ({
  says,
  tell,
  plan:
    plan === null
      ? null
      : {
          hub: Object.fromEntries(Object.entries(plan.hub).map(([field, edit]) => [field, edit.value])),
          patch: plan.patch,
          asks: plan.asks.map((ask) => [ask.lens, ask.hub, ask.remote]),
          unreadable: plan.unreadable.map((bad) => bad.lens),
        },
})
