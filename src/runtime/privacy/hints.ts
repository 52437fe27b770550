import type { Hash } from '../../store/mail/key.ts'
import { forgetHints } from '../../store/erase-rows.ts'
import { tombstonesAmong } from '../../store/tombstones.ts'
import type { StoredHint } from '../../store/webhook-events.ts'
import type { Hub, Target } from '../hub.ts'
import { objectDigest } from './digests.ts'

/**
 * Takes hints of erased objects, once they were followed, out of what is kept of deliveries: an id may tell the address
 * (Mailchimp's is its MD5). They are followed all the same, as somebody let in again may have the same id; what is still
 * erased is left out as anywhere.
 */
export async function forgetErasedHints(
  hub: Hub,
  targets: readonly Target[],
  hints: readonly StoredHint[],
): Promise<void> {
  const hash = await hub.mailHash()
  const known = new Map<Hash, { readonly stream: Target['stream']; readonly id: string }>(
    hints.flatMap(({ resource, id }) =>
      targets.flatMap(({ label, stream }) =>
        stream.resource === resource ? [[objectDigest(hash, label, id), { stream, id }] as const] : [],
      ),
    ),
  )
  const q = hub.session.q
  const erased = await tombstonesAmong(q, [...known.keys()])
  const theirs = [...erased.keys()].flatMap((digest) => known.get(digest) ?? [])
  for (const [{ connection, resource }, of] of Map.groupBy(theirs, ({ stream }) => stream))
    await forgetHints(
      q,
      connection,
      resource,
      of.map(({ id }) => id),
    )
}
