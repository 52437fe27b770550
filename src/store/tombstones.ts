import type { Statement } from '../core/consent.ts'
import type { Instant, Json } from '../core/json.ts'
import type { RecordId } from '../core/model.ts'
import { texts } from './columns.ts'
import type { Query, Tx } from './database.ts'
import { jsonText } from './json-text.ts'
import { bytes, type Hash } from './mail/key.ts'

/**
 * `key`: an address or number; `lifted`: an address that may come in again; `object`: an object at a vendor; `out`: an
 * opt-out that outlives the erasure.
 */
export type TombstoneKind = 'key' | 'lifted' | 'object' | 'out'

/** An opt-out of an erased person; the address itself is not kept. */
export type KeptOut = Pick<Statement, 'channel' | 'audience' | 'state' | 'at' | 'source'>

/** Whether anybody was ever erased, by transaction: what it holds is not erased meanwhile. */
const asked = new WeakMap<Query, boolean>()

/** Whether anybody was ever erased, as it is now. */
export async function anyTombstones(q: Query): Promise<boolean> {
  const [row] = await q<{ any: boolean }[]>`select exists (select from tombstones) as any`
  return row?.any ?? false
}

/** Whether anybody was ever erased. Asked once a transaction, by whoever holds the records it is about. */
export async function haveTombstones(q: Query): Promise<boolean> {
  const known = asked.get(q)
  if (known !== undefined) return known
  const any = await anyTombstones(q)
  if ('savepoint' in q) asked.set(q, any)
  return any
}

/** Fresh record ids, and in the same statement whether anybody was ever erased, for `haveTombstones`. */
export async function newcomerIds(tx: Tx, count: number): Promise<readonly RecordId[]> {
  if (count === 0) return []
  const [row] = await tx<{ ids: string; any: boolean }[]>`
    select string_agg(nextval('record_ids'::regclass)::text, ',') as ids, exists (select from tombstones) as any
    from generate_series(1, ${count}::int)`
  asked.set(tx, row?.any ?? false)
  return (row?.ids ?? '').split(',').map(Number)
}

/** What the digests stand for; those that stand for nothing are left out. */
export async function tombstonesAmong(
  q: Query,
  digests: readonly Hash[],
): Promise<ReadonlyMap<Hash, TombstoneKind>> {
  if (digests.length === 0) return new Map()
  const found = await q<{ digest: Hash; kind: TombstoneKind }[]>`
    select encode(digest, 'hex') as digest, kind from tombstones
    where digest = any(${texts([...new Set(digests)].map(bytes))}::bytea[])`
  return new Map(found.map((row) => [row.digest, row.kind]))
}

export async function addTombstones(
  q: Query,
  erasure: number,
  kind: Extract<TombstoneKind, 'key' | 'object'>,
  digests: readonly Hash[],
): Promise<void> {
  if (digests.length === 0) return
  asked.delete(q)
  await q`
    insert into tombstones (digest, kind, erasure_id)
    select digest, ${kind}, ${erasure} from unnest(${texts([...new Set(digests)].map(bytes))}::bytea[]) as d(digest)
    on conflict (digest) do update set kind = excluded.kind, erasure_id = excluded.erasure_id`
}

/** Keeps what erased addresses said against mail, each beside what it said before. */
export async function keepOuts(
  q: Query,
  erasure: number,
  outs: ReadonlyMap<Hash, readonly KeptOut[]>,
): Promise<void> {
  const told = [...outs].filter(([, said]) => said.length > 0)
  if (told.length === 0) return
  asked.delete(q)
  await q`
    insert into tombstones (digest, kind, erasure_id, said)
    select digest, 'out', ${erasure}, said::jsonb
    from unnest(${texts(told.map(([digest]) => bytes(digest)))}::bytea[], ${texts(told.map(([, said]) => jsonText(said)))}::text[])
      as o(digest, said)
    on conflict (digest) do update set said = coalesce(tombstones.said, '[]') || excluded.said`
}

/** The opt-outs kept under digests. */
export async function keptOut(
  q: Query,
  digests: readonly Hash[],
): Promise<readonly { readonly digest: Hash; readonly said: Json }[]> {
  if (digests.length === 0) return []
  return q<{ digest: Hash; said: Json }[]>`
    select encode(digest, 'hex') as digest, said from tombstones
    where digest = any(${texts(digests.map(bytes))}::bytea[]) and kind = 'out'`
}

/** Lets an erased address in again; returns when it was erased, null where it was not. */
export async function liftTombstone(q: Query, digest: Hash): Promise<Instant | null> {
  const [row] = await q<{ at: Instant }[]>`
    with lifted as (
      update tombstones set kind = 'lifted' where digest = ${bytes(digest)}::text::bytea and kind = 'key'
      returning erasure_id
    )
    select e.at from lifted join erasures e on e.id = lifted.erasure_id`
  return row?.at ?? null
}

/** When what a digest stands for was erased. */
export async function erasedAt(q: Query, digests: readonly Hash[]): Promise<Instant | null> {
  if (digests.length === 0) return null
  const [row] = await q<{ at: Instant }[]>`
    select max(e.at) as at from tombstones t join erasures e on e.id = t.erasure_id
    where t.digest = any(${texts(digests.map(bytes))}::bytea[]) and t.kind = 'key' having count(*) > 0`
  return row?.at ?? null
}
