import { strictest, type MatchedKind, type Thresholds } from '../../core/duplicates.ts'
import type { RecordId } from '../../core/model.ts'
import type { Hub } from '../hub.ts'

/** Which thresholds count for a pair: the strictest of the streams that its records came through. */
export type Limits = {
  /** Below it no pair of this kind is told to anybody; null: none ever is. */
  readonly least: number | null
  of(streams: readonly number[]): Thresholds
}

export function limitsOf(hub: Hub, kind: MatchedKind): Limits {
  const own = hub.configuration.duplicates
  const byStream = new Map(
    hub.targets.filter((t) => t.stream.record === kind).map((t) => [t.id, t.stream.duplicates]),
  )
  const all = [own, ...byStream.values()].flatMap(({ link, ask }) => [link, ask]).filter((p) => p !== null)
  return {
    least: all.length === 0 ? null : Math.min(...all),
    of: (streams) =>
      strictest(
        streams.flatMap((id) => byStream.get(id) ?? []),
        own,
      ),
  }
}

/** Whether anything is merged by its likeness alone: then it should be before it is sent on. */
export const mergesByLikeness = (hub: Hub): boolean =>
  hub.configuration.duplicates.link !== null || hub.targets.some((t) => t.stream.duplicates.link !== null)

export type Sources = ReadonlyMap<RecordId, readonly number[]>
