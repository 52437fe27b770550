import { effectiveConsent, type Statement } from '../../core/consent.ts'
import { isList } from '../../core/json.ts'
import type { Fields } from '../../core/model.ts'
import type { Query } from '../../store/database.ts'
import { takeStatements } from '../../store/erase-rows.ts'
import type { Hasher } from '../../store/mail/key.ts'
import { addTombstones, keepOuts, type KeptOut } from '../../store/tombstones.ts'
import { addressDigest, objectDigest, outDigest, phoneDigestsLeft } from './digests.ts'
import type { KnownObject } from './remotes.ts'
import type { Recognised } from './traces.ts'

/** Each name the person ever had, with all numbers: what was said of one may have come at another time than the other. */
function everyName(said: readonly Fields[]): readonly Fields[] {
  const of = (field: string) => [...new Set(said.map((fields) => fields[field] ?? null))]
  const phones = [
    ...new Set(
      said.flatMap(({ phones }) => (isList(phones) ? phones : [])).filter((one) => typeof one === 'string'),
    ),
  ]
  return of('familyName').flatMap((familyName) =>
    of('givenName').map((givenName): Fields => ({ familyName, givenName, phones })),
  )
}

/**
 * Sees to it that the person does not come in again: digests of addresses, numbers and objects. Opt-outs are kept under
 * a digest of their address, so that whoever comes back is still out. Returns how many statements were taken.
 */
export async function closeGates(
  q: Query,
  hash: Hasher,
  erasure: number,
  known: Recognised & { readonly objects: readonly KnownObject[] },
): Promise<number> {
  await addTombstones(q, erasure, 'key', [
    ...known.addresses.map((address) => addressDigest(hash, address)),
    ...everyName(known.said).flatMap((fields) => phoneDigestsLeft(hash, fields)),
  ])
  await addTombstones(
    q,
    erasure,
    'object',
    known.objects.flatMap(({ target, remoteId, aliases }) =>
      target === null
        ? []
        : [...(remoteId === null ? [] : [remoteId]), ...aliases].map((id) =>
            objectDigest(hash, target.label, id),
          ),
    ),
  )
  const statements = await takeStatements(q, known.traces.emails)
  const byAddress = Map.groupBy(statements, (one) => one.address)
  const outs = [...byAddress].map(([address, mine]) => [outDigest(hash, address), outsOf(mine)] as const)
  await keepOuts(q, erasure, new Map(outs))
  return statements.length
}

/** The last opt-out of each place where one stands. */
function outsOf(statements: readonly Statement[]): readonly KeptOut[] {
  const places = Map.groupBy(statements, (one) => `${one.channel} ${one.audience}`)
  return [...places.values()].flatMap((there) => {
    if (effectiveConsent(there) !== 'out') return []
    const last = there.filter((one) => one.state === 'out').toSorted((a, b) => b.at - a.at)[0]
    if (last === undefined) return []
    const { channel, audience, state, at, source } = last
    return [{ channel, audience, state, at, source }]
  })
}
