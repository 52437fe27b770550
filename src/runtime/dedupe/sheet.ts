import { access, constants, open, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
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
  const handle = await open(part, 'w').catch((error: unknown) => refuse(file, error))
  let isKept = false
  const sheet: Sheet = {
    async write(rows) {
      if (rows.length > 0) await handle.appendFile(stringify(rows.map((row) => [...row])))
    },
    async keep() {
      await handle.close()
      if (!isPipe) await rename(part, file)
      isKept = true
    },
    async close() {
      if (isKept) return
      await handle.close()
      if (!isPipe) await rm(part, { force: true })
    },
  }
  await sheet.write([columns]).catch(async (error: unknown) => {
    await sheet.close()
    refuse(file, error)
  })
  return sheet
}

/** Throws DedupeInputError where a file that is written is the one that is read, or both that are written are one. */
export async function refuseOverwriting(files: {
  readonly file: string
  readonly out: string | null
  readonly pairs: string | null
}): Promise<void> {
  const read = await placeOf(files.file)
  const written = []
  for (const file of [files.out, files.pairs]) {
    if (file === null || (await isWrittenInPlace(file))) continue
    const place = await placeOf(file)
    if (place === read) throw new DedupeInputError(`${file} is the file that is read`, 'Name another one.')
    written.push(place)
  }
  if (written.length === 2 && written[0] === written[1])
    throw new DedupeInputError(`--out and --pairs name one file, ${files.out}`, 'Name two.')
}

/** Where a file is, or would be, whatever links lead there. */
async function placeOf(file: string): Promise<string> {
  const real = async (one: string) => realpath(one).catch(() => null)
  const folder = path.dirname(path.resolve(file))
  return (await real(file)) ?? path.join((await real(folder)) ?? folder, path.basename(file))
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
