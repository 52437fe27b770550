import type { Harm } from '../core/guard.ts'
import type { Instant, JsonObject } from '../core/json.ts'
import { jsonText, type Query } from './database.ts'

/** Into the hub, or out to the remote. */
export type Side = 'in' | 'out'

export type StreamRow = {
  readonly id: number
  readonly connection: string
  readonly name: string
  readonly cursor: JsonObject | null
  readonly needsSweep: boolean
  /** The harm of a held run that a person approved; used up by the next run of that side. */
  readonly approved: (Harm & { readonly side: Side }) | null
  readonly held: boolean
  readonly checkedAt: Instant | null
  readonly movedAt: Instant | null
  readonly problem: string | null
}

const COLUMNS = `id, connection, name, cursor, needs_sweep as "needsSweep", approved, held, checked_at as "checkedAt",
  moved_at as "movedAt", problem`

/** Makes rows for streams that have none yet. */
export async function ensureStreams(
  q: Query,
  streams: readonly { readonly connection: string; readonly name: string }[],
): Promise<void> {
  await q`
    insert into streams (connection, name)
    select * from unnest(${streams.map((s) => s.connection)}::text[], ${streams.map((s) => s.name)}::text[])
    on conflict do nothing`
}

export async function listStreams(q: Query): Promise<readonly StreamRow[]> {
  return q<StreamRow[]>`select ${q.unsafe(COLUMNS)} from streams order by id`
}

export async function readStream(q: Query, id: number): Promise<StreamRow> {
  const [row] = await q<StreamRow[]>`select ${q.unsafe(COLUMNS)} from streams where id = ${id}`
  if (row === undefined) throw new Error(`no stream has the id ${id}`)
  return row
}

/** The cursor, in the transaction of the page it stands behind. */
export async function saveCursor(
  q: Query,
  id: number,
  cursor: JsonObject | null,
  at: Instant,
): Promise<void> {
  await q`
    update streams set cursor = ${cursor === null ? null : jsonText(cursor)}::text::jsonb, moved_at = ${at}, checked_at = ${at},
      problem = null
    where id = ${id}`
}

/** A pass that found nothing new leaves its mark only when the last mark is older than this, so that idling writes nothing. */
export const HEARTBEAT_MS = 15 * 60_000

export async function noteChecked(q: Query, id: number, at: Instant): Promise<void> {
  await q`update streams set checked_at = ${at}, problem = null where id = ${id}`
}

export async function noteProblem(q: Query, id: number, problem: string): Promise<void> {
  await q`update streams set problem = ${problem} where id = ${id} and problem is distinct from ${problem}`
}

export async function markSweep(q: Query, id: number, needsSweep: boolean): Promise<void> {
  await q`update streams set needs_sweep = ${needsSweep} where id = ${id} and needs_sweep <> ${needsSweep}`
}

export async function holdStream(
  q: Query,
  id: number,
  held: boolean,
  approved: StreamRow['approved'],
): Promise<void> {
  await q`
    update streams set held = ${held}, approved = ${approved === null ? null : jsonText(approved)}::text::jsonb
    where id = ${id}`
}
