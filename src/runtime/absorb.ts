import { consentToSend } from '../core/consent.ts'
import type { Harm } from '../core/guard.ts'
import type { Observation } from '../connectors/connector.ts'
import { appendStatements } from '../store/consents.ts'
import type { Tx } from '../store/database.ts'
import { appendHistory } from '../store/history.ts'
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
import { readStream } from '../store/streams.ts'
import { wakePush } from '../store/wake.ts'
import { blanks } from './change.ts'
import { applyChanges } from './changes.ts'
import { consentOf } from './consent.ts'
import type { Hub, Target } from './hub.ts'
import { inTurn } from './in-turn.ts'
import {
  applyConsent,
  meet,
  NOTHING_AHEAD,
  settleStrangers,
  statementOf,
  vanish,
  type Arrival,
  type PageWork,
  type ReadAhead,
} from './page.ts'
import { withRaces } from './races.ts'
import { resolveRefs } from './refs.ts'
import type { RunLog } from './run.ts'
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
      const page = changed ? await absorbFresh(hub, tx, target, fresh, glances, run, options) : NOTHING
      await quarantine(tx, target.id, options.bad ?? [], hub.clock.now())
      run.count({ unreadable: options.bad?.length ?? 0 })
      await options.also?.(tx, changed)
      const seen = latest.flatMap((o) => (o.kind === 'present' ? (glances.get(o.id)?.id ?? []) : []))
      return { changed, seen: [...seen, ...page.born], woken: page.woken }
    }),
  )
}

type PageResult = { readonly born: readonly number[]; readonly woken: ReadonlySet<string> }
const NOTHING: PageResult = { born: [], woken: new Set() }

async function absorbFresh(
  hub: Hub,
  tx: Tx,
  target: Target,
  fresh: readonly Observation[],
  glances: ReadonlyMap<string, { readonly id: number }>,
  run: RunLog,
  { meanwhile = () => undefined, ahead = NOTHING_AHEAD }: AbsorbOptions,
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
  // Taken out one by one, a mass change that is held would go through after all.
  const isHeld = gone.length > 0 && !run.compares && (await readStream(tx, target.id)).held
  const vanished = vanish(page, isHeld ? [] : gone)
  await applyConsent(page)
  return writePage(page, vanished, run)
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
  const writes = inTurn(
    () => insertLinks(tx, target.id, inserts),
    () => updateLinks(tx, updates),
    () => applyChanges(hub, tx, stream.record, changes, runId, stream.connection),
    () => appendHistory(tx, page.kept, runId, page.at),
    () => appendStatements(tx, page.statements, runId),
    () => openItems(tx, page.items, page.at),
    () => closeItems(tx, page.closable, 'the sides agree', page.at),
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
    linked: page.planned.filter((p) => (p.before?.remoteId ?? null) === null).length - born,
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
