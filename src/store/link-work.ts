import type { Base } from '../core/plan.ts'
import type { RecordId } from '../core/model.ts'
import { packed } from './base.ts'
import { lines, numbers } from './columns.ts'
import type { Query } from './database.ts'

/** The links of records in one stream that stand for an object. */
export async function linksIn(
  q: Query,
  streamId: number,
  recordIds: readonly RecordId[],
): Promise<readonly number[]> {
  if (recordIds.length === 0) return []
  const found = await q<{ id: number }[]>`
    select id from links where record_id = any(${[...recordIds]}) and stream_id = ${streamId} and state = 'linked'`
  return found.map((row) => row.id)
}

/** Nobody else writes these links until the transaction ends. */
export async function lockLinks(q: Query, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  await q`select 1 from links where id = any(${[...ids]}) order by id for update`
}

/** Holds links until the transaction ends; returns those that an erasure has ended, or taken away. */
export async function lockCut(q: Query, ids: readonly number[]): Promise<ReadonlySet<number>> {
  if (ids.length === 0) return new Set()
  const found = await q<{ id: number; cut: boolean }[]>`
    select l.id, ${isCutLink(q)} as cut from links l where l.id = any(${[...ids]}) order by l.id for update`
  const stand = new Set(found.flatMap((link) => (link.cut ? [] : [link.id])))
  return new Set(ids.filter((id) => !stand.has(id)))
}

/** Of invoices, those that no vendor has, and no vendor is being sent: without their links, nobody sends them. */
export async function keepUnsent(q: Query, invoices: readonly RecordId[]): Promise<ReadonlySet<RecordId>> {
  if (invoices.length === 0) return new Set()
  const links = await q<{ id: number; invoice: RecordId; unsent: boolean }[]>`
    select id, record_id as invoice, state in ('pending', 'filtered') as unsent from links
    where record_id = any(${numbers(invoices)}::bigint[]) order by id for update`
  const sent = new Set(links.flatMap((link) => (link.unsent ? [] : [link.invoice])))
  const unsent = links.filter((link) => !sent.has(link.invoice))
  await q`delete from links where id = any(${numbers(unsent.map((link) => link.id))}::bigint[])`
  return new Set(invoices.filter((id) => !sent.has(id)))
}

/** Gives links another base, and wakes them: what was agreed on is another thing now. */
export async function rebaseLinks(
  q: Query,
  links: readonly { readonly id: number; readonly base: Base }[],
): Promise<void> {
  if (links.length === 0) return
  await q`
    update links l set base = r.base::json, wake = l.wake + 1, not_before = null
    from unnest(${numbers(links.map((link) => link.id))}::bigint[],
      string_to_array(${lines(links.map((link) => packed(link.base)))}, E'\n', 'null')) as r(id, base)
    where l.id = r.id and not ${isCutLink(q)}`
}

/** What an erasure has ended says nothing any more, and nothing is said of it. */
export const isCutLink = (q: Query) => q`(l.state = 'gone' and l.remote_id is null)`

/** Makes one link due again. */
export async function wakeLinkById(q: Query, id: number): Promise<void> {
  await q`update links set wake = wake + 1, not_before = null where id = ${id}`
}
