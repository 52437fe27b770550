import type { Instant } from '../../core/json.ts'
import { type FolderState, isWaiting, type Lost, type State } from './cursor.ts'
import { markOf, readMarks, writeMarks } from './flags.ts'
import { type Listed, listFolders, type Status } from './folders.ts'
import { examine, search, type Session } from './session.ts'
import { both, minus, pack, unpack } from './uids.ts'

const DAY_MS = 86_400_000
/** Without HIGHESTMODSEQ only all flags tell which of them changed: some 40 bytes a message. */
const FLAGS_MS = 15 * 60_000

export type Scanned = { readonly state: State; readonly listed: readonly Listed[] }

/** Where everything goes on from: noted before anything is read. */
export async function open(session: Session, since: Instant | null): Promise<Scanned> {
  const listed = await listFolders(session)
  const folders: FolderState[] = []
  for (const { path, status } of listed) {
    const made = status === null ? null : await openFolder(session, path, status, since, false)
    if (made !== null) folders.push(made)
  }
  return { state: { folders, lost: [], leaving: [], past: [] }, listed }
}

/** One look at all folders: what came, changed and went since the last one. Reads no message. */
export async function scan(session: Session, before: State, since: Instant | null): Promise<Scanned> {
  const listed = await listFolders(session)
  const known = new Map(before.folders.map((folder) => [folder.path, folder]))
  const past = [...before.past]
  const lost: Lost[] = []
  const folders: FolderState[] = []
  for (const { path, status } of listed) {
    const was = known.get(path)
    known.delete(path)
    if (status === null) {
      if (was !== undefined) folders.push(was)
      continue
    }
    if (was !== undefined && was.validity === status.validity) {
      const now = isSame(was, status, session.io.now())
        ? { folder: was, gone: [] }
        : await look(session, was, status)
      folders.push(now.folder)
      if (now.gone.length > 0) lost.push({ path, validity: was.validity, uids: pack(now.gone) })
      continue
    }
    if (was !== undefined) past.push(was)
    const back = past.findIndex((one) => one.path === path && one.validity === status.validity)
    const returned = back < 0 ? undefined : past.splice(back, 1)[0]
    const made = returned ?? (await openFolder(session, path, status, since, true))
    if (made !== null) folders.push(made)
  }
  past.push(...known.values())
  // Of a renamed folder, or one made anew, all messages have other ids: they are read before the old ones are given up.
  const isRead = !isWaiting({ ...before, folders }) && folders.every(({ queue }) => queue === '')
  const wasPast = new Set(before.past)
  const over = isRead ? past.filter((one) => wasPast.has(one)) : []
  return {
    state: {
      folders,
      lost: [...lost, ...over.map(allOf)],
      leaving: [...before.leaving, ...before.lost],
      past: past.filter((one) => !over.includes(one)),
    },
    listed,
  }
}

function allOf({ path, validity, uids, todo }: FolderState): Lost {
  return { path, validity, uids: pack(minus(unpack(uids), unpack(todo?.uids ?? ''))) }
}

function isSame(was: FolderState, status: Status, now: Instant): boolean {
  const isQuiet =
    was.modseq === null || status.modseq === null ? !flagsAreDue(was, now) : was.modseq === status.modseq
  return isQuiet && was.next === status.next && was.size === status.size
}

const flagsAreDue = ({ flagsAt }: FolderState, now: Instant): boolean => now >= flagsAt + FLAGS_MS

/** A folder not known before; of one that appears later, what came within a day is read at once. */
async function openFolder(
  session: Session,
  path: string,
  status: Status,
  since: Instant | null,
  isLater: boolean,
): Promise<FolderState | null> {
  const now = session.io.now()
  if (!(await isOpened(session, path, status.validity))) return null
  const all = (await search(session, { all: true })).filter((uid) => uid < status.next)
  const recent = isLater ? await search(session, { since: new Date(now - DAY_MS) }) : []
  const queue = both(recent, all)
  return {
    path,
    validity: status.validity,
    first: queue[0] ?? status.next,
    next: status.next,
    modseq: status.modseq,
    uids: pack(all),
    size: all.length,
    queue: pack(queue),
    todo: null,
    since,
    marks: {},
    flagsAt: now,
  }
}

