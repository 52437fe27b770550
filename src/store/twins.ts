import type { Instant, JsonObject } from '../core/json.ts'
import type { RecordId } from '../core/model.ts'
import { numbers } from './columns.ts'
import type { Query } from './database.ts'
import type { LinkState } from './links.ts'

export type TwinRow = {
  readonly id: number
  readonly recordId: RecordId
  readonly state: LinkState
  readonly observed: JsonObject | null
  /** It came with a record that was merged into this one. */
  readonly isMoved: boolean
  /** A write archived its object since. */
  readonly isArchived: boolean
}

/** All links of merged records in one stream that are not gone. */
export async function twinRows(
  q: Query,
  streamId: number,
  records: readonly RecordId[],
): Promise<readonly TwinRow[]> {
  return q<TwinRow[]>`
    select l.id, l.record_id as "recordId", l.state, l.observed, moved.at is not null as "isMoved",
      moved.at is not null and exists (
        select from outbox o where o.link_id = l.id and o.record_id = l.record_id and o.op = 'archive'
          and o.state = 'applied' and o.created_at >= moved.at) as "isArchived"
    from links l left join lateral (
      select min(m.at) as at from facets f
      join merges m on m.loser_id = f.record_id and m.state = 'merged'
      join merge_moves mm on mm.merge_id = m.id and mm.what = 'link' and mm.kind = '' and mm.id = l.id
      where f.root_id = l.record_id
    ) moved on true
    where l.record_id = any(${numbers(records)}::bigint[]) and l.stream_id = ${streamId} and l.state <> 'gone'
    order by l.id`
}

/** Links that a merge moved, whose objects were archived for it. */
export async function archivedFor(
  q: Query,
  merge: number,
  survivor: RecordId,
  since: Instant,
): Promise<readonly number[]> {
  const found = await q<{ id: number }[]>`
    select l.id from merge_moves m join links l on l.id = m.id and l.record_id = ${survivor}
    where m.merge_id = ${merge} and m.what = 'link' and exists (
      select from outbox o where o.link_id = l.id and o.record_id = ${survivor} and o.op = 'archive'
        and o.state = 'applied' and o.created_at >= ${since})`
  return found.map((row) => row.id)
}

/** The objects of these links are gone: their records do without them until they come back. */
export async function endLinks(q: Query, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  await q`update links set state = 'gone' where id = any(${numbers(ids)}::bigint[])`
}

/** Records that have an object of this stream beside those whose links are given. */
export async function haveOthers(
  q: Query,
  streamId: number,
  records: readonly RecordId[],
  besides: readonly number[],
): Promise<ReadonlySet<RecordId>> {
  if (records.length === 0) return new Set()
  const found = await q<{ id: RecordId }[]>`
    select distinct record_id as id from links
    where record_id = any(${numbers(records)}::bigint[]) and stream_id = ${streamId} and state = 'linked'
      and id <> all(${numbers(besides)}::bigint[])`
  return new Set(found.map((row) => row.id))
}

/** The records that a stream's objects belong to; also those of objects that are gone. */
export async function recordsBehind(
  q: Query,
  streamId: number,
  remoteIds: readonly string[],
): Promise<ReadonlyMap<string, RecordId>> {
  if (remoteIds.length === 0) return new Map()
  const found = await q<{ remoteId: string; recordId: RecordId }[]>`
    select remote_id as "remoteId", record_id as "recordId" from links
    where stream_id = ${streamId} and remote_id = any(${[...remoteIds]})`
  return new Map(found.map((row) => [row.remoteId, row.recordId]))
}
