import { consentToSend, statementFrom, type ConsentReading, type Statement } from '../core/consent.ts'
import type { Harm } from '../core/guard.ts'
import { keysOf, matchByKeys, type Candidate } from '../core/identity.ts'
import { same, type JsonObject } from '../core/json.ts'
import type { Lens } from '../core/lens.ts'
import { planBirth, planLink, type Base, type LinkPlan } from '../core/plan.ts'
import type { RecordId } from '../core/model.ts'
import type { Observation } from '../connectors/connector.ts'
import { appendStatements } from '../store/consents.ts'
import type { Tx } from '../store/database.ts'
import { appendHistory, type HistoryRow } from '../store/history.ts'
import { holders } from '../store/identities.ts'
import { closeItems, openItems, quarantine, release, type BadPlace, type NewItem } from '../store/inbox.ts'
import {
  glance,
  insertLinks,
  loadLinks,
  newLinkIds,
  unboundLinks,
  updateLinks,
  type Link,
  type LinkUpdate,
  type NewLink,
} from '../store/links.ts'
import { loadRecords, newRecordIds } from '../store/records.ts'
import { applyChanges, blanks, bornRecord } from './changes.ts'
import { addressesOf, CHANNEL, consentOf, consentOver } from './consent.ts'
import type { Hub, Target } from './hub.ts'
import { wakePush } from '../store/wake.ts'
import { withRaces } from './races.ts'
import { resolveRefs } from './refs.ts'
import type { RunLog } from './run.ts'
import { openWorkingSet, type WorkingSet } from './working-set.ts'

type Present = Extract<Observation, { kind: 'present' }>

export type Absorbed = {
  /** Whether anything was written. */
  readonly changed: boolean
  /** The links of the objects seen, to find later what a complete listing did not show. */
  readonly seen: readonly number[]
  /** Connections that have writes waiting now. */
  readonly woken: ReadonlySet<string>
}

export type AbsorbOptions = {
  /** Plans again even where the remote's version is the known one. */
  readonly force?: boolean
  readonly bad?: readonly BadPlace[]
  /** Runs in the page's transaction; `changed` says whether the page wrote anything. */
  readonly also?: (tx: Tx, changed: boolean) => Promise<void>
}

/**
 * Takes remote objects as they are now into the hub: records, links, keys, history, consent and (through `also`) the
 * cursor in one transaction, with a number of statements that does not depend on the number of objects.
 */
export async function absorb(
  hub: Hub,
  target: Target,
  observations: readonly Observation[],
  run: RunLog,
  options: AbsorbOptions = {},
): Promise<Absorbed> {
  const latest = [...new Map(observations.map((o) => [o.id, o])).values()]
  return withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      const glances = new Map(
        (
          await glance(
            tx,
            target.id,
            latest.map((o) => o.id),
          )
        ).map((g) => [g.remoteId, g]),
      )
      const fresh = latest.filter((o) => {
        const known = glances.get(o.id)
        if (o.kind === 'absent') return known !== undefined && known.state !== 'gone'
        return (
          options.force === true ||
          known?.state !== 'linked' ||
          o.version === null ||
          known.version !== o.version
        )
      })
      const changed = fresh.length > 0 || (options.bad ?? []).length > 0
      const page = changed ? await absorbFresh(hub, tx, target, fresh, glances, run) : NOTHING
      await quarantine(tx, target.id, options.bad ?? [], hub.clock.now())
      await options.also?.(tx, changed)
      const seen = latest.flatMap((o) => (o.kind === 'present' ? (glances.get(o.id)?.id ?? []) : []))
      return { changed, seen: [...seen, ...page.born], woken: page.woken }
    }),
  )
}

type PageResult = { readonly born: readonly number[]; readonly woken: ReadonlySet<string> }
const NOTHING: PageResult = { born: [], woken: new Set() }

/** One object on its way in. `link` is null until it has one; `recordId` until it is matched. */
type Arrival = {
  readonly seen: Present
  readonly link: Link | null
  readonly consent: ConsentReading | null
}

async function absorbFresh(
  hub: Hub,
  tx: Tx,
  target: Target,
  fresh: readonly Observation[],
  glances: ReadonlyMap<string, { readonly id: number }>,
  run: RunLog,
): Promise<PageResult> {
  const { stream } = target
  const at = hub.clock.now()
  const links = new Map(
    (
      await loadLinks(
        tx,
        fresh.flatMap((o) => glances.get(o.id)?.id ?? []),
      )
    ).map((l) => [l.remoteId, l]),
  )
  const set = openWorkingSet()
  set.read(
    (
      await loadRecords(
        tx,
        stream.record,
        [...links.values()].map((l) => l.recordId),
        'lock',
      )
    ).values(),
  )

  const arrivals: Arrival[] = []
  const gone: Link[] = []
  for (const seen of fresh) {
    const link = links.get(seen.id) ?? null
    if (seen.kind === 'present')
      arrivals.push({ seen, link, consent: stream.consent?.read(seen.body) ?? null })
    else if (link !== null) gone.push(link)
  }
  const refs = await resolveRefs(
    hub,
    tx,
    target,
    arrivals.map((a) => a.seen.body),
    [...links.values()].map((l) => set.get(l.recordId)?.fields ?? {}),
  )
  const page: PageWork = {
    hub,
    tx,
    target,
    set,
    lenses: stream.lenses(refs),
    unresolved: (body) => stream.remoteRefs(body).some((ref) => refs.toId(ref) === undefined),
    at,
    items: [],
    closable: [],
    bad: [],
    kept: [],
    statements: arrivals.flatMap((a) => statementOf(target, a, at) ?? []),
    planned: [],
    newLinks: [],
  }
  for (const arrival of arrivals)
    if (arrival.link !== null) meet(page, arrival, arrival.link.recordId, arrival.link)
  await settleStrangers(
    page,
    arrivals.filter((a) => a.link === null),
  )
  const vanished = vanish(page, gone)
  await applyConsent(page)
  return writePage(page, vanished, run)
}

