import { isEmpty, isObject, same, textOf, type Json, type JsonObject } from '../../core/json.ts'
import type { HubRecord } from '../../core/model.ts'
import { planBirth } from '../../core/plan.ts'
import type { Link } from '../../store/links.ts'
import type { PlanLine, PlanOp } from '../../store/plans.ts'
import { bornRecord, shows, type Change } from '../change.ts'
import type { Target } from '../hub.ts'
import type { Arrival, PageWork } from '../page.ts'
import type { PushStep } from '../push-plan.ts'
import { harmOf, NOTHING_SPARED } from '../sparing.ts'
import { titleOf } from '../title.ts'
import type { Planning } from './planning.ts'

type Line = Omit<PlanLine, 'streamId' | 'side'>
const PLAIN = { harm: null, why: null } as const

/** What a page of objects makes of the hub. */
export function pageLines(page: PageWork, gone: readonly Link[], planning: Planning): readonly PlanLine[] {
  const { set, target } = page
  const harm = new Map(harmOf(page, gone, NOTHING_SPARED).map((one) => [one.recordId, one.what]))
  const remoteIds = new Map(page.planned.map((one) => [one.recordId, one.arrival.seen.id]))
  const changes = set.changes()
  const born = new Set(changes.filter((c) => c.before === null).map((c) => c.after.id))
  const of = (record: HubRecord, op: PlanOp, rest: Partial<Line> = {}): PlanLine => ({
    streamId: target.id,
    side: 'hub',
    op,
    recordId: planning.known(record),
    remoteId: remoteIds.get(record.id) ?? null,
    title: titleOf(record),
    changes: {},
    ...PLAIN,
    ...rest,
  })
  const links = page.planned.flatMap(({ recordId, before, arrival }): PlanLine[] => {
    const record = set.get(recordId)
    const isNew = (before?.remoteId ?? null) === null && !born.has(recordId)
    return record === undefined || !isNew ? [] : [of(record, 'link', { remoteId: arrival.seen.id })]
  })
  const vanished = new Set(gone.map((link) => link.recordId))
  const unlinked = gone.flatMap((link): PlanLine[] => {
    const record = set.get(link.recordId)
    const isArchived = changes.some((c) => c.after.id === link.recordId && c.after.archived)
    if (record === undefined) return []
    const into = page.away.get(link.remoteId ?? '')
    const why =
      into !== undefined
        ? `merged into ${into} at the remote: the two records become one`
        : isArchived
          ? null
          : 'gone at the remote: only the link ends'
    return [of(record, 'archive', { remoteId: link.remoteId, why, harm: 'deletes' })]
  })
  const edits = changes.flatMap((change): PlanLine[] => {
    if (change.before !== null && vanished.has(change.after.id)) return []
    const what = harm.get(change.after.id) ?? null
    return [
      of(change.after, change.before === null ? 'create' : 'update', { ...changed(change), harm: what }),
    ]
  })
  const asks = page.items.flatMap((item): PlanLine[] => {
    const record = item.recordId === null ? undefined : set.get(item.recordId)
    if (item.kind !== 'conflict' || record === undefined) return []
    const { lens, hub = null, remote = null, rule } = item.detail
    const asked = { [textOf(lens)]: { before: hub, after: remote, rule: textOf(rule) } }
    return [of(record, 'conflict', { changes: asked, why: 'a person has to choose a side' })]
  })
  const bad = page.bad.map(
    ({ place, remoteId, problem }): PlanLine => unreadable(target, place, remoteId, problem),
  )
  return [...links, ...edits, ...unlinked, ...asks, ...bad]
}

export const unreadable = (
  target: Target,
  place: string,
  remoteId: string | null,
  problem: string,
): PlanLine => ({
  streamId: target.id,
  side: 'hub',
  op: 'unreadable',
  recordId: null,
  remoteId,
  title: place,
  changes: {},
  harm: null,
  why: problem,
})

