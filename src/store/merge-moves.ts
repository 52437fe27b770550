import type { Key } from '../core/identity.ts'
import type { FieldName, RecordId, RecordKind } from '../core/model.ts'
import { numbers, texts } from './columns.ts'
import type { Query } from './database.ts'
import type { Merge } from './merges.ts'
import { TABLE } from './records.ts'

/** Where other records name a contact or a company: the column, and the field. */
export const REFERENCES: Readonly<
  Record<
    'contact' | 'company',
    readonly { readonly kind: RecordKind; readonly column: string; readonly field: FieldName }[]
  >
> = {
  contact: [
    { kind: 'deal', column: 'contact_id', field: 'contact' },
    { kind: 'activity', column: 'contact_id', field: 'contact' },
    { kind: 'invoice', column: 'contact_id', field: 'contact' },
  ],
  company: [
    { kind: 'contact', column: 'company_id', field: 'company' },
    { kind: 'deal', column: 'company_id', field: 'company' },
    { kind: 'activity', column: 'company_id', field: 'company' },
  ],
}
export type Reference = (typeof REFERENCES)['contact'][number]

/** Holds all links of records, in the order in which everybody else takes several. */
export async function lockLinks(q: Query, records: readonly RecordId[]): Promise<void> {
  await q`select id from links where record_id = any(${numbers(records)}::bigint[]) order by id for update`
}

/** Gives all links of a loser to the survivor, and wakes them: what they are told is another record now. */
export async function moveLinks(
  q: Query,
  merge: number,
  loser: RecordId,
  survivor: RecordId,
): Promise<readonly string[]> {
  const found = await q<{ connection: string }[]>`
    with moved as (
      update links set record_id = ${survivor}, wake = wake + 1, not_before = null where record_id = ${loser}
      returning id, stream_id
    ), noted as (
      insert into merge_moves (merge_id, what, id) select ${merge}, 'link', id from moved
    )
    select distinct s.connection from moved join streams s on s.id = moved.stream_id`
  return found.map((row) => row.connection)
}

/** Gives links back that still stand at the survivor. */
export async function returnLinks(
  q: Query,
  merge: number,
  loser: RecordId,
  survivor: RecordId,
): Promise<readonly string[]> {
  const found = await q<{ connection: string }[]>`
    with moved as (
      update links l set record_id = ${loser}, wake = l.wake + 1, not_before = null
      from merge_moves m
      where m.merge_id = ${merge} and m.what = 'link' and l.id = m.id and l.record_id = ${survivor}
      returning l.stream_id
    )
    select distinct s.connection from moved join streams s on s.id = moved.stream_id`
  return found.map((row) => row.connection)
}

/** Notes which strong keys a loser holds, before it gives them up. */
export async function noteKeys(
  q: Query,
  merge: number,
  loser: RecordId,
  keys: readonly Key[],
): Promise<void> {
  if (keys.length === 0) return
  await q`
    insert into merge_moves (merge_id, what, kind, id, field)
    select ${merge}, 'key', i.kind, ${loser}, i.key
    from unnest(${texts(keys.map((k) => k.kind))}::text[], ${texts(keys.map((k) => k.value))}::text[]) as k(kind, key)
    join identities i on i.kind = k.kind and i.key = k.key and i.kind <> 'phone' and i.record_id = ${loser}
    on conflict do nothing`
}

/** Gives strong keys back that the survivor holds and the loser says. */
export async function returnKeys(
  q: Query,
  merge: number,
  loser: RecordId,
  survivor: RecordId,
  keys: readonly Key[],
): Promise<void> {
  if (keys.length === 0) return
  await q`
    update identities i set record_id = ${loser}
    from merge_moves m, unnest(${texts(keys.map((k) => k.kind))}::text[], ${texts(keys.map((k) => k.value))}::text[])
      as k(kind, key)
    where m.merge_id = ${merge} and m.what = 'key' and m.kind = k.kind and m.field = k.key
      and i.kind = k.kind and i.key = k.key and i.kind <> 'phone' and i.record_id = ${survivor}`
}

/** Gives a loser's part in messages to the survivor. */
export async function moveParticipants(
  q: Query,
  merge: number,
  loser: RecordId,
  survivor: RecordId,
): Promise<number> {
  const moved = await q`
    with moved as (
      update message_participants set contact_id = ${survivor} where contact_id = ${loser}
      returning message_id, address
    )
    insert into merge_moves (merge_id, what, id, field) select ${merge}, 'participant', message_id, address from moved`
  return moved.count
}

export async function returnParticipants(
  q: Query,
  merge: number,
  loser: RecordId,
  survivor: RecordId,
): Promise<number> {
  const moved = await q`
    update message_participants p set contact_id = ${loser} from merge_moves m
    where m.merge_id = ${merge} and m.what = 'participant' and p.message_id = m.id and p.address = m.field
      and p.contact_id = ${survivor}`
  return moved.count
}

