import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { stringify } from 'csv-stringify/sync'

/** A CSV file that is written row by row. */
export type Sheet = {
  readonly write: (rows: readonly (readonly (string | number)[])[]) => Promise<void>
  readonly close: () => Promise<void>
}

const NOWHERE: Sheet = { write: async () => undefined, close: async () => undefined }

/** Opens a file for writing, anew where it is there; null writes nowhere. Throws the system's error at once. */
export async function openSheet(file: string | null, columns: readonly string[]): Promise<Sheet> {
  if (file === null) return NOWHERE
  const stream = createWriteStream(file)
  await once(stream, 'open')
  const sheet: Sheet = {
    async write(rows) {
      if (rows.length === 0) return
      if (!stream.write(stringify(rows.map((row) => [...row])))) await once(stream, 'drain')
    },
    async close() {
      stream.end()
      await finished(stream)
    },
  }
  await sheet.write([columns])
  return sheet
}