type Planned = {
  readonly arrival: Arrival
  readonly recordId: RecordId
  readonly linkId: number
  /** Null for a link that is new. */
  readonly before: Link | null
  readonly base: Base
  readonly pushes: boolean
}

type PageWork = {
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
}

const sourceTime = (target: Target, seen: Present): number | null =>
  target.stream.trustTimes ? seen.modifiedAt : null

function statementOf(target: Target, { seen, link, consent }: Arrival, at: number): Statement | null {
  const where = target.stream.consent
  if (consent === null || where === null) return null
  return statementFrom(consent, link?.consent ?? null, seen.modifiedAt ?? at, {
    channel: where.channel,
    audience: where.audience,
    source: target.stream.connection,
  })
}

/** Plans a link whose record is known, and takes the hub's side of the plan. */
function meet(
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
  const observed = { body: seen.body, modifiedAt: sourceTime(page.target, seen) }
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
  const keyOf = (lens: string) => `conflict:${linkId}:${lens}`
  for (const ask of plan.asks) {
    page.items.push({
      kind: 'conflict',
      key: keyOf(ask.lens),
      title: `${label} and the hub disagree on ${ask.lens} of ${page.target.stream.record} ${recordId}`,
      fix: 'Choose a side: `concord inbox resolve ID --take hub` or `--take remote`. Until then each keeps its own.',
      detail: { lens: ask.lens, link: linkId, hub: ask.hub, remote: ask.remote, agreed: ask.agreed },
      streamId: id,
      recordId,
    })
  }
  const asked = new Set(plan.asks.map((ask) => ask.lens))
  for (const lens of page.lenses) {
    if (lens.policy.kind === 'ask' && !asked.has(lens.key)) page.closable.push(keyOf(lens.key))
  }
  for (const bad of plan.unreadable) {
    page.bad.push({ place: `${remoteId} ${bad.lens}`, remoteId, problem: bad.problem, raw: String(bad.raw) })
  }
}

/** Objects without a link: matched by their keys, or new, or not wanted. */
async function settleStrangers(page: PageWork, strangers: readonly Arrival[]): Promise<void> {
  const { target, set, tx, lenses, at } = page
  const { stream } = target
  const wanted = strangers.filter((a) => stream.filterIn(a.seen.body))
  if (wanted.length === 0) return
  const births = wanted.map((a) =>
    planBirth(lenses, { body: a.seen.body, modifiedAt: sourceTime(target, a.seen) }),
  )
  const keys = births.map((birth) =>
    keysOf(stream.record, birth.fields).filter((k) => stream.match.includes(k.kind)),
  )
  const held = await holders(tx, stream.record, keys.flat())
  const missing = held.map((h) => h.id).filter((id) => set.get(id) === undefined)
  set.read((await loadRecords(tx, stream.record, missing, 'lock')).values())
  const heldBy = Map.groupBy(held, (h) => `${h.key.kind} ${h.key.value}`)
  const unbound = new Map(
    (
      await unboundLinks(
        tx,
        target.id,
        held.map((h) => h.id),
      )
    ).map((l) => [l.recordId, l]),
  )
  const [recordIds, linkIds] = [await newRecordIds(tx, wanted.length), await newLinkIds(tx, wanted.length)]

  for (const [i, arrival] of wanted.entries()) {
    const birth = births[i]
    const recordId = recordIds[i]
    const linkId = linkIds[i]
    if (birth === undefined || recordId === undefined || linkId === undefined) continue
    const mine = keys[i] ?? []
    const candidates: Candidate[] = mine.flatMap((key) =>
      (heldBy.get(`${key.kind} ${key.value}`) ?? []).map((h) => ({
        id: h.id,
        key,
        fields: set.get(h.id)?.fields ?? {},
      })),
    )
    const match = matchByKeys(birth.fields, [...candidates, ...set.newHolders(mine)], stream.match)
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
          raw: String(bad.raw),
        })
      }
      const pushes = lenses.some((lens) => lens.direction === 'out')
      page.planned.push({ arrival, recordId, linkId, before: null, base: birth.base, pushes })
      page.newLinks.push(linkId)
      continue
    }
    if (match.kind === 'several') page.items.push(severalItem(target, arrival.seen.id, match))
    // A create of ours that was seen before its answer was kept: this is that object.
    const own = unbound.get(match.id) ?? null
    unbound.delete(match.id)
    if (own === null) page.newLinks.push(linkId)
    meet(page, arrival, match.id, own, own?.id ?? linkId)
  }
}

