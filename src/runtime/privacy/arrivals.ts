import { keysOf } from '../../core/identity.ts'
import { isList, isObject, textOf, type Json } from '../../core/json.ts'
import type { Birth } from '../../core/plan.ts'
import type { Query } from '../../store/database.ts'
import type { BadPlace } from '../../store/inbox.ts'
import type { Hash } from '../../store/mail/key.ts'
import { anyTombstones, haveTombstones, keepOuts, keptOut, tombstonesAmong } from '../../store/tombstones.ts'
import type { Hub, Target } from '../hub.ts'
import type { Arrival, PageWork } from '../page.ts'
import { addressDigest, objectDigest, outDigest, phoneDigestsOf } from './digests.ts'

const NONE: ReadonlySet<Arrival> = new Set()
const NOBODYS: ReadonlySet<string> = new Set()
/** What looks like an address in what could not be read. */
const ADDRESS = /[^\s@<>"'(),;:]+@[^\s@<>"'(),;:]+/g

/**
 * The objects that are of people who were erased: they are left out, and nothing of them is kept. What they say of
 * consent is not, either, but for an opt-out, which a digest of its address keeps. `made`: those that were made for
 * records of which nothing is left. `living`: addresses that somebody else has now; they keep nobody out, and
 * what is said of them is said of those. One query at most where nobody was erased.
 */
export async function erasedArrivals(
  page: PageWork,
  strangers: readonly Arrival[],
  births: readonly Birth[],
  made: ReadonlySet<Arrival> = NONE,
  living: ReadonlySet<string> = NOBODYS,
): Promise<ReadonlySet<Arrival>> {
  const { hub, tx, target } = page
  if (strangers.length === 0) return NONE
  if (!(await haveTombstones(tx))) return leftOut(page, made, living)
  const hash = await hub.mailHash()
  const isPerson = target.stream.record === 'contact'
  const addresses = new Set<Hash>()
  const known = new Map<Hash, Arrival[]>()
  for (const [i, arrival] of strangers.entries()) {
    const note = (digest: Hash) => known.set(digest, [...(known.get(digest) ?? []), arrival])
    note(objectDigest(hash, target.label, arrival.seen.id))
    const fields = births[i]?.fields
    if (!isPerson || fields === undefined) continue
    const emails = keysOf('contact', fields).flatMap((key) => (key.kind === 'email' ? [key.value] : []))
    const unread = (births[i]?.unreadable ?? []).flatMap(({ raw }) => textOf(raw).match(ADDRESS) ?? [])
    const said = [...unread, ...[arrival.consent?.address ?? []].flat()]
    for (const address of new Set([...emails, ...said])) {
      const digest = addressDigest(hash, address)
      addresses.add(digest)
      note(digest)
    }
    for (const digest of phoneDigestsOf(hash, fields)) note(digest)
  }
  const theirs = new Set([...living].map((address) => addressDigest(hash, address)))
  const erased = new Set<Arrival>(made)
  const lifted = new Set<Arrival>()
  const barred = new Set<Arrival>()
  for (const [digest, kind] of await tombstonesAmong(tx, [...known.keys()])) {
    if (kind === 'key' && theirs.has(digest)) continue
    for (const arrival of known.get(digest) ?? [])
      (kind === 'lifted' ? lifted : addresses.has(digest) ? barred : erased).add(arrival)
  }
  // Who was let in again by one address comes in with their number and from the objects they had, too.
  for (const arrival of lifted) if (!made.has(arrival)) erased.delete(arrival)
  return leftOut(page, erased.union(barred), living)
}

async function leftOut(
  page: PageWork,
  erased: ReadonlySet<Arrival>,
  living: ReadonlySet<string>,
): Promise<ReadonlySet<Arrival>> {
  for (const arrival of erased) page.erased.add(arrival)
  await forgetStatements(page, erased, living)
  return erased
}

/** Statements of the page about people who were erased leave it; opt-outs leave a digest. Those of the living stay. */
async function forgetStatements(
  page: PageWork,
  erased: ReadonlySet<Arrival>,
  living: ReadonlySet<string>,
): Promise<void> {
  const said = new Set([...erased].flatMap((arrival) => arrival.consent?.address ?? []))
  const addresses = said.difference(living)
  if (addresses.size === 0) return
  const hash = await page.hub.mailHash()
  const theirs = page.statements.filter((said) => addresses.has(said.address))
  page.statements.splice(
    0,
    Number.POSITIVE_INFINITY,
    ...page.statements.filter((said) => !theirs.includes(said)),
  )
  const outs = Map.groupBy(
    theirs.filter(({ state }) => state === 'out'),
    ({ address }) => outDigest(hash, address),
  )
  const before = new Map(
    (await keptOut(page.tx, [...outs.keys()])).map(({ digest, said }) => [digest, placesIn(said)]),
  )
  const fresh = [...outs].map(([digest, said]) => {
    const known = before.get(digest)
    const there = new Map(said.map((one) => [placeOf(one.channel, one.audience), one]))
    const kept = [...there].flatMap(([place, { channel, audience, state, at, source }]) =>
      known?.has(place) === true ? [] : [{ channel, audience, state, at, source }],
    )
    return [digest, kept] as const
  })
  await keepOuts(page.tx, 0, new Map(fresh))
}

const placeOf = (channel: Json | undefined, audience: Json | undefined): string =>
  JSON.stringify([channel, audience])

/** Where an address is kept as out already: each sweep says so again. */
const placesIn = (said: Json): ReadonlySet<string> =>
  new Set(
    isList(said)
      ? said.flatMap((one) => (isObject(one) ? [placeOf(one['channel'], one['audience'])] : []))
      : [],
  )

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
  const found = await tombstonesAmong(q, [
    ...objects.map(digestOf),
    ...bad.flatMap(addressesIn).map((address) => addressDigest(hash, address)),
  ])
  const isErased = (digest: Hash): boolean => (found.get(digest) ?? 'lifted') !== 'lifted'
  return bad.filter(
    (one) =>
      !(one.remoteId !== null && isErased(digestOf(one.remoteId))) &&
      !addressesIn(one).some((address) => isErased(addressDigest(hash, address))),
  )
}
