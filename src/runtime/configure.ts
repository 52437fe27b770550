import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Instant } from '../core/json.ts'
import type { Configuration } from '../core/stream.ts'
import { activeConfig, applyConfig, type ConfigFiles, type ConfigVersion } from '../store/config-versions.ts'
import { approveShapes } from '../store/streams.ts'
import { compile, type OpenStore } from './boot.ts'
import type { Connectors } from './connect.ts'

export type { ConfigFiles, ConfigVersion } from '../store/config-versions.ts'
export { formatProblem } from '../mappings/problem.ts'

export type FileChange = {
  readonly file: string
  readonly kind: 'added' | 'changed' | 'removed'
  readonly before: string
  readonly after: string
}

/** What applying `files` over the active ones would change, by file name. */
export function configChanges(active: ConfigFiles, files: ConfigFiles): readonly FileChange[] {
  const names = [...new Set([...Object.keys(active), ...Object.keys(files)])].toSorted()
  return names.flatMap((file): FileChange[] => {
    const [before, after] = [active[file], files[file]]
    if (before === after) return []
    const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
    return [{ file, kind, before: before ?? '', after: after ?? '' }]
  })
}

export async function activeVersion(store: OpenStore): Promise<ConfigVersion | undefined> {
  return activeConfig(store.db.sql)
}

/**
 * Compiles and stores a version over `basedOn`, and lets the streams in `approved` write with their new shapes;
 * undefined where somebody applied another one meanwhile.
 */
export async function applyVersion(
  store: Pick<OpenStore, 'db'>,
  connectors: Connectors,
  basedOn: number,
  files: ConfigFiles,
  by: string,
  at: Instant,
  approved: readonly { readonly id: number; readonly shape: string }[] = [],
): Promise<{ readonly version: number; readonly configuration: Configuration } | undefined> {
  const configuration = compile(files, connectors)
  const version = await store.db.sql.begin(async (tx) => {
    const applied = await applyConfig(tx, basedOn, files, by, at)
    if (applied !== undefined) await approveShapes(tx, approved)
    return applied
  })
  return version === undefined ? undefined : { version, configuration }
}

/** Writes files into a folder; names the ones there that say something else and are in the way. */
export async function exportFiles(
  files: ConfigFiles,
  folder: string,
  overwrite: boolean,
): Promise<{ readonly written: readonly string[]; readonly inTheWay: readonly string[] }> {
  await mkdir(folder, { recursive: true })
  const there = new Set(await readdir(folder))
  const inTheWay = Object.keys(files).filter((name) => there.has(name))
  if (inTheWay.length > 0 && !overwrite) return { written: [], inTheWay }
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text)
  return { written: Object.keys(files), inTheWay: [] }
}
