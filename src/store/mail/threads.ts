import type { RecordId } from '../../core/model.ts'
import { numbers, texts } from '../columns.ts'
import type { Query } from '../database.ts'
import { bytes, type Hash } from './key.ts'

/** The threads that ids belong to; unknown ids are left out. */
export async function threadsOf(q: Query, ids: readonly Hash[]): Promise<ReadonlyMap<Hash, RecordId>> {
  if (ids.length === 0) return new Map()
  const found = await q<{ id: Hash; thread: RecordId }[]>`
    select encode(id_hash, 'hex') as id, thread_id as thread from mail_thread_ids
    where id_hash = any(${texts(ids.map(bytes))}::bytea[])`
  return new Map(found.map((row) => [row.id, row.thread]))
}

/** New ids of threads. Returns how many were new: fewer than given where another transaction was faster. */
export async function saveThreadIds(
  q: Query,
  ids: readonly { readonly id: Hash; readonly thread: RecordId }[],
): Promise<number> {
  if (ids.length === 0) return 0
  const written = await q`
    insert into mail_thread_ids (id_hash, thread_id)
    select * from unnest(${texts(ids.map((i) => bytes(i.id)))}::bytea[], ${numbers(ids.map((i) => i.thread))}::bigint[])
    on conflict do nothing`
  return written.count
}

/** Threads that turn out to be one: everything of `from` moves to `to`. */
export async function joinThreads(
  q: Query,
  joins: readonly { readonly from: RecordId; readonly to: RecordId }[],
): Promise<void> {
  if (joins.length === 0) return
  const given = q`unnest(${numbers(joins.map((j) => j.from))}::bigint[], ${numbers(joins.map((j) => j.to))}::bigint[])
    as j(old, new)`
  await q`
    with ids as (update mail_thread_ids t set thread_id = j.new from ${given} where t.thread_id = j.old)
    update messages m set thread_id = j.new from ${given} where m.thread_id = j.old`
}
