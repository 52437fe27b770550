import { findingKey, findingsOf, type Finding } from '../../core/governance/findings.ts'
import { isGoverned, type Rules } from '../../core/governance/rules.ts'
import { placeOf } from '../../core/pipeline.ts'
import type { HubRecord, RecordKind } from '../../core/model.ts'
import { keysUnder, lockItems, writeFindings, type FindingRow } from '../../store/findings.ts'
import { closeItems, openItems, type NewItem } from '../../store/inbox.ts'
import type { Change, Following } from '../change.ts'
import type { Hub } from '../hub.ts'
import { stageItem, stageKey, STAGE_PREFIX } from './items.ts'
import { refreshItems, type Touched } from './refresh.ts'

export const rulesOf = ({ configuration: { governance, pipelines } }: Hub): Rules => ({
  governance,
  pipelines,
})

export const sourceOf = (record: HubRecord): string => record.provenance['*']?.source ?? 'hub'

type Turn = {
  readonly record: HubRecord
  readonly before: readonly Finding[]
  readonly after: readonly Finding[]
}

/**
 * Keeps what changed records lack, and the items about it, with the change: opened when something comes to be lacking,
 * closed when it is there. No statement where nothing is lacking, a constant number else.
 */
export async function followGovernance(
  following: Following,
  kind: RecordKind,
  changes: readonly Change[],
): Promise<void> {
  if (!isGoverned(kind)) return
  const { hub, q } = following
  const rules = rulesOf(hub)
  const turns = changes.flatMap(({ before, after }): Turn[] => {
    const was = before === null ? [] : findingsOf(kind, before, rules)
    const is = findingsOf(kind, after, rules)
    return was.length === 0 && is.length === 0 ? [] : [{ record: after, before: was, after: is }]
  })
  if (turns.length === 0) return
  await writeFindings(
    q,
    kind,
    turns.map((turn) => turn.record.id),
    turns.flatMap(rowsOf),
  )
  const stages = kind === 'deal' ? await followStages(following, turns) : new Set<string>()
  await refreshItems(hub, q, kind, touchedBy(turns, stages))
}

export const rowsOf = ({ record, after }: Pick<Turn, 'record' | 'after'>): readonly FindingRow[] =>
  after.map((finding) => ({ recordId: record.id, source: sourceOf(record), ...finding }))

/** The groups whose count may be another now. */
function touchedBy(turns: readonly Turn[], stages: ReadonlySet<string>): Touched {
  const lacking: Touched['lacking'][number][] = []
  const unknown: Touched['unknown'][number][] = []
  const sources = new Set(stages)
  for (const { record, before, after } of turns) {
    const source = sourceOf(record)
    const [had, has] = [new Set(before.map(findingKey)), new Set(after.map(findingKey))]
    for (const finding of [...before, ...after]) {
      const key = findingKey(finding)
      if (had.has(key) && has.has(key)) continue
      const opens = has.has(key)
      const { what, field, value } = finding
      if (what === 'lacking') lacking.push({ field, source, opens })
      else if (what === 'unknown') unknown.push({ field, value, opens })
      else sources.add(source)
    }
  }
  return { lacking, unknown, stages: [...sources].map((source) => ({ source, opens: stages.has(source) })) }
}

/** More deals than this, and those of a first sync, are told of together, by where they come from. */
const MOST_DEALS = 50
/** What keeps a won deal from being invoiced is told by the item about its invoice. */
const INVOICED: readonly string[] = ['amount', 'contact', 'lines']

/** Items about single deals. Returns the sources of those that are told of together. */
async function followStages(
  { hub, q, muted }: Following,
  turns: readonly Turn[],
): Promise<ReadonlySet<string>> {
  const at = hub.clock.now()
  const open = await lockItems(
    q,
    turns.map(({ record }) => stageKey(record.id)),
  )
  const items: NewItem[] = []
  const fresh: { readonly item: NewItem; readonly source: string }[] = []
  const closable: string[] = []
  for (const { record, before, after } of turns) {
    const item = itemOf(hub, record, after)
    const key = stageKey(record.id)
    const had = new Set(before.filter(({ what }) => what === 'stage').map(findingKey))
    if (item === null) closable.push(key)
    else if (open.has(key)) items.push(item)
    else if (after.some((one) => one.what === 'stage' && !had.has(findingKey(one))))
      fresh.push({ item, source: sourceOf(record) })
  }
  const standing = fresh.length === 0 ? [] : await keysUnder(q, STAGE_PREFIX, MOST_DEALS + 1)
  const together = muted !== false || fresh.length + standing.length > MOST_DEALS
  await openItems(q, [...items, ...(together ? [] : fresh.map(({ item }) => item))].toSorted(byKey), at)
  await closeItems(q, closable, 'nothing is missing any more', at)
  return new Set(together ? fresh.map(({ source }) => source) : [])
}

const byKey = (a: NewItem, b: NewItem): number => (a.key < b.key ? -1 : 1)

function itemOf(hub: Hub, deal: HubRecord, findings: readonly Finding[]): NewItem | null {
  const place = placeOf(deal.fields, hub.configuration.pipelines)
  const isInvoiced = place?.stage.outcome === 'won' && hub.configuration.invoicing !== null
  const missing = findings
    .filter(({ what, field }) => what === 'stage' && !(isInvoiced && INVOICED.includes(field)))
    .map(({ field }) => field)
  return place === undefined || missing.length === 0 ? null : stageItem(deal, place.stage.name, missing)
}
