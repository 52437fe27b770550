import type { Instant } from '../../core/json.ts'
import type { FieldName, HubRecord, Provenance, RecordKind, Source } from '../../core/model.ts'
import type { HubEdit } from '../../core/plan.ts'
import type { RecordUndo, Spared, SparedFor } from '../../core/undo.ts'
import type { Change } from '../change.ts'

/** One record's undo while it is worked out: what `RecordUndo` says, less what stands in its way. */
export type Draft = {
  readonly record: HubRecord
  readonly created: boolean
  readonly undo: RecordUndo
}

export const spared = (reason: SparedFor, field: FieldName | null, why: string): Spared => ({
  reason,
  field,
  why,
  by: null,
  at: null,
  run: null,
})

/** The draft that leaves the record alone, for one more reason. */
export function leave(draft: Draft, why: Spared): Draft {
  return { ...draft, undo: { fields: {}, archived: null, spared: [...draft.undo.spared, why] } }
}

/** The draft without some of its fields. */
export function leaveFields(draft: Draft, why: readonly Spared[]): Draft {
  const names = new Set(why.map((one) => one.field))
  const fields = Object.fromEntries(Object.entries(draft.undo.fields).filter(([field]) => !names.has(field)))
  return { ...draft, undo: { ...draft.undo, fields, spared: [...draft.undo.spared, ...why] } }
}

export const isIdle = ({ undo }: Draft): boolean =>
  undo.archived === null && Object.keys(undo.fields).length === 0

/** The record as the draft leaves it, one version up. Whose word a value was comes back with it. */
export function outcomeOf({ record, undo }: Draft): HubRecord {
  const provenance: Record<FieldName, Provenance> = { ...record.provenance }
  for (const [field, { says }] of Object.entries(undo.fields)) {
    if (says === null) delete provenance[field]
    else provenance[field] = says
  }
  return {
    ...record,
    version: record.version + 1,
    archived: undo.archived ?? record.archived,
    fields: {
      ...record.fields,
      ...Object.fromEntries(Object.entries(undo.fields).map(([field, { value }]) => [field, value])),
    },
    provenance,
  }
}

export function changeOf(draft: Draft, after: HubRecord, run: number): Change {
  const rule = `undo of run ${run}`
  const why: Record<string, HubEdit> = Object.fromEntries(
    Object.entries(draft.undo.fields).map(([field, { value }]): [FieldName, HubEdit] => [
      field,
      { value, rule },
    ]),
  )
  if (draft.undo.archived !== null) why['archived'] = { value: draft.undo.archived, rule }
  return { before: draft.record, after, why, origin: null, urgent: false }
}

/** What an undo is worked out for. */
export type Undoing = {
  readonly run: { readonly id: number; readonly streamId: number | null; readonly startedAt: Instant }
  /** The run of the undo; null where it is only planned. */
  readonly undoRun: number | null
  readonly by: Source
}

export const KINDS_IN_ORDER: readonly RecordKind[] = ['invoice', 'deal', 'contact', 'company', 'activity']
