import { createReadStream } from 'node:fs'
import path from 'node:path'
import { parse } from 'csv-parse'
import postgres from 'postgres'
import { COLUMNS } from './people.ts'

/** The best of 500, 1,000, 2,000, 5,000 and 10,000 rows, for both. */
const BATCH = 2_000

/** How the rows of a batch travel: as a driver's rows (`values (…), (…)`), or as twelve arrays. */
export type Floor = 'values' | 'unnest'
export const isFloor = (what: string | undefined): what is Floor => what === 'values' || what === 'unnest'

const names = COLUMNS.map((column) => `"${column}"`).join(', ')
const ON_CONFLICT = `on conflict (email) do update set ${COLUMNS.map((c) => `"${c}" = excluded."${c}"`).join(', ')}`
const UNNEST = `insert into plain_contacts (${names})
  select * from unnest(${COLUMNS.map((_, i) => `$${i + 1}::text[]`).join(', ')}) ${ON_CONFLICT}`

type Rows = readonly (readonly string[])[]

/** Not awaited: the caller reads on meanwhile. */
function write(sql: postgres.Sql, how: Floor, rows: Rows): Promise<unknown> {
  if (how === 'unnest') {
    const columns = COLUMNS.map((_, i) => rows.map((row) => row[i] ?? ''))
    return sql.unsafe(UNNEST, columns, { prepare: true }).execute()
  }
  const objects = rows.map((row) => Object.fromEntries(COLUMNS.map((column, i) => [column, row[i] ?? ''])))
  return sql`insert into plain_contacts ${sql(objects, ...COLUMNS)} ${sql.unsafe(ON_CONFLICT)}`.execute()
}

/**
 * What any import must do at least: read the same CSV and upsert its rows into one plain table with the same columns
 * and a unique email, in batches, the next one read while one is written. Returns seconds.
 */
export async function plainUpsert(how: Floor, url: string, folder: string): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(
      `create table if not exists plain_contacts (${COLUMNS.map((c) => `"${c}" text`).join(', ')})`,
    )
    await sql.unsafe('create unique index if not exists plain_contacts_email on plain_contacts (email)')
    const startedAt = performance.now()
    let writing: Promise<unknown> = Promise.resolve()
    let batch: (readonly string[])[] = []
    const flush = async () => {
      const rows = batch
      batch = []
      await writing
      writing = write(sql, how, rows)
    }
    const rows = createReadStream(path.join(folder, 'contacts.csv')).pipe(parse({ from_line: 2 }))
    for await (const row of rows as AsyncIterable<readonly string[]>) {
      batch.push(row)
      if (batch.length === BATCH) await flush()
    }
    if (batch.length > 0) await flush()
    await writing
    return (performance.now() - startedAt) / 1000
  } finally {
    await sql.end()
  }
}
