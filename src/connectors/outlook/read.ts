import { z } from 'zod'
import { isAddress } from '../../core/mail/address.ts'
import type { Attachment } from '../../core/mail/message.ts'
import { type BadRow, failureOf, type Io, type RemoteId } from '../connector.ts'
import type { Sighting } from '../mail.ts'
import { valuesOf } from '../mime/headers.ts'
import { parseMail, UnreadableMail } from '../mime/parse.ts'
import { type Folders, rolesOf, withFolder } from './folders.ts'
import { inParallel } from '../in-parallel.ts'
import { ask, askPage, bytes, CONCURRENT } from './graph.ts'
import { addressesOf, type Beside, headersOf, sightedOf } from './message.ts'
import { attachment, idOnly, message, MESSAGE_FIELDS, type MessageWire, removed } from './wire.ts'

/** Where messages are read, and with what urgency. */
export type Place = {
  readonly io: Io
  readonly home: string
  readonly folders: Folders
  readonly low: boolean
}

export type Read = {
  readonly sightings: readonly Sighting[]
  readonly bad: readonly BadRow[]
  /** Ids that the listing reports as removed from its folder. */
  readonly removed: readonly RemoteId[]
}

/** Every item of a page as a sighting, a bad row, or an id that was removed. Of repeated ones the last counts. */
export async function readItems(place: Place, items: readonly unknown[]): Promise<Read> {
  const byId = new Map<string, unknown>()
  const nameless: BadRow[] = []
  for (const item of items) {
    const { data } = idOnly.safeParse(item)
    if (data === undefined) nameless.push(badItem(null, 'It has no id.', item))
    else byId.set(data.id, item)
  }
  const gone = [...byId].flatMap(([id, item]) => (removed.safeParse(item).success ? [id] : []))
  for (const id of gone) byId.delete(id)
  const rows = await inParallel([...byId], CONCURRENT, ([id, item]) => settle(place, id, item))
  return {
    sightings: rows.flatMap((row) => ('kind' in row ? [row] : [])),
    bad: [...nameless, ...rows.flatMap((row) => ('kind' in row ? [] : [row]))],
    removed: gone,
  }
}

/** The named messages as they are now. */
export async function readIds(
  place: Place,
  ids: readonly RemoteId[],
): Promise<{ readonly sightings: readonly Sighting[]; readonly bad: readonly BadRow[] }> {
  return readItems(
    place,
    ids.map((id) => ({ id })),
  )
}

/**
 * One message: gone where Graph no longer has it. Only what concerns more than this message is thrown. A page of some
 * proxy in place of an answer says nothing about the message: it is bad only if Graph is itself when asked for something
 * else, and the message is no better afterwards.
 */
async function settle(place: Place, id: RemoteId, item: unknown): Promise<Sighting | BadRow> {
  try {
    return await settleOnce(place, id, item)
  } catch (error) {
    if (ownProblem(error) === null) throw error
  }
  const { io, home, low } = place
  await ask(io, { method: 'GET', to: `${home}/mailFolders/inbox`, query: { $select: 'id' }, low }, idOnly)
  try {
    return await settleOnce(place, id, item)
  } catch (error) {
    const problem = ownProblem(error)
    if (problem === null) throw error
    return badItem(id, problem, item)
  }
}

async function settleOnce(place: Place, id: RemoteId, item: unknown): Promise<Sighting | BadRow> {
  try {
    const whole = isWhole(item) ? item : await readWhole(place, id)
    if (whole === null) return { kind: 'gone', id }
    const read = message.safeParse(whole)
    if (!read.success) {
      const [issue] = read.error.issues
      return badItem(id, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, item)
    }
    const folders = await foldersFor(place, read.data)
    if (read.data.parentFolderId && rolesOf(folders, read.data.parentFolderId).includes('gone'))
      return { kind: 'gone', id }
    return { kind: 'message', id, sighted: sightedOf(read.data, await besides(place, read.data), folders) }
  } catch (error) {
    if (failureOf(error)?.kind === 'missing') return { kind: 'gone', id }
    throw error
  }
}

