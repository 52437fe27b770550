import type { FileHandle } from 'node:fs/promises'
import { VendorError } from '../connector.ts'
import { detectFormat, type FormatSettings } from './format.ts'
import { type Block, LIMITS, type Limits, type Position, readRows } from './rows.ts'
import type { Source } from './source.ts'
import {
  type ColumnSettings,
  observe,
  type Observed,
  readTable,
  type ResourceName,
  type Table,
} from './table.ts'

/** A file whose head has been understood. */
export type OpenTable = {
  readonly source: Source
  readonly header: readonly string[]
  readonly table: Table
  /** The first row below the header. */
  readonly body: Position
}

/** Reads the head of a file. Throws `rejected` where it is empty, is not CSV, or has no id column. */
export async function openTable(
  handle: FileHandle,
  file: { readonly file: string; readonly size: number },
  resource: ResourceName,
  settings: FormatSettings & ColumnSettings,
): Promise<OpenTable> {
  const { file: name, size } = file
  const { encoding, delimiter, body } = await detectFormat(handle, name, size, settings)
  const source = { handle, name, size, encoding, delimiter }
  const { rows, next } = await readRows(source, body, { ...LIMITS, rows: 1 })
  const [top] = rows
  if (top?.kind !== 'row') {
    const message =
      top === undefined
        ? `${name} is empty: it has no header`
        : `${name} line ${top.line}, its header: ${top.problem}`
    throw new VendorError({ kind: 'rejected', code: 'no-header', field: null, message })
  }
  return { source, header: top.cells, table: readTable(name, resource, top.cells, settings), body: next }
}

/** All rows from the top, block by block. */
export async function* blocksOf(
  { source, table, body }: OpenTable,
  limits: Limits = LIMITS,
): AsyncGenerator<Block & { readonly observed: Observed }> {
  for (let at = body; ; ) {
    const block = await readRows(source, at, limits)
    yield { ...block, observed: observe(table, block.rows) }
    if (block.end) return
    at = block.next
  }
}
