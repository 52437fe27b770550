import { withoutMembers } from '../../core/facet-edit.ts'
import { keysOf, STRONG } from '../../core/identity.ts'
import { same } from '../../core/json.ts'
import { isDerived, type Fields, type HubRecord, type Provenances, type RecordId } from '../../core/model.ts'
import type { HubEdit } from '../../core/plan.ts'
import { survive, type Facet, type MergedKind } from '../../core/survivorship.ts'
import { dropFacets, facetsOf, saveFacets, type RootedFacet } from '../../store/facets.ts'
import {
  forgetMoves,
  lockLinks,
  returnKeys,
  returnLater,
  returnLinks,
  returnParticipants,
} from '../../store/merge-moves.ts'
import { noteNamings, type Naming } from '../../store/merge-names.ts'
import {
  endMerge,
  keepApart,
  membersUnder,
  mergeOf,
  mergesAbove,
  survivorsOf,
  type Merge,
} from '../../store/merges.ts'
import { loadRecords } from '../../store/records.ts'
import { archivedFor, endLinks } from '../../store/twins.ts'
import { wakePush } from '../../store/wake.ts'
import { RaceError, type Change, type Following } from '../change.ts'
import { following } from '../changes.ts'
import { addressesOf, consentOf, consentOver } from '../consent.ts'
import type { Hub } from '../hub.ts'
import { withRaces } from '../races.ts'
import { returnedBy } from './carried.ts'
import { heldReferences, withValues } from './load.ts'
import { present, recomputed, refreshMail } from './merge.ts'
import { namesOf, ownNames, withLiveNames } from './names.ts'
import { returnActivities, returnReferences } from './references.ts'
import { inRun } from './run.ts'
import { refused, type Refused, type UnmergeRequest, type UnmergeResult } from './words.ts'

export type { UnmergeRequest, UnmergeResult } from './words.ts'

/**
 * Takes a merge back, in one transaction: the loser is one by itself again, with what it said then and what was said in
 * its place since, its links, references, messages and keys; what had been merged into it before stays with it. What is
 * left of the survivor is worked out anew. The two are kept apart from then on. With `dryRun` nothing is written.
 */
export async function unmergeRecord(hub: Hub, request: UnmergeRequest): Promise<UnmergeResult> {
  if (request.dryRun === true)
    return hub.session.begin(async (tx) => {
      const plan = await workOut(following(hub, tx, null), request, 'read')
      if ('kind' in plan) return plan
      const carried = await returnedBy(hub, tx, plan.merge, plan.root.before.id)
      const ends = { survivor: plan.root.change.after, restored: plan.loser.change.after }
      return { kind: 'planned', run: null, ...ends, carried } as const
    })
  return inRun(hub, 'unmerge', request.by, (runId) =>
    withRaces(hub, () =>
      hub.session.begin(async (tx): Promise<UnmergeResult> => {
        const plan = await workOut(following(hub, tx, null), request, 'lock')
        if ('kind' in plan) return plan
        const { kind, loser } = request
        const survivor = plan.root.before.id
        const carried = await returnedBy(hub, tx, plan.merge, survivor)
        const run = await runId()
        await wakePush(tx, await carryOut(following(hub, tx, run), request, plan))
        const ends = { survivor: await present(tx, kind, survivor), restored: await present(tx, kind, loser) }
        return { kind: 'unmerged', run, ...ends, carried }
      }),
    ),
  )
}

/** As `unmergeRecord`, in the caller's transaction and run; the caller wakes the connections that have work then. */
export async function unmergeWithin(
  following: Following,
  request: UnmergeRequest,
): Promise<{
  readonly result: { readonly kind: 'unmerged' | 'refused' }
  readonly woken: ReadonlySet<string>
}> {
  const plan = await workOut(following, request, 'lock')
  if ('kind' in plan) return { result: { kind: 'refused' }, woken: new Set() }
  return { result: { kind: 'unmerged' }, woken: await carryOut(following, request, plan) }
}

type Turned = {
  readonly before: HubRecord
  readonly change: Change
  /** As they said it; the change has the names that are left of those. */
  readonly facets: readonly RootedFacet[]
  readonly names: readonly Naming[]
}
type Plan = { readonly merge: Merge; readonly root: Turned; readonly loser: Turned }

async function workOut(
  following: Following,
  request: UnmergeRequest,
  lock: 'lock' | 'read',
): Promise<Plan | Refused> {
  const { q } = following
  const { kind, loser } = request
  const root = (await survivorsOf(q, [loser])).get(loser)
  if (root === undefined) return notMerged(q, kind, loser)
  const records = await loadRecords(q, kind, [root, loser], lock)
  // Somebody may have merged the survivor on, or taken this merge back, before the rows were ours.
  if ((await survivorsOf(q, [loser])).get(loser) !== root) throw new RaceError('merged on meanwhile')
  const merge = await mergeOf(q, loser)
  const [survivor, lost] = [records.get(root), records.get(loser)]
  if (merge === undefined || merge.kind !== kind) return notMerged(q, kind, loser)
  const facets = await facetsOf(q, [root])
  const under = new Set(await membersUnder(q, loser))
  const mine = facets.filter((facet) => under.has(facet.id))
  const rest = facets.filter((facet) => !under.has(facet.id))
  if (survivor === undefined || lost === undefined || mine.length === 0 || rest.length === 0) {
    const gone = survivor === undefined || rest.length === 0 ? root : loser
    return refused('conflict', `${kind} ${gone} was erased since, so there is nothing left to give back.`)
  }
  if (!lost.archived)
    return refused(
      'conflict',
      `${kind} ${loser} was restored by hand since. Archive it again, or merge the two anew.`,
    )
  return {
    merge,
    root: await turned(following, request, survivor, rest, under, loser),
    loser: await turned(following, request, lost, mine, new Set(rest.map((facet) => facet.id)), root),
  }
}

