import type { Fields } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import type { Hash } from '../../store/mail/key.ts'
import { erasedAt, haveTombstones, liftTombstone, tombstonesAmong } from '../../store/tombstones.ts'
import { addressesOf } from '../consent.ts'
import type { Hub } from '../hub.ts'
import { addressDigest } from './digests.ts'

const NONE: ReadonlySet<string> = new Set()

/** Which of the addresses belonged to people who were erased. One query where nobody was. */
export async function erasedAmongAddresses(
  hub: Hub,
  q: Query,
  addresses: readonly string[],
): Promise<ReadonlySet<string>> {
  if (addresses.length === 0 || !(await haveTombstones(q))) return NONE
  const hash = await hub.mailHash()
  const digests = new Map<Hash, string>(addresses.map((address) => [addressDigest(hash, address), address]))
  const found = await tombstonesAmong(q, [...digests.keys()])
  return new Set([...found].flatMap(([digest, kind]) => (kind === 'key' ? (digests.get(digest) ?? []) : [])))
}

/** What keeps a contact from being made by hand; null where nothing does. */
export async function erasedAddress(
  hub: Hub,
  q: Query,
  fields: Fields,
): Promise<{ readonly field: string; readonly message: string } | null> {
  const [address] = await erasedAmongAddresses(hub, q, addressesOf(fields))
  if (address === undefined) return null
  const at = await erasedAt(q, [addressDigest(await hub.mailHash(), address)])
  const when = at === null ? '' : ` on ${new Date(at).toISOString().slice(0, 10)}`
  return {
    field: 'emails',
    message: `emails: ${address} was erased at the person's wish${when}. Fix: leave it out, or run \`concord privacy lift ${address} --yes\` when they have come back themselves.`,
  }
}

/** Lets an address in again; returns when it was erased, null where it was not. Opt-outs stay. */
export async function liftAddress(hub: Hub, address: string): Promise<number | null> {
  return liftTombstone(hub.db.sql, addressDigest(await hub.mailHash(), address))
}
