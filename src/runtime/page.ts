import { statementFrom, type ConsentReading, type Statement } from '../core/consent.ts'
import { keysOf, matchByKeys, type Candidate, type Key, type Match } from '../core/identity.ts'
import { same, textOf, type JsonObject } from '../core/json.ts'
import type { Lens } from '../core/lens.ts'
import { planBirth, planLink, type Base, type Birth, type LinkPlan } from '../core/plan.ts'
import type { HubRecord, RecordId } from '../core/model.ts'
import { isErased } from '../core/privacy.ts'
import { NO_REFS } from '../core/stream.ts'
import type { Observation } from '../connectors/connector.ts'
import type { Tx } from '../store/database.ts'
import type { HistoryRow } from '../store/history.ts'
import { holders } from '../store/identities.ts'
import type { BadPlace, NewItem } from '../store/inbox.ts'
import { newLinkIds, unboundLinks, type Link } from '../store/links.ts'
import { survivorsOf } from '../store/merges.ts'
import { loadRecords } from '../store/records.ts'
import { newcomerIds } from '../store/tombstones.ts'
import { bornRecord } from './change.ts'
import { addressesOf, CHANNEL, consentOf, consentOver } from './consent.ts'
import { duplicateItem } from './duplicates.ts'
import type { Hub, Target } from './hub.ts'
import { mustStand } from './merge/moved.ts'
import { conflictKey } from './item-keys.ts'
import { erasedArrivals } from './privacy/arrivals.ts'
import type { WorkingSet } from './working-set.ts'

export type Present = Extract<Observation, { kind: 'present' }>

/** One object on its way in. `link` is null until it has one; `recordId` until it is matched. */
export type Arrival = {
  readonly seen: Present
  readonly link: Link | null
  readonly consent: ConsentReading | null
}

export type Planned = {
  readonly arrival: Arrival
  readonly recordId: RecordId
  readonly linkId: number
  /** Null for a link that is new. */
  readonly before: Link | null
  readonly base: Base
  readonly pushes: boolean
}

export type PageWork = {
  /** Called once the page's writes are on their way, with the number of objects that nobody knew. */
  readonly meanwhile: (strangers: number) => void
  readonly ahead: ReadAhead
  readonly hub: Hub
  readonly tx: Tx
  readonly target: Target
  readonly set: WorkingSet
  readonly lenses: readonly Lens[]
  readonly unresolved: (body: JsonObject) => boolean
  readonly at: number
  readonly items: NewItem[]
  readonly closable: string[]
  readonly bad: BadPlace[]
  readonly kept: HistoryRow[]
  readonly statements: Statement[]
  readonly planned: Planned[]
  readonly newLinks: number[]
  /** Objects that were merged at their remote, with those that they live on in. */
  readonly away: ReadonlyMap<string, string>
  /** Of people who were erased. */
  readonly erased: Set<Arrival>
}

const sourceTime = (target: Target, seen: Present): number | null =>
  target.stream.trustTimes ? seen.modifiedAt : null

export function statementOf(target: Target, { seen, link, consent }: Arrival, at: number): Statement | null {
  const where = target.stream.consent
  if (consent === null || where === null) return null
  const observed = link?.observed ?? null
  const before = observed === null ? null : where.read(observed)
  const isMoved = before !== null && before.address !== consent.address
  // What the object said of its old address is not said of the new one, and was never confirmed from there.
  const reading = isMoved ? { ...consent, explicitAt: null } : consent
  const previous = isMoved ? null : (link?.consent ?? null)
  return statementFrom(reading, previous, Math.min(seen.modifiedAt ?? at, at), {
    channel: where.channel,
    audience: where.audience,
    source: target.stream.connection,
  })
}

/** Plans a link whose record is known, and takes the hub's side of the plan. */
export function meet(
  page: PageWork,
  arrival: Arrival,
  recordId: RecordId,
  link: Link | null,
  linkId = link?.id,
): void {
  const record = page.set.get(recordId)
  if (record === undefined || linkId === undefined) return
  const { seen } = arrival
  const source = page.target.stream.connection
  const isHandoff = page.target.push?.isHandoff === true
  const observed = { body: seen.body, modifiedAt: sourceTime(page.target, seen), isHandoff }
  const plan = planLink(page.lenses, record, observed, link?.base ?? {}, source)
  page.set.edit(recordId, plan.hub, { source, at: observed.modifiedAt ?? page.at, origin: linkId })
  noteAsks(page, plan, linkId, recordId, seen.id)
  for (const lost of plan.overruled) {
    const field = page.lenses.find((lens) => lens.key === lost.lens)?.fields[0] ?? lost.lens
    const value = record.fields[field] ?? null
    page.kept.push({
      recordId,
      kind: record.kind,
      op: 'keep',
      version: record.version,
      source,
      changes: { [field]: { before: value, after: value, rule: lost.rule, lost: { ...lost.lost } } },
    })
  }
  page.planned.push({ arrival, recordId, linkId, before: link, base: plan.base, pushes: plan.patch !== null })
}

