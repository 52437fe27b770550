import type { Instant } from '../../core/json.ts'
import type { MailAsk } from '../mail.ts'
import { type FolderState, put, type State } from './cursor.ts'
import { markOf } from './flags.ts'
import { type Listed, listFolders, rank, remoteId } from './folders.ts'
import { readIn, type Step, withMarks } from './live.ts'
import { isOpened, scan } from './scan.ts'
import { search, type Session } from './session.ts'
import { both, minus, pack, sequenceSet, unpack } from './uids.ts'

/** Messages read in a page, so that what a crash makes us read again stays small; and ids it goes through at most. */
const READS = 25
const IDS = 1_000
const DAY_MS = 86_400_000

/** A backfill whose beginning was moved back lists every folder again; moved forward, those that are not done. */
export function restarted(state: State, since: Instant | null): State {
  return {
    ...state,
    folders: state.folders.map((folder) => {
      if (folder.since === since) return folder
      const isEarlier = folder.since !== null && (since === null || since < folder.since)
      const isOpen = folder.todo === null || folder.todo.left > 0
      return isEarlier || isOpen ? { ...folder, since, todo: null, first: 1 } : folder
    }),
  }
}

/** The next few messages from before, folder by folder, the newest first. */
export async function backfill(session: Session, from: State, ask: MailAsk): Promise<Step> {
  const open = from.folders.filter(({ todo }) => todo === null || todo.left > 0)
  if (open.length === 0) return { sightings: [], bad: [], state: from, more: false }
  const listed = await listFolders(session)
  const places = new Map(listed.map((place) => [place.path, place]))
  const [next] = open.flatMap((folder) => places.get(folder.path) ?? []).toSorted((a, b) => rank(a) - rank(b))
  const folder = open.find(({ path }) => path === next?.path)
  if (next === undefined || folder === undefined) return again(session, from, ask)
  if (!(await isOpened(session, folder.path, folder.validity))) return again(session, from, ask)
  const state = put(from, await withTodo(session, next, folder))
  return readSome(session, state, next, ask)
}

/** What is to be read is not there any more, or became something else. */
async function again(session: Session, from: State, ask: MailAsk): Promise<Step> {
  const { state } = await scan(session, from, ask.since)
  return { sightings: [], bad: [], state, more: true }
}

/**
 * Drafts, spam and trash from before are passed over: they are not logged. SEARCH SINCE knows days only, by the server's
 * clock (RFC 9051, 6.4.4).
 */
async function withTodo(session: Session, { role }: Listed, folder: FolderState): Promise<FolderState> {
  if (folder.todo !== null) return folder
  const isOut = role !== null && role !== 'sent'
  const { since } = folder
  const uids = unpack(folder.uids)
  const wanted = isOut
    ? []
    : since === null
      ? uids
      : both(uids, await search(session, { since: new Date(since - DAY_MS) }))
  return { ...folder, todo: { uids: pack(wanted), left: wanted.length, of: wanted.length } }
}

async function readSome(session: Session, state: State, place: Listed, ask: MailAsk): Promise<Step> {
  const folder = state.folders.find(({ path }) => path === place.path)
  const todo = unpack(folder?.todo?.uids ?? '')
  if (folder === undefined || folder.todo === null) return { sightings: [], bad: [], state, more: true }
  const newest = todo.slice(-IDS).toReversed()
  const { reads, marks } = await unknownOf(session, folder, newest, ask)
  const uids = reads.slice(0, READS)
  // Up to the last one that is read; all of them where no more are to be read.
  const last = uids.at(-1)
  const through = reads.length <= READS || last === undefined ? newest : newest.filter((uid) => uid >= last)
  const found = uids.length === 0 ? null : await readIn(session, place, folder, uids)
  if (uids.length > 0 && found === null) return again(session, state, ask)
  const rest = minus(todo, through)
  const after: FolderState = {
    ...withMarks(folder, { marks: new Map([...marks, ...(found?.marks ?? [])]) }),
    todo: { uids: pack(rest), left: rest.length, of: folder.todo.of },
  }
  const next = put(state, after)
  const more = next.folders.some((one) => one.todo === null || one.todo.left > 0)
  return { sightings: found?.sightings ?? [], bad: found?.bad ?? [], state: next, more }
}

/**
 * Those that were not read before, and those that were but carry a flag or keyword now: it may have come while nobody
 * looked, and may say that the message must not be here.
 */
async function unknownOf(
  session: Session,
  { path, validity }: FolderState,
  uids: readonly number[],
  ask: MailAsk,
): Promise<{ readonly reads: readonly number[]; readonly marks: ReadonlyMap<number, string> }> {
  const known = await ask.known(uids.map((uid) => remoteId(path, validity, uid)))
  const [old, reads] = [uids, uids].map((all, i) =>
    all.filter((uid) => known.has(remoteId(path, validity, uid)) === (i === 0)),
  )
  if (old === undefined || reads === undefined || old.length === 0) return { reads: uids, marks: new Map() }
  const told = await session.client.fetchAll(sequenceSet(old), { uid: true, flags: true }, { uid: true })
  const marks = new Map(told.map(({ uid, flags }) => [uid, markOf(flags ?? [])]))
  const marked = old.filter((uid) => (marks.get(uid) ?? '') !== '')
  return { reads: [...reads, ...marked].toSorted((a, b) => b - a), marks: new Map() }
}
