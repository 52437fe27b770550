import { strictest, type ConsentState } from '../../core/consent.ts'
import { keysOf, STRONG } from '../../core/identity.ts'
import { isEmpty, same } from '../../core/json.ts'
import type { HubRecord, RecordId } from '../../core/model.ts'
import type { HubEdit } from '../../core/plan.ts'
import { survive, type Golden, type MergedField, type MergedKind } from '../../core/survivorship.ts'
import type { Query } from '../../store/database.ts'
import { facetsOf, saveFacets, type RootedFacet } from '../../store/facets.ts'
import { closeItems } from '../../store/inbox.ts'
import { lockLinks, moveLinks, moveParticipants, noteKeys } from '../../store/merge-moves.ts'
import { noteNamings } from '../../store/merge-names.ts'
import { insertMerges } from '../../store/merges.ts'
import { loadRecords } from '../../store/records.ts'
import { wakePush } from '../../store/wake.ts'
import type { Change, Following } from '../change.ts'
import { following } from '../changes.ts'
import { addressesOf, consentOf, consentOver } from '../consent.ts'
import type { Hub } from '../hub.ts'
import { refreshFacts, refreshSteps } from '../mail/facts.ts'
import { withRaces } from '../races.ts'
import { carriedBy } from './carried.ts'
import { refusal } from './check.ts'
import { ownFacet, heldReferences, withValues } from './load.ts'
import { namesOf, withFirstNames, withLiveNames } from './names.ts'
import { moveReferences } from './references.ts'
import { inRun } from './run.ts'
import type { MergeRequest, MergeResult, Refused } from './words.ts'

export type { Carried, MergeRequest, MergeResult, Refused } from './words.ts'

/**
 * Merges records into one, in one transaction: the losers' rows are archived, their links, references, messages and keys
 * go to the survivor, and what each says by itself is kept, so that `unmergeRecord` gives it back. With `dryRun` nothing
 * is written.
 */
export async function mergeRecords(hub: Hub, request: MergeRequest): Promise<MergeResult> {
  if (request.dryRun === true) return hub.session.begin((tx) => planMerge(following(hub, tx, null), request))
  return inRun(hub, 'merge', request.by, (runId) =>
    withRaces(hub, () =>
      hub.session.begin(async (tx): Promise<MergeResult> => {
        const refused = await refusal(tx, request, 'lock')
        if (refused !== null) return refused
        const { kind, survivor, losers } = request
        const carried = await carriedBy(hub, tx, kind, survivor, losers)
        const run = await runId()
        const { result, woken } = await mergeWithin(following(hub, tx, run), request)
        if (result.kind === 'refused') return result
        await wakePush(tx, woken)
        return { ...result, run, survivor: await present(tx, kind, survivor), carried }
      }),
    ),
  )
}

export type MergedWithin = {
  readonly result: { readonly kind: 'merged'; readonly fields: readonly MergedField[] } | Refused
  readonly woken: ReadonlySet<string>
}

/** As `mergeRecords`, in the caller's transaction and run; the caller wakes the connections that have work then. */
export async function mergeWithin(following: Following, request: MergeRequest): Promise<MergedWithin> {
  const woken = new Set<string>()
  const wake = (names: Iterable<string>) => {
    for (const name of names) woken.add(name)
  }
  const refused = await refusal(following.q, request, 'lock')
  if (refused !== null) return { result: refused, woken }
  const { hub, q, apply } = following
  const { kind, by } = request
  const at = hub.clock.now()
  const work = await workOut(following, request)
  const losers = work.losers.map((record) => record.id)
  const survivor = work.survivor.id
  await lockLinks(q, [survivor, ...losers])
  const merges = await insertMerges(
    q,
    { kind, survivor, rule: request.rule, by, run: following.run ?? 0, at },
    losers,
  )
  for (const loser of work.losers) {
    const merge = merges.get(loser.id)
    if (merge === undefined) throw new Error(`the merge of ${kind} ${loser.id} was not written`)
    wake(await moveLinks(q, merge, loser.id, survivor))
    const strong = keysOf(kind, loser.fields).filter((key) => STRONG[key.kind])
    await noteKeys(q, merge, loser.id, strong)
  }
  await saveFacets(
    q,
    work.facets.map((facet) => ({ ...facet, root: survivor })),
  )
  const changes = [work.change, ...work.losers.map((loser) => archival(loser, survivor, request.rule))]
  await noteNamings(q, kind, namesOf(kind, survivor, work.facets, work.golden.merged))
  wake(await apply(kind, changes, by))
  for (const loser of losers) {
    const merge = merges.get(loser) ?? 0
    wake(await moveReferences(following, kind, merge, loser, survivor, by))
    // After the keys have moved, for which pages of mail have waited.
    if (kind === 'contact') await moveParticipants(q, merge, loser, survivor)
  }
  if (kind === 'contact') wake(await refreshMail(following, [survivor]))
  await closePairs(following, [survivor, ...losers], `merged into ${kind} ${survivor}`)
  return { result: { kind: 'merged', fields: work.golden.merged }, woken }
}

