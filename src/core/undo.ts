import { isObject, same, textsIn, type Instant, type Json, type JsonObject } from './json.ts'
import {
  fieldType,
  isDerived,
  isSet,
  type FieldName,
  type HubRecord,
  type Provenance,
  type RecordKind,
  type Source,
} from './model.ts'

/** One row of a record's history. */
export type PastChange = {
  readonly op: 'create' | 'update' | 'archive' | 'restore' | 'keep'
  readonly version: number
  readonly at: Instant
  readonly source: Source
  readonly run: number | null
  /** The run that this row's run takes back. */
  readonly undoes: number | null
  /** By field {before, after, was?: whose word `before` was}; of a creation the values themselves. */
  readonly changes: JsonObject
}

/** Why something is not taken back. */
export type SparedFor =
  /** Somebody changed it since. */
  | 'changed'
  /** Another source says the same by now. */
  | 'confirmed'
  /** Another record holds the key. */
  | 'key'
  /** It lives on in another record. */
  | 'merged'
  /** Another system has it too, or another record refers to it. */
  | 'needed'
  /** A system that owns the field would say it again. */
  | 'owned'
  | 'message'
  | 'invoice'
  | 'consent'
  | 'erased'

/** What is not taken back, and who stands in its way. */
export type Spared = {
  readonly reason: SparedFor
  /** Null: the whole record. */
  readonly field: FieldName | null
  /** In words, for the list a person reads. */
  readonly why: string
  readonly by: Source | null
  readonly at: Instant | null
  readonly run: number | null
}

/** A field's value as it was, and whose word it was; null: that of the source the record was born from. */
export type Reverted = { readonly value: Json; readonly says: Provenance | null; readonly left: Json }

/** What takes a run's changes to one record back. */
export type RecordUndo = {
  readonly fields: Readonly<Record<FieldName, Reverted>>
  /** Null: stays as it is. */
  readonly archived: boolean | null
  readonly spared: readonly Spared[]
}

type Touch = {
  readonly row: PastChange
  readonly own: boolean
  readonly before: Json
  readonly after: Json
  readonly change: JsonObject
}

/**
 * What takes back a run's changes to one record, field by field. `rows`: its history from the run's first change of it
 * on. What somebody changed since stays, also where they changed it away and back: they have decided it. A change
 * and the undo that took it back count as none. Sets go back member by member, so later members stay.
 */
export function undoRecord(record: HubRecord, rows: readonly PastChange[], run: number): RecordUndo {
  const ordered = rows.filter((row) => row.op !== 'keep').toSorted((a, b) => a.version - b.version)
  const first = ordered.findIndex((row) => row.run === run)
  const since = first === -1 ? [] : ordered.slice(first)
  if (since[0]?.op === 'create' && since[0].run === run) return undoCreation(record, since, run)
  const life = undoLife(record, since, run)
  const fields: Record<FieldName, Reverted> = {}
  const spared: Spared[] = [...life.spared]
  for (const field of touchedFields(record.kind, since, run)) {
    const touches = standing(touchesOf(since, field, run))
    const type = fieldType(record.kind, field)
    const undone = isSet(type) ? undoSet(record, field, touches) : undoValue(record, field, touches)
    spared.push(...undone.spared)
    if (undone.reverted !== null) fields[field] = undone.reverted
  }
  return { fields, archived: life.archived, spared }
}

/** A row that archives or restores names that among its changes. */
const isField = (kind: RecordKind, field: string): boolean => field !== 'archived' && !isDerived(kind, field)

function touchedFields(kind: RecordKind, rows: readonly PastChange[], run: number): readonly FieldName[] {
  const own = rows.filter((row) => row.run === run && row.op !== 'create')
  return [...new Set(own.flatMap((row) => Object.keys(row.changes)))].filter((field) => isField(kind, field))
}

function touchesOf(rows: readonly PastChange[], field: FieldName, run: number): readonly Touch[] {
  return rows.flatMap((row): Touch[] => {
    const change = row.changes[field]
    if (row.op === 'create' || !isObject(change)) return []
    const [before, after] = [change['before'] ?? null, change['after'] ?? null]
    return same(before, after) ? [] : [{ row, own: row.run === run, before, after, change }]
  })
}

/** Leaves out changes that were taken back since, with the undo that did. */
function standing(touches: readonly Touch[]): readonly Touch[] {
  const stack: Touch[] = []
  for (const touch of touches) {
    const opening = takenBack(stack, touch)
    if (opening === -1) stack.push(touch)
    else stack.splice(opening)
  }
  return stack
}

/** Where the changes of one run begin, at the end of what stands, that a change takes back; -1: it takes none back. */
function takenBack(stack: readonly Touch[], { row, after }: Touch): number {
  if (row.undoes === null) return -1
  const from = stack.findLastIndex((touch) => touch.row.run !== row.undoes) + 1
  return stack.findIndex((touch, i) => i >= from && same(touch.before, after))
}

type Undone = { readonly reverted: Reverted | null; readonly spared: readonly Spared[] }
const NOTHING: Undone = { reverted: null, spared: [] }

