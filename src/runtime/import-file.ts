import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { quarantined } from '../store/inbox.ts'
import type { Hub } from './hub.ts'
import type { Plug } from './connect.ts'
import { readConnection } from '../store/connections.ts'

/** The kinds of record a folder of CSV exports may hold; also how their files are named. */
export const IMPORTABLE = ['contacts', 'companies', 'deals'] as const
export type Importable = (typeof IMPORTABLE)[number]

/** The connector leaves a file alone that changed this recently: a share or an editor may still be writing it. */
const SETTLE_MS = 2_000

export type Placed = { readonly file: string; readonly bytes: number }

/**
 * Puts a file into a csv connection's folder as its newest export of that kind. Copied under a name no export has and
 * renamed when it is whole, so that no pass reads half of it.
 */
export async function placeExport(hub: Hub, plug: Plug, source: string, as: Importable): Promise<Placed> {
  const row = await readConnection(hub.db.sql, plug.name)
  const settings = { ...plug.settings, ...row?.settings }
  const folder = typeof settings['folder'] === 'string' ? settings['folder'] : ''
  await mkdir(folder, { recursive: true })
  const stamp = new Date(hub.clock.now()).toISOString().replaceAll(/[:-]/g, '').slice(0, 15)
  const extension = /\.tsv$/i.test(source) ? 'tsv' : 'csv'
  const target = path.join(folder, `${as}-${stamp}.${extension}`)
  const part = path.join(folder, `.import-${stamp}-${process.pid}.part`)
  try {
    await pipeline(createReadStream(source), createWriteStream(part, { flags: 'wx' }))
    await rename(part, target)
  } finally {
    await rm(part, { force: true })
  }
  const settleMs = typeof settings['settleMs'] === 'number' ? settings['settleMs'] : SETTLE_MS
  const { size, mtimeMs } = await stat(target)
  // By the clock that the connector compares with.
  await hub.clock.sleep(
    Math.max(0, Math.min(settleMs, mtimeMs + settleMs - hub.clock.now() + 50)),
    hub.stopping,
  )
  return { file: target, bytes: size }
}

/** What of a stream could not be read, with its places. */
export async function unreadableOf(
  hub: Hub,
  label: string,
  limit: number,
): Promise<{
  readonly count: number
  readonly samples: readonly { readonly place: string; readonly problem: string }[]
}> {
  const target = hub.targets.find((t) => t.label === label)
  if (target === undefined) return { count: 0, samples: [] }
  return quarantined(hub.db.sql, target.id, limit)
}