async function planMerge(following: Following, request: MergeRequest): Promise<MergeResult> {
  const refused = await refusal(following.q, request)
  if (refused !== null) return refused
  const work = await workOut(following, request)
  const losers = work.losers.map((record) => record.id)
  const carried = await carriedBy(following.hub, following.q, request.kind, work.survivor.id, losers)
  return { kind: 'planned', run: null, survivor: work.change.after, fields: work.golden.merged, carried }
}

const gone = (kind: MergedKind, id: RecordId): Error => new Error(`${kind} ${id} went away under its lock`)

/** A record that is held, as it is now. */
export async function present(q: Query, kind: MergedKind, id: RecordId): Promise<HubRecord> {
  const record = (await loadRecords(q, kind, [id])).get(id)
  if (record === undefined) throw gone(kind, id)
  return record
}

type Work = {
  readonly survivor: HubRecord
  readonly losers: readonly HubRecord[]
  readonly facets: readonly RootedFacet[]
  readonly golden: Golden
  /** Of the survivor. */
  readonly change: Change
}

async function workOut({ hub, q }: Following, request: MergeRequest): Promise<Work> {
  const { kind, by } = request
  const ids = [request.survivor, ...request.losers]
  const records = await loadRecords(q, kind, ids)
  const survivor = records.get(request.survivor)
  const losers = [...new Set(request.losers)].flatMap((id) => records.get(id) ?? [])
  if (survivor === undefined) throw gone(kind, request.survivor)
  const known = await facetsOf(q, ids)
  const roots = new Set(known.map((facet) => facet.root))
  const single = [survivor, ...losers].filter((record) => !roots.has(record.id))
  const own = single.map((record) => ownFacet(kind, record))
  const facets = [...known, ...(await withFirstNames(q, kind, own))]
  const live = await withLiveNames(q, kind, facets)
  const worked = survive(kind, live, survivor.id, hub.configuration.survivorship, survivor.fields)
  const golden = { ...worked, fields: await heldReferences(q, kind, worked.fields) }
  const after = withValues(kind, survivor, golden, survivor.archived)
  const why = reasons(survivor, golden.merged)
  const consent = kind === 'contact' ? await consentOfAll(q, [survivor, ...losers], after) : undefined
  if (consent === undefined || consent === consentOf(survivor.fields))
    return { survivor, losers, facets, golden, change: recomputed(survivor, after, why) }
  const rule = 'the strictest over all addresses'
  const told: HubRecord = {
    ...after,
    fields: { ...after.fields, emailConsent: consent },
    provenance: { ...after.provenance, emailConsent: { source: by, at: hub.clock.now(), rule } },
  }
  const change = recomputed(survivor, told, { ...why, emailConsent: { value: consent, rule } })
  return { survivor, losers, facets, golden, change: { ...change, urgent: consent === 'out' } }
}

/** The strictest over all addresses; a record that is stricter than its addresses stays so. */
async function consentOfAll(
  q: Query,
  records: readonly HubRecord[],
  after: HubRecord,
): Promise<ConsentState> {
  const ledger = await consentOver(q, [addressesOf(after.fields)], [])
  const stricter = records.map((record) => consentOf(record.fields)).filter((state) => state !== 'in')
  return strictest([...ledger, ...stricter])
}

export function recomputed(
  before: HubRecord,
  after: HubRecord,
  why: Readonly<Record<string, HubEdit>>,
): Change {
  return { before, after, why, origin: null, urgent: false, isRecomputed: true }
}

function reasons(survivor: HubRecord, merged: readonly MergedField[]): Record<string, HubEdit> {
  const why: Record<string, HubEdit> = {}
  for (const { field, value, from, rule } of merged) {
    const was = survivor.fields[field] ?? null
    if (same(was, value)) continue
    const others = from.filter((id) => id !== survivor.id)
    const whose = `merged with ${survivor.kind} ${others.join(', ')}: ${rule}`
    const source = survivor.provenance[field]?.source ?? survivor.provenance['*']?.source ?? 'hub'
    why[field] = { value, rule: whose, ...(isEmpty(was) ? {} : { lost: { source, value: was } }) }
  }
  return why
}

function archival(loser: HubRecord, survivor: RecordId, why: string): Change {
  const rule = `merged into ${loser.kind} ${survivor}: ${why}`
  const after = { ...loser, version: loser.version + 1, archived: true }
  return recomputed(loser, after, { archived: { value: true, rule } })
}

/** What mail and next steps say about contacts whose messages or deals have moved. */
export async function refreshMail(
  following: Following,
  contacts: readonly RecordId[],
): Promise<ReadonlySet<string>> {
  const facts = await refreshFacts(following, { contacts, deals: [] })
  return facts.union(await refreshSteps(following, { contacts, deals: [] }))
}

async function closePairs(
  { hub, q }: Following,
  ids: readonly RecordId[],
  resolution: string,
): Promise<void> {
  const sorted = ids.toSorted((a, b) => a - b)
  const keys = sorted.flatMap((a, i) => sorted.slice(i + 1).map((b) => `duplicate:${a}:${b}`))
  await closeItems(q, keys, resolution, hub.clock.now())
}
