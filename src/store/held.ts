import { NO_HARM, type Harm, type HarmfulChange, type What } from '../core/guard.ts'
import type { Instant } from '../core/json.ts'
import type { RecordId, Source } from '../core/model.ts'
import { numbers, texts } from './columns.ts'
import { rows, type Query } from './database.ts'
import type { Side } from './streams.ts'

/** `done`: what was decided has been carried out. Null: nobody has decided. */
export type HeldVerdict = 'approved' | 'rejected' | 'done' | null
export type HeldRow = HarmfulChange & {
  readonly verdict: HeldVerdict
  readonly decidedBy: Source | null
  readonly seenAt: Instant
}

const COLUMNS = `what, record_id as "recordId", remote_id as "remoteId", title, changes, stamp, verdict,
  decided_by as "decidedBy", seen_at as "seenAt"`

/** Lists held changes. A verdict stays where it is about the very same change and was not carried out yet. */
export async function noteHeld(
  q: Query,
  streamId: number,
  side: Side,
  changes: readonly HarmfulChange[],
  at: Instant,
): Promise<void> {
  if (changes.length === 0) return
  const latest = [...new Map(changes.map((c) => [`${c.what} ${c.recordId}`, c])).values()]
  await q`
    insert into held_changes as h (stream_id, side, what, record_id, remote_id, title, changes, stamp, seen_at)
    select ${streamId}, ${side}, what, "recordId", "remoteId", title, changes, stamp, ${at}
    from jsonb_to_recordset(${rows(latest)}::text::jsonb) as r(what text, "recordId" bigint, "remoteId" text, title text,
      changes json, stamp text)
    on conflict (stream_id, side, what, record_id) do update set remote_id = excluded.remote_id, title = excluded.title,
      changes = excluded.changes, seen_at = excluded.seen_at, stamp = excluded.stamp,
      verdict = case when h.verdict = 'done' or h.stamp <> excluded.stamp then null else h.verdict end,
      decided_by = case when h.verdict = 'done' or h.stamp <> excluded.stamp then null else h.decided_by end`
}

/** What is known of the changes of these records. */
export async function heldOf(
  q: Query,
  streamId: number,
  side: Side,
  recordIds: readonly RecordId[],
): Promise<readonly HeldRow[]> {
  if (recordIds.length === 0) return []
  return q<HeldRow[]>`
    select ${q.unsafe(COLUMNS)} from held_changes
    where stream_id = ${streamId} and side = ${side} and record_id = any(${[...new Set(recordIds)]})`
}

export type HeldCounts = { readonly undecided: Harm; readonly decided: Harm }

/** How many changes of a side wait, and how many have been decided about while others wait. */
export async function heldCounts(q: Query, streamId: number, side: Side): Promise<HeldCounts> {
  const found = await q<{ what: What; undecided: number; decided: number }[]>`
    select what, count(*) filter (where verdict is null) as undecided,
      count(*) filter (where verdict is not null) as decided
    from held_changes where stream_id = ${streamId} and side = ${side} group by what`
  const of = (name: 'undecided' | 'decided') =>
    found.reduce<Harm>((harm, row) => ({ ...harm, [row.what]: row[name] }), NO_HARM)
  return { undecided: of('undecided'), decided: of('decided') }
}

/** Says among the changes of what counts as a delete that nothing is deleted: the object was merged at its remote. */
export const MERGED = 'mergedInto'

/** How many of a side's waiting deletes are merges at the remote. */
export async function heldMerges(q: Query, streamId: number, side: Side): Promise<number> {
  const [row] = await q<{ count: number }[]>`
    select count(*) as count from held_changes
    where stream_id = ${streamId} and side = ${side} and what = 'deletes' and verdict is null
      and changes->${MERGED} is not null`
  return row?.count ?? 0
}

/** Which held changes a person means: all, only those of some records, or all but those. */
export type Chosen =
  | { readonly kind: 'all' }
  | { readonly kind: 'only'; readonly records: readonly RecordId[] }
  | { readonly kind: 'except'; readonly records: readonly RecordId[] }

const chosenBy = (q: Query, chosen: Chosen) =>
  chosen.kind === 'all'
    ? q`true`
    : chosen.kind === 'only'
      ? q`record_id = any(${[...chosen.records]})`
      : q`record_id <> all(${[...chosen.records]})`

/** Writes a verdict on chosen changes that nobody has decided about; returns how many. */
export async function decideHeld(
  q: Query,
  streamId: number,
  side: Side,
  verdict: 'approved' | 'rejected',
  by: Source,
  chosen: Chosen,
): Promise<number> {
  const decided = await q`
    update held_changes set verdict = ${verdict}, decided_by = ${by}
    where stream_id = ${streamId} and side = ${side} and verdict is null and ${chosenBy(q, chosen)}`
  return decided.count
}

