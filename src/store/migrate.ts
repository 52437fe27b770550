import { existsSync } from 'node:fs'
import path from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyNew } from 'drizzle-orm/postgres-js/migrator'
import { runMigrations } from 'graphile-worker'
import postgres from 'postgres'

const FOLDER = path.join(import.meta.dirname, '..', '..', 'migrations')
/** Any fixed number will do, as long as every Concord uses the same one. */
const LOCK = 4_017_602_261

/** Brings the database at `url` up to date. Processes that start together wait for one another. */
export async function migrate(url: string): Promise<void> {
  if (!existsSync(path.join(FOLDER, 'meta', '_journal.json'))) return
  // A client of its own: drizzle changes the one it is given, and the lock belongs to this one session.
  const client = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await client`select pg_advisory_lock(${LOCK})`
    await applyNew(drizzle(client), { migrationsFolder: FOLDER })
    await runMigrations({ connectionString: url })
  } finally {
    await client.end()
  }
}
