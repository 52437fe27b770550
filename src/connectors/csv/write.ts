import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { stringify } from 'csv-stringify/sync'
import type { JsonObject } from '../../core/json.ts'
import {
  type Observation,
  type Outcome,
  outcomeOf,
  type RemoteId,
  VendorError,
  type Write,
} from '../connector.ts'
import { CELL_MAX, cellOf } from './cell.ts'
import { atPath, resolveFolder, withFile } from './files.ts'
import { isOwnId, OWN, ownFile, scanExport } from './lookup.ts'
import { blocksOf, type OpenTable, openTable } from './open.ts'
import type { Settings } from './settings.ts'
import { slice } from './source.ts'
import { idOf, present, readTable, type ResourceName, type Table } from './table.ts'

const LINE_BREAK = Buffer.from('\r\n')

/** The id of the row that a record has in the hub's own file. The same record always has the same. */
export function ownId(recordId: number): RemoteId {
  return `hub-${recordId}`
}

type Present = Extract<Observation, { kind: 'present' }>
/** Rows as the current export has them. */
type Exported = ReadonlyMap<RemoteId, Present>
type Pending = { readonly at: number; readonly write: Write }
/** The writes of one batch: those to come by the row they concern, and the outcomes so far by their place. */
type Batch = { readonly pending: Map<RemoteId, Pending[]>; readonly outcomes: Outcome[] }

/**
 * Merges a batch into `out/<resource>.csv`: UTF-8, commas, CRLF, `id` first. The file is copied row by row to a
 * temporary one beside it, which then takes its place, so at any moment, also after a crash, there is one whole file.
 * An update of a row that only the export holds puts the whole row, as changed, into the hub's file.
 *
 * The file is what the source should import. The outcome is what the source says, which a write does not change: the
 * exported row as it was. Only a row that stands nowhere but in the hub's file is answered as it is there.
 */
export async function send(
  settings: Settings,
  out: string,
  resource: ResourceName,
  writes: readonly Write[],
  now: number,
): Promise<readonly Outcome[]> {
  let committed: 'no' | 'unknown' = 'no'
  try {
    await resolveFolder(settings)
    const exported = await exportedRows(settings, resource, writes, now)
    const file = path.join(out, `${resource}.csv`)
    const temporary = path.join(out, `.${resource}.csv.tmp`)
    const outcomes = await atPath(out, async () => {
      await mkdir(out, { recursive: true })
      const merged = await merge(out, resource, temporary, writes, exported)
      committed = 'unknown'
      await rename(temporary, file)
      await syncFolder(out)
      return merged
    })
    return outcomes
  } catch (error) {
    const { failure } = error instanceof VendorError ? error : { failure: null }
    const outcome =
      failure?.kind === 'unavailable'
        ? outcomeOf(new VendorError({ ...failure, committed }, { cause: error }))
        : outcomeOf(error)
    return writes.map(() => outcome)
  }
}

/** A rename is durable only once its folder is: https://man7.org/linux/man-pages/man2/fsync.2.html */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The exported rows that the writes do not bring themselves. One of the hub's own stands there once it is adopted. */
async function exportedRows(
  settings: Settings,
  resource: ResourceName,
  writes: readonly Write[],
  now: number,
): Promise<Exported> {
  const ids = writes.flatMap((write) =>
    write.op === 'create' || (write.op === 'update' && !isOwnId(write.id)) ? [] : [write.id],
  )
  const found = ids.length === 0 ? null : await scanExport(settings, resource, new Set(ids), now)
  const rows = [...(found?.rows.values() ?? [])]
  return new Map(rows.flatMap((row) => (row.kind === 'present' ? [[row.id, row]] : [])))
}