function severalItem(
  target: Target,
  remoteId: string,
  match: {
    readonly id: RecordId
    readonly by: { readonly value: string }
    readonly others: readonly RecordId[]
  },
): NewItem {
  const kind = target.stream.record
  return {
    kind: 'duplicate',
    key: `duplicate:${[match.id, ...match.others].toSorted((a, b) => a - b).join(':')}`,
    title: `${target.label} ${remoteId} matches ${kind}s ${[match.id, ...match.others].join(', ')}`,
    fix: `It was linked to ${kind} ${match.id} by ${match.by.value}. If they are one, merge them; if not, correct the shared key.`,
    detail: { linked: match.id, by: match.by.value, others: match.others, remoteId },
    streamId: target.id,
    recordId: match.id,
  }
}

/** Deletes at the remote: the link ends, and the record is archived where the stream says so. */
function vanish(page: PageWork, gone: readonly Link[]): readonly Link[] {
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
async function applyConsent(page: PageWork): Promise<void> {
  if (page.target.stream.record !== 'contact') return
  const stated = new Set(page.statements.map((s) => s.address))
  const touched = new Set(
    page.set
      .changes()
      .filter((c) => c.before === null || !same(c.before.fields['emails'], c.after.fields['emails']))
      .map((c) => c.after.id),
  )
  for (const { arrival, recordId } of page.planned) {
    if (arrival.consent !== null && stated.has(arrival.consent.address)) touched.add(recordId)
  }
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

async function writePage(page: PageWork, gone: readonly Link[], run: RunLog): Promise<PageResult> {
  const { hub, tx, target, set } = page
  const { stream } = target
  const changes = set.changes()
  await run.harm(harmOf(page, gone.length), [
    ...gone.map((l) => `${stream.record} ${l.recordId} (${l.remoteId ?? ''})`),
    ...changes
      .filter((c) => c.before !== null && blanks(c.before, c.why))
      .map((c) => `${stream.record} ${c.after.id}`),
  ])
  const runId = hub.preview ? null : await run.id()
  const fresh = new Set(page.newLinks)
  const inserts: NewLink[] = []
  const updates: LinkUpdate[] = []
  for (const { arrival, recordId, linkId, before, base, pushes } of page.planned) {
    const record = set.get(recordId)
    if (record === undefined) continue
    const reading = arrival.consent?.state ?? null
    const tell =
      stream.consent === null ? null : consentToSend(consentOf(record.fields), reading, stream.consent.sends)
    const state = {
      id: linkId,
      remoteId: arrival.seen.id,
      state: 'linked' as const,
      observed: arrival.seen.body,
      version: arrival.seen.version,
      modifiedAt: arrival.seen.modifiedAt,
      base,
      consent: reading,
      unresolved: page.unresolved(arrival.seen.body),
      wake: target.push !== null && (pushes || tell !== null) ? (1 as const) : (0 as const),
    }
    if (before === null && fresh.delete(linkId)) inserts.push({ ...state, recordId })
    else updates.push(state)
  }
  for (const link of gone) updates.push({ ...link, state: 'gone', wake: 0 })
  // Links first: a record that was born here has its link in this stream already, and needs no second one.
  await Promise.all([insertLinks(tx, target.id, inserts), updateLinks(tx, updates)])
  const woken = await applyChanges(hub, tx, stream.record, changes, runId, stream.connection)
  await Promise.all([
    appendHistory(tx, page.kept, runId, page.at),
    appendStatements(tx, page.statements, runId),
    openItems(tx, page.items, page.at),
    closeItems(tx, page.closable, 'the sides agree', page.at),
    updates.length > 0
      ? release(
          tx,
          target.id,
          updates.flatMap((l) => l.remoteId ?? []),
        )
      : null,
  ])
  await quarantine(tx, target.id, page.bad, page.at)
  const born = changes.filter((c) => c.before === null).length
  run.count({
    created: born,
    linked: inserts.length - born,
    updated: changes.length - born,
    gone: gone.length,
    conflicts: page.items.filter((i) => i.kind === 'conflict').length,
    unreadable: page.bad.length,
    overruled: page.kept.length,
  })
  const self = [...inserts, ...updates].some((l) => l.wake === 1) ? [stream.connection] : []
  const waiting = new Set([...woken, ...self])
  await wakePush(tx, waiting)
  return { born: inserts.map((l) => l.id), woken: waiting }
}

function harmOf(page: PageWork, deletes: number): Harm {
  let blanked = 0
  let optIns = 0
  for (const { before, after, why } of page.set.changes()) {
    if (before === null) continue
    if (blanks(before, why)) blanked++
    if (consentOf(before.fields) === 'out' && consentOf(after.fields) === 'in') optIns++
  }
  return { deletes, blanks: blanked, optIns }
}
