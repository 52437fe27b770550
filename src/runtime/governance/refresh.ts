import type { FieldName, RecordKind } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { countSources, countStageGaps, countValues, keysUnder, lockItems } from '../../store/findings.ts'
import { closeItems, openItems, type NewItem } from '../../store/inbox.ts'
import type { Hub } from '../hub.ts'
import {
  lackingItem,
  lackingKey,
  STAGE_PREFIX,
  stagesItem,
  stagesKey,
  unknownItem,
  unknownKey,
  unknownsItem,
  unknownsKey,
} from './items.ts'

/** Groups of findings whose count may be another now. `opens`: one came to be, so that an item may open. */
export type Touched = {
  readonly lacking: readonly { readonly field: FieldName; readonly source: string; readonly opens: boolean }[]
  readonly unknown: readonly { readonly field: FieldName; readonly value: string; readonly opens: boolean }[]
  readonly stages: readonly { readonly source: string; readonly opens: boolean }[]
}

/** A field has at most so many items about single values; one more item stands for all others. */
const MOST_VALUES = 50
const GONE = 'nothing is missing any more'

/** Opens, counts anew or closes the items about groups of records. A constant number of statements. */
export async function refreshItems(hub: Hub, q: Query, kind: RecordKind, touched: Touched): Promise<void> {
  const lacking = merged(touched.lacking, ({ field, source }) => lackingKey(kind, field, source))
  const unknown = merged(touched.unknown, ({ field, value }) => unknownKey(kind, field, value))
  const stages = merged(touched.stages, ({ source }) => stagesKey(source))
  const all = new Map([...lacking, ...unknown, ...stages].map(([key, group]) => [key, group.opens]))
  if (all.size === 0) return
  const fields = [...new Set([...unknown.values()].map((group) => group.field))]
  const summaries = fields.map((field) => unknownsKey(kind, field))
  // Locked before they are counted: who takes away the last one has then seen what the others took.
  const open = await lockItems(q, [...all.keys(), ...summaries].toSorted())
  const items: NewItem[] = []
  const closable: string[] = []
  const settle = (item: NewItem, count: number) => {
    if (count === 0) closable.push(item.key)
    else if (open.has(item.key) || all.get(item.key) === true) items.push(item)
  }
  const sourceGroups = [...lacking.values()].map((group) => ({ what: 'lacking', ...group }))
  for (const { field, source, count } of await countSources(q, kind, sourceGroups))
    settle(lackingItem(hub, kind, field, source, count), count)
  const sources = [...stages.values()].map((group) => group.source)
  for (const { source, count } of await countStageGaps(q, sources, STAGE_PREFIX))
    settle(stagesItem(hub, source, count), count)
  const valueGroups = [...unknown.values()].map((group) => ({ what: 'unknown', ...group }))
  for (const { field, value, said, count } of await countValues(q, kind, valueGroups))
    settle(unknownItem(kind, field, value, said, count), count)
  const at = hub.clock.now()
  await openItems(q, (await bounded(q, kind, fields, items, open)).toSorted(byKey), at)
  await closeItems(q, closable, GONE, at)
}

/** Of one group met several times, one that opens counts. */
function merged<T extends { readonly opens: boolean }>(
  groups: readonly T[],
  keyOf: (group: T) => string,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>()
  for (const group of groups) {
    const key = keyOf(group)
    if (group.opens || !found.has(key)) found.set(key, group)
  }
  return found
}

/** New items about values, as long as their field does not have too many. */
async function bounded(
  q: Query,
  kind: RecordKind,
  fields: readonly FieldName[],
  items: readonly NewItem[],
  open: ReadonlySet<string>,
): Promise<readonly NewItem[]> {
  const kept = [...items]
  for (const field of fields) {
    const prefix = unknownKey(kind, field, '')
    const fresh = kept.filter((item) => item.key.startsWith(prefix) && !open.has(item.key))
    if (fresh.length === 0) continue
    const room = MOST_VALUES - (await keysUnder(q, prefix, MOST_VALUES)).length
    const excess = new Set(fresh.slice(Math.max(0, room)))
    if (excess.size === 0) continue
    kept.splice(0, kept.length, ...kept.filter((item) => !excess.has(item)), unknownsItem(kind, field))
  }
  return kept
}

const byKey = (a: NewItem, b: NewItem): number => (a.key < b.key ? -1 : 1)
