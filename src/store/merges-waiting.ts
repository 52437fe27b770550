import type { RecordId } from '../core/model.ts'
import type { Query } from './database.ts'

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

/** The merges of a stream that wait for their object, in the order in which they were asked about. */
export async function waitingMerges(
  q: Query,
  streamId: number,
  limit: number,
): Promise<readonly WaitingMerge[]> {
  return q<WaitingMerge[]>`
    select key, record_id as "recordId", detail->>'from' as from, detail->>'into' as into from inbox
    where state = 'open' and kind = 'missing_data' and stream_id = ${streamId} and key like ${`${PREFIX}%`}
    order by id limit ${limit}`
}
