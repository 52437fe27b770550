import type { Instant, JsonObject } from '../core/json.ts'
import type { RecordId, RecordKind, Source } from '../core/model.ts'
import type { RemoteErasure } from '../core/privacy.ts'
import { numbers } from './columns.ts'
import type { Query } from './database.ts'
import { jsonText } from './json-text.ts'

export type Erasure = {
  readonly id: number
  readonly recordId: RecordId
  readonly records: readonly RecordId[]
  readonly kind: RecordKind
  readonly by: Source
  readonly at: Instant
  readonly run: number | null
  readonly counts: JsonObject
  readonly remotes: readonly RemoteErasure[]
}

const COLUMNS = `id, record_id as "recordId", records, kind, by, at, run_id as run, counts, remotes`

export async function insertErasure(
  q: Query,
  erasure: Omit<Erasure, 'id' | 'counts' | 'remotes'>,
): Promise<number> {
  const [row] = await q<{ id: number }[]>`
    insert into erasures (record_id, records, kind, by, at, run_id, counts, remotes)
    values (${erasure.recordId}, ${numbers(erasure.records)}::text::bigint[], ${erasure.kind}, ${erasure.by}, ${erasure.at},
      ${erasure.run}, '{}', '[]') returning id`
  if (row === undefined) throw new Error('insert returned no row')
  return row.id
}

export async function noteErasure(
  q: Query,
  id: number,
  { counts, remotes }: Pick<Erasure, 'counts' | 'remotes'>,
): Promise<void> {
  await q`
    update erasures set counts = ${jsonText(counts)}::text::jsonb, remotes = ${jsonText(remotes)}::text::jsonb
    where id = ${id}`
}

/** Locked: whoever else notes what came of it waits. */
export async function lockErasure(q: Query, id: number): Promise<Erasure | undefined> {
  const [row] = await q<Erasure[]>`select ${q.unsafe(COLUMNS)} from erasures where id = ${id} for update`
  return row
}

export async function readErasure(q: Query, id: number): Promise<Erasure | undefined> {
  const [row] = await q<Erasure[]>`select ${q.unsafe(COLUMNS)} from erasures where id = ${id}`
  return row
}

/** The latest erasure of a record. */
export async function erasureOf(q: Query, record: RecordId): Promise<Erasure | undefined> {
  const [row] = await q<Erasure[]>`
    select ${q.unsafe(COLUMNS)} from erasures where ${record} = any(records) order by id desc limit 1`
  return row
}

/** Latest first; `open`: only those of which a vendor, or a person, has still to do something. */
export async function listErasures(
  q: Query,
  { open, before, limit }: { readonly open: boolean; readonly before: number | null; readonly limit: number },
): Promise<readonly Erasure[]> {
  return q<Erasure[]>`
    select ${q.unsafe(COLUMNS)} from erasures
    where (${before}::bigint is null or id < ${before})
      and (not ${open} or exists (
        select from jsonb_array_elements(remotes) r where r ->> 'state' <> 'done'))
    order by id desc limit ${limit}`
}

/** A page of the erasures that wait for a vendor, by rising id. */
export async function unfinishedErasures(q: Query, after: number, limit: number): Promise<readonly number[]> {
  const found = await q<{ id: number }[]>`
    select id from erasures where id > ${after} and exists (
      select from jsonb_array_elements(remotes) r where r ->> 'state' in ('pending', 'failed'))
    order by id limit ${limit}`
  return found.map((row) => row.id)
}
