import type { Allowance, Recent } from '../core/guard.ts'
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
  /** By side, the harm that an approved plan lets through; used up by the run that needs it. */
  readonly approved: { readonly [side in Side]?: Allowance } | null
  /** By side, the harm of the last hour. */
  readonly harmed: { readonly [side in Side]?: Recent } | null
  readonly held: boolean
  /** When its first complete pass ended; null: until then nothing is automated from it. */
  readonly firstSyncedAt: Instant | null
  /** What it may write with, and what its links were last planned with; see `shapeOf`. */
  readonly approvedShape: string | null
  readonly appliedShape: string | null
  readonly checkedAt: Instant | null
  readonly movedAt: Instant | null
  readonly problem: string | null
}

const COLUMNS = `id, connection, name, cursor, needs_sweep as "needsSweep", approved, harmed, held,
  first_synced_at as "firstSyncedAt", approved_shape as "approvedShape", applied_shape as "appliedShape",
  checked_at as "checkedAt", moved_at as "movedAt", problem`

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

/** Whether a connection has, or once had, streams. What it did stays when it is removed. */
export async function hadStreams(q: Query, connection: string): Promise<boolean> {
  const [row] = await q<{ had: boolean }[]>`
    select exists (select from streams where connection = ${connection}) as had`
  return row?.had ?? false
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

/**
 * Lets harm through that was seen beforehand: a person has approved a plan that counts it. What went through before
 * was seen, too, and counts no more.
 */
export async function allow(q: Query, id: number, side: Side, allowance: Allowance): Promise<void> {
  await q`
    update streams set approved = coalesce(approved, '{}') || ${jsonText({ [side]: allowance })}::text::jsonb,
      harmed = harmed - ${side}::text
    where id = ${id}`
}

/** An allowance is used up. */
export async function endAllowance(q: Query, id: number, side: Side): Promise<void> {
  await q`update streams set approved = nullif(approved - ${side}::text, '{}') where id = ${id} and approved is not null`
}

/** Keeps the harm of the last hour, in the transaction that does it. */
export async function noteHarm(q: Query, id: number, side: Side, recent: Recent): Promise<void> {
  await q`
    update streams set harmed = coalesce(harmed, '{}') || ${jsonText({ [side]: recent })}::text::jsonb
    where id = ${id}`
}

/** A stream is held while a change of it waits for a verdict. */
export async function markHeld(q: Query, id: number): Promise<boolean> {
  const [row] = await q<{ held: boolean }[]>`
    update streams set held = exists (select from held_changes h where h.stream_id = streams.id and h.verdict is null)
    where id = ${id} returning held`
  return row?.held ?? false
}

/** The first complete pass is over; later ones leave the time of the first. */
export async function markSynced(q: Query, id: number, at: Instant): Promise<void> {
  await q`update streams set first_synced_at = ${at} where id = ${id} and first_synced_at is null`
}

/** Its links were planned with this shape; `lists`: everything at the remote is to be looked at again. */
export async function markApplied(q: Query, id: number, shape: string, lists: boolean): Promise<void> {
  await q`update streams set applied_shape = ${shape}, needs_sweep = needs_sweep or ${lists} where id = ${id}`
}

/** Lets streams write with these shapes. */
export async function approveShapes(
  q: Query,
  shapes: readonly { readonly id: number; readonly shape: string }[],
): Promise<void> {
  if (shapes.length === 0) return
  await q`
    update streams s set approved_shape = n.shape
    from unnest(${shapes.map((s) => s.id)}::int[], ${shapes.map((s) => s.shape)}::text[]) as n(id, shape)
    where s.id = n.id`
}

/** What decides whether streams may write: what was approved, and which account and settings they are about. */
export type GateRow = {
  readonly id: number
  readonly connection: string
  readonly name: string
  readonly approvedShape: string | null
  readonly appliedShape: string | null
  readonly accountId: string | null
  readonly settings: JsonObject
  /** It has read or written before anybody was asked. */
  readonly adoptable: boolean
}

/** Of added connections. */
export async function gateRows(q: Query, connection: string | null = null): Promise<readonly GateRow[]> {
  return q<GateRow[]>`
    select s.id, s.connection, s.name, s.approved_shape as "approvedShape", s.applied_shape as "appliedShape",
      c.account_id as "accountId", c.settings,
      s.approved_shape is null and (
        s.checked_at is not null
        or exists (select from links l where l.stream_id = s.id and l.state = 'linked')
        or s.name = 'mail/*' and exists (
          select from streams m
          where m.connection = s.connection and m.name like 'mail/%' and m.checked_at is not null
        )) as "adoptable"
    from streams s join connections c on c.name = s.connection
    where ${connection}::text is null or s.connection = ${connection}
    order by s.id`
}
