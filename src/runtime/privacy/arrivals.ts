import { keysOf } from '../../core/identity.ts'
import { textOf } from '../../core/json.ts'
import type { Birth } from '../../core/plan.ts'
import type { Query } from '../../store/database.ts'
import type { BadPlace } from '../../store/inbox.ts'
import type { Hash } from '../../store/mail/key.ts'
import { anyTombstones, haveTombstones, keepOut, tombstonesAmong } from '../../store/tombstones.ts'
import type { Hub, Target } from '../hub.ts'
import type { Arrival, PageWork } from '../page.ts'
import { addressDigest, objectDigest, outDigest, phoneDigestsOf } from './digests.ts'

const NONE: ReadonlySet<Arrival> = new Set()
/** What looks like an address in what could not be read. */
const ADDRESS = /[^\s@<>"'(),;:]+@[^\s@<>"'(),;:]+/g

/**
 * The objects that are of people who were erased: they are left out, and nothing of them is kept. What they say of
 * consent is not, either, but for an opt-out, of which a digest is. `made`: those that were made for records of which
 * nothing is left. One query at most where nobody was erased.
 */
export async function erasedArrivals(
  page: PageWork,
  strangers: readonly Arrival[],
  births: readonly Birth[],
  made: ReadonlySet<Arrival> = NONE,
): Promise<ReadonlySet<Arrival>> {
  const { hub, tx, target } = page
  if (strangers.length === 0) return NONE
  if (!(await haveTombstones(tx))) return leftOut(page, made)
  const hash = await hub.mailHash()
  const isPerson = target.stream.record === 'contact'
  const objects = new Map<Hash, Arrival>()
  const keys = new Map<Hash, Arrival[]>()
  for (const [i, arrival] of strangers.entries()) {
    objects.set(objectDigest(hash, target.label, arrival.seen.id), arrival)
    const fields = births[i]?.fields
    if (!isPerson || fields === undefined) continue
    const emails = keysOf('contact', fields).flatMap((key) => (key.kind === 'email' ? [key.value] : []))
    const unread = (births[i]?.unreadable ?? []).flatMap(({ raw }) => textOf(raw).match(ADDRESS) ?? [])
    const said = [...unread, ...[arrival.consent?.address ?? []].flat()]
    for (const digest of [
      ...[...emails, ...said].map((address) => addressDigest(hash, address)),
      ...phoneDigestsOf(hash, fields),
    ])
      keys.set(digest, [...(keys.get(digest) ?? []), arrival])
  }
  const [known, keyed] = [
    await tombstonesAmong(tx, 'object', [...objects.keys()]),
    await tombstonesAmong(tx, 'key', [...keys.keys()]),
  ]
  const erased = new Set<Arrival>([
    ...made,
    ...[...known].flatMap((digest) => objects.get(digest) ?? []),
    ...[...keyed].flatMap((digest) => keys.get(digest) ?? []),
  ])
  return leftOut(page, erased)
}

async function leftOut(page: PageWork, erased: ReadonlySet<Arrival>): Promise<ReadonlySet<Arrival>> {
  for (const arrival of erased) page.erased.add(arrival)
  await forgetStatements(page, erased)
  return erased
}

/** Statements of the page about people who were erased leave it; opt-outs leave a digest. */
async function forgetStatements(page: PageWork, erased: ReadonlySet<Arrival>): Promise<void> {
  const addresses = new Set([...erased].flatMap((arrival) => arrival.consent?.address ?? []))
  if (addresses.size === 0) return
  const hash = await page.hub.mailHash()
  const theirs = page.statements.filter((said) => addresses.has(said.address))
  page.statements.splice(
    0,
    Number.POSITIVE_INFINITY,
    ...page.statements.filter((said) => !theirs.includes(said)),
  )
  for (const { address, channel, audience, state, at, source } of theirs) {
    if (state !== 'out') continue
    const digest = outDigest(hash, address)
    if ((await tombstonesAmong(page.tx, 'out', [digest])).has(digest)) continue
    await keepOut(page.tx, 0, digest, [{ channel, audience, state, at, source }])
  }
}

/** What could not be read is not kept where it is of an erased object, or has an erased address in it. */
export async function withoutErased(
  hub: Hub,
  q: Query,
  target: Target,
  bad: readonly BadPlace[],
): Promise<readonly BadPlace[]> {
  if (bad.length === 0 || !(await anyTombstones(q))) return bad
  const hash = await hub.mailHash()
  const objects = bad.flatMap(({ remoteId }) => remoteId ?? [])
  const addressesIn = ({ raw, problem }: BadPlace) => `${raw} ${problem}`.match(ADDRESS) ?? []
  const digestOf = (remoteId: string) => objectDigest(hash, target.label, remoteId)
  const erased = new Set([
    ...(await tombstonesAmong(q, 'object', objects.map(digestOf))),
    ...(await tombstonesAmong(
      q,
      'key',
      bad.flatMap(addressesIn).map((address) => addressDigest(hash, address)),
    )),
  ])
  return bad.filter(
    (one) =>
      !(one.remoteId !== null && erased.has(digestOf(one.remoteId))) &&
      !addressesIn(one).some((address) => erased.has(addressDigest(hash, address))),
  )
}
