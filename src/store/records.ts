import { isEmpty, type Instant, type Json } from '../core/json.ts'
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
import { rows, type Query } from './database.ts'

export const TABLE: Readonly<Record<RecordKind, string>> = {
  contact: 'contacts',
  company: 'companies',
  deal: 'deals',
  activity: 'activities',
  invoice: 'invoices',
}

function columnType(type: FieldType): string {
  if (typeof type === 'object') return 'bigint'
  switch (type) {
    case 'text':
    case 'monthday':
    case 'consent':
      return 'text'
    case 'integer':
      return 'integer'
    case 'date':
      return 'date'
    case 'instant':
      return 'timestamptz'
    case 'emails':
    case 'phones':
    case 'domains':
    case 'tags':
      return 'text[]'
    case 'address':
    case 'money':
    case 'lines':
      return 'jsonb'
  }
}

type Statements = { readonly select: string; readonly insert: string; readonly update: string }

/** The statements of a kind, built once from the catalog: no other place lists the columns. */
function statementsFor(kind: RecordKind): Statements {
  const table = TABLE[kind]
  const specs = Object.values(CATALOG[kind])
  const names = specs.map((spec) => spec.column).join(', ')
  const typed = [
    'id bigint',
    'version integer',
    'custom jsonb',
    'provenance jsonb',
    'archived boolean',
    ...specs.map((spec) => `${spec.column} ${columnType(spec.type)}`),
  ].join(', ')
  const source = `jsonb_to_recordset($1::text::jsonb) as r(${typed})`
  return {
    select: `select id, version, archived_at is not null as archived, custom, provenance, ${names} from ${table}`,
    insert: `insert into ${table} (id, version, created_at, updated_at, custom, provenance, ${names})
      select r.id, 1, $2, $2, r.custom, r.provenance, ${specs.map((s) => `r.${s.column}`).join(', ')} from ${source}`,
    update: `update ${table} t set version = r.version, updated_at = $2, custom = r.custom, provenance = r.provenance,
      archived_at = case when r.archived then coalesce(t.archived_at, $2) end,
      ${specs.map((s) => `${s.column} = r.${s.column}`).join(', ')}
      from ${source} where t.id = r.id and t.version = r.version - 1 returning t.id`,
  }
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
  for (const [name, value] of Object.entries(row['custom'] ?? {})) fields[`custom.${name}`] = value
  return {
    id: Number(row['id']),
    kind,
    version: Number(row['version']),
    fields,
    // Written by `toRow` below and by nothing else.
    provenance: row['provenance'] as Provenances,
    archived: row['archived'] === true,
  }
}

function toRow(record: HubRecord): Record<string, Json> {
  const row: Record<string, Json> = {
    id: record.id,
    version: record.version,
    archived: record.archived,
    provenance: record.provenance,
  }
  const catalog: Readonly<Record<FieldName, FieldSpec>> = CATALOG[record.kind]
  const custom: Record<string, Json> = {}
  for (const [field, value] of Object.entries(record.fields)) {
    const spec = catalog[field]
    if (spec === undefined) custom[field.slice('custom.'.length)] = value
    else if (!isEmpty(value)) row[spec.column] = value
  }
  row['custom'] = custom
  return row
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
  const ids = await q<
    { id: number }[]
  >`select nextval('record_ids') as id from generate_series(1, ${count}::int)`
  return ids.map((row) => row.id)
}

export async function insertRecords(
  q: Query,
  kind: RecordKind,
  records: readonly HubRecord[],
  at: Instant,
): Promise<void> {
  if (records.length === 0) return
  await q.unsafe(STATEMENTS[kind].insert, [rows(records.map(toRow)), at], PREPARED)
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
  const written = await q.unsafe<{ id: number }[]>(
    STATEMENTS[kind].update,
    [rows(records.map(toRow)), at],
    PREPARED,
  )
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
