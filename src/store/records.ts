import { isEmpty, isObject, type Instant, type Json, type JsonObject } from '../core/json.ts'
import {
  CATALOG,
  type FieldName,
  type FieldSpec,
  type Fields,
  type FieldType,
  type HubRecord,
  type Provenances,
  type RecordId,
  type RecordKind,
} from '../core/model.ts'
import { LINES, lines, lists, numbers, texts } from './columns.ts'
import { idsFrom, type Query } from './database.ts'

export const TABLE: Readonly<Record<RecordKind, string>> = {
  contact: 'contacts',
  company: 'companies',
  deal: 'deals',
  activity: 'activities',
  invoice: 'invoices',
}

/** How a column's values travel: the parameter, the array made of it, and the value made of each element. */
type Travel = {
  readonly column: (values: readonly (Json | undefined)[]) => string
  readonly array: (parameter: string) => string
  readonly value: (element: string) => string
}
const asIs = (element: string) => element
const castTo = (type: string) => (element: string) => `${element}::${type}`
const TEXT: Travel = { column: texts, array: castTo('text[]'), value: asIs }
const BIGINT: Travel = { column: numbers, array: castTo('bigint[]'), value: asIs }
const INTEGER: Travel = { ...BIGINT, array: castTo('int[]') }
const DATE: Travel = { ...TEXT, value: castTo('date') }
const INSTANT: Travel = { ...BIGINT, value: (element) => `to_timestamp(${element} / 1000.0)` }
const LIST: Travel = { ...TEXT, column: lists, value: castTo('text[]') }
const JSONB: Travel = { column: lines, array: LINES, value: castTo('jsonb') }

function travelOf(type: FieldType): Travel {
  if (typeof type === 'object') return BIGINT
  switch (type) {
    case 'text':
    case 'monthday':
    case 'consent':
      return TEXT
    case 'integer':
      return INTEGER
    case 'date':
      return DATE
    case 'instant':
      return INSTANT
    case 'emails':
    case 'phones':
    case 'domains':
    case 'tags':
      return LIST
    case 'address':
    case 'money':
    case 'lines':
      return JSONB
  }
}

type Statements = {
  readonly select: string
  readonly insert: string
  readonly update: string
  /** `$2` and on; `$1` is the time. */
  parameters(records: readonly HubRecord[]): string[]
}

/** The statements of a kind, built once from the catalog: no other place lists the columns. */
function statementsFor(kind: RecordKind): Statements {
  const table = TABLE[kind]
  const catalog: Readonly<Record<FieldName, FieldSpec>> = CATALOG[kind]
  const names = Object.values(catalog).map((spec) => spec.column)
  type Sent = readonly [column: string, travel: Travel, read: (record: HubRecord) => Json | undefined]
  const fields = Object.entries(catalog).map(
    ([field, spec]): Sent => [
      spec.column,
      travelOf(spec.type),
      ({ fields: { [field]: value } }) => (isEmpty(value) ? null : value),
    ],
  )
  const sent: readonly Sent[] = [
    ['id', BIGINT, (record) => record.id],
    ['version', INTEGER, (record) => record.version],
    ['archived', { ...TEXT, value: castTo('boolean') }, (record) => record.archived],
    ['provenance', JSONB, (record) => record.provenance],
    ['custom', JSONB, (record) => customOf(catalog, record)],
    ...fields,
  ]
  const of = new Map(sent.map(([column, travel]) => [column, travel.value(`r.${column}`)]))
  const source = `unnest(${sent.map(([, travel], i) => travel.array(`$${i + 2}`)).join(', ')})
    as r(${sent.map(([column]) => column).join(', ')})`
  return {
    select: `select id, version, archived_at is not null as archived, custom, provenance, ${names.join(', ')} from ${table}`,
    insert: `insert into ${table} (id, version, created_at, updated_at, custom, provenance, ${names.join(', ')})
      select r.id, 1, $1, $1, ${['custom', 'provenance', ...names].map((n) => of.get(n)).join(', ')} from ${source}`,
    update: `update ${table} t set version = r.version, updated_at = $1,
      archived_at = case when ${of.get('archived')} then coalesce(t.archived_at, $1) end,
      ${['custom', 'provenance', ...names].map((n) => `${n} = ${of.get(n)}`).join(', ')}
      from ${source} where t.id = r.id and t.version = r.version - 1 returning t.id`,
    parameters: (records) => sent.map(([, travel, read]) => travel.column(records.map(read))),
  }
}

function customOf(catalog: Readonly<Record<FieldName, FieldSpec>>, { fields }: HubRecord): JsonObject {
  const custom: Record<string, Json> = {}
  for (const field in fields) {
    if (catalog[field] === undefined) custom[field.slice('custom.'.length)] = fields[field] ?? null
  }
  return custom
}