async function notMerged(q: Following['q'], kind: MergedKind, id: RecordId): Promise<Refused> {
  const known = (await loadRecords(q, kind, [id])).has(id)
  return known
    ? refused(
        'wrong',
        `${kind} ${id} is not merged into another one. \`concord merges\` lists what was merged.`,
      )
    : refused('missing', `There is no ${kind} ${id}. Give the number of one that was merged.`)
}

/** One of the two, as it is without the other. */
async function turned(
  { hub, q }: Following,
  { kind, by, loser }: UnmergeRequest,
  before: HubRecord,
  facets: readonly RootedFacet[],
  gone: ReadonlySet<RecordId>,
  other: RecordId,
): Promise<Turned> {
  const left = withoutMembers(facets, gone)
  const said = valuesOf(hub, kind, left, await withLiveNames(q, kind, left), before)
  const values = { ...said, fields: await heldReferences(q, kind, said.fields) }
  const restores = before.id === loser
  const after = withValues(kind, before, values, restores ? false : before.archived)
  const rule = `no longer merged with ${kind} ${other}`
  const [consent = 'unknown'] =
    kind === 'contact' ? await consentOver(q, [addressesOf(after.fields)], []) : []
  const isTold = kind === 'contact' && consent !== consentOf(before.fields)
  const told: HubRecord = isTold
    ? {
        ...after,
        fields: { ...after.fields, emailConsent: consent },
        provenance: {
          ...after.provenance,
          emailConsent: { source: by, at: hub.clock.now(), rule: 'what its own addresses say' },
        },
      }
    : after
  const change = recomputed(before, told, reasons(before, told, rule))
  return {
    before,
    change: { ...change, urgent: isTold && consent === 'out' },
    facets: left.map((facet) => ({ ...facet, root: before.id })),
    names: said.names,
  }
}

/** A member alone is what it says by itself; several are worked out by the rules. */
function valuesOf(
  hub: Hub,
  kind: MergedKind,
  said: readonly Facet[],
  live: readonly Facet[],
  before: HubRecord,
): { readonly fields: Fields; readonly provenance: Provenances; readonly names: readonly Naming[] } {
  const [only, ...others] = live
  if (only !== undefined && others.length === 0)
    return { ...only, names: said.flatMap((facet) => ownNames(kind, facet)) }
  const golden = survive(kind, live, before.id, hub.configuration.survivorship, before.fields)
  return { ...golden, names: namesOf(kind, before.id, said, golden.merged) }
}

function reasons(before: HubRecord, after: HubRecord, rule: string): Record<string, HubEdit> {
  const why: Record<string, HubEdit> = {}
  for (const [field, value] of Object.entries(after.fields)) {
    const derived = isDerived(before.kind, field)
    if (!same(before.fields[field] ?? null, value))
      why[field] = { value, rule: derived ? (after.provenance[field]?.rule ?? rule) : rule }
  }
  return before.archived && !after.archived ? { ...why, archived: { value: false, rule } } : why
}

async function carryOut(
  following: Following,
  request: UnmergeRequest,
  plan: Plan,
): Promise<ReadonlySet<string>> {
  const { hub, q, run, apply } = following
  const { kind, by, loser } = request
  const { merge, root } = plan
  const at = hub.clock.now()
  const survivor = root.before.id
  const woken = new Set<string>()
  const wake = (names: Iterable<string>) => {
    for (const name of names) woken.add(name)
  }
  for (const side of [plan.root, plan.loser]) {
    if (side.facets.length > 1) await saveFacets(q, side.facets)
    else
      await dropFacets(
        q,
        side.facets.map((facet) => facet.id),
      )
  }
  await lockLinks(q, [survivor])
  await endLinks(q, await archivedFor(q, merge.id, survivor, merge.at))
  wake(await returnLinks(q, merge.id, loser, survivor))
  const strong = keysOf(kind, plan.loser.change.after.fields).filter((key) => STRONG[key.kind])
  await returnKeys(q, merge.id, loser, survivor, strong)
  await endMerge(q, merge.id, by, run, at)
  await forgetMoves(q, merge.id, await mergesAbove(q, merge.survivor))
  await noteNamings(q, kind, [...root.names, ...plan.loser.names])
  wake(await apply(kind, [root.change, plan.loser.change], by))
  wake(await returnReferences(following, kind, merge.id, loser, survivor, by))
  if (kind === 'contact') {
    await returnParticipants(q, merge.id, loser, survivor)
    const kept = new Set(addressesOf(plan.root.change.after.fields))
    const own = addressesOf(plan.loser.change.after.fields).filter((address) => !kept.has(address))
    const theirs = await returnLater(q, merge, loser, survivor, own)
    wake(await returnActivities(following, theirs, loser, survivor, by))
    wake(await refreshMail(following, [survivor, loser]))
  }
  if (request.mayMatchAgain !== true)
    for (const id of new Set([survivor, merge.survivor])) await keepApart(q, loser, id, by, at)
  return woken
}
