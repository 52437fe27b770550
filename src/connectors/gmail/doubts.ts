import type { Instant } from '../../core/json.ts'
import type { RemoteId } from '../connector.ts'
import type { State } from './cursor.ts'
import type { Found } from './read.ts'

/**
 * A message that Gmail names and that is not there was deleted since, and the history will say so. Should it not, the
 * message is looked for once more after this.
 */
const DOUBT_MS = 60_000

/** With those of `ids` that were not found, unless they were looked for before. */
export function doubted(state: State, ids: readonly RemoteId[], found: Found, at: Instant): State {
  const { doubts } = state.live
  const lost = found.sightings.flatMap(({ kind, id }) => (kind === 'gone' ? [id] : []))
  const fresh = lost.filter((id) => !doubts.some((doubt) => doubt.id === id)).map((id) => ({ id, at }))
  const still = doubts.filter(({ id }) => !ids.includes(id))
  return { ...state, live: { ...state.live, doubts: [...still, ...fresh] } }
}

export function due(doubts: State['live']['doubts'], now: Instant): readonly RemoteId[] {
  return doubts.filter(({ at }) => at + DOUBT_MS <= now).map(({ id }) => id)
}
