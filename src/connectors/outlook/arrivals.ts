import { z } from 'zod'
import type { Instant } from '../../core/json.ts'
import type { Io } from '../connector.ts'
import type { MailPage } from '../mail.ts'
import type { State } from './cursor.ts'
import { askPage, gently } from './graph.ts'
import { readItems } from './read.ts'
import { MESSAGE_FIELDS } from './wire.ts'

const PAGE = 50
/** For clocks that differ, and for mail that becomes visible a little after it arrived. */
const OVERLAP_MS = 5 * 60_000

type Recent = NonNullable<State['recent']>

export function recentSince(at: Instant): Recent {
  const since = new Date(at - OVERLAP_MS).toISOString().replace(/\.\d+/, '')
  return { since, next: null, latest: 0, seen: {} }
}

/**
 * A page of the whole mailbox by time of arrival, oldest first, so that the time reached can be kept. A filter does not
 * cap a plain listing as it does delta. https://learn.microsoft.com/en-us/graph/api/user-list-messages
 */
export async function arrivals(
  io: Io,
  home: string,
  state: State,
  recent: Recent,
): Promise<Pick<MailPage, 'sightings' | 'bad'> & { readonly recent: Recent }> {
  const query = {
    $select: MESSAGE_FIELDS,
    $filter: `receivedDateTime ge ${recent.since}`,
    $orderby: 'receivedDateTime',
  }
  const call = recent.next === null ? { to: `${home}/messages`, query } : { to: recent.next }
  const { value, next } = await gently((pageSize) => askPage(io, { method: 'GET', ...call, pageSize }), PAGE)
  const items = value.map((item) => ({ item, mark: marked.safeParse(item).data ?? null }))
  const fresh = items.filter(({ mark }) => mark === null || recent.seen[mark.id] !== mark.as)
  const place = { io, home, folders: state.folders, low: false }
  const { sightings, bad } = await readItems(
    place,
    fresh.map(({ item }) => item),
  )
  const marks = items.flatMap(({ mark }) => mark ?? [])
  // A message may bear a time that is still to come; what arrives now must not wait for it.
  const latest = Math.min(Math.max(recent.latest, ...marks.map(({ at }) => at)), io.now())
  const seen = { ...recent.seen, ...Object.fromEntries(marks.map(({ id, as }) => [id, as])) }
  if (next !== null) return { sightings, bad, recent: { ...recent, next, latest, seen } }
  const from = recentSince(Math.max(latest, Date.parse(recent.since) + OVERLAP_MS))
  return { sightings, bad, recent: { ...from, seen: within(seen, Date.parse(from.since)) } }
}

/** What the next look at the same minutes need not read again, unless it changed. */
const marked = z
  .object({ id: z.string(), '@odata.etag': z.string(), receivedDateTime: z.string() })
  .transform(({ id, '@odata.etag': etag, receivedDateTime }) => {
    const at = Date.parse(receivedDateTime) || 0
    return { id, at, as: `${at} ${etag}` }
  })

function within(seen: Recent['seen'], since: Instant): Recent['seen'] {
  return Object.fromEntries(Object.entries(seen).filter(([, as]) => Number.parseInt(as, 10) >= since))
}
