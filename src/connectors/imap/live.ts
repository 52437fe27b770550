import type { Instant } from '../../core/json.ts'
import type { BadRow } from '../connector.ts'
import type { Sighting } from '../mail.ts'
import { type FolderState, type Lost, put, type State } from './cursor.ts'
import { readMarks, writeMarks } from './flags.ts'
import { type Listed, rank, remoteId } from './folders.ts'
import { type Found, readMessages } from './read.ts'
import { isOpened, scan } from './scan.ts'
import type { Session } from './session.ts'
import { minus, pack, unpack } from './uids.ts'

/** Messages read in a page, and messages reported as gone. */
const READS = 50
const LEAVING = 1_000

export type Step = {
  readonly sightings: readonly Sighting[]
  readonly bad: readonly BadRow[]
  readonly state: State
  readonly more: boolean
}

/** A look at all folders, then some of what it found. A message that moved is read in its new place first. */
export async function live(session: Session, from: State, since: Instant | null): Promise<Step> {
  const { state: looked, listed } = await scan(session, from, since)
  let state = looked
  const sightings: Sighting[] = []
  const bad: BadRow[] = []
  let left = READS
  for (const place of listed.toSorted((a, b) => rank(a) - rank(b))) {
    const folder = state.folders.find(({ path }) => path === place.path)
    if (folder === undefined || folder.queue === '' || left <= 0) continue
    const uids = unpack(folder.queue).slice(-left)
    const found = await readIn(session, place, folder, uids)
    // Another folder has its name by now, or none: the next look sees to it.
    if (found === null) continue
    left -= uids.length
    sightings.push(...found.sightings)
    bad.push(...found.bad)
    const queue = pack(minus(unpack(folder.queue), uids))
    state = put(state, { ...withMarks(folder, found), queue })
  }
  const isRead = state.folders.every(({ queue }) => queue === '')
  const { gone, rest } = isRead ? taken(state.leaving) : { gone: [], rest: state.leaving }
  return {
    sightings: [...sightings, ...gone],
    bad,
    state: { ...state, leaving: rest },
    more: !isRead || rest.length > 0 || state.lost.length > 0 || canGiveUp(state),
  }
}

/** Folders that are not there any more wait for one more look. */
const canGiveUp = ({ past, folders }: State): boolean =>
  past.length > 0 && folders.every(({ todo, queue }) => todo?.left === 0 && queue === '')

/** Reads in one folder; null where it is not what it was. */
export async function readIn(
  session: Session,
  place: Listed,
  folder: FolderState,
  uids: readonly number[],
): Promise<Found | null> {
  if (!(await isOpened(session, folder.path, folder.validity))) return null
  return readMessages(session, { ...place, validity: folder.validity }, uids)
}

export function withMarks(folder: FolderState, { marks }: Pick<Found, 'marks'>): FolderState {
  return { ...folder, marks: writeMarks(new Map([...readMarks(folder.marks), ...marks])) }
}

function taken(leaving: readonly Lost[]): { gone: readonly Sighting[]; rest: Lost[] } {
  const gone: Sighting[] = []
  const rest: Lost[] = []
  for (const { path, validity, uids } of leaving) {
    const all = unpack(uids)
    const now = all.slice(0, LEAVING - gone.length)
    gone.push(...now.map((uid): Sighting => ({ kind: 'gone', id: remoteId(path, validity, uid) })))
    if (now.length < all.length) rest.push({ path, validity, uids: pack(all.slice(now.length)) })
  }
  return { gone, rest }
}