/** False where the folder went, or became another one, since it was listed: the next look sees to it. */
export async function isOpened(session: Session, path: string, validity: string): Promise<boolean> {
  try {
    return String((await examine(session, path)).uidValidity) === validity
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'responseStatus') === 'NO') return false
    throw error
  }
}

type Looked = { readonly folder: FolderState; readonly gone: readonly number[] }

/** What happened in one folder. */
async function look(session: Session, was: FolderState, status: Status): Promise<Looked> {
  if (!(await isOpened(session, was.path, was.validity))) return { folder: was, gone: [] }
  const uids = unpack(was.uids)
  const changed = await changes(session, was, status)
  let fresh =
    status.next > was.next
      ? (await search(session, { uid: `${was.next}:*` })).filter((uid) => uid >= was.next)
      : []
  let here = [...minus(uids, changed.vanished), ...fresh]
  // Messages that went are told of with QRESYNC only; else the count gives them away, and then the list of all.
  const { mailbox } = session.client
  if (mailbox === false || mailbox.exists !== here.length) {
    here = [...(await search(session, { all: true }))]
    fresh = here.filter((uid) => uid >= was.next)
  }
  const gone = minus(uids, here)
  const todo = unpack(was.todo?.uids ?? '')
  const marks = readMarks(was.marks)
  const unread = new Set(todo)
  const isRead = (uid: number) => (was.todo === null ? uid >= was.first : !unread.has(uid))
  const marked = [...changed.marks].flatMap(([uid, mark]) =>
    isRead(uid) && (marks.get(uid) ?? '') !== mark ? [uid] : [],
  )
  for (const uid of gone) marks.delete(uid)
  const left = minus(todo, gone)
  const folder: FolderState = {
    ...was,
    next: Math.max(status.next, ...fresh.slice(-1).map((uid) => uid + 1)),
    modseq: status.modseq,
    uids: pack(here),
    size: here.length,
    queue: pack(minus([...unpack(was.queue), ...fresh, ...both(marked, here)], gone)),
    todo: was.todo === null ? null : { uids: pack(left), left: left.length, of: was.todo.of },
    marks: writeMarks(marks),
    flagsAt: changed.all ? session.io.now() : was.flagsAt,
  }
  return { folder, gone: minus(gone, todo) }
}

type Changes = {
  readonly marks: ReadonlyMap<number, string>
  readonly vanished: readonly number[]
  /** All flags were looked through. */
  readonly all: boolean
}

/**
 * Flags that changed since HIGHESTMODSEQ (CONDSTORE), and with QRESYNC also what vanished: RFC 7162, 3.1.4.1 and 3.2.6.
 * The new HIGHESTMODSEQ is the one from before this: what changes meanwhile is told of twice.
 */
async function changes(session: Session, was: FolderState, status: Status): Promise<Changes> {
  const { client, io } = session
  const since = was.modseq === null || status.modseq === null ? null : BigInt(was.modseq)
  const isDue = since === null && flagsAreDue(was, io.now())
  const isNone = since !== null ? was.modseq === status.modseq : !isDue
  if (isNone || was.next <= 1) return { marks: new Map(), vanished: [], all: isDue }
  const vanished: number[] = []
  const note = ({ uid }: { readonly uid?: number }) => {
    if (uid !== undefined) vanished.push(uid)
  }
  client.on('expunge', note)
  try {
    const range = `1:${was.next - 1}`
    const query = { uid: true, flags: true }
    const told = await client.fetchAll(range, query, {
      uid: true,
      ...(since === null ? {} : { changedSince: since }),
    })
    return {
      marks: new Map(told.map(({ uid, flags }) => [uid, markOf(flags ?? [])])),
      vanished,
      all: isDue,
    }
  } finally {
    client.off('expunge', note)
  }
}
