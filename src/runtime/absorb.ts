import { consentToSend } from '../core/consent.ts'
import type { Observation } from '../connectors/connector.ts'
import { appendStatements } from '../store/consents.ts'
import type { Tx } from '../store/database.ts'
import { appendHistory } from '../store/history.ts'
import { markDone } from '../store/held.ts'
import { closeItems, openItems, quarantine, release, type BadPlace } from '../store/inbox.ts'
import {
  glance,
  insertLinks,
  loadLinks,
  updateLinks,
  type Link,
  type LinkUpdate,
  type NewLink,
} from '../store/links.ts'
import { loadRecords } from '../store/records.ts'
import { haveOthers } from '../store/twins.ts'
import { wakePush } from '../store/wake.ts'
import { applyChanges, following } from './changes.ts'
import { consentOf } from './consent.ts'
import type { Hub, Target } from './hub.ts'
import { inTurn } from './in-turn.ts'
import { conflictKey, rejectedKeys } from './item-keys.ts'
import {
  applyConsent,
  NOTHING_AHEAD,
  settleStrangers,
  statementOf,
  vanish,
  type Arrival,
  type PageWork,
  type ReadAhead,
} from './page.ts'
import { meetKnown } from './meet-known.ts'
import { isMuted } from './muted.ts'
import { mustStand } from './merge/moved.ts'
import { followRemoteMerges, mergedAway, withMergeTargets } from './merge/remote.ts'
import { withoutErased } from './privacy/arrivals.ts'
import { filteredLines, pageLines, unreadable } from './plan/lines.ts'
import { withRaces } from './races.ts'
import { heldNames, refsFrom } from './refs.ts'
import { HeldError, type RunLog } from './run.ts'
import { both, harmOf, NOTHING_SPARED, sparing, SparingError, type Sparing } from './sparing.ts'
import { mustBeCurrent } from './superseded.ts'
import { openWorkingSet } from './working-set.ts'

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
  /**
   * Called once the page's writes are on their way, with the number of objects that nobody knew: the time to prepare
   * what comes next. Again where it starts over.
   */
  readonly meanwhile?: (strangers: number) => void
  /** What was prepared for this page. */
  readonly ahead?: ReadAhead
}

/** What one object is spared may show through another one of the same record. */
const SPARING_ROUNDS = 8

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
  const whole = await withMergeTargets(hub, target, observations)
  const latest = [...new Map(whole.map((o) => [o.id, o])).values()]
  for (let spared = NOTHING_SPARED, round = 1; ; round++) {
    try {
      return await withRaces(hub, () => absorbOnce(hub, target, latest, run, options, spared))
    } catch (error) {
      if (!(error instanceof SparingError)) throw error
      if (round >= SPARING_ROUNDS)
        throw new HeldError(`${target.label}: held changes cannot be told from the others`)
      spared = both(spared, error.more)
    }
  }
}

function absorbOnce(
  hub: Hub,
  target: Target,
  latest: readonly Observation[],
  run: RunLog,
  given: AbsorbOptions,
  spared: Sparing,
): Promise<Absorbed> {
  hub.planning?.restart()
  return hub.session.begin(async (tx) => {
    const options = { ...given, bad: await withoutErased(hub, tx, target, given.bad ?? []) }
    const ids = latest.map((o) => o.id)
    const [glanced] = await Promise.all([glance(tx, target.id, ids), mustBeCurrent(hub, tx)])
    const glances = new Map(glanced.map((g) => [g.remoteId, g]))
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
    const known = latest.flatMap((o) => (o.kind === 'present' ? (glances.get(o.id)?.id ?? []) : []))
    const page = changed
      ? await absorbFresh(hub, tx, target, fresh, glances, run, options, spared, known)
      : NOTHING
    if (run.isStopped()) throw new HeldError(`${target.label} would change too much at once`, known)
    await quarantine(tx, target.id, options.bad ?? [], hub.clock.now())
    run.count({ unreadable: options.bad?.length ?? 0 })
    await options.also?.(tx, changed)
    hub.planning?.draft((options.bad ?? []).map((b) => unreadable(target, b.place, b.remoteId, b.problem)))
    await hub.planning?.keep()
    return { changed, seen: [...known, ...page.joined], woken: page.woken }
  })
}

type PageResult = {
  /** Links that had no object before: new ones, and those of records that were still to be made there. */
  readonly joined: readonly number[]
  readonly woken: ReadonlySet<string>
}
const NOTHING: PageResult = { joined: [], woken: new Set() }
const joins = ({ before, linkId }: PageWork['planned'][number]): number | null =>
  (before?.remoteId ?? null) === null ? linkId : null

