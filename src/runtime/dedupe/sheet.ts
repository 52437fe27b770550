import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { access, constants, rename, rm, stat } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { stringify } from 'csv-stringify/sync'
import { DedupeInputError } from './input-error.ts'

/** A CSV file that is written row by row, and is there once it is whole. */
export type Sheet = {
  readonly write: (rows: readonly (readonly (string | number)[])[]) => Promise<void>
  /** Puts it in place. */
  readonly keep: () => Promise<void>
  /** Leaves nothing behind, unless it was kept. */
  readonly close: () => Promise<void>
}

const nothing = async (): Promise<void> => undefined
const NOWHERE: Sheet = { write: nothing, keep: nothing, close: nothing }

/**
 * Opens a file for writing; what stands there stays until `keep`. Null writes nowhere. Throws DedupeInputError at once
 * where it cannot be written.
 */
export async function openSheet(file: string | null, columns: readonly string[]): Promise<Sheet> {
  if (file === null) return NOWHERE
  const isPipe = await isWrittenInPlace(file)
  const part = isPipe ? file : `${file}.${process.pid}.part`
  const stream = createWriteStream(part)
  await once(stream, 'open').catch((error: unknown) => refuse(file, error))
  let isKept = false
  const sheet: Sheet = {
    async write(rows) {
      if (rows.length === 0) return
      if (!stream.write(stringify(rows.map((row) => [...row])))) await once(stream, 'drain')
    },
    async keep() {
      stream.end()
      await finished(stream)
      if (!isPipe) await rename(part, file)
      isKept = true
    },
    async close() {
      if (isKept) return
      stream.destroy()
      if (!isPipe) await rm(part, { force: true })
    },
  }
  await sheet.write([columns])
  return sheet
}

/** A terminal, a pipe, /dev/null: nothing that could be put in place at the end. */
async function isWrittenInPlace(file: string): Promise<boolean> {
  const there = await stat(file).catch(() => null)
  if (there === null) return false
  if (there.isDirectory()) refuse(file, new Error('it is a folder'))
  await access(file, constants.W_OK).catch((error: unknown) => refuse(file, error))
  return !there.isFile()
}

function refuse(file: string, error: unknown): never {
  const why = error instanceof Error ? error.message : String(error)
  throw new DedupeInputError(
    `${file} cannot be written: ${why}`,
    'Name a file in a folder that is there and that you may write into.',
  )
}
