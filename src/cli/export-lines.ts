import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { textOf, type Json } from '../core/json.ts'
import { badInput } from './exit.ts'

export type Row = Readonly<Record<string, Json | undefined>>

/**
 * Writes rows into a file that is not there yet, as CSV (.csv) or JSON lines (.jsonl), one at a time. Returns how many.
 * Cells that a spreadsheet would take for a formula get an apostrophe before them.
 */
export async function writeLines(file: string, rows: AsyncIterable<Row> | Iterable<Row>): Promise<number> {
  const isCsv = file.endsWith('.csv')
  if (!isCsv && !file.endsWith('.jsonl'))
    throw badInput(`${file} is neither .csv nor .jsonl`, 'Name a file that ends so.')
  let count = 0
  async function* text(): AsyncGenerator<string> {
    for await (const row of rows) {
      if (isCsv && count === 0) yield `${Object.keys(row).join(',')}\n`
      count++
      yield isCsv ? `${Object.values(row).map(cell).join(',')}\n` : `${JSON.stringify(row)}\n`
    }
  }
  const handle = await open(file, 'wx').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw badInput(`${file} is there already`, 'Name another file.')
    throw error
  })
  try {
    await pipeline(Readable.from(text()), handle.createWriteStream())
  } catch (error) {
    // Half of a list looks like a whole one.
    await rm(file, { force: true })
    throw error
  }
  return count
}

function cell(value: Json | undefined): string {
  const text = textOf(value)
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