function undoValue(record: HubRecord, field: FieldName, touches: readonly Touch[]): Undone {
  const last = touches.at(-1)
  if (last === undefined || touches.every((t) => !t.own)) return NOTHING
  if (!last.own) return { reverted: null, spared: [changedSince(field, last.row)] }
  const streakFrom = touches.findLastIndex((t) => !t.own) + 1
  const opening = touches[streakFrom] ?? last
  const now = record.fields[field] ?? null
  // Only a bug changes a record beside its history; whatever it was, it is not this run's.
  if (!same(now, last.after)) return spare(field, `holds another value than the run left`)
  const confirmed = confirmedBy(record, field, last)
  if (confirmed !== null) return { reverted: null, spared: [confirmed] }
  return same(opening.before, now)
    ? NOTHING
    : { reverted: { value: opening.before, says: saidBefore(opening), left: now }, spared: [] }
}

const spare = (field: FieldName | null, why: string): Undone => ({
  reverted: null,
  spared: [{ reason: 'changed', field, why, by: null, at: null, run: null }],
})

/** Another source has said the same since: the value is its word now, not the run's. */
function confirmedBy(record: HubRecord, field: FieldName, { row, change }: Touch): Spared | null {
  const says = record.provenance[field]
  const left = typeof change['says'] === 'string' ? change['says'] : row.source
  if (says === undefined || says.source === left) return null
  return {
    reason: 'confirmed',
    field,
    why: 'another source says the same by now',
    by: says.source,
    at: says.at,
    run: null,
  }
}

const changedSince = (field: FieldName | null, row: PastChange): Spared => ({
  reason: 'changed',
  field,
  why: 'changed since',
  by: row.source,
  at: row.at,
  run: row.run,
})

function saidBefore({ change }: Touch): Provenance | null {
  const was = change['was']
  if (!isObject(was)) return null
  const { source, at, rule } = was
  return typeof source === 'string' && typeof at === 'number' && typeof rule === 'string'
    ? { source, at, rule }
    : null
}

const without = (items: readonly string[], gone: readonly string[]): readonly string[] =>
  items.filter((item) => !gone.includes(item))

function undoSet(record: HubRecord, field: FieldName, touches: readonly Touch[]): Undone {
  const [opening] = touches
  const last = touches.at(-1)
  const now = record.fields[field] ?? null
  if (opening === undefined || last === undefined) return NOTHING
  if (touches.every((t) => t.own) && same(now, last.after)) {
    return same(opening.before, now)
      ? NOTHING
      : { reverted: { value: opening.before, says: saidBefore(opening), left: now }, spared: [] }
  }
  const spared: Spared[] = []
  let value = textsIn(now)
  for (const [i, touch] of touches.entries().toArray().toReversed()) {
    if (!touch.own) continue
    const [before, after] = [textsIn(touch.before), textsIn(touch.after)]
    const later = touches.slice(i + 1).filter((t) => !t.own)
    const isFree = (member: string) => {
      const other = later.find(
        (t) => textsIn(t.before).includes(member) !== textsIn(t.after).includes(member),
      )
      if (other === undefined) return true
      spared.push({ ...changedSince(field, other.row), why: `${member} was changed since` })
      return false
    }
    const added = without(after, before).filter((member) => isFree(member))
    const removed = without(without(before, after), value).filter((member) => isFree(member))
    value = [...without(value, added), ...removed]
  }
  const united = value.length === 0 ? null : value
  if (same(united, now)) return { reverted: null, spared }
  return { reverted: { value: united, says: record.provenance[field] ?? null, left: now }, spared }
}

/** Archiving and restoring go back like a field that says whether the record is there. */
const livesOf = (rows: readonly PastChange[], run: number): readonly Touch[] =>
  standing(
    rows.flatMap((row): Touch[] => {
      if (row.op !== 'archive' && row.op !== 'restore') return []
      const isGone = row.op === 'archive'
      return [{ row, own: row.run === run, before: !isGone, after: isGone, change: {} }]
    }),
  )

function undoLife(
  record: HubRecord,
  rows: readonly PastChange[],
  run: number,
): { readonly archived: boolean | null; readonly spared: readonly Spared[] } {
  const touches = livesOf(rows, run)
  const last = touches.at(-1)
  if (last === undefined || touches.every((t) => !t.own)) return { archived: null, spared: [] }
  const word = last.row.op === 'archive' ? 'archived' : 'restored'
  if (!last.own)
    return { archived: null, spared: [{ ...changedSince(null, last.row), why: `${word} since` }] }
  const before = touches[touches.findLastIndex((t) => !t.own) + 1]?.before === true
  return { archived: before === record.archived ? null : before, spared: [] }
}

/** What a run created is archived, unless somebody has worked on it since. */
function undoCreation(record: HubRecord, rows: readonly PastChange[], run: number): RecordUndo {
  const nothing: RecordUndo = { fields: {}, archived: null, spared: [] }
  if (record.archived) return nothing
  const fields = new Set(rows.slice(1).flatMap((row) => Object.keys(row.changes)))
  const touches = [...fields]
    .filter((field) => isField(record.kind, field))
    .flatMap((field) => standing(touchesOf(rows, field, run)))
  const [other] = [...touches, ...livesOf(rows, run)]
    .filter((touch) => !touch.own)
    .toSorted((a, b) => b.row.version - a.row.version)
  return other === undefined
    ? { ...nothing, archived: true }
    : { ...nothing, spared: [changedSince(null, other.row)] }
}
