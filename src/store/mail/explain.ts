import type { Instant } from '../../core/json.ts'
import type { RecordId } from '../../core/model.ts'
import { numbers, texts } from '../columns.ts'
import type { Query } from '../database.ts'

/** The messages of a thread, oldest first; at most 100. Those taken out are left out. */
export async function threadOf(
  q: Query,
  thread: RecordId,
): Promise<readonly { readonly id: RecordId; readonly at: Instant; readonly subject: string | null }[]> {
  return q<{ id: RecordId; at: Instant; subject: string | null }[]>`
    select id, at, subject from messages where thread_id = ${thread} and state = 'kept' order by at, id limit 100`
}

/** When a message came; undefined where no message has this id. */
export async function timeOf(q: Query, id: RecordId): Promise<Instant | undefined> {
  const [row] = await q<{ at: Instant }[]>`select at from messages where id = ${id}`
  return row?.at
}

/** Why messages of a mailbox could not be read. */
export async function problemsOf(
  q: Query,
  streamIds: readonly number[],
  remoteIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (remoteIds.length === 0) return new Map()
  const found = await q<{ streamId: number; remoteId: string; problem: string }[]>`
    select stream_id as "streamId", remote_id as "remoteId", problem from quarantine
    where stream_id = any(${numbers(streamIds)}::int[]) and remote_id = any(${texts(remoteIds)}::text[])`
  return new Map(found.map((row) => [`${row.streamId} ${row.remoteId}`, row.problem]))
}
