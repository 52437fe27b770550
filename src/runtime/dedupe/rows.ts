import { open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { failureOf } from '../../connectors/connector.ts'
import { detectFormat } from '../../connectors/csv/format.ts'
import { LIMITS, readRows, type Position, type Row } from '../../connectors/csv/rows.ts'
import { encodingCalled, ENCODINGS } from '../../connectors/csv/settings.ts'
import type { Source } from '../../connectors/csv/source.ts'
import { DedupeInputError } from './input-error.ts'

/** An open CSV file whose header was read. */
export type Table = {
  readonly header: readonly string[]
  readonly encoding: string
  /** Pages of rows below the header; can be read once. */
  readonly pages: () => AsyncGenerator<readonly Row[]>
  readonly close: () => Promise<void>
}

/**
 * Opens a CSV file: encoding, delimiter and byte order mark are found out. Throws DedupeInputError for what is no
 * table, and the system's error where the file cannot be read.
 */
export async function openTable(file: string, encoding: string | null): Promise<Table> {
  const handle = await open(file, 'r')
  try {
    const { source, body } = await formatOf(handle, file, encoding)
    const first = await readRows(source, body, { ...LIMITS, rows: 1 })
    const row = first.rows[0]
    if (row === undefined)
      throw new DedupeInputError(`${file} is empty`, 'Give a CSV file with a header and rows.')
    if (row.kind === 'bad')
      throw new DedupeInputError(`The header of ${file} cannot be read: ${row.problem}`, 'Mend it.')
    if (row.cells.every((cell) => cell.trim() === ''))
      throw new DedupeInputError(
        `${file} has no header`,
        'Write the names of the columns into its first line.',
      )
    return {
      header: row.cells,
      encoding: source.encoding,
      pages: () => pagesOf(source, first.next, first.end),
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    const failure = failureOf(error)
    if (failure !== null) throw new DedupeInputError(failure.message, 'Give a text file with one row a line.')
    throw error
  }
}

async function formatOf(
  handle: FileHandle,
  file: string,
  encoding: string | null,
): Promise<{ readonly source: Source; readonly body: Position }> {
  const stats = await handle.stat()
  if (!stats.isFile()) throw new DedupeInputError(`${file} is not a file`, 'Name a CSV file.')
  const name = path.basename(file)
  const format = await detectFormat(handle, name, stats.size, encoding === null ? {} : named(encoding))
  return {
    source: { handle, name, size: stats.size, encoding: format.encoding, delimiter: format.delimiter },
    body: format.body,
  }
}

function named(text: string): { readonly encoding: string } {
  const encoding = encodingCalled(text)
  if (encoding !== null) return { encoding }
  throw new DedupeInputError(`--encoding is "${text}"`, `Use ${ENCODINGS}, or leave it out.`)
}

async function* pagesOf(source: Source, from: Position, isEnd: boolean): AsyncGenerator<readonly Row[]> {
  let position = from
  for (let end = isEnd; !end; ) {
    const page = await readRows(source, position, LIMITS)
    yield page.rows
    position = page.next
    end = page.end
  }
}