/** By field, what a change makes of a record. Of whose word a value is, nothing is said. */
function changed(change: Change): { readonly changes: JsonObject; readonly why: string | null } {
  const { before, after, why } = change
  const fields: Record<string, Json> = {}
  for (const [field, value] of Object.entries(after.fields)) {
    const was = before?.fields[field] ?? null
    if (same(was, value) || (before === null && isEmpty(value))) continue
    fields[field] = { before: was, after: value, rule: why[field]?.rule ?? 'created' }
  }
  const turned = before !== null && before.archived !== after.archived
  return {
    changes: turned ? { ...fields, archived: { before: !after.archived, after: after.archived } } : fields,
    why: shows(change) ? null : 'the values stay, another source stands behind them',
  }
}

/** Objects that nobody knows and that do not come in. */
export function filteredLines(page: PageWork, arrivals: readonly Arrival[]): readonly PlanLine[] {
  const { target, lenses } = page
  const { stream, id } = target
  const taken = new Set(page.planned.map((one) => one.arrival.seen.id))
  return arrivals.flatMap((arrival): PlanLine[] => {
    const { seen, link } = arrival
    if (link !== null || taken.has(seen.id) || page.erased.has(arrival)) return []
    const { fields } = planBirth(lenses, { body: seen.body, modifiedAt: null })
    const origin = { source: stream.connection, at: page.at, rule: 'created' }
    return [
      {
        streamId: id,
        side: 'hub',
        op: 'filtered',
        recordId: null,
        remoteId: seen.id,
        title: titleOf(bornRecord(0, stream.record, fields, origin)),
        changes: {},
        harm: null,
        why: stream.filterIn(seen.body)
          ? 'matches no record, and create.hub is false'
          : 'the condition in only: does not hold',
      },
    ]
  })
}

/** What rules make of the changes of a pass. */
export function ruleLines(
  planning: Planning,
  changes: readonly Change[],
  source: string,
): readonly PlanLine[] {
  return changes.map((change): PlanLine => {
    const { before, after } = change
    const op = before === null ? 'create' : after.archived && !before.archived ? 'archive' : 'update'
    return {
      streamId: planning.current,
      side: 'hub',
      op,
      recordId: planning.known(after),
      remoteId: null,
      title: titleOf(after),
      changes: changed(change).changes,
      harm: null,
      why: source,
    }
  })
}

/** What a wave of links sends, and what its filters keep from being made. */
export function pushLines(
  planning: Planning,
  target: Target,
  steps: readonly PushStep[],
  links: ReadonlyMap<number, Link>,
  records: ReadonlyMap<number, HubRecord>,
): readonly PlanLine[] {
  return steps.flatMap((step): PlanLine[] => {
    const isFiltered = step.kind === 'settle' && step.settlement.state === 'filtered'
    if (step.kind !== 'write' && !isFiltered) return []
    const link = links.get(step.kind === 'write' ? step.write.linkId : step.settlement.id)
    const record = link === undefined ? undefined : records.get(link.recordId)
    // What was filtered before is no news.
    if (link === undefined || record === undefined || (isFiltered && link.state === 'filtered')) return []
    const of = (op: PlanOp, rest: Partial<Line>): PlanLine => ({
      streamId: target.id,
      side: 'remote',
      op,
      recordId: planning.known(record),
      remoteId: link.remoteId,
      title: titleOf(record),
      changes: {},
      ...PLAIN,
      ...rest,
    })
    if (step.kind !== 'write') {
      const why = step.settlement.problem ?? whyFiltered(target, record)
      return [of('filtered', { why })]
    }
    const changes = patched(step.write.body, link.observed)
    return [of(step.write.op, { changes, harm: step.harm?.what ?? null })]
  })
}

function whyFiltered({ stream }: Target, record: HubRecord): string {
  if (record.archived) return 'the record is archived'
  return stream.createAtRemote === 'always'
    ? 'the condition in create.where: does not hold'
    : 'made there only once another stream needs it'
}

/** By place at the remote, what a patch makes of an object. */
function patched(patch: JsonObject, observed: Json, path = ''): JsonObject {
  const told: Record<string, Json> = {}
  for (const [key, value] of Object.entries(patch)) {
    const there = isObject(observed) ? (observed[key] ?? null) : null
    if (isObject(value)) Object.assign(told, patched(value, there, `${path}${key}.`))
    else if (!same(there, value))
      told[`${path}${key}`] = { before: there, after: value, rule: 'as the hub says' }
  }
  return told
}
