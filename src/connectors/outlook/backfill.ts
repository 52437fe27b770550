import { failureOf, type Io } from '../connector.ts'
import type { MailAsk, Sighting } from '../mail.ts'
import { FROM_THE_START, rank } from './open.ts'
import type { State, Walk } from './cursor.ts'
import { askDelta, gently } from './graph.ts'
import type { Step } from './live.ts'
import { type Place, readIds, readItems } from './read.ts'
import { MESSAGE_FIELDS } from './wire.ts'

const PAGE = 25

/**
 * One small page of a folder's first round of delta: it lists everything, so it is the backfill, and its deltaLink is
 * where changes go on from. It is not filtered by time, since a filter ends the round after 5,000 messages without a
 * word; older mail is passed over here. The newest come first where Graph heeds the order; nothing depends on it.
 * https://learn.microsoft.com/en-us/graph/api/message-delta
 */
export async function backfill(io: Io, home: string, state: State, asked: MailAsk): Promise<Step> {
  const id = nextFolder(state)
  const walk = id === null ? undefined : state.walks[id]
  if (id === null || walk?.at !== 'listing') return { sightings: [], bad: [], state, more: false }
  const call =
    walk.next === null
      ? { to: `${home}/mailFolders/${encodeURIComponent(id)}/messages/delta`, query: FIRST }
      : { to: walk.next }
  let read
  try {
    read = await gently((pageSize) => askDelta(io, { method: 'GET', ...call, pageSize, low: true }), PAGE)
  } catch (error) {
    const kind = failureOf(error)?.kind
    // A link may die in the middle of its round: this folder starts over. A folder may go: the next pass sees to it.
    if (kind === 'cursor-expired' && walk.next !== null) return idle(put(state, id, FROM_THE_START))
    if (kind === 'missing') return idle(put(state, id, null))
    throw error
  }
  const place: Place = { io, home, folders: state.folders, low: true }
  const items = await readItems(place, read.value)
  const listed = walk.listed + read.value.length
  const after: Walk =
    read.next === null
      ? { at: 'changes', link: read.link, listed }
      : { at: 'listing', next: read.next, listed }
  // A first round may tell of things removed as well: the message itself says what became of it.
  const gone = await readIds(place, items.removed)
  return {
    ...idle(put(state, id, after)),
    sightings: [...items.sightings.filter((one) => isWanted(one, asked)), ...gone.sightings],
    bad: [...items.bad, ...gone.bad],
  }
}

const FIRST = { $select: MESSAGE_FIELDS, $orderby: 'receivedDateTime desc' }

function isWanted(one: Sighting, { since }: MailAsk): boolean {
  return one.kind !== 'message' || since === null || one.sighted.message.envelope.at >= since
}

function nextFolder(state: State): string | null {
  const waiting = Object.keys(state.walks).filter((id) => state.walks[id]?.at === 'listing')
  return waiting.toSorted((a, b) => rank(state.folders, a) - rank(state.folders, b))[0] ?? null
}

function put(state: State, id: string, walk: Walk | null): State {
  const { [id]: _, ...others } = state.walks
  return { ...state, walks: walk === null ? others : { ...others, [id]: walk } }
}

function idle(state: State): Step {
  return { sightings: [], bad: [], state, more: nextFolder(state) !== null }
}
