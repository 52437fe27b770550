import type { Instant } from '../core/json.ts'
import { jsonText, type Query } from './database.ts'

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

/** Stores a new version on top of `basedOn`; undefined where another version was applied meanwhile. */
export async function applyConfig(
  q: Query,
  basedOn: number,
  files: ConfigFiles,
  by: string,
  at: Instant,
): Promise<number | undefined> {
  const [row] = await q<{ version: number }[]>`
    insert into config_versions (version, files, applied_at, applied_by)
    select ${basedOn}::int + 1, ${jsonText(files)}::text::jsonb, ${at}, ${by}
    where coalesce((select max(version) from config_versions), 0) = ${basedOn}::int
    on conflict do nothing returning version`
  return row?.version
}
