import type { Instant } from '../core/json.ts'
import { jsonText, type Query, type Sql } from './database.ts'

/** The configuration's files as they were applied: text by file name. */
export type ConfigFiles = Readonly<Record<string, string>>
export type ConfigVersion = {
  readonly version: number
  readonly files: ConfigFiles
  readonly appliedAt: Instant
  readonly appliedBy: string
}

/** The active configuration is the latest version; undefined before the first. */
export async function activeConfig(q: Query): Promise<ConfigVersion | undefined> {
  const [row] = await q<ConfigVersion[]>`
    select version, files, applied_at as "appliedAt", applied_by as "appliedBy" from config_versions
    order by version desc limit 1`
  return row
}

/** Number of the active version; null before the first. */
export async function newestVersion(q: Query): Promise<number | null> {
  const [row] = await q<{ version: number | null }[]>`select max(version) as version from config_versions`
  return row?.version ?? null
}

const CHANNEL = 'concord_config'

/**
 * Calls `heard` at each version that is applied from now on, and whenever the session that listens was lost and made
 * anew: something may have been applied meanwhile. Takes a session of its own. Returns how to stop.
 */
export async function listenForVersions(sql: Sql, heard: () => void): Promise<() => Promise<void>> {
  const listening = await sql.listen(CHANNEL, heard, heard)
  return () => listening.unlisten()
}

/**
 * Stores a new version on top of `basedOn`, and tells those who listen once it is committed; undefined where another
 * version was applied meanwhile.
 */
export async function applyConfig(
  q: Query,
  basedOn: number,
  files: ConfigFiles,
  by: string,
  at: Instant,
): Promise<number | undefined> {
  const [row] = await q<{ version: number }[]>`
    with applied as (
      insert into config_versions (version, files, applied_at, applied_by)
      select ${basedOn}::int + 1, ${jsonText(files)}::text::jsonb, ${at}, ${by}
      where coalesce((select max(version) from config_versions), 0) = ${basedOn}::int
      on conflict do nothing returning version)
    select version, pg_notify(${CHANNEL}, version::text) from applied`
  return row?.version
}