async function merge(
  out: string,
  resource: ResourceName,
  temporary: string,
  writes: readonly Write[],
  exported: Exported,
): Promise<readonly Outcome[]> {
  const batch: Batch = { pending: new Map(), outcomes: [] }
  for (const [at, write] of writes.entries()) {
    const tooLong = refusalOf(write)
    if (tooLong !== null) {
      batch.outcomes[at] = tooLong
      continue
    }
    const id = write.op === 'create' ? ownId(write.recordId) : write.id
    const before = batch.pending.get(id)
    if (before === undefined) batch.pending.set(id, [{ at, write }])
    else before.push({ at, write })
  }
  const own = await ownFile(out, resource)
  const target = await open(temporary, 'w')
  try {
    const copied =
      own === null
        ? null
        : await withFile(out, own.file, async (handle) => {
            const opened = await openTable(handle, own, resource, OWN)
            const table = widen(resource, opened.table.columns, writes, exported)
            await copy(opened, table, batch, exported, target)
            return table
          })
    const table = copied ?? (await startFile(resource, writes, exported, target))
    await append(table, batch, exported, target)
    await target.sync()
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    await target.close()
  }
  return batch.outcomes
}

/** Such a cell would make its row, and with it the hub's whole file, unreadable. */
function refusalOf(write: Write): Outcome | null {
  if (write.op === 'archive') return null
  for (const [column, value] of Object.entries(write.op === 'create' ? write.body : write.patch)) {
    const { length } = cellOf(value)
    if (length <= CELL_MAX) continue
    const message = `${column} has ${length.toLocaleString('en')} characters; a cell holds ${CELL_MAX.toLocaleString('en')}. Shorten it.`
    return { kind: 'rejected', code: 'too-long', field: column, message }
  }
  return null
}

async function startFile(
  resource: ResourceName,
  writes: readonly Write[],
  exported: Exported,
  target: FileHandle,
): Promise<Table> {
  const table = widen(resource, ['id'], writes, exported)
  await target.write(csv([table.columns]))
  return table
}

/** The columns so far, and any that a write brings. */
function widen(
  resource: ResourceName,
  columns: readonly string[],
  writes: readonly Write[],
  exported: Exported,
): Table {
  const wanted = new Set(columns)
  const add = (body: JsonObject) => {
    for (const column of Object.keys(body)) wanted.add(column)
  }
  for (const write of writes) {
    if (write.op === 'create') add(write.body)
    if (write.op === 'update') add(write.observed)
    if (write.op === 'consent') add(exported.get(write.id)?.body ?? {})
    if (write.op === 'update' || write.op === 'consent') add(write.patch)
  }
  return readTable(`${resource}.csv`, resource, [...wanted], OWN)
}

/** Carries the old file over, changed where the batch says so. Untouched rows are copied byte by byte if they can be. */
async function copy(
  opened: OpenTable,
  table: Table,
  batch: Batch,
  exported: Exported,
  target: FileHandle,
): Promise<void> {
  const { source } = opened
  const alike = opened.header.length === table.columns.length && source.delimiter === ','
  const verbatim = alike && source.encoding === 'utf-8'
  await target.write(csv([table.columns]))
  for await (const { rows, window } of blocksOf(opened)) {
    const parts: Buffer[] = []
    for (const row of rows) {
      if (row.kind === 'bad' || row.cells.length !== opened.header.length) {
        throw brokenOwnFile(source.name, row.line)
      }
      const id = idOf(opened.table, row.cells)
      const pending = id === null ? undefined : batch.pending.get(id)
      if (id !== null && pending !== undefined) {
        batch.pending.delete(id)
        const cells = change(table, id, row.cells, pending, exported, batch.outcomes)
        if (cells !== null) parts.push(csv([cells]))
      } else if (verbatim) parts.push(slice(window, row.start, row.end), LINE_BREAK)
      else parts.push(csv([table.columns.map((_, at) => row.cells[at] ?? '')]))
    }
    await target.write(Buffer.concat(parts))
  }
}

