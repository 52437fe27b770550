import { access, constants, mkdir } from 'node:fs/promises'
import type { Connector, FieldInfo, Io, Push, Resource } from '../connector.ts'
import { outcomeOf, VendorError } from '../connector.ts'
import { atPath, currentExport, newestExport, resolveFolder, withFile } from './files.ts'
import { fetchRows, OWN, ownFile, scanOwn } from './lookup.ts'
import { openTable } from './open.ts'
import { pull } from './pull.ts'
import { LIMITS, readRows } from './rows.ts'
import { readSettings, type Settings, settingsFor } from './settings.ts'
import type { ResourceName } from './table.ts'
import { ownId, send } from './write.ts'

const RESOURCES = ['contacts', 'companies', 'deals'] as const

/**
 * A folder of CSV exports, and a folder of CSV files that the hub writes. The newest file named after a resource is
 * its current export; each new one is read whole.
 *
 * An export is what the source says; what the hub writes is a handoff, what the source should import. They are
 * different objects. A write to an exported row leaves the row as the export has it, so an export made before the
 * import shows no edit, and the source adopting the value or changing it is its own edit. An object the hub made is
 * in the handoff until an export holds it under its `hub-` id; a listing does not show it, asking for it by id does.
 *
 * Bad rows that show their id carry it: the runtime should count them as listed. A page never says `listed` where a
 * bad row hides its id, or where the file stops short.
 */
export const csv: Connector = {
  id: 'csv',
  auth: { kind: 'none' },
  limits: [{ concurrent: 1 }],
  resources: Object.fromEntries(RESOURCES.map((name) => [name, resource(name)])),
  check,
  classify: ({ status, url }) => ({
    kind: 'rejected',
    code: 'not-http',
    field: null,
    message: `The csv connector makes no requests, yet ${url} answered ${status}`,
  }),
}

function resource(name: ResourceName): Resource {
  return {
    deletes: 'swept',
    push: push(name),
    discover: (io) => discover(readSettings(io.settings), name),
    pull: async (io, from) => pull(readSettings(io.settings), name, from, io.now()),
    fetch: (io, ids) => fetchRows(readSettings(io.settings), name, ids, io.now()),
  }
}

function push(name: ResourceName): Push {
  return {
    batchMax: 5_000,
    dedupe: { kind: 'upsert', by: 'record' },
    isHandoff: true,
    keepsArchived: 'a CSV file cannot say that a row is archived',
    async send(io, writes) {
      const settings = readSettings(io.settings)
      const { out } = settings
      if (out === undefined) return writes.map(() => outcomeOf(readOnly()))
      return send(settings, out, name, writes, io.now())
    },
    async find(io, creates) {
      const { out } = readSettings(io.settings)
      if (out === undefined) throw readOnly()
      const ids = creates.map(({ recordId }) => ownId(recordId))
      const { rows } = await scanOwn(out, name, new Set(ids))
      return ids.map((id) => rows.get(id) ?? null)
    },
  }
}

function readOnly(): VendorError {
  const message = 'This connection only reads. Set out to the folder that the hub may write to.'
  return new VendorError({ kind: 'rejected', code: 'read-only', field: 'out', message })
}

/** The columns of the current export; of the hub's own file where there is no export. */
async function discover(settings: Settings, name: ResourceName): Promise<readonly FieldInfo[]> {
  const own = settings.out === undefined ? null : await ownFile(settings.out, name)
  const current = own === null ? await currentExport(settings, name) : await newestExport(settings, name)
  const [folder, file, how] =
    current !== null || settings.out === undefined
      ? [settings.folder, current, settingsFor(settings, name)]
      : [settings.out, own, OWN]
  if (file === null) return []
  const opened = await withFile(folder, file.file, (handle) => openTable(handle, file, name, how))
  const { columns, idAt } = opened?.table ?? { columns: [], idAt: 0 }
  return columns.map((column, at) => ({ path: column, label: column, required: at === idAt }))
}

async function check({ settings: raw }: Io): Promise<{ readonly accountId: string; readonly label: string }> {
  const settings = readSettings(raw)
  const folder = await resolveFolder(settings)
  const { out } = settings
  const found: string[] = []
  for (const name of RESOURCES) {
    const line = await describe(settings, name)
    if (line !== null) found.push(line)
  }
  if (out === undefined) {
    if (found.length === 0) await currentExport(settings, 'contacts')
    return { accountId: `csv:${folder}`, label: `folder exports (${found.join('; ')})` }
  }
  await atPath(out, async () => {
    await mkdir(out, { recursive: true })
    await access(out, constants.W_OK)
  })
  return {
    accountId: `csv:${folder}`,
    label: `folder exports (${[...found, `writes to ${out}`].join('; ')})`,
  }
}

/** `contacts: contacts.csv UTF-8 ';' 2,000 rows`. The count of a large file is estimated from its first page. */
async function describe(settings: Settings, name: ResourceName): Promise<string | null> {
  const file = await newestExport(settings, name)
  if (file === null) return null
  return withFile(settings.folder, file.file, async (handle) => {
    const { source, table, body } = await openTable(handle, file, name, settingsFor(settings, name))
    const { rows, next, end } = await readRows(source, body, LIMITS)
    const bytes = (next.at - body.at) * (source.encoding.startsWith('utf-16') ? 2 : 1)
    const count = end ? rows.length : Math.round((rows.length * source.size) / Math.max(1, bytes))
    const amount = `${end ? '' : 'about '}${count.toLocaleString('en')} rows`
    const delimiter = source.delimiter === '\t' ? 'tab' : `'${source.delimiter}'`
    const ids = table.derived ? `, ids from ${table.columns[table.idAt]}` : ''
    return `${name}: ${file.file} ${source.encoding.toUpperCase()} ${delimiter} ${amount}${ids}`
  })
}
