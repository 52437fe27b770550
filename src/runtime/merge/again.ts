import { isEmpty, same } from '../../core/json.ts'
import {
  isDerived,
  fieldType,
  isSet,
  provenanceOf,
  type Fields,
  type HubRecord,
  type Provenance,
  type RecordId,
  type Source,
} from '../../core/model.ts'
import type { HubEdit } from '../../core/plan.ts'
import { survive, type Golden, type MergedField, type MergedKind } from '../../core/survivorship.ts'
import type { Query } from '../../store/database.ts'
import { facetsOf } from '../../store/facets.ts'
import { noteNamings, type Naming } from '../../store/merge-names.ts'
import { loadRecords } from '../../store/records.ts'
import { shows, type Change, type Following } from '../change.ts'
import type { Hub } from '../hub.ts'
import { liveChanges } from './load.ts'
import { namesOf, withLiveNames } from './names.ts'

type Again = { readonly change: Change; readonly names: readonly Naming[] }

/**
 * Works merged records out anew from what their members say, by the hub's rules of today, and writes those that are
 * different then; returns how many of these show. Other records among `ids` are left alone. Constant number of
 * statements.
 */
export async function workOutAgain(
  following: Following,
  kind: MergedKind,
  ids: readonly RecordId[],
  by: Source,
  rule: string,
): Promise<{ readonly changed: number; readonly woken: ReadonlySet<string> }> {
  const { hub, q, apply } = following
  const again = await changesAgain(hub, q, kind, ids, rule, 'lock')
  if (again.length === 0) return { changed: 0, woken: new Set() }
  const changes = await liveChanges(
    q,
    kind,
    again.map((one) => one.change),
  )
  await noteNamings(
    q,
    kind,
    again.flatMap((one) => one.names),
  )
  const woken = await apply(kind, changes, by)
  return { changed: changes.filter(shows).length, woken }
}

/** The changes that `workOutAgain` would write. */
export async function changesAgain(
  hub: Hub,
  q: Query,
  kind: MergedKind,
  ids: readonly RecordId[],
  rule: string,
  lock: 'lock' | 'read',
): Promise<readonly Again[]> {
  const records = await loadRecords(q, kind, ids, lock)
  const said = await facetsOf(q, [...records.keys()])
  const live = Map.groupBy(await withLiveNames(q, kind, said), (facet) => facet.root)
  return [...live].flatMap(([root, members]): Again[] => {
    const record = records.get(root)
    if (record === undefined || !members.some((facet) => facet.id === root)) return []
    const golden = survive(kind, members, root, hub.configuration.survivorship, record.fields)
    const change = changeTo(kind, record, golden, rule)
    return change === null ? [] : [{ change, names: namesOf(kind, root, said, golden.merged) }]
  })
}

/** Sets are united whatever the rules, and their order may be somebody's: they stay as they are. */
function changeTo(kind: MergedKind, before: HubRecord, golden: Golden, rule: string): Change | null {
  const fields: Record<string, Fields[string]> = {}
  const provenance: Record<string, Provenance> = {}
  const why: Record<string, HubEdit> = {}
  for (const merged of golden.merged) {
    const { field, value } = merged
    if (isSet(fieldType(kind, field)) || isDerived(kind, field)) continue
    const was = before.fields[field] ?? null
    const says = golden.provenance[field]
    const isSaid = says !== undefined && !isEmpty(value) && !same(says, provenanceOf(before, field) ?? null)
    if (same(was, value) && !isSaid) continue
    fields[field] = value
    if (says !== undefined) provenance[field] = says
    why[field] = editOf(before, merged, rule)
  }
  if (Object.keys(fields).length === 0) return null
  const after: HubRecord = {
    ...before,
    version: before.version + 1,
    fields: { ...before.fields, ...fields },
    provenance: { ...before.provenance, ...provenance },
  }
  return { before, after, why, origin: null, urgent: false, isRecomputed: true }
}

function editOf(before: HubRecord, { field, value, rule: chosen }: MergedField, rule: string): HubEdit {
  const was = before.fields[field] ?? null
  const source = provenanceOf(before, field)?.source ?? 'hub'
  return { value, rule: `${rule}: ${chosen}`, ...(isEmpty(was) ? {} : { lost: { source, value: was } }) }
}
