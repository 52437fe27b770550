import type { Instant } from '../../core/json.ts'
import { numbers, texts } from '../columns.ts'
import type { Query } from '../database.ts'
import { bytes, type Hash } from './key.ts'

/** Takes down that mail to addresses came back for good; the latest time of each counts. */
export async function saveBounces(
  q: Query,
  bounces: readonly { readonly address: Hash; readonly at: Instant }[],
): Promise<void> {
  if (bounces.length === 0) return
  await q`
    insert into mail_bounces (address_hash, at)
    select address, max(to_timestamp(at / 1000.0)) from unnest(${texts(bounces.map((b) => bytes(b.address)))}::bytea[],
      ${numbers(bounces.map((b) => b.at))}::bigint[]) as r(address, at) group by 1
    on conflict (address_hash) do update set at = greatest(mail_bounces.at, excluded.at)`
}

export async function bouncesOf(q: Query, addresses: readonly Hash[]): Promise<ReadonlyMap<Hash, Instant>> {
  if (addresses.length === 0) return new Map()
  const found = await q<{ address: Hash; at: Instant }[]>`
    select encode(address_hash, 'hex') as address, at from mail_bounces
    where address_hash = any(${texts(addresses.map(bytes))}::bytea[])`
  return new Map(found.map((row) => [row.address, row.at]))
}

/** When mail from each address last arrived. */
export async function lastMailFrom(
  q: Query,
  addresses: readonly string[],
): Promise<ReadonlyMap<string, Instant>> {
  if (addresses.length === 0) return new Map()
  const found = await q<{ address: string; at: Instant }[]>`
    select address, max(at) as at from message_participants
    where address = any(${texts(addresses)}::text[]) and role = 'from' group by 1`
  return new Map(found.map((row) => [row.address, row.at]))
}