function noteAsks(
  page: PageWork,
  plan: LinkPlan,
  linkId: number,
  recordId: RecordId,
  remoteId: string,
): void {
  const { label, id } = page.target
  const keyOf = (lens: string) => conflictKey(linkId, lens)
  for (const ask of plan.asks) {
    page.items.push({
      kind: 'conflict',
      key: keyOf(ask.lens),
      title: `${label} and the hub disagree on ${ask.lens} of ${page.target.stream.record} ${recordId}`,
      fix: 'Choose a side: `concord inbox resolve ID --take hub` or `--take remote`. Until then each keeps its own.',
      detail: { ...ask, link: linkId },
      streamId: id,
      recordId,
    })
  }
  const asked = new Set(plan.asks.map((ask) => ask.lens))
  for (const lens of page.lenses) {
    if (lens.policy.kind === 'ask' && !asked.has(lens.key)) page.closable.push(keyOf(lens.key))
  }
  for (const bad of plan.unreadable) {
    page.bad.push({ place: `${remoteId} ${bad.lens}`, remoteId, problem: bad.problem, raw: textOf(bad.raw) })
  }
}

/** The object says itself which record it was made for. */
type Ours = { readonly kind: 'ours'; readonly id: RecordId }

const birthOf = (target: Target, lenses: readonly Lens[], seen: Present): Birth =>
  planBirth(lenses, { body: seen.body, modifiedAt: sourceTime(target, seen) })

/** What objects would be as new records, by their bodies; worked out before their page has its turn. */
export type ReadAhead = ReadonlyMap<JsonObject, Birth>
export const NOTHING_AHEAD: ReadAhead = new Map()

/** Leaves out what names other records: what those are is known in the page's own transaction. */
export function readAhead(target: Target, observations: readonly Observation[]): ReadAhead {
  const lenses = target.stream.lenses(NO_REFS)
  return new Map(
    observations.flatMap((seen) =>
      seen.kind === 'present' && target.stream.remoteRefs(seen.body).length === 0
        ? [[seen.body, birthOf(target, lenses, seen)] as const]
        : [],
    ),
  )
}

/** Objects without a link: matched by their keys, or new, or not wanted. */
export async function settleStrangers(page: PageWork, strangers: readonly Arrival[]): Promise<void> {
  const { target, set, tx, lenses, at } = page
  const { stream } = target
  const wanted = strangers.filter((a) => stream.filterIn(a.seen.body))
  if (page.hub.planning !== null) {
    // A plan names what stays outside, too.
    const outside = strangers.filter((a) => !wanted.includes(a))
    const bodies = outside.map((a) => birthOf(target, lenses, a.seen))
    await erasedArrivals(page, outside, bodies)
  }
  if (wanted.length === 0) return
  const births = wanted.map((a) => page.ahead.get(a.seen.body) ?? birthOf(target, lenses, a.seen))
  const keys = births.map((birth) =>
    keysOf(stream.record, birth.fields).filter((k) => stream.match.includes(k.kind)),
  )
  const held = await holders(tx, stream.record, keys.flat())
  const named = wanted.flatMap((a) => a.seen.madeFor ?? [])
  const moved = await survivorsOf(tx, named)
  const made = named.map((id) => moved.get(id) ?? id)
  const involved = [...held.map((h) => h.id), ...made]
  const missing = involved.filter((id) => set.get(id) === undefined)
  const locked = await loadRecords(tx, stream.record, missing, 'lock')
  // Who was erased is not made anew by an object that was made for them.
  const isShell = (record: HubRecord) => isErased(record) && made.includes(record.id)
  const shells = new Set([...locked.values()].filter(isShell).map((record) => record.id))
  const standing = [...locked.values()].filter((record) => !shells.has(record.id))
  await mustStand(tx, standing)
  set.read(standing)
  // Once the records are held: an erasure that was under way is done by then.
  const [recordIds, linkIds, links] = await Promise.all([
    newcomerIds(tx, wanted.length),
    newLinkIds(tx, wanted.length),
    unboundLinks(tx, target.id, involved),
  ])
  const forShells = wanted.filter(({ seen: { madeFor = 0 } }) => shells.has(moved.get(madeFor) ?? madeFor))
  const living = held.filter(({ id, key }) => key.kind === 'email' && isHeldBy(set.get(id), key))
  const addresses = new Set(living.map(({ key }) => key.value))
  const erased = await erasedArrivals(page, wanted, births, new Set(forShells), addresses)
  const heldBy = Map.groupBy(held, (h) => `${h.key.kind} ${h.key.value}`)
  const unbound = new Map(links.map((link) => [link.recordId, link]))

  for (const [i, arrival] of wanted.entries()) {
    const birth = births[i]
    const recordId = recordIds[i]
    const linkId = linkIds[i]
    if (birth === undefined || recordId === undefined || linkId === undefined) continue
    if (erased.has(arrival)) continue
    const mine = keys[i] ?? []
    const candidates: Candidate[] = mine.flatMap((key) =>
      (heldBy.get(`${key.kind} ${key.value}`) ?? [])
        .filter((h) => set.holds(h.id, key))
        .map((h) => ({ id: h.id, key, fields: set.get(h.id)?.fields ?? {} })),
    )
    const madeFor = arrival.seen.madeFor ?? 0
    const ours = unbound.get(moved.get(madeFor) ?? madeFor)
    const match: Match | Ours =
      ours === undefined
        ? matchByKeys(birth.fields, [...candidates, ...set.newHolders(mine)], stream.match)
        : { kind: 'ours', id: ours.recordId }
    if (match.kind === 'none') {
      if (!stream.createInHub) continue
      const source = stream.connection
      const modified = sourceTime(target, arrival.seen) ?? at
      set.born(
        bornRecord(recordId, stream.record, birth.fields, { source, at: modified, rule: 'created' }),
        linkId,
      )
      for (const bad of birth.unreadable) {
        page.bad.push({
          place: `${arrival.seen.id} ${bad.lens}`,
          remoteId: arrival.seen.id,
          problem: bad.problem,
          raw: textOf(bad.raw),
        })
      }
      const pushes = lenses.some((lens) => lens.direction === 'out')
      page.planned.push({ arrival, recordId, linkId, before: null, base: birth.base, pushes })
      page.newLinks.push(linkId)
      continue
    }
    if (match.kind === 'several') page.items.push(...severalItems(target, arrival.seen.id, match))
    // A create of ours that was seen before its answer was kept: this is that object.
    const own = unbound.get(match.id) ?? null
    unbound.delete(match.id)
    if (own === null) page.newLinks.push(linkId)
    meet(page, arrival, match.id, own, own?.id ?? linkId)
  }
}

