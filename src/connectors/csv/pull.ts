import type { FileHandle } from 'node:fs/promises'
import { z } from 'zod'
import type { Instant } from '../../core/json.ts'
import { type Cursor, type Page, VendorError } from '../connector.ts'
import { currentExport, isSettling, newestExport, type Stamp, sameStamp, withFile } from './files.ts'
import { openTable } from './open.ts'
import { LIMITS, type Limits, readRows } from './rows.ts'
import { type Settings, settingsFor } from './settings.ts'
import { unitBytesOf } from './source.ts'
import { observe, type ResourceName, readTable } from './table.ts'

const stamp = { file: z.string(), size: z.number(), mtimeMs: z.number(), inode: z.number() }

/** `waiting`: nothing read yet. `reading`: inside a file, with what its head said. `done`: read to its end. */
const cursorSchema = z.discriminatedUnion('at', [
  z.object({ at: z.literal('waiting') }),
  z.object({ at: z.literal('done'), ...stamp }),
  z.object({
    at: z.literal('reading'),
    ...stamp,
    /** The next row, in code units from the start of the file, and its line. */
    offset: z.number(),
    line: z.number(),
    /** Rows passed. */
    rows: z.number(),
    /** Every row so far told which object it holds. */
    whole: z.boolean(),
    /** Where the first row stands, in code units, and the cells of the header above it. */
    body: z.number(),
    header: z.array(z.string()),
    encoding: z.string(),
    delimiter: z.string(),
  }),
])
type Reading = Extract<z.infer<typeof cursorSchema>, { at: 'reading' }>

/**
 * One page of the newest export. Only null starts a pass: where the file was replaced, or a new one came,
 * `cursor-expired` asks for null, so that no listing is ever made of two files. A file that may still be written, or
 * that changes while it is read, gives an empty page and is left for the next cycle.
 */
export async function pull(
  settings: Settings,
  resource: ResourceName,
  from: Cursor | null,
  now: Instant,
  limits: Limits = LIMITS,
): Promise<Page> {
  const cursor = from === null ? null : parseCursor(from)
  const nothing: Page = { observations: [], bad: [], cursor: from ?? { at: 'waiting' }, more: false }
  // A folder need not have every resource; an export that was there and is not any more is a problem.
  const hadOne = cursor !== null && cursor.at !== 'waiting'
  const current = await (hadOne ? currentExport : newestExport)(settings, resource)
  if (current === null) return nothing
  if (cursor?.at === 'done' && sameStamp(cursor, current)) return nothing
  if (isSettling(current, now, settings.settleMs)) return nothing
  if (cursor !== null && !(cursor.at === 'reading' && sameStamp(cursor, current))) throw expired(current.file)
  const page = await withFile(settings.folder, current.file, async (handle) => {
    if (!(await isStill(handle, current))) return null
    const start = cursor ?? (await begin(handle, current, settings, resource))
    const read = await readPage(handle, start, settings, resource, limits)
    return (await isStill(handle, current)) ? read : null
  })
  return page ?? nothing
}

function parseCursor(from: Cursor): z.infer<typeof cursorSchema> {
  const parsed = cursorSchema.safeParse(from)
  if (!parsed.success) throw expired('an unknown position')
  return parsed.data
}

function expired(file: string): VendorError {
  return new VendorError({ kind: 'cursor-expired', message: `${file} is not the file that was being read` })
}

async function isStill(handle: FileHandle, expected: Stamp): Promise<boolean> {
  const { size, mtimeMs, ino } = await handle.stat()
  return sameStamp(expected, { file: expected.file, size, mtimeMs, inode: ino })
}

async function begin(
  handle: FileHandle,
  current: Stamp,
  settings: Settings,
  resource: ResourceName,
): Promise<Reading> {
  const { source, header, body } = await openTable(handle, current, resource, settingsFor(settings, resource))
  const { encoding, delimiter } = source
  const position = { offset: body.at, line: body.line, rows: 0, whole: true, body: body.at }
  return { at: 'reading', ...current, ...position, header: [...header], encoding, delimiter }
}

async function readPage(
  handle: FileHandle,
  start: Reading,
  settings: Settings,
  resource: ResourceName,
  limits: Limits,
): Promise<Page> {
  const { file, size, mtimeMs, inode, encoding, delimiter } = start
  const table = readTable(file, resource, start.header, settingsFor(settings, resource))
  const source = { handle, name: file, size, encoding, delimiter }
  const block = await readRows(source, { at: start.offset, line: start.line }, limits)
  const { observations, bad, unknown, cut } = observe(table, block.rows)
  const rows = start.rows + block.rows.length
  const whole = start.whole && !unknown && !cut && !block.cut
  if (block.end) {
    const done: Cursor = { at: 'done', file, size, mtimeMs, inode }
    const page = { observations, bad, cursor: done, more: false, total: rows }
    return whole ? { ...page, listed: 'everything' } : page
  }
  const units = size / unitBytesOf(encoding) - start.body
  const total = Math.max(rows, Math.round((rows * units) / Math.max(1, block.next.at - start.body)))
  const cursor: Cursor = { ...start, offset: block.next.at, line: block.next.line, rows, whole }
  return { observations, bad, cursor, more: true, total }
}
