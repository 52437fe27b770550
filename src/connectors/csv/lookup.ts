import { type Observation, type RemoteId, VendorError } from '../connector.ts'
import { currentExport, isSettling, newestExport, type Stamp, sameStamp, stampOf, withFile } from './files.ts'
import { blocksOf, openTable } from './open.ts'
import { type Settings, settingsFor } from './settings.ts'
import type { ColumnSettings, ResourceName } from './table.ts'
import type { FormatSettings } from './format.ts'

/** How the hub's own file is read: it always has this column. */
export const OWN: ColumnSettings = { idColumn: 'id' }

type Found = {
  readonly rows: ReadonlyMap<RemoteId, Observation>
  /** Ids that the file holds in rows that can not be read. */
  readonly illegible: ReadonlySet<RemoteId>
  /** What is in neither is not in the file. */
  readonly whole: boolean
}

/**
 * The rows with these ids as they are now; `absent` only where a whole file was read and does not hold them. An id
 * whose row can not be read, or that may be in such a row, is left out. What the source says is in the export; only
 * an object that the hub made, and that no export has adopted yet, is where the hub put it.
 */
export async function fetchRows(
  settings: Settings,
  resource: ResourceName,
  ids: readonly RemoteId[],
  now: number,
): Promise<readonly Observation[]> {
  const { out } = settings
  const wanted = new Set(ids)
  const own = new Set(ids.filter(isOwnId))
  const theirs = await scanExport(settings, resource, wanted, now)
  const ours = out === undefined || own.size === 0 ? null : await scanOwn(out, resource, own)
  return [...wanted].flatMap((id): readonly Observation[] => {
    const exported = theirs?.rows.get(id)
    if (exported !== undefined) return [exported]
    if (theirs?.illegible.has(id)) return []
    const made = ours?.rows.get(id)
    if (made !== undefined) return [made]
    if (ours?.illegible.has(id)) return []
    const gone = (theirs?.whole ?? own.has(id)) && (!own.has(id) || (ours?.whole ?? true))
    return gone ? [{ kind: 'absent', id }] : []
  })
}

/** Looks in the current export. Null where there is none yet, which is an error unless the hub writes. */
export async function scanExport(
  settings: Settings,
  resource: ResourceName,
  wanted: ReadonlySet<RemoteId>,
  now: number,
): Promise<Found | null> {
  const { folder, out, settleMs } = settings
  const current = await (out === undefined ? currentExport : newestExport)(settings, resource)
  if (current === null) return null
  if (isSettling(current, now, settleMs)) throw changing(current.file)
  return scan(folder, current, resource, settingsFor(settings, resource), wanted)
}

/** Ids of objects that the hub made. An export holds one only where the source has adopted it with its id. */
export function isOwnId(id: RemoteId): boolean {
  return /^hub-\d+$/.test(id)
}

/** Looks in the file that the hub writes. A file that does not exist yet holds nothing. */
export async function scanOwn(
  out: string,
  resource: ResourceName,
  wanted: ReadonlySet<RemoteId>,
): Promise<Found> {
  const own = await ownFile(out, resource)
  if (own === null) return { rows: new Map(), illegible: new Set(), whole: true }
  return scan(out, own, resource, OWN, wanted)
}

export async function ownFile(out: string, resource: ResourceName): Promise<Stamp | null> {
  return stampOf(out, `${resource}.csv`)
}

/** Memory grows with what is found, not with the file. Of rows with the same id the last wins. */
async function scan(
  folder: string,
  file: Stamp,
  resource: ResourceName,
  settings: FormatSettings & ColumnSettings,
  wanted: ReadonlySet<RemoteId>,
): Promise<Found> {
  const found = await withFile(folder, file.file, async (handle) => {
    const rows = new Map<RemoteId, Observation>()
    const illegible = new Set<RemoteId>()
    let whole = true
    for await (const { observed, cut } of blocksOf(await openTable(handle, file, resource, settings))) {
      for (const row of observed.observations) if (wanted.has(row.id)) rows.set(row.id, row)
      for (const { id } of observed.bad) if (id !== null && wanted.has(id)) illegible.add(id)
      whole &&= !cut && !observed.cut && !observed.unknown
    }
    return { rows, illegible, whole }
  })
  const after = await stampOf(folder, file.file)
  if (found === null || after === null || !sameStamp(after, file)) throw changing(file.file)
  return found
}

function changing(file: string): VendorError {
  return new VendorError({ kind: 'unavailable', committed: 'no', message: `${file} is being written` })
}
