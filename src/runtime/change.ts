import { isEmpty, same, type Json } from '../core/json.ts'
import type { HubEdit } from '../core/plan.ts'
import {
  provenanceOf,
  type FieldName,
  type Fields,
  type HubRecord,
  type Provenance,
  type RecordId,
  type RecordKind,
  type Source,
} from '../core/model.ts'
import type { Query } from '../store/database.ts'
import { stated } from '../store/records.ts'
import type { Hub } from './hub.ts'

/** One record's change, from whatever side it came. */
export type Change = {
  /** Null for a new record. */
  readonly before: HubRecord | null
  readonly after: HubRecord
  /** Why, by field. A creation names no fields. */
  readonly why: Readonly<Record<string, HubEdit>>
  /** The link the change came through: its own remote knows already. */
  readonly origin: number | null
  /** The links that edits came through, by field, where several had a part in the change. */
  readonly through?: Readonly<Record<FieldName, number | null>>
  /** An opt-out: it goes first. */
  readonly urgent: boolean
  /** A merged record worked out anew from its members, by a merge or its undoing: nobody edited it. */
  readonly isRecomputed?: true
}

/** Somebody else changed the same records in between: the caller starts its transaction over. */
export class RaceError extends Error {}

/**
 * The record with edits in it, one version up; null where nothing is different. An edit to the value that is there
 * already still changes whose word it is: later conflicts are settled by it.
 */
export function edited(
  record: HubRecord,
  edits: Readonly<Record<string, HubEdit>>,
  source: Source,
  at: number,
  change: { readonly archived?: boolean } = {},
): HubRecord | null {
  const told = Object.entries(edits).filter(
    ([field, edit]) =>
      !same(record.fields[field] ?? null, edit.value) || provenanceOf(record, field)?.source !== source,
  )
  const archived = change.archived ?? record.archived
  if (told.length === 0 && archived === record.archived) return null
  const provenance: Record<string, Provenance> = { ...record.provenance }
  for (const [field, edit] of told) provenance[field] = { source, at, rule: edit.rule }
  return {
    ...record,
    version: record.version + 1,
    fields: { ...record.fields, ...Object.fromEntries(told.map(([field, edit]) => [field, edit.value])) },
    provenance,
    archived,
  }
}

/** The change that `edited` makes, within the hub; null where nothing is different. */
export function editChange(
  record: HubRecord,
  edits: Readonly<Record<string, HubEdit>>,
  source: Source,
  at: number,
  change: { readonly archived?: boolean } = {},
): Change | null {
  const after = edited(record, edits, source, at, change)
  return after === null ? null : { before: record, after, why: edits, origin: null, urgent: false }
}

export const birth = (after: HubRecord): Change => ({
  before: null,
  after,
  why: {},
  origin: null,
  urgent: false,
})

/** Whether a change shows to anybody: whose word a value is does not. */
export function shows({ before, after }: Change): boolean {
  if (before === null || before.archived !== after.archived) return true
  return Object.entries(after.fields).some(([field, value]) => !same(before.fields[field] ?? null, value))
}

export function bornRecord(id: RecordId, kind: RecordKind, fields: Fields, origin: Provenance): HubRecord {
  return { id, kind, version: 1, fields: stated(fields), provenance: { '*': origin }, archived: false }
}

/** Whether an edit empties something that was there. */
export function blanks(
  before: HubRecord,
  edits: Readonly<Record<string, { readonly value: Json }>>,
): boolean {
  return Object.entries(edits).some(([field, edit]) => isEmpty(edit.value) && !isEmpty(before.fields[field]))
}

/**
 * True: the changes are of a stream's first complete pass, and nothing is automated from them unless that was asked for
 * in so many words. `always`: an undo brings them back, and automates nothing at all.
 */
export type Muted = boolean | 'always'

/** Where rules write what follows from changes: in the same transaction, for the same run. */
export type Following = {
  readonly hub: Hub
  readonly q: Query
  readonly run: number | null
  /** Nothing is automated from the changes. See `Muted`. */
  readonly muted: Muted
  /** Writes changes of one kind; see `applyChanges`. */
  readonly apply: (
    kind: RecordKind,
    changes: readonly Change[],
    source: Source,
  ) => Promise<ReadonlySet<string>>
}