/** Which of the records have no undecided change. */
export async function notHeld(
  q: Query,
  streamId: number,
  side: Side,
  records: readonly RecordId[],
): Promise<readonly RecordId[]> {
  const found = await q<{ id: RecordId }[]>`
    select id from unnest(${numbers([...records])}::bigint[]) as r(id)
    where not exists (select from held_changes h where h.stream_id = ${streamId} and h.side = ${side}
      and h.record_id = r.id and h.verdict is null)
    limit 20`
  return found.map((row) => row.id)
}

/** Marks decided changes as carried out. */
export async function markDone(
  q: Query,
  streamId: number,
  side: Side,
  changes: readonly Pick<HarmfulChange, 'what' | 'recordId'>[],
): Promise<void> {
  if (changes.length === 0) return
  await q`
    update held_changes h set verdict = 'done'
    from unnest(${texts(changes.map((c) => c.what))}::text[], ${numbers(changes.map((c) => c.recordId))}::bigint[])
      as r(what, id)
    where h.stream_id = ${streamId} and h.side = ${side} and h.what = r.what and h.record_id = r.id
      and h.verdict is not null`
}

/** Forgets changes that a pass over everything did not meet again: their cause is gone. */
export async function forgetUnmet(q: Query, streamId: number, side: Side, before: Instant): Promise<void> {
  await q`
    delete from held_changes
    where stream_id = ${streamId} and side = ${side} and seen_at < ${before} and verdict is distinct from 'done'`
}

/** Forgets what is held of these records: they would do no harm any more. */
export async function forgetRecords(
  q: Query,
  streamId: number,
  side: Side,
  recordIds: readonly RecordId[],
  what: What | null = null,
): Promise<void> {
  if (recordIds.length === 0) return
  await q`
    delete from held_changes
    where stream_id = ${streamId} and side = ${side} and record_id = any(${[...recordIds]})
      and (${what}::text is null or what = ${what})`
}

/**
 * Forgets a side's list once nothing of it waits for a verdict. Outward, approvals that were not used yet are kept, and
 * refusals too: they are not asked again until the record changes.
 */
export async function forgetSide(q: Query, streamId: number, side: Side): Promise<void> {
  await q`
    delete from held_changes where stream_id = ${streamId} and side = ${side} and (side = 'in' or verdict is null or verdict = 'done')`
}

/** Marks approvals as used whose links have nothing waiting any more. */
export async function forgetSent(q: Query, streamId: number): Promise<void> {
  await q`
    update held_changes h set verdict = 'done'
    where h.stream_id = ${streamId} and h.side = 'out' and h.verdict = 'approved' and not exists (
      select from links l where l.record_id = h.record_id and l.stream_id = h.stream_id and l.wake > l.settled
        and l.state in ('pending', 'linked', 'filtered'))`
}

/** Wakes the links whose outward change was approved, or waits no longer. */
export async function wakeHeld(q: Query, streamId: number, verdict: 'approved' | 'undecided'): Promise<void> {
  await q`
    update links l set wake = l.wake + 1, not_before = null
    from held_changes h
    where h.stream_id = ${streamId} and h.side = 'out' and l.stream_id = h.stream_id and l.record_id = h.record_id
      and coalesce(h.verdict, 'undecided') = ${verdict} and l.state <> 'gone'`
}

/** A stretch of a side's list, in the order of its keys. */
export async function heldPage(
  q: Query,
  streamId: number,
  side: Side,
  after: { readonly what: string; readonly recordId: RecordId } | null,
  limit: number,
  verdict: 'undecided' | 'rejected' | 'all' = 'all',
): Promise<readonly HeldRow[]> {
  return q<HeldRow[]>`
    select ${q.unsafe(COLUMNS)} from held_changes
    where stream_id = ${streamId} and side = ${side}
      and (what, record_id) > (${after?.what ?? ''}::text, ${after?.recordId ?? 0}::bigint)
      and (${verdict} = 'all' or coalesce(verdict, 'undecided') = ${verdict})
    order by what, record_id limit ${limit}`
}

/** Whether any change of a side is listed. */
export async function isListed(q: Query, streamId: number, side: Side): Promise<boolean> {
  const [row] = await q<{ listed: boolean }[]>`
    select exists (select from held_changes where stream_id = ${streamId} and side = ${side}) as listed`
  return row?.listed ?? false
}
