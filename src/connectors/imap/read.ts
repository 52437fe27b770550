import type { FetchMessageObject } from 'imapflow'
import type { MailMessage, Sighted } from '../../core/mail/message.ts'
import type { BadRow } from '../connector.ts'
import type { Sighting } from '../mail.ts'
import { parseMail, UnreadableMail } from '../mime/parse.ts'
import { isRefused } from './failure.ts'
import { flagsOf, keywordsOf, markOf } from './flags.ts'
import { type Listed, remoteId } from './folders.ts'
import { readLarge, timeOf } from './large.ts'
import { search, type Session } from './session.ts'
import { sequenceSet } from './uids.ts'

/** Larger ones are read without their attachments. */
const LARGE = 10_000_000
/** What one FETCH brings at most, but for a single message that is larger. */
const TOGETHER = 8_000_000

export type Found = {
  readonly sightings: readonly Sighting[]
  readonly bad: readonly BadRow[]
  /** By UID, of what was read. */
  readonly marks: ReadonlyMap<number, string>
  /** Not there any more. */
  readonly missing: readonly number[]
}

type Place = Pick<Listed, 'path' | 'label' | 'role'> & { readonly validity: string }
type Seen = FetchMessageObject & { readonly size: number }
type One = Sighting | BadRow

/**
 * Messages of the folder that is open, as they are now. BODY.PEEK leaves them unread. One that cannot be read is `bad`
 * by itself.
 */
export async function readMessages(session: Session, place: Place, uids: readonly number[]): Promise<Found> {
  if (uids.length === 0) return { sightings: [], bad: [], marks: new Map(), missing: [] }
  const query = { uid: true, flags: true, internalDate: true, size: true }
  const seen = (await session.client.fetchAll(sequenceSet(uids), query, { uid: true }))
    .filter(({ uid }) => uids.includes(uid))
    .map((one): Seen => ({ ...one, size: one.size ?? 0 }))
  const unique = [...new Map(seen.map((one) => [one.uid, one])).values()]
  const read: One[] = []
  for (const batch of batches(unique)) read.push(...(await readBatch(session, place, batch)))
  const told = new Set(unique.map(({ uid }) => uid))
  const silent = uids.filter((uid) => !told.has(uid))
  const still = silent.length === 0 ? [] : await search(session, { uid: sequenceSet(silent) })
  const unread = silent.filter((uid) => still.includes(uid))
  return {
    sightings: read.flatMap((one) => ('kind' in one ? [one] : [])),
    bad: [
      ...read.flatMap((one) => ('kind' in one ? [] : [one])),
      ...unread.map((uid) => bad(session, place, uid, 'the server lists it, and does not give it out')),
    ],
    marks: new Map(unique.map(({ uid, flags }) => [uid, markOf(flags ?? [])])),
    missing: silent.filter((uid) => !still.includes(uid)),
  }
}

function batches(seen: readonly Seen[]): readonly (readonly Seen[])[] {
  const made: Seen[][] = []
  let bytes = TOGETHER
  for (const one of seen) {
    const isAlone = one.size > LARGE
    if (isAlone || bytes + one.size > TOGETHER) {
      made.push([])
      bytes = 0
    }
    made.at(-1)?.push(one)
    bytes = isAlone ? TOGETHER : bytes + one.size
  }
  return made
}

async function readBatch(session: Session, place: Place, batch: readonly Seen[]): Promise<readonly One[]> {
  const [first] = batch
  if (first === undefined) return []
  if (first.size > LARGE) return [await readOne(session, place, first, () => readLarge(session, first))]
  let sources: ReadonlyMap<number, Buffer>
  try {
    const uids = sequenceSet(batch.map(({ uid }) => uid))
    const fetched = await session.client.fetchAll(uids, { uid: true, source: true }, { uid: true })
    sources = new Map(fetched.flatMap(({ uid, source }) => (source === undefined ? [] : [[uid, source]])))
  } catch (error) {
    // A server that trips over one message refuses all of them (`NO [SERVERBUG]`, `BAD`): they are asked for singly.
    if (!isRefused(error)) throw error
    if (batch.length === 1) return [bad(session, place, first.uid, 'the server does not give it out')]
    const read: One[] = []
    for (const one of batch) read.push(...(await readBatch(session, place, [one])))
    // It trips over all of them: that is no fault of theirs.
    if (read.every((one) => !('kind' in one))) throw error
    return read
  }
  const read: One[] = []
  for (const one of batch) {
    const source = sources.get(one.uid)
    read.push(
      await readOne(session, place, one, async () => {
        if (source === undefined) throw new UnreadableMail('the server gives out nothing of it')
        return (await parseMail(source, timeOf(one))).message
      }),
    )
  }
  return read
}

async function readOne(
  session: Session,
  place: Place,
  seen: Seen,
  parse: () => Promise<MailMessage>,
): Promise<One> {
  try {
    const message = await parse()
    const id = remoteId(place.path, place.validity, seen.uid)
    return { kind: 'message', id, sighted: sightedOf(place, seen, message) }
  } catch (error) {
    if (error instanceof UnreadableMail) return bad(session, place, seen.uid, error.message)
    if (isRefused(error)) return bad(session, place, seen.uid, 'the server does not give it out')
    throw error
  }
}

function sightedOf({ label, role }: Place, { flags }: Seen, message: MailMessage): Sighted {
  const own = flagsOf(flags ?? [])
  return {
    message,
    flags: [...new Set([...(role === null ? [] : [role]), ...own])],
    labels: [label, ...keywordsOf(flags ?? [])],
  }
}

/** Nothing of the message is kept: the rules that say whether it may be could not be asked. */
function bad({ account }: Session, { path, validity }: Place, uid: number, problem: string): BadRow {
  const where = `mailbox ${account.address} folder ${path} UID ${uid}`
  return { where, id: remoteId(path, validity, uid), problem, raw: '' }
}
