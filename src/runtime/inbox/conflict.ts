import { isEmpty, same, textOf, type Instant, type Json, type JsonObject } from '../../core/json.ts'
import { hubValue, read, type Lens } from '../../core/lens.ts'
import { provenanceOf, type HubRecord, type Source } from '../../core/model.ts'
import { answerAsk } from '../../core/plan.ts'
import type { InboxItem } from '../../store/inbox.ts'
import { lockLinks, rebaseLinks } from '../../store/link-work.ts'
import type { Link } from '../../store/links.ts'
import { loadRecords } from '../../store/records.ts'
import { wakePush } from '../../store/wake.ts'
import { absorb } from '../absorb.ts'
import { mayWrite, waitsForPlan } from '../approval.ts'
import { editRecord } from '../edit.ts'
import { holding } from '../hold.ts'
import type { Hub, Target } from '../hub.ts'
import { lastSeenOf, linksById } from '../link-lookup.ts'
import { resolveRefs } from '../refs.ts'
import { ending, HeldError, openRun } from '../run.ts'
import { problemsOf } from './problems.ts'
import { closes, no, settleItem, type ActionResult, type Settled } from './settle.ts'

type Said = { readonly value: Json; readonly by: Source | null; readonly at: Instant | null }
/** The three columns of a conflict. */
export type Columns = {
  readonly field: string
  readonly hub: Said
  readonly remote: Said
  readonly agreed: Json
}

type Case = {
  readonly target: Target
  readonly link: Link & { readonly remoteId: string; readonly observed: JsonObject }
  readonly record: HubRecord
  readonly lens: Lens
  readonly hub: Json
  readonly remote: Json
}

async function caseOf(hub: Hub, item: InboxItem): Promise<Case | null> {
  const target = hub.targets.find((t) => t.id === item.streamId)
  const linkId = Number(item.detail['link'])
  if (target === undefined || !Number.isSafeInteger(linkId)) return null
  const q = hub.db.sql
  const link = (await linksById(q, [linkId])).get(linkId)
  if (link === undefined || link.state !== 'linked' || link.remoteId === null || link.observed === null)
    return null
  const record = (await loadRecords(q, target.stream.record, [link.recordId])).get(link.recordId)
  if (record === undefined || record.archived) return null
  const { remoteId, observed } = link
  const refs = await resolveRefs(hub, q, target, [observed], [record.fields])
  const lens = target.stream.lenses(refs).find((one) => one.key === textOf(item.detail['lens']))
  if (lens === undefined) return null
  const reading = read(lens, observed)
  if (reading.kind !== 'value') return null
  const mine = hubValue(lens, record.fields) ?? null
  return { target, link: { ...link, remoteId, observed }, record, lens, hub: mine, remote: reading.value }
}

/** What both sides say now, who said so and when, and what they last agreed on; null where the link is gone. */
export async function columnsOf(hub: Hub, item: InboxItem): Promise<Columns | null> {
  const found = await caseOf(hub, item)
  if (found === null) return null
  const { target, link, record, lens } = found
  const says = lens.fields.map((field) => provenanceOf(record, field)).find((one) => one !== undefined)
  return {
    field: lens.key,
    hub: { value: found.hub, by: says?.source ?? null, at: says?.at ?? null },
    remote: { value: found.remote, by: target.stream.connection, at: link.modifiedAt },
    agreed: link.base[lens.key]?.hub ?? null,
  }
}

/** Whose value stands: a side's, or one that neither has said. */
export type Taken =
  | { readonly side: 'hub' | 'remote' }
  | { readonly side: 'value'; readonly set: Readonly<Record<string, Json>> }

/**
 * Settles a conflict: only the chosen side counts as edited from now on, and the link is planned again. Between passes,
 * as one that is under way would write what it has read over this, or this over what it has read.
 */
export const takeSide = (hub: Hub, id: number, taken: Taken, by: Source): Promise<ActionResult> =>
  settleItem(hub, id, 'resolve', by, async (item) => {
    const target = hub.targets.find((t) => t.id === item.streamId)
    return holding(hub, target === undefined ? [] : [target.stream.connection], () =>
      settle(hub, item, taken, by),
    )
  })

async function settle(hub: Hub, item: InboxItem, taken: Taken, by: Source): Promise<Settled> {
  const found = await caseOf(hub, item)
  if (found === null)
    return no(
      `The sides of item ${item.id} are not there any more: the link, the record or the field is gone.`,
    )
  if (!(await mayWrite(hub, found.target))) return no(`${waitsForPlan(found.target.label)}.`)
  const { hub: mine = null, remote = null } = item.detail
  if (!same(found.hub, mine) || !same(found.remote, remote)) {
    return no(
      `The values of item ${item.id} have changed since: the hub says ${said(found.hub)}, the remote says ${said(found.remote)}. Fix: \`concord sync ${found.target.stream.connection}\`, then look at the item again.`,
    )
  }
  if (taken.side === 'value') {
    const strangers = Object.keys(taken.set).filter((field) => !found.lens.fields.includes(field))
    if (strangers.length > 0 || Object.keys(taken.set).length === 0)
      return no(`The conflict is about ${found.lens.fields.join(', ')}. Fix: give the value of that field.`)
    const edit = await editRecord(hub, found.record.kind, found.record.id, taken.set, by, {
      rule: `a conflict was settled by ${by}`,
    })
    if (edit.kind !== 'saved') return no(problemsOf(edit))
  }
  await choose(hub, found, taken.side === 'remote' ? 'remote' : 'hub', by)
  const resolution = taken.side === 'value' ? `another value given by ${by}` : `${taken.side} chosen by ${by}`
  return closes(
    resolution,
    taken.side === 'value' ? 'The new value stands.' : `The ${taken.side}'s value stands.`,
  )
}

const said = (value: Json): string => (isEmpty(value) ? 'nothing' : JSON.stringify(value))

async function choose(hub: Hub, found: Case, side: 'hub' | 'remote', by: Source): Promise<void> {
  const { target, link, lens } = found
  const run = openRun(hub, target, 'edit', {}, { by })
  await hub.session.begin(async (tx) => {
    await lockLinks(tx, [link.id])
    const now = (await linksById(tx, [link.id])).get(link.id) ?? link
    const agreed = now.base[lens.key]?.hub ?? null
    const ask = { lens: lens.key, hub: found.hub, remote: found.remote, agreed, rule: '' }
    await rebaseLinks(tx, [{ id: link.id, base: answerAsk(now.base, ask, side) }])
  })
  try {
    await ending(run, () => absorb(hub, target, lastSeenOf([link]), run, { force: true }))
  } catch (error) {
    // What the guard holds is a question of its own.
    if (!(error instanceof HeldError)) throw error
  }
  await wakePush(hub.db.sql, [target.stream.connection])
}
