import type { Mailbox } from '../../core/mail/message.ts'
import { type Cursor, failureOf, type Io } from '../connector.ts'
import type { MailAsk, MailPage } from '../mail.ts'
import { goOn, restarted } from './backfill.ts'
import { ask as askGmail, gmailFor, isMissing } from './client.ts'
import { FROM_START, type State, stateOf, type Sweep } from './cursor.ts'
import type { Desk, Step } from './desk.ts'
import { doubted, due } from './doubts.ts'
import { changesOf, HISTORY_TYPES } from './history.ts'
import { type Digests, FLAG_LABELS, labelsOf } from './labels.ts'
import { type Found, readAll } from './read.ts'
import { type HistoryWire, historyWire, profileWire } from './wire.ts'

/** Records of history a page; and reads of a page, so that what a crash makes us read again stays small. */
const HISTORY_PAGE = 100
const LIVE_READS = 50
const NOTHING: Found = { sightings: [], bad: [] }

/**
 * One page: live changes by the history, or the backfill. The place in the history is taken before anything is listed,
 * so that what happens in between is seen twice rather than not at all.
 * https://developers.google.com/workspace/gmail/api/guides/sync
 */
export async function pull(io: Io, mailbox: Mailbox, from: Cursor | null, ask: MailAsk): Promise<MailPage> {
  const client = gmailFor(io.as(mailbox.address), ask.want === 'backfill' ? 'low' : 'auto')
  const desk: Desk = { client, mailbox, labels: labelsOf(client, mailbox.address), ask, now: () => io.now() }
  const read = from === null ? null : stateOf(from)
  if (read === null) return pageOf(desk, { ...NOTHING, state: await begin(desk, []) }, false)
  const state = { ...read, backfill: restarted(read.backfill, ask.since) }
  const step = ask.want === 'live' ? await live(desk, state) : await goOn(desk, state)
  // A page that only read what one before it had listed does not know what happened since.
  const isLate = ask.want === 'live' && read.live.queue.length > 0
  return pageOf(desk, { ...step, state: renamed(step.state, await desk.labels.seen()) }, isLate)
}

function pageOf(desk: Desk, { sightings, bad, state }: Step, isLate: boolean): MailPage {
  const { live, sweeps, backfill } = state
  const waits = backfill.walk !== null || sweeps.length > 0
  const { listed, total } = backfill
  return {
    sightings,
    bad,
    cursor: state,
    more: desk.ask.want === 'live' ? isLate || live.queue.length > 0 || live.page !== null : waits,
    backfill: waits
      ? { kind: 'waiting', listed, total: total === null ? null : Math.max(total, listed) }
      : { kind: 'done' },
  }
}

/**
 * From now on, with everything before as a backfill. That passes over messages which were read before, so those of them
 * that carry a label now are read again first, as it may have come in a gap of the history: 5 units to list a hundred of
 * a label, 20 for each one known. Those that carry none any more are among what `ask.known` has the backfill read again.
 */
async function begin(desk: Desk, queue: readonly string[]): Promise<State> {
  const { client, mailbox, labels, ask } = desk
  const call = client.users.getProfile({ userId: mailbox.address })
  const { historyId, messagesTotal } = await askGmail('getProfile', call, profileWire)
  const digests = await labels.digests()
  const swept = [...FLAG_LABELS, ...Object.keys(digests)]
  return {
    live: { from: historyId, page: null, queue: [...queue], doubts: [] },
    labels: { ...digests },
    sweeps: swept.map((label) => ({ ...FROM_START, label, again: 'known' })),
    backfill: {
      since: ask.since,
      listed: 0,
      // `resultSizeEstimate` is a guess; the count of the mailbox is right where all of it is read.
      total: ask.since === null ? (messagesTotal ?? null) : null,
      walk: FROM_START,
    },
  }
}

async function live(desk: Desk, state: State): Promise<Step> {
  const { from, page, queue } = state.live
  if (queue.length > 0) return take(desk, state, [])
  // Once a pass, also where nothing is read: a label that gets another name leaves no trace in the history.
  if (page === null) await desk.labels.digests()
  let reply: HistoryWire
  try {
    reply = await history(desk, from, page)
  } catch (error) {
    // Ids last a week or so, "in some rare circumstances" a few hours: 404 means to start over.
    if (isMissing(error)) return { ...NOTHING, state: await begin(desk, queue) }
    if (failureOf(error)?.kind !== 'rejected' || page === null) throw error
    // The place within the history was forgotten, and not the history: its first page is asked for again.
    return live(desk, { ...state, live: { ...state.live, page: null } })
  }
  const { read, gone } = changesOf(reply.history)
  const next = reply.nextPageToken
  const reached = next === null ? (reply.historyId ?? from) : from
  const doubts = state.live.doubts.filter(({ id }) => !gone.includes(id))
  const all = [...new Set([...due(doubts, desk.now()), ...read])]
  return take(desk, { ...state, live: { from: reached, page: next, queue: all, doubts } }, gone)
}

async function history(desk: Desk, startHistoryId: string, page: string | null): Promise<HistoryWire> {
  const call = desk.client.users.history.list({
    userId: desk.mailbox.address,
    startHistoryId,
    historyTypes: HISTORY_TYPES,
    maxResults: HISTORY_PAGE,
    ...(page === null ? {} : { pageToken: page }),
  })
  return askGmail('history.list', call, historyWire)
}

async function take(desk: Desk, state: State, gone: readonly string[]): Promise<Step> {
  const { queue } = state.live
  const ids = queue.slice(0, LIVE_READS)
  const found = await readAll(desk.client, desk.mailbox, desk.labels, ids)
  const rest = { ...state, live: { ...state.live, queue: queue.slice(LIVE_READS) } }
  return {
    sightings: [...gone.map((id) => ({ kind: 'gone' as const, id })), ...found.sightings],
    bad: found.bad,
    state: doubted(rest, ids, found, desk.now()),
  }
}

/** A label with another name may now be a private one, or none any more: all its messages are read again. */
function renamed(state: State, seen: Digests | null): State {
  if (seen === null) return state
  const changed = Object.keys(seen).filter((id) => (state.labels[id] ?? seen[id]) !== seen[id])
  const others = state.sweeps.filter(({ label }) => !changed.includes(label))
  const fresh = changed.map((label): Sweep => ({ ...FROM_START, label, again: 'all' }))
  return { ...state, labels: { ...seen }, sweeps: [...fresh, ...others] }
}