async function absorbFresh(
  hub: Hub,
  tx: Tx,
  target: Target,
  fresh: readonly Observation[],
  glances: ReadonlyMap<string, { readonly id: number }>,
  run: RunLog,
  { meanwhile = () => undefined, ahead = NOTHING_AHEAD }: AbsorbOptions,
  spared: Sparing,
  known: readonly number[],
): Promise<PageResult> {
  const { stream } = target
  const at = hub.clock.now()
  const met = fresh.flatMap((o) => glances.get(o.id)?.id ?? [])
  const links = new Map((await loadLinks(tx, met)).map((l) => [l.remoteId, l]))
  const arrivals: Arrival[] = []
  const gone: Link[] = []
  for (const seen of fresh) {
    if (spared.skipped.has(seen.id)) continue
    const link = links.get(seen.id) ?? null
    if (seen.kind === 'present')
      arrivals.push({ seen, link, consent: stream.consent?.read(seen.body) ?? null })
    else if (link !== null) gone.push(link)
  }
  const named = await heldNames(
    hub,
    tx,
    target,
    arrivals.map((a) => a.seen.body),
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
  await mustStand(
    tx,
    [...links.values()].flatMap((l) => set.get(l.recordId) ?? []),
  )

  const refs = await refsFrom(
    hub,
    tx,
    target,
    named,
    [...links.values()].map((l) => set.get(l.recordId)?.fields ?? {}),
  )
  const page: PageWork = {
    meanwhile,
    ahead,
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
    statements: arrivals
      .flatMap((a) => statementOf(target, a, at) ?? [])
      .filter((said) => said.state !== 'in' || !spared.out.has(said.address)),
    planned: [],
    newLinks: [],
    erased: new Set(),
    // What a person has not decided about, or has refused, is not merged either.
    away: mergedAway(
      fresh.filter((o) => !spared.skipped.has(o.id) && !spared.staying.has(links.get(o.id)?.recordId ?? 0)),
    ),
  }
  await meetKnown(page, arrivals, spared)
  await settleStrangers(
    page,
    arrivals.filter((a) => a.link === null),
  )
  hub.planning?.draft(filteredLines(page, arrivals))
  const { away } = page
  const others = await haveOthers(
    tx,
    target.id,
    gone.map((link) => link.recordId),
    gone.map((link) => link.id),
  )
  // One of several objects of a merged record, or one that lives on in another, takes no record along.
  const livesOn = (link: Link) => others.has(link.recordId) || away.has(link.remoteId ?? '')
  vanish(
    page,
    gone.filter((link) => !spared.staying.has(link.recordId) && !livesOn(link)),
  )
  await applyConsent(page)
  await passGuard(page, gone, run, spared, known)
  page.bad.splice(0, page.bad.length, ...(await withoutErased(hub, tx, target, page.bad)))
  const written = await writePage(page, gone, run)
  if (away.size === 0) return written
  const more = await followRemoteMerges(following(hub, tx, hub.preview ? null : await run.id()), target, away)
  await wakePush(tx, more)
  return { ...written, woken: new Set([...written.woken, ...more]) }
}

/** Nothing that is hard to take back is written before the guard has seen it. */
async function passGuard(
  page: PageWork,
  gone: readonly Link[],
  run: RunLog,
  spared: Sparing,
  known: readonly number[],
): Promise<void> {
  const { hub, tx, target } = page
  const harm = harmOf(page, gone, spared)
  const judged = await run.judge('in', tx, harm)
  if (run.isStopped() || judged.kind === 'stop') {
    await run.hold('in', hub.db.beside, harm, true)
    throw new HeldError(`${target.label} would change too much at once`, known)
  }
  if (judged.withheld.length > 0) await run.hold('in', hub.db.beside, judged.withheld, false)
  if (judged.withheld.length > 0 || judged.rejected.length > 0) {
    run.count({ withheld: judged.withheld.length })
    throw new SparingError(sparing(page, gone, judged))
  }
  await run.spend('in', tx, judged.counted)
  await markDone(tx, target.id, 'in', [...judged.approved, ...spared.refused])
}

async function writePage(page: PageWork, gone: readonly Link[], run: RunLog): Promise<PageResult> {
  const { hub, tx, target, set } = page
  const { stream } = target
  const changes = set.changes()
  const runId = hub.preview ? null : await run.id()
  const muted = await isMuted(hub, tx, target)
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
  for (const link of gone) {
    updates.push({ ...link, state: 'gone', wake: 0 })
    page.closable.push(...page.lenses.map((lens) => conflictKey(link.id, lens.key)), ...rejectedKeys(link.id))
  }
  // Links first: a record that was born here has its link in this stream already, and needs no second one.
  const writes = inTurn(
    () => insertLinks(tx, target.id, inserts),
    () => updateLinks(tx, updates),
    () => applyChanges(hub, tx, stream.record, changes, runId, stream.connection, muted),
    () => appendHistory(tx, page.kept, runId, page.at),
    () => appendStatements(tx, page.statements, runId),
    () => openItems(tx, page.items, page.at),
    () => closeItems(tx, page.closable, 'there is nothing to settle any more', page.at),
    () =>
      release(
        tx,
        target.id,
        updates.flatMap((l) => l.remoteId ?? []),
      ),
  )
  page.meanwhile(inserts.length)
  const [, , woken] = await writes
  await quarantine(tx, target.id, page.bad, page.at)
  const born = changes.filter((c) => c.before === null).length
  run.count({
    created: born,
    linked: page.planned.filter((p) => joins(p) !== null).length - born,
    updated: changes.length - born,
    gone: gone.length,
    conflicts: page.items.filter((i) => i.kind === 'conflict').length,
    unreadable: page.bad.length,
    overruled: page.kept.length,
    erased: page.erased.size,
  })
  hub.planning?.draft(pageLines(page, gone, hub.planning))
  const self = [...inserts, ...updates].some((l) => l.wake === 1) ? [stream.connection] : []
  const waiting = new Set([...woken, ...self])
  await wakePush(tx, waiting)
  return { joined: page.planned.flatMap((p) => joins(p) ?? []), woken: waiting }
}