const STATEMENTS: Readonly<Record<RecordKind, Statements>> = {
  contact: statementsFor('contact'),
  company: statementsFor('company'),
  deal: statementsFor('deal'),
  activity: statementsFor('activity'),
  invoice: statementsFor('invoice'),
}
const PREPARED = { prepare: true }

type Row = Readonly<Record<string, Json>>

function toRecord(kind: RecordKind, row: Row): HubRecord {
  const fields: Record<FieldName, Json> = {}
  for (const [name, spec] of Object.entries(CATALOG[kind])) fields[name] = row[spec.column] ?? null
  const custom = row['custom']
  if (isObject(custom)) for (const [name, value] of Object.entries(custom)) fields[`custom.${name}`] = value
  return {
    id: Number(row['id']),
    kind,
    version: Number(row['version']),
    fields,
    // Written by `statementsFor` above and by nothing else.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    provenance: row['provenance'] as Provenances,
    archived: row['archived'] === true,
  }
}

/** The records of one kind by id, in no order; unknown ids are left out. `lock` holds them until the transaction ends. */
export async function loadRecords(
  q: Query,
  kind: RecordKind,
  ids: readonly RecordId[],
  lock: 'lock' | 'read' = 'read',
): Promise<Map<RecordId, HubRecord>> {
  if (ids.length === 0) return new Map()
  const suffix = lock === 'lock' ? ' where id = any($1) order by id for update' : ' where id = any($1)'
  const found = await q.unsafe<Row[]>(STATEMENTS[kind].select + suffix, [[...new Set(ids)]], PREPARED)
  return new Map(found.map((row) => [Number(row['id']), toRecord(kind, row)]))
}

/** A page of records by rising id, for listings and full sweeps. */
export async function listRecords(
  q: Query,
  kind: RecordKind,
  after: RecordId,
  limit: number,
): Promise<readonly HubRecord[]> {
  const found = await q.unsafe<Row[]>(
    `${STATEMENTS[kind].select} where id > $1 and archived_at is null order by id limit $2`,
    [after, limit],
    PREPARED,
  )
  return found.map((row) => toRecord(kind, row))
}

/** `count` fresh record ids. */
export async function newRecordIds(q: Query, count: number): Promise<readonly RecordId[]> {
  if (count === 0) return []
  return idsFrom(q, 'record_ids', count)
}

export async function insertRecords(
  q: Query,
  kind: RecordKind,
  records: readonly HubRecord[],
  at: Instant,
): Promise<void> {
  if (records.length === 0) return
  const statements = STATEMENTS[kind]
  await q.unsafe(statements.insert, [at, ...statements.parameters(records)], PREPARED)
}

/**
 * Writes records whose `version` was raised by one. Returns the ids written; one that is missing was changed by
 * somebody else in between, and the caller starts over.
 */
export async function updateRecords(
  q: Query,
  kind: RecordKind,
  records: readonly HubRecord[],
  at: Instant,
): Promise<ReadonlySet<RecordId>> {
  if (records.length === 0) return new Set()
  const statements = STATEMENTS[kind]
  const parameters = [at, ...statements.parameters(records)]
  const written = await q.unsafe<{ id: number }[]>(statements.update, parameters, PREPARED)
  return new Set(written.map((row) => row.id))
}

/** The kind of a record, or undefined where no record has this id. */
export async function kindOf(q: Query, id: RecordId): Promise<RecordKind | undefined> {
  const [found] = await q<{ kind: RecordKind }[]>`
    select 'contact' as kind from contacts where id = ${id} union all
    select 'company' from companies where id = ${id} union all
    select 'deal' from deals where id = ${id} union all
    select 'invoice' from invoices where id = ${id} union all
    select 'activity' from activities where id = ${id}`
  return found?.kind
}

/** A record's fields that hold something. */
export const stated = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)))

/** Records that are made from now on have higher ids. */
export async function highestRecordId(q: Query): Promise<RecordId> {
  const [row] = await q<
    { last: RecordId }[]
  >`select last_value - (not is_called)::int as last from record_ids`
  return row?.last ?? 0
}

/** Of which kind the record with an id is; ids are unique over all kinds. */
export async function kindOfRecord(q: Query, id: RecordId): Promise<RecordKind | undefined> {
  const [row] = await q<{ kind: RecordKind }[]>`
    select 'contact' as kind from contacts where id = ${id}
    union all select 'company' from companies where id = ${id}
    union all select 'deal' from deals where id = ${id}
    union all select 'activity' from activities where id = ${id}
    union all select 'invoice' from invoices where id = ${id}`
  return row?.kind
}
