import type { RecordId } from '../core/model.ts'
import type { MergedKind } from '../core/survivorship.ts'
import type { Query } from './database.ts'
import { TABLE } from './records.ts'

const PREFIX = 'missing_data:merged:'

/** Names the question about an object that its remote has merged into one that the hub does not have. */
export const mergedAwayKey = (streamId: number, remoteId: string): string =>
  `${PREFIX}${streamId}:${remoteId}`

/** A merge at a remote that could not be followed, as one of its objects is not in the hub. */
export type WaitingMerge = {
  readonly key: string
  readonly recordId: RecordId
  readonly from: string
  readonly into: string
}

/**
 * The merges of a stream that need not wait any longer: their object is here, or their record is archived or merged by
 * now. In the order in which they were asked about.
 */
export async function ripeMerges(
  q: Query,
  streamId: number,
  kind: MergedKind,
  limit: number,
): Promise<readonly WaitingMerge[]> {
  return q<WaitingMerge[]>`
    select i.key, i.record_id as "recordId", i.detail->>'from' as from, i.detail->>'into' as into
    from inbox i left join ${q(TABLE[kind])} r on r.id = i.record_id and r.archived_at is null
    where i.state = 'open' and i.kind = 'missing_data' and i.stream_id = ${streamId} and i.key like ${`${PREFIX}%`}
      and (r.id is null or exists (
        select from links l
        where l.stream_id = ${streamId} and l.remote_id = i.detail->>'into' and l.state = 'linked'))
    order by i.id limit ${limit}`
}
