import { CATALOG, isSet, type FieldName, type RecordId, type RecordKind } from '../core/model.ts'
import type { Query } from './database.ts'
import { TABLE } from './records.ts'

/** A field as SQL reads it: its column, or a custom field, whose name `fieldType` has checked. */
export function columnOf(kind: RecordKind, field: FieldName): string {
  const spec = CATALOG[kind][field]
  if (spec !== undefined) return spec.column
  const name = /^custom\.([A-Za-z][A-Za-z0-9_]{0,62})$/.exec(field)?.[1]
  if (name === undefined) throw new Error(`${kind} has no field ${field}`)
  return `custom->>'${name}'`
}

const isList = (kind: RecordKind, field: FieldName): boolean => isSet(CATALOG[kind][field]?.type)

/** Fields hold no empty text and no empty lists; custom fields may hold a null. */
export const isFilled = (kind: RecordKind, field: FieldName): string =>
  `(${columnOf(kind, field)}) is not null`

/** The different values of a field of text or tags, the most frequent ones first; records in the archive do not count. */
export async function distinctValues(
  q: Query,
  kind: RecordKind,
  field: FieldName,
  limit: number,
): Promise<readonly string[]> {
  const column = columnOf(kind, field)
  const value = isList(kind, field) ? `unnest(${column})` : column
  const found = await q.unsafe<{ value: string }[]>(
    `select value from (select ${value} as value from ${TABLE[kind]} where archived_at is null) v
     where value is not null group by value order by count(*) desc, value limit $1`,
    [limit],
  )
  return found.map((row) => row.value)
}

/** What a look for records asks: fields that are empty, or that hold one of some values. */
export type Sought = {
  readonly empty: readonly FieldName[]
  readonly holding: readonly { readonly field: FieldName; readonly values: readonly string[] }[]
  /** All of them. */
  readonly all?: boolean
}

/** Records to look at, by rising id. */
export async function recordsWith(
  q: Query,
  kind: RecordKind,
  sought: Sought,
  after: RecordId,
  limit: number,
): Promise<readonly RecordId[]> {
  const conditions = [
    ...(sought.all === true ? ['true'] : []),
    ...sought.empty.map((field) => `not ${isFilled(kind, field)}`),
    ...sought.holding.map(({ field }, i) =>
      isList(kind, field)
        ? `${columnOf(kind, field)} && $${i + 3}::text[]`
        : `${columnOf(kind, field)} = any($${i + 3}::text[])`,
    ),
  ]
  if (conditions.length === 0) return []
  const found = await q.unsafe<{ id: RecordId }[]>(
    `select id from ${TABLE[kind]} where archived_at is null and id > $1 and (${conditions.join(' or ')})
     order by id limit $2`,
    [after, limit, ...sought.holding.map(({ values }) => [...values])],
  )
  return found.map((row) => row.id)
}
