import {
  isDerived,
  type Fields,
  type HubRecord,
  type RecordId,
  type RecordKind,
  type Provenances,
} from '../../core/model.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import { same } from '../../core/json.ts'
import type { Query } from '../../store/database.ts'
import { holdNamed, survivorsOf } from '../../store/merges.ts'
import type { RootedFacet } from '../../store/facets.ts'
import type { Change } from '../change.ts'
import { namesIn, renamed } from './names.ts'

/** What a record says that nothing was merged into yet. */
export function ownFacet(kind: MergedKind, record: HubRecord): RootedFacet {
  const fields = Object.entries(record.fields).filter(([field]) => !isDerived(kind, field))
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
    (field) => !isDerived(kind, field) && values.fields[field] === undefined,
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
  const derived = Object.entries(record.provenance).filter(
    ([field]) => field !== '*' && isDerived(kind, field),
  )
  const told = Object.entries(values).filter(
    ([field, says]) => field === '*' || (!isDerived(kind, field) && !same(says, values['*'])),
  )
  return Object.fromEntries([...derived, ...told])
}

/** Values may name a record that was merged since: that one's survivor is meant. */
export async function withLiveReferences(q: Query, kind: RecordKind, fields: Fields): Promise<Fields> {
  return renamed(kind, fields, await survivorsOf(q, idsIn(kind, fields)))
}

/**
 * As `withLiveReferences`, and none of the contacts and companies named is merged before the transaction ends: a merge
 * that is under way is waited for, as it has looked for references already, and would miss this one.
 */
export async function heldReferences(tx: Query, kind: RecordKind, fields: Fields): Promise<Fields> {
  return renamed(kind, fields, await holdLive(tx, idsIn(kind, fields)))
}

/** Changes that give references back, each to the record that is left by now; those are held. */
export async function liveChanges(
  tx: Query,
  kind: RecordKind,
  changes: readonly Change[],
): Promise<readonly Change[]> {
  const named = changes.flatMap(({ after }) => idsIn(kind, after.fields))
  const where = await holdLive(tx, named)
  return changes.map((change) => {
    const { after } = change
    const fields = renamed(kind, after.fields, where)
    return fields === after.fields ? change : { ...change, after: { ...after, fields } }
  })
}

const idsIn = (kind: RecordKind, fields: Fields): readonly RecordId[] =>
  namesIn(kind, fields).map(([, id]) => id)

/** A chain of merges is no longer than this while one waits. */
const HOPS = 10

/** Holds records, and in place of merged ones those that are left, which it returns by the ids given. */
async function holdLive(tx: Query, ids: readonly RecordId[]): Promise<ReadonlyMap<RecordId, RecordId>> {
  const where = new Map<RecordId, RecordId>()
  let loose = ids
  for (let hop = 0; hop < HOPS; hop++) {
    const into = await survivorsOf(tx, await holdNamed(tx, loose))
    if (into.size === 0) break
    for (const id of ids) {
      const left = into.get(where.get(id) ?? id)
      if (left !== undefined) where.set(id, left)
    }
    loose = [...into.values()]
  }
  return where
}
