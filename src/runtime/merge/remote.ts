import type { RecordId } from '../../core/model.ts'
import type { Observation } from '../../connectors/connector.ts'
import { openItems, type NewItem } from '../../store/inbox.ts'
import { glance } from '../../store/links.ts'
import { survivorsOf } from '../../store/merges.ts'
import { mergedAwayKey } from '../../store/merges-waiting.ts'
import { recordsBehind } from '../../store/twins.ts'
import type { Following } from '../change.ts'
import type { Hub, Target } from '../hub.ts'
import { isMergedKind } from './facets.ts'
import { mergeWithin } from './merge.ts'

/** A vendor's chain of merges is no longer than this; a longer one is met again at the next pass. */
const HOPS = 5

/**
 * The observations with the objects that others of them were merged into at the remote, where the hub does not know
 * those yet: a merge must find both ends. Asks the remote only then.
 */
export async function withMergeTargets(
  hub: Hub,
  target: Target,
  observations: readonly Observation[],
): Promise<readonly Observation[]> {
  let all = observations
  for (let hop = 0; hop < HOPS; hop++) {
    const seen = new Set(all.map((o) => o.id))
    const into = all.flatMap((o) => (o.kind === 'absent' ? (o.mergedInto ?? []) : []))
    const wanted = [...new Set(into)].filter((id) => !seen.has(id))
    if (wanted.length === 0) return all
    const known = new Set((await glance(hub.session.q, target.id, wanted)).map((one) => one.remoteId))
    const missing = wanted.filter((id) => !known.has(id))
    if (missing.length === 0) return all
    const fetched = await target.resource.fetch(await hub.io(target.stream.connection), missing)
    if (fetched.length === 0) return all
    all = [...fetched, ...all]
  }
  return all
}

/** The absences that say where their object lives on: its record is not archived for them. */
export const mergedAway = (seen: readonly Observation[]): ReadonlyMap<string, string> =>
  new Map(
    seen.flatMap((o) => (o.kind === 'absent' && o.mergedInto !== undefined ? [[o.id, o.mergedInto]] : [])),
  )

/**
 * Merges the records of objects that were merged at their remote, in the page's transaction: what a person decided
 * there is followed, also where somebody keeps the two apart here. Returns the connections that have work now.
 */
export async function followRemoteMerges(
  following: Following,
  target: Target,
  away: ReadonlyMap<string, string>,
): Promise<ReadonlySet<string>> {
  const woken = new Set<string>()
  const kind = target.stream.record
  if (away.size === 0 || !isMergedKind(kind)) return woken
  const { hub, q } = following
  const behind = await recordsBehind(q, target.id, [...away.keys(), ...away.values()])
  const items: NewItem[] = []
  for (const [from, into] of away) {
    const pair = [behind.get(from), behind.get(into)] as const
    const where = await survivorsOf(
      q,
      pair.flatMap((id) => id ?? []),
    )
    const [loser, survivor] = pair.map((id) => (id === undefined ? undefined : (where.get(id) ?? id)))
    if (loser === undefined || loser === survivor) continue
    if (survivor === undefined) {
      items.push(unknownItem(target, loser, from, into))
      continue
    }
    const merged = await mergeWithin(following, {
      kind,
      survivor,
      losers: [loser],
      by: target.stream.connection,
      rule: `remote merge at ${target.label}: ${from} into ${into}`,
    })
    for (const name of merged.woken) woken.add(name)
    if (merged.result.kind === 'refused')
      items.push(refusedItem(target, loser, survivor, `${from} into ${into}`, merged.result.message))
  }
  await openItems(q, items, hub.clock.now())
  return woken
}

/** The record stays, without its object: to archive it would lose what only it says. */
function unknownItem(target: Target, loser: RecordId, from: string, into: string): NewItem {
  const { record: kind, connection } = target.stream
  return {
    kind: 'missing_data',
    key: mergedAwayKey(target.id, from),
    title: `${target.label} has merged ${from} into ${into}, which is not in the hub: ${kind} ${loser} stays, without an object there`,
    fix: `Have the stream take ${into} in (\`only:\`, \`create:\`, or correct it at ${connection}): the two are merged then. Or merge or archive ${kind} ${loser} yourself, or dismiss this.`,
    detail: { kind, from, into },
    streamId: target.id,
    recordId: loser,
  }
}

function refusedItem(
  target: Target,
  loser: RecordId,
  survivor: RecordId,
  what: string,
  message: string,
): NewItem {
  const kind = target.stream.record
  const [low, high] = [Math.min(loser, survivor), Math.max(loser, survivor)]
  return {
    kind: 'duplicate',
    key: `duplicate:${low}:${high}`,
    title: `${target.label} has merged ${what}, but ${kind}s ${low} and ${high} cannot be merged here: ${message}`,
    fix: 'They are one at the remote. Merge them here too once nothing is in the way, or dismiss this.',
    detail: { kind, records: [low, high], evidence: `merged at ${target.label}` },
    streamId: target.id,
    recordId: low,
  }
}
