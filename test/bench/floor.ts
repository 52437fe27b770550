import { createReadStream } from 'node:fs'
import path from 'node:path'
import { parse } from 'csv-parse'
import postgres from 'postgres'
import { COLUMNS } from './people.ts'

/** The best of 500, 1,000, 2,000, 5,000 and 10,000 when this was written. */
const BATCH = 2_000

const names = COLUMNS.map((column) => `"${column}"`).join(', ')
const UPSERT = `insert into plain_contacts (${names})
  select * from unnest(${COLUMNS.map((_, i) => `$${i + 1}::text[]`).join(', ')})
  on conflict (email) do update set ${COLUMNS.map((c) => `"${c}" = excluded."${c}"`).join(', ')}`

/**
 * What any import must do at least: read the same CSV and upsert its rows into one plain table with the same columns
 * and a unique email, in batches, the next one read while one is written. Returns seconds.
 */
export async function plainUpsert(url: string, folder: string): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(
      `create table if not exists plain_contacts (${COLUMNS.map((c) => `"${c}" text`).join(', ')})`,
    )
    await sql.unsafe('create unique index if not exists plain_contacts_email on plain_contacts (email)')
    const startedAt = performance.now()
    let writing: Promise<unknown> = Promise.resolve()
    let batch: string[][] = COLUMNS.map(() => [])
    const flush = async () => {
      const columns = batch
      batch = COLUMNS.map(() => [])
      await writing
      writing = sql.unsafe(UPSERT, columns, { prepare: true }).execute()
    }
    const rows = createReadStream(path.join(folder, 'contacts.csv')).pipe(parse({ from_line: 2 }))
    for await (const row of rows as AsyncIterable<readonly string[]>) {
      for (const [i, cell] of row.entries()) batch[i]?.push(cell)
      if (batch[0]?.length === BATCH) await flush()
    }
    await flush()
    await writing
    return (performance.now() - startedAt) / 1000
  } finally {
    await sql.end()
  }
}