const isHeldBy = (record: HubRecord | undefined, { kind, value }: Key): boolean =>
  record?.archived === false &&
  keysOf(record.kind, record.fields).some((key) => key.kind === kind && key.value === value)

function severalItems(
  target: Target,
  remoteId: string,
  match: {
    readonly id: RecordId
    readonly by: { readonly value: string }
    readonly others: readonly RecordId[]
  },
): readonly NewItem[] {
  const kind = target.stream.record
  return match.others.map((other) =>
    duplicateItem(kind, [match.id, other], {
      title: `${target.label} ${remoteId} matches ${kind}s ${match.id} and ${other}; it was linked to ${match.id} by ${match.by.value}`,
      evidence: `both match ${target.label} ${remoteId}`,
      streamId: target.id,
    }),
  )
}

/** Deletes at the remote: the link ends, and the record is archived where the stream says so. */
export function vanish(page: PageWork, gone: readonly Link[]): readonly Link[] {
  if (page.target.stream.deletes === 'archive') {
    for (const link of gone) {
      page.set.edit(
        link.recordId,
        {},
        { source: page.target.stream.connection, at: page.at, origin: link.id, archived: true },
      )
    }
  }
  return gone
}

/** Writes what was stated to the ledger, and what it adds up to onto the people concerned. */
export async function applyConsent(page: PageWork): Promise<void> {
  if (page.target.stream.record !== 'contact') return
  const stated = new Set(page.statements.map((s) => s.address))
  const touched = new Set(
    page.set
      .changes()
      .filter((c) => c.before === null || !same(c.before.fields['emails'], c.after.fields['emails']))
      .map((c) => c.after.id),
  )
  for (const { arrival, recordId } of page.planned) {
    if (stated.has(arrival.consent?.address ?? '')) touched.add(recordId)
  }
  for (const id of await othersAt(page, stated)) touched.add(id)
  const people = [...touched].flatMap((id) => page.set.get(id) ?? [])
  const states = await consentOver(
    page.tx,
    people.map((p) => addressesOf(p.fields)),
    page.statements,
  )
  const source = page.target.stream.connection
  for (const [i, person] of people.entries()) {
    const state = states[i] ?? 'unknown'
    if (state === consentOf(person.fields)) continue
    const rule = `${CHANNEL} consent: ${stated.size > 0 ? `stated at ${source}` : 'known for this address'}`
    page.set.edit(
      person.id,
      { emailConsent: { value: state, rule } },
      { source, at: page.at, origin: null, urgent: state === 'out' },
    )
  }
}

/** An address may stand on a second record too, until somebody merges the two: both hear what is said of it. */
async function othersAt(page: PageWork, stated: ReadonlySet<string>): Promise<readonly RecordId[]> {
  if (stated.size === 0) return []
  const keys = [...stated].map((value) => ({ kind: 'email' as const, value }))
  const ids = (await holders(page.tx, 'contact', keys)).map((holder) => holder.id)
  const missing = ids.filter((id) => page.set.get(id) === undefined)
  const locked = await loadRecords(page.tx, 'contact', missing, 'lock')
  await mustStand(page.tx, locked.values())
  page.set.read(locked.values())
  return ids
}
