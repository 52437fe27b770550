import type { Mailbox } from '../../core/mail/message.ts'
import { type BadRow, type Cursor, type Io, VendorError } from '../connector.ts'
import type { Mail, MailAsk, MailPage, Sighting } from '../mail.ts'
import { backfill, restarted } from './backfill.ts'
import { isWaiting, type State, stateOf } from './cursor.ts'
import { keyOf, listFolders, readId, remoteId } from './folders.ts'
import { listen } from './listen.ts'
import { live, type Step } from './live.ts'
import { readMessages } from './read.ts'
import { isOpened, open } from './scan.ts'
import { inSession, type Session } from './session.ts'
import { accountOf } from './settings.ts'

export const mail: Mail = {
  mailboxes: async (io) => [mailboxOf(io)],
  pull: (io, _mailbox, from, ask) => inSession(io, (session) => pull(session, from, ask)),
  fetch: (io, _mailbox, ids) => inSession(io, (session) => fetch(session, ids)),
  listen,
}

function mailboxOf({ settings }: Io): Mailbox {
  const { address, addresses } = accountOf(settings)
  return { id: address, address, addresses }
}

async function pull(session: Session, from: Cursor | null, ask: MailAsk): Promise<MailPage> {
  const kept = stateOf(from)
  if (kept === null) {
    const { state } = await open(session, ask.since)
    return paged({ sightings: [], bad: [], state, more: ask.want === 'backfill' && isWaiting(state) })
  }
  const state = restarted(kept, ask.since)
  return paged(
    ask.want === 'live' ? await live(session, state, ask.since) : await backfill(session, state, ask),
  )
}

function paged({ sightings, bad, state, more }: Step): MailPage {
  return { sightings, bad, cursor: state, more, backfill: progress(state) }
}

/** `total` is what there is to list: it is exact but for folders that were not begun yet. */
function progress(state: State): MailPage['backfill'] {
  if (!isWaiting(state)) return { kind: 'done' }
  const total = sum(state.folders.map(({ todo, size }) => todo?.of ?? size))
  const left = sum(state.folders.map(({ todo, size }) => todo?.left ?? size))
  return { kind: 'waiting', listed: Math.max(0, total - left), total }
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)

type Fetched = { readonly sightings: readonly Sighting[]; readonly bad: readonly BadRow[] }

async function fetch(session: Session, ids: readonly string[]): Promise<Fetched> {
  const places = new Map((await listFolders(session)).map((place) => [keyOf(place.path), place]))
  const sightings: Sighting[] = []
  const bad: BadRow[] = []
  const wanted = Map.groupBy([...new Set(ids)], (id) => id.slice(0, id.lastIndexOf(':')))
  for (const [, group] of wanted) {
    const [first] = group.map(readId)
    const place = first === null || first === undefined ? undefined : places.get(first.key)
    const isHere =
      place !== undefined &&
      first !== null &&
      first !== undefined &&
      place.status?.validity === first.validity
    if (!isHere) {
      if (place !== undefined && place.status === null) throw closed(place.path)
      sightings.push(...group.map((id): Sighting => ({ kind: 'gone', id })))
      continue
    }
    if (!(await isOpened(session, place.path, first.validity))) throw closed(place.path)
    const uids = group.flatMap((id) => readId(id)?.uid ?? [])
    const found = await readMessages(session, { ...place, validity: first.validity }, uids)
    sightings.push(...found.sightings)
    bad.push(...found.bad)
    for (const uid of found.missing)
      sightings.push({ kind: 'gone', id: remoteId(place.path, first.validity, uid) })
  }
  return { sightings, bad }
}

const closed = (path: string): VendorError =>
  new VendorError({
    kind: 'unavailable',
    committed: 'no',
    message: `The folder ${path} cannot be opened. It is asked again later.`,
  })
