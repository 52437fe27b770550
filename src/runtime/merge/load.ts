import {
  CATALOG,
  fieldType,
  type FieldName,
  type Fields,
  type HubRecord,
  type RecordKind,
  type Provenances,
} from '../../core/model.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import { same } from '../../core/json.ts'
import type { Query } from '../../store/database.ts'
import { holdNamed, survivorsOf } from '../../store/merges.ts'
import type { RootedFacet } from '../../store/facets.ts'
import type { Change } from '../change.ts'

const isOwn = (kind: MergedKind, field: FieldName): boolean => CATALOG[kind][field]?.derived !== true

/** What a record says that nothing was merged into yet. */
export function ownFacet(kind: MergedKind, record: HubRecord): RootedFacet {
  const fields = Object.entries(record.fields).filter(([field]) => isOwn(kind, field))
  return {
    id: record.id,
    root: record.id,
    fields: Object.fromEntries(fields),
    provenance: record.provenance,
    overruled: {},
  }
}

/** A record with these values in place of its own, one version up; derived fields stay as they are. */
export function withValues(
  kind: MergedKind,
  record: HubRecord,
  values: { readonly fields: Fields; readonly provenance: Provenances },
  archived: boolean,
): HubRecord {
  const cleared = Object.keys(record.fields).filter(
    (field) => isOwn(kind, field) && values.fields[field] === undefined,
  )
  return {
    ...record,
    version: record.version + 1,
    fields: {
      ...record.fields,
      ...Object.fromEntries(cleared.map((field) => [field, null])),
      ...values.fields,
    },
    provenance: provenanceWith(kind, record, values.provenance),
    archived,
  }
}

/** The values' own words, and the record's about what is derived. What `*` says already is left out. */
function provenanceWith(kind: MergedKind, record: HubRecord, values: Provenances): Provenances {
  const derived = Object.entries(record.provenance).filter(([field]) => field !== '*' && !isOwn(kind, field))
  const told = Object.entries(values).filter(
    ([field, says]) => field === '*' || (isOwn(kind, field) && !same(says, values['*'])),
  )
  return Object.fromEntries([...derived, ...told])
}

/** Values may name a record that was merged since: that one's survivor is meant. */
export async function withLiveReferences(q: Query, kind: RecordKind, fields: Fields): Promise<Fields> {
  const named = Object.entries(fields).flatMap(([field, value]) =>
    typeof value === 'number' && typeof fieldType(kind, field) === 'object' ? [[field, value] as const] : [],
  )
  const where = await survivorsOf(
    q,
    named.map(([, id]) => id),
  )
  if (where.size === 0) return fields
  return { ...fields, ...Object.fromEntries(named.map(([field, id]) => [field, where.get(id) ?? id])) }
}

/** A chain of merges is no longer than this while one waits. */
const HOPS = 10

/**
 * As `withLiveReferences`, and none of the contacts and companies named is merged before the transaction ends: a merge
 * that is under way is waited for, as it has looked for references already, and would miss this one.
 */
export async function heldReferences(tx: Query, kind: RecordKind, fields: Fields): Promise<Fields> {
  let held = fields
  for (let hop = 0; hop < HOPS; hop++) {
    const ids = Object.entries(held).flatMap(([field, value]) =>
      typeof value === 'number' && typeof fieldType(kind, field) === 'object' ? [value] : [],
    )
    if ((await holdNamed(tx, ids)).length === 0) return held
    const live = await withLiveReferences(tx, kind, held)
    if (live === held) return held
    held = live
  }
  return held
}

/** Changes that give references back, each to the record that is left by now; those are held. */
export async function liveChanges(
  q: Query,
  kind: RecordKind,
  changes: readonly Change[],
): Promise<readonly Change[]> {
  const named = (fields: Fields) =>
    Object.entries(fields).flatMap(([field, value]) =>
      typeof value === 'number' && typeof fieldType(kind, field) === 'object' ? [value] : [],
    )
  const archived = await holdNamed(
    q,
    changes.flatMap((change) => named(change.after.fields)),
  )
  const where = await survivorsOf(q, archived)
  if (where.size === 0) return changes
  return changes.map((change) => {
    const { fields } = change.after
    const moved = Object.entries(fields).flatMap(([field, value]) => {
      const into =
        typeof value === 'number' && typeof fieldType(kind, field) === 'object' ? where.get(value) : undefined
      return into === undefined ? [] : [[field, into] as const]
    })
    return moved.length === 0
      ? change
      : { ...change, after: { ...change.after, fields: { ...fields, ...Object.fromEntries(moved) } } }
  })
}
