import { same, type JsonObject } from '../../core/json.ts'
import type { HubRecord } from '../../core/model.ts'
import type { Configuration } from '../../core/stream.ts'
import { countUnlinked } from '../../store/links.ts'
import { gatesOf, isOpen, listsAnew, type Gate } from '../approval.ts'
import type { Hub, Target } from '../hub.ts'
import { titleOf } from '../title.ts'
import { eachLink, effectOf, isTouched, planLinks, type Seen } from './touched.ts'

const SAMPLES = 3

/** What a new configuration makes of one stream that is already in agreement. */
export type Foreseen = {
  /** `connection/stream`. */
  readonly stream: string
  readonly id: number
  /** What it would write with; see `shapeOf`. */
  readonly shape: string
  /** The old shape was approved: what is touched by the new one is all there is to approve. */
  readonly wasApproved: boolean
  /** Records whose link leads to something else than before, and of those, on which side. */
  readonly records: number
  readonly hub: number
  readonly remote: number
  readonly questions: number
  /** Records that would be created at the remote: a filter kept them from it, or nothing created any. At most so many. */
  readonly creates: number
  /** Other objects are let in than before: how many, only a plan can tell, as it asks the vendor. */
  readonly listsAnew: boolean
  readonly samples: readonly { readonly title: string; readonly changes: JsonObject }[]
}

/**
 * What a configuration changes about streams that both it and the active one have, worked out from what was last seen
 * of their objects: no vendor is asked, nothing is written. Streams of the same shape are left out.
 */
export async function foresee(hub: Hub, after: Configuration): Promise<readonly Foreseen[]> {
  const next = under(hub, after)
  const [olds, news] = [await gatesOf(hub), await gatesOf(next)]
  const foreseen: Foreseen[] = []
  for (const target of next.targets) {
    const [gate, old] = [news.find((one) => one.id === target.id), olds.find((one) => one.id === target.id)]
    const before = hub.targets.find((one) => one.id === target.id)
    if (gate === undefined || old === undefined || before === undefined || gate.shape === old.shape) continue
    foreseen.push(await foreseeOne(hub, next, before, target, old, gate))
  }
  return foreseen
}

/** The hub with another configuration, as far as both have its streams: to look with, not to work with. */
export function under(hub: Hub, after: Configuration): Hub {
  const targets = hub.targets.flatMap((target): Target[] => {
    const stream = after.connections
      .find((one) => one.name === target.stream.connection)
      ?.streams.find((one) => one.name === target.stream.name && one.resource === target.stream.resource)
    return stream === undefined
      ? []
      : [{ ...target, stream, push: stream.direction === 'in' ? null : (target.resource.push ?? null) }]
  })
  return { ...hub, configuration: after, targets, mails: [] }
}

async function foreseeOne(
  hub: Hub,
  next: Hub,
  before: Target,
  target: Target,
  old: Gate,
  gate: Gate,
): Promise<Foreseen> {
  const q = hub.session.q
  const count = { records: 0, hub: 0, remote: 0, questions: 0, creates: 0 }
  const samples: { readonly title: string; readonly changes: JsonObject }[] = []
  await eachLink(next, q, target, async (chunk) => {
    const links = chunk.map(({ link }) => link)
    const was = new Map((await planLinks(hub, q, before, links)).map((one) => [one.link.id, one]))
    for (const seen of chunk) {
      const { link, record, plan } = seen
      const isKeptOut = link.state === 'filtered' && !record.archived
      if (isKeptOut && creates(target, record) && !creates(before, record)) count.creates++
      const earlier = was.get(link.id)
      if (!isTouched(seen) || (earlier !== undefined && same(effectOf(seen), effectOf(earlier)))) continue
      count.records++
      if (Object.keys(plan?.hub ?? {}).length > 0 || seen.says !== link.consent) count.hub++
      if ((plan?.patch ?? seen.tell) !== null) count.remote++
      if ((plan?.asks.length ?? 0) + (plan?.unreadable.length ?? 0) > 0) count.questions++
      if (samples.length < SAMPLES) samples.push({ title: titleOf(record), changes: changesOf(seen) })
    }
  })
  const createsAny = (one: Target) => one.push !== null && one.stream.createAtRemote === 'always'
  if (createsAny(target) && !createsAny(before))
    count.creates += await countUnlinked(q, target.id, target.stream.record)
  return {
    stream: target.label,
    id: target.id,
    shape: gate.shape,
    wasApproved: isOpen(old),
    ...count,
    listsAnew: listsAnew(old.shape, gate.shape) && target.stream.direction !== 'out',
    samples,
  }
}

const creates = ({ push, stream }: Target, { fields }: HubRecord): boolean =>
  push !== null && stream.createAtRemote === 'always' && stream.filterOut(fields)

/** By field of the hub, and by place at the remote. */
function changesOf({ link, record, plan, says, tell }: Seen): JsonObject {
  const mine = Object.entries(plan?.hub ?? {}).map(([field, edit]): [string, JsonObject] => [
    field,
    { before: record.fields[field] ?? null, after: edit.value },
  ])
  const theirs = Object.entries(plan?.patch ?? {}).map(([place, value]): [string, JsonObject] => [
    `at the remote: ${place}`,
    { after: value },
  ])
  return {
    ...Object.fromEntries([...mine, ...theirs]),
    ...(says === link.consent ? {} : { emailConsent: { before: link.consent, after: says } }),
    ...(tell === null ? {} : { 'at the remote: consent': { after: tell } }),
  }
}

/** Nothing of it is left for a person to look at. */
export const touchesNothing = (one: Foreseen): boolean =>
  one.wasApproved && one.records === 0 && one.creates === 0 && !one.listsAnew
