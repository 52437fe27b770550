import { STRONG, type Key } from '../core/identity.ts'
import type { RecordId, RecordKind } from '../core/model.ts'
import { numbers, texts } from './columns.ts'
import { TABLE } from './records.ts'
import type { Query } from './database.ts'

export type Holding = { readonly key: Key; readonly id: RecordId }
/** A claim to a strong key that another record, `owner`, holds. */
export type Refused = Holding & { readonly owner: RecordId }

/** Which records of `kind` hold which of the keys. */
export async function holders(q: Query, kind: RecordKind, keys: readonly Key[]): Promise<readonly Holding[]> {
  if (keys.length === 0) return []
  // Each half names its kind, so that each finds its index: they are partial.
  const phones = keys.filter((key) => !STRONG[key.kind])
  const strong = keys.filter((key) => STRONG[key.kind])
  const found = await q<{ kind: Key['kind']; key: string; id: number }[]>`
    select i.kind, i.key, i.record_id as id
    from (
      select i.* from unnest(${texts(strong.map((k) => k.kind))}::text[], ${texts(strong.map((k) => k.value))}::text[]) as k(kind, key)
      join identities i on i.kind = k.kind and i.key = k.key and i.kind <> 'phone'
      union all
      select * from identities where kind = 'phone' and key = any(${texts(phones.map((k) => k.value))}::text[])
    ) i
    where exists (select from ${q(TABLE[kind])} t where t.id = i.record_id and t.archived_at is null)
    order by i.record_id`
  return found.map((row) => ({ key: { kind: row.kind, value: row.key }, id: row.id }))
}

/**
 * Gives keys to records. A strong key that another record holds stays there; such refused claims come back. A second
 * transaction that claims the same key waits here for the first to end, so two workers cannot both make one person.
 */
export async function claim(q: Query, claims: readonly Holding[]): Promise<readonly Refused[]> {
  if (claims.length === 0) return []
  const taken = await q`
    insert into identities (kind, key, record_id)
    select * from unnest(${texts(claims.map((c) => c.key.kind))}::text[], ${texts(claims.map((c) => c.key.value))}::text[],
      ${numbers(claims.map((c) => c.id))}::bigint[])
    on conflict do nothing`
  const strong = claims.filter((c) => STRONG[c.key.kind])
  if (taken.count === claims.length || strong.length === 0) return []
  const owners = await q<{ kind: string; key: string; id: number }[]>`
    select i.kind, i.key, i.record_id as id
    from unnest(${texts(strong.map((c) => c.key.kind))}::text[], ${texts(strong.map((c) => c.key.value))}::text[]) as k(kind, key)
    join identities i on i.kind = k.kind and i.key = k.key and i.kind <> 'phone'`
  const owner = new Map(owners.map((row) => [`${row.kind} ${row.key}`, row.id]))
  return strong.flatMap((c) => {
    const holder = owner.get(`${c.key.kind} ${c.key.value}`)
    return holder === undefined || holder === c.id ? [] : [{ ...c, owner: holder }]
  })
}

/** Takes keys away from records that no longer hold them. */
export async function release(q: Query, gone: readonly Holding[]): Promise<void> {
  if (gone.length === 0) return
  const given = q`unnest(${texts(gone.map((c) => c.key.kind))}::text[], ${texts(gone.map((c) => c.key.value))}::text[],
    ${numbers(gone.map((c) => c.id))}::bigint[]) as g(kind, key, id)`
  // By both partial indexes: each half names its kind.
  await q`
    with strong as (
      delete from identities i using ${given}
      where i.kind = g.kind and i.key = g.key and i.record_id = g.id and i.kind <> 'phone'
    )
    delete from identities i using ${given}
    where g.kind = 'phone' and i.kind = 'phone' and i.key = g.key and i.record_id = g.id`
}