/** The hub never drops a row that somebody else may have typed into its file. */
function brokenOwnFile(name: string, line: number): VendorError {
  const message = `${name} line ${line}, a row of the hub's own file, was changed and can not be read. Repair it or move the file away.`
  return new VendorError({ kind: 'rejected', code: 'broken-out-file', field: null, message })
}

/** Rows that the file did not hold yet. */
async function append(
  table: Table,
  { pending, outcomes }: Batch,
  exported: Exported,
  target: FileHandle,
): Promise<void> {
  const added: (readonly string[])[] = []
  for (const [id, writes] of pending) {
    const [first] = writes
    if (first === undefined) continue
    const base = first.write.op === 'update' ? first.write.observed : exported.get(id)?.body
    const cells =
      first.write.op === 'create' || (first.write.op !== 'archive' && base !== undefined)
        ? change(table, id, cellsOf(table, id, base ?? {}), writes, exported, outcomes)
        : refuse(id, writes, exported, outcomes)
    if (cells !== null) added.push(cells)
  }
  await target.write(csv(added))
}

function refuse(id: RemoteId, writes: readonly Pending[], exported: Exported, outcomes: Outcome[]): null {
  for (const { at, write } of writes) {
    if (write.op !== 'archive') outcomes[at] = { kind: 'stale' }
    else if (isOwnId(id) && !exported.has(id))
      outcomes[at] = { kind: 'applied', observation: { kind: 'absent', id } }
    else {
      const message = `A CSV file can not say that ${id} is archived; archive it in the system that exports it.`
      outcomes[at] = { kind: 'rejected', code: 'cannot-archive', field: null, message }
    }
  }
  return null
}

/** Applies writes to one row, in their order. Null: the row goes. */
function change(
  table: Table,
  id: RemoteId,
  before: readonly string[],
  writes: readonly Pending[],
  exported: Exported,
  outcomes: Outcome[],
): readonly string[] | null {
  let cells: readonly string[] | null = before
  for (const { at, write } of writes) {
    if (write.op === 'archive') cells = null
    else if (write.op === 'create') cells = patched(table, id, cells ?? [], write.body)
    else if (cells !== null) cells = patched(table, id, cells, write.patch)
    const row: Observation = cells === null ? { kind: 'absent', id } : present(table, id, cells)
    outcomes[at] =
      cells === null && write.op !== 'archive'
        ? { kind: 'stale' }
        : { kind: 'applied', observation: asExported(write, exported.get(id)) ?? row }
  }
  return cells
}

/**
 * The exported row behind a write, as last seen; null where there is none. Consent has no base that could tell "told"
 * from "says so": an answer without it would have it told again at once and for ever. So it counts as said, under the
 * version of the row, until an export changes the row.
 */
function asExported(write: Write, row: Present | undefined): Present | null {
  if (write.op === 'create') return null
  if (write.op === 'update') {
    const { id, version, observed } = write
    const stands = row !== undefined || !isOwnId(id)
    return stands ? { kind: 'present', id, version, modifiedAt: null, body: observed } : null
  }
  if (row === undefined) return null
  if (write.op === 'archive') return { ...row, modifiedAt: null }
  const said: JsonObject = Object.fromEntries(
    Object.entries(write.patch).map(([column, value]) => [column, cellOf(value)] as const),
  )
  return { ...row, modifiedAt: null, body: { ...row.body, ...said } }
}

function patched(table: Table, id: RemoteId, cells: readonly string[], patch: JsonObject): readonly string[] {
  return table.columns.map((column, at) => {
    if (at === table.idAt) return id
    return Object.hasOwn(patch, column) ? cellOf(patch[column]) : (cells[at] ?? '')
  })
}

function cellsOf(table: Table, id: RemoteId, body: JsonObject): readonly string[] {
  return patched(table, id, [], body)
}

function csv(rows: readonly (readonly string[])[]): Buffer {
  const cells = rows.map((row) => [...row])
  return Buffer.from(stringify(cells, { record_delimiter: '\r\n', quoted_match: /[\r\n]/ }))
}