/** What is wrong with this message alone: one too large to be read, or of nonsense, must not hold up the others. */
function ownProblem(error: unknown): string | null {
  if (error instanceof UnreadableMail) return error.message
  const failure = failureOf(error)
  return failure?.kind === 'malformed' ? failure.message : null
}

/**
 * Later rounds bring of some messages only what changed, whatever was selected.
 * https://github.com/microsoftgraph/microsoft-graph-docs/issues/7776
 */
function isWhole(item: unknown): boolean {
  return whole.safeParse(item).success
}
const given = z.unknown().refine((value) => value !== undefined)
const whole = z.object({ receivedDateTime: given, body: given, toRecipients: given, parentFolderId: given })

async function readWhole({ io, home, low }: Place, id: RemoteId): Promise<unknown> {
  const to = `${home}/messages/${encodeURIComponent(id)}`
  try {
    return await ask(io, { method: 'GET', to, query: { $select: MESSAGE_FIELDS }, low }, z.unknown())
  } catch (error) {
    if (failureOf(error)?.kind === 'missing') return null
    throw error
  }
}

/** Hidden folders are not listed; a message that came to lie in one has labels all the same. */
async function foldersFor({ io, home, folders }: Place, { parentFolderId }: MessageWire): Promise<Folders> {
  const isKnown =
    !parentFolderId || folders.tree[parentFolderId] !== undefined || parentFolderId in folders.roles
  return isKnown ? folders : withFolder(io, home, folders, parentFolderId)
}

/**
 * The message as MIME is read where its own headers are wanting, as Graph has none for most sent mail; where it is a
 * report, as its parts tell whom mail did not reach; and where its sender has no address.
 * https://github.com/microsoftgraph/microsoft-graph-docs/issues/18761
 */
async function besides(place: Place, wire: MessageWire): Promise<Beside> {
  const headers = headersOf(wire)
  const isReport = /^\s*multipart\/report\b/i.test(valuesOf(headers, 'content-type')[0] ?? '')
  const isNameless = !addressesOf([wire.from, wire.sender]).some(({ address }) => isAddress(address))
  if (wire.isDraft !== true && (headers.length === 0 || isReport || isNameless)) {
    const to = `${pathOf(place, wire)}/$value`
    const raw = await bytes(place.io, { method: 'GET', to, low: place.low })
    const { message: parsed } = await parseMail(raw, Date.parse(wire.receivedDateTime ?? '') || 0)
    return { mime: parsed.envelope, attachments: parsed.attachments }
  }
  return { mime: null, attachments: wire.hasAttachments === true ? await attachmentsOf(place, wire) : [] }
}

/** Names and sizes only; parts that the text itself shows are none. */
async function attachmentsOf(place: Place, wire: MessageWire): Promise<readonly Attachment[]> {
  const to = `${pathOf(place, wire)}/attachments`
  const query = { $select: 'name,contentType,size,isInline' }
  const { value } = await askPage(place.io, { method: 'GET', to, query, low: place.low })
  return value.flatMap((raw) => {
    const { data } = attachment.safeParse(raw)
    if (data === undefined || data.isInline === true) return []
    const type = data.contentType ?? 'application/octet-stream'
    return [{ name: data.name ?? '', type: type.toLowerCase(), size: data.size ?? null }]
  })
}

const pathOf = ({ home }: Place, { id }: MessageWire) => `${home}/messages/${encodeURIComponent(id)}`

/** Nothing of the message itself: only which properties it had. */
function badItem(id: RemoteId | null, problem: string, item: unknown): BadRow {
  const properties = typeof item === 'object' && item !== null ? Object.keys(item).slice(0, 50) : []
  return { where: `message ${id ?? 'without an id'}`, id, problem, raw: properties.join(' ') }
}