/**
 * Gives messages to a loser that were logged to the survivor since their merge, where they went to or came from the
 * loser's own addresses. Returns those of them that have nothing to do with the survivor then.
 */
export async function returnLater(
  q: Query,
  merge: Pick<Merge, 'at'>,
  loser: RecordId,
  survivor: RecordId,
  addresses: readonly string[],
): Promise<readonly RecordId[]> {
  if (addresses.length === 0) return []
  const given = await q<{ id: RecordId }[]>`
    update message_participants p set contact_id = ${loser} from activities a
    where p.contact_id = ${survivor} and a.id = p.message_id and a.created_at >= ${merge.at}
      and (p.address = any(${texts(addresses)}::text[]) or p.plain = any(${texts(addresses)}::text[]))
    returning p.message_id as id`
  if (given.length === 0) return []
  const theirs = await q<{ id: RecordId }[]>`
    select id from unnest(${numbers(given.map((row) => row.id))}::bigint[]) as m(id)
    where not exists (select from message_participants p where p.message_id = m.id and p.contact_id = ${survivor})
    group by id order by id`
  return theirs.map((row) => row.id)
}

/** Notes which records name the loser in one field, archived ones too. */
export async function noteReferences(
  q: Query,
  merge: number,
  { kind, column, field }: Reference,
  loser: RecordId,
): Promise<number> {
  const noted = await q`
    insert into merge_moves (merge_id, what, kind, id, field)
    select ${merge}, 'ref', ${kind}, id, ${field} from ${q(TABLE[kind])} where ${q(column)} = ${loser}`
  return noted.count
}

/** A page of the noted records, by rising id. */
export async function notedReferences(
  q: Query,
  merge: number,
  { kind, field }: Pick<Reference, 'kind' | 'field'>,
  after: RecordId,
  limit: number,
): Promise<readonly RecordId[]> {
  const found = await q<{ id: RecordId }[]>`
    select id from merge_moves
    where merge_id = ${merge} and what = 'ref' and kind = ${kind} and field = ${field} and id > ${after}
    order by id limit ${limit}`
  return found.map((row) => row.id)
}

/** How much would move, without moving it. */
export async function countReferences(
  q: Query,
  { kind, column }: Reference,
  losers: readonly RecordId[],
): Promise<number> {
  const [found] = await q<{ count: number }[]>`
    select count(*) as count from ${q(TABLE[kind])} where ${q(column)} = any(${numbers(losers)}::bigint[])`
  return found?.count ?? 0
}

export async function countParticipants(q: Query, contacts: readonly RecordId[]): Promise<number> {
  const [found] = await q<{ count: number }[]>`
    select count(*) as count from message_participants where contact_id = any(${numbers(contacts)}::bigint[])`
  return found?.count ?? 0
}

/** What went back is no longer part of the merges above, which would take it along when they are undone. */
export async function forgetMoves(q: Query, merge: number, above: readonly number[]): Promise<void> {
  if (above.length === 0) return
  await q`
    delete from merge_moves a using merge_moves m
    where m.merge_id = ${merge} and a.merge_id = any(${[...above]}::int[])
      and a.what = m.what and a.kind = m.kind and a.id = m.id and a.field = m.field`
}

/** The member that a link came with; links that the survivor had itself, or got since, are left out. */
export async function homesOf(
  q: Query,
  links: readonly number[],
  members: readonly RecordId[],
): Promise<ReadonlyMap<number, RecordId>> {
  if (links.length === 0 || members.length === 0) return new Map()
  const found = await q<{ link: number; home: RecordId }[]>`
    select distinct on (mm.id) mm.id as link, m.loser_id as home
    from merges m join merge_moves mm on mm.merge_id = m.id and mm.what = 'link' and mm.kind = ''
      and mm.id = any(${numbers(links)}::bigint[])
    where m.loser_id = any(${numbers(members)}::bigint[]) and m.state = 'merged' order by mm.id, m.id`
  return new Map(found.map((row) => [row.link, row.home]))
}

/** The links that a merge moved and that still stand at the survivor, and how much else, by what and kind. */
export async function movedBy(
  q: Query,
  merge: number,
  survivor: RecordId,
): Promise<{
  readonly links: readonly number[]
  readonly others: readonly {
    readonly what: 'ref' | 'participant'
    readonly kind: RecordKind | ''
    readonly field: FieldName
    readonly count: number
  }[]
}> {
  const links = await q<{ id: number }[]>`
    select l.id from merge_moves m join links l on l.id = m.id and l.record_id = ${survivor}
    where m.merge_id = ${merge} and m.what = 'link' order by l.id`
  const others = await q<
    { what: 'ref' | 'participant'; kind: RecordKind | ''; field: FieldName; count: number }[]
  >`
    select what, kind, case when what = 'ref' then field else '' end as field, count(*) as count from merge_moves
    where merge_id = ${merge} and what in ('ref', 'participant') group by 1, 2, 3 order by 1, 2, 3`
  return { links: links.map((row) => row.id), others }
}
