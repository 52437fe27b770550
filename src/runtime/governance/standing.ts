import { findingsOf } from '../../core/governance/findings.ts'
import type { GovernedKind } from '../../core/governance/rules.ts'
import type { RecordId } from '../../core/model.ts'
import { allGroups, keysUnder } from '../../store/findings.ts'
import { closeItems } from '../../store/inbox.ts'
import { loadRecords } from '../../store/records.ts'
import type { Hub } from '../hub.ts'
import { rulesOf } from './follow.ts'
import { STAGE_PREFIX, stageKey, unknownsKey } from './items.ts'
import { refreshItems } from './refresh.ts'

const BATCH = 500
const MOST_ITEMS = 10_000
const GONE = 'nothing is missing any more'

/**
 * The items about groups of records, counted anew. `opens`: under new rules those that have none yet get one; else an
 * item that somebody closed stays closed until its cause comes back.
 */
export async function refreshStanding(hub: Hub, kind: GovernedKind, opens: boolean): Promise<void> {
  const { q } = hub.session
  const groups = await allGroups(q, kind)
  const of = (what: string) =>
    groups.filter((group) => group.what === what).map((group) => ({ ...group, opens }))
  const lacking = await standing(hub, `missing_data:lacking:${kind}:`)
  const unknown = await standing(hub, `unknown_value:${kind}:`)
  const stages = kind === 'deal' ? await keysUnder(q, 'missing_data:stages:', MOST_ITEMS) : []
  await refreshItems(hub, q, kind, {
    lacking: [...of('lacking'), ...lacking.map(([field, source]) => ({ field, source, opens: false }))],
    unknown: [...of('unknown'), ...unknown.map(([field, value]) => ({ field, value, opens: false }))],
    stages: [
      ...of('stage'),
      ...stages.map((key) => ({ source: key.slice('missing_data:stages:'.length), opens: false })),
    ],
  })
  await closeSummaries(hub, kind, new Set(of('unknown').map(({ field }) => field)))
  if (kind === 'deal') await closeDeals(hub)
}

/** What open items under a prefix are about: a field, and a source or value. */
async function standing(hub: Hub, prefix: string): Promise<readonly (readonly [string, string])[]> {
  return (await keysUnder(hub.session.q, prefix, MOST_ITEMS)).map((key) => {
    const rest = key.slice(prefix.length)
    const at = rest.indexOf(':')
    return [rest.slice(0, at), rest.slice(at + 1)] as const
  })
}

/** Items that stood for too many values of a field, of which none is left. */
async function closeSummaries(hub: Hub, kind: GovernedKind, fields: ReadonlySet<string>): Promise<void> {
  const prefix = unknownsKey(kind, '')
  const open = await keysUnder(hub.session.q, prefix, MOST_ITEMS)
  const done = open.filter((key) => !fields.has(key.slice(prefix.length)))
  await closeItems(hub.session.q, done, GONE, hub.clock.now())
}

/** Items about deals that lack nothing any more, or that are not there any more. */
async function closeDeals(hub: Hub): Promise<void> {
  const { q } = hub.session
  const ids = (await keysUnder(q, STAGE_PREFIX, MOST_ITEMS)).map((key) =>
    Number(key.slice(STAGE_PREFIX.length)),
  )
  const lacking = new Set<RecordId>()
  for (let at = 0; at < ids.length; at += BATCH) {
    const deals = await loadRecords(q, 'deal', ids.slice(at, at + BATCH))
    for (const deal of deals.values())
      if (findingsOf('deal', deal, rulesOf(hub)).some(({ what }) => what === 'stage')) lacking.add(deal.id)
  }
  const done = ids.filter((id) => !lacking.has(id)).map(stageKey)
  await closeItems(q, done, GONE, hub.clock.now())
}
