import type { What } from '../core/guard.ts'
import type { Outcome, Push } from '../connectors/connector.ts'
import type { Query } from '../store/database.ts'
import { closeItems } from '../store/inbox.ts'
import { lockCut } from '../store/link-work.ts'
import { demandLinks, dueLinks, postponeLinks, settleLinks, updateLinks, type Link } from '../store/links.ts'
import { openWrites, type NewOutboxRow } from '../store/outbox.ts'
import { loadRecords } from '../store/records.ts'
import { absorb } from './absorb.ts'
import { mayWrite } from './approval.ts'
import { settleOut } from './held.ts'
import type { Hub, Target } from './hub.ts'
import { backoffMs, keepOutcomes, type Answered } from './outcomes.ts'
import { pushLines } from './plan/lines.ts'
import type { Planning } from './plan/planning.ts'
import { pretend } from './plan/pretend.ts'
import { replan } from './plan/replan.ts'
import { rejectedKeys } from './item-keys.ts'
import { lastSeenOf } from './link-lookup.ts'
import { passGuard } from './push-guard.ts'
import { planMerged, standing, twinsOf } from './merge/twins.ts'
import type { PushStep } from './push-plan.ts'
import { withRaces } from './races.ts'
import { recover } from './recover.ts'
import { resolveRefs } from './refs.ts'
import { mustBeCurrent } from './superseded.ts'
import { withoutTaken } from './taken.ts'
import { toWrite } from './writes.ts'
import { ending, HeldError, openRun, saveCounts, type RunLog } from './run.ts'

/** Links planned together; a wave's writes are sent in the connector's batches. */
const WAVE = 500
/** A reference that cannot be met yet is tried again soon at first, and then after this long. */
const REFERENCE_WAIT_MS = 60_000

export type Pushed = { readonly sent: number; readonly woken: ReadonlySet<string> }

/**
 * Sends what a stream's links have waiting, until none is due. First settles writes whose outcome is unknown: they are
 * looked up, never sent again blindly. Throws a `VendorError` where the connection as a whole cannot be used.
 */
export async function pushStream(
  hub: Hub,
  target: Target,
  also: ReadonlySet<number> = new Set(),
  counts: Record<string, number> = {},
): Promise<Pushed> {
  const { push } = target
  if (push === null || !(await mayWrite(hub, target))) return { sent: 0, woken: new Set() }
  const run = openRun(hub, target, 'push', counts)
  const woken = new Set<string>()
  let problem: string | null = null
  let isTouched = false
  try {
    if (!hub.preview) for (const name of await recover(hub, target, push, run)) woken.add(name)
    if (target.stream.direction === 'out') await replan(hub, target, run, woken)
    const waited = new Set<number>()
    while (!hub.stopping.aborted) {
      const due = await dueLinks(hub.session.q, target.id, hub.clock.now(), WAVE)
      if (due.length === 0) break
      isTouched = true
      for (const name of await pushWave(hub, target, push, due, run, waited, also)) woken.add(name)
    }
  } catch (error) {
    if (!(error instanceof HeldError)) problem = error instanceof Error ? error.message : String(error)
    if (!(error instanceof HeldError)) throw error
  } finally {
    if (isTouched && !hub.preview) await settleOut(hub, target)
    await run.end(problem)
  }
  return { sent: run.counts['sent'] ?? 0, woken }
}

async function pushWave(
  hub: Hub,
  target: Target,
  push: Push,
  due: readonly Link[],
  run: RunLog,
  waited: Set<number>,
  also: ReadonlySet<number>,
): Promise<ReadonlySet<string>> {
  // What has nothing to send under an old mapping may have something under the new one.
  await mustBeCurrent(hub, hub.session.q)
  const planned = await withoutTaken(hub, target, push, await planWave(hub, target, push, due))
  const withoutOptIns = (links: readonly Link[]) =>
    planWave(hub, target, push, links, new Set<What>(['optIns']))
  const steps = await passGuard(hub, target, run, planned, withoutOptIns, due)
  if (hub.planning !== null) await planWrites(hub, hub.planning, target, steps, due)
  const woken = new Set<string>()

  const stale = steps.flatMap((step) => (step.kind === 'absorb' ? [step.link] : []))
  await giveUpOn(
    hub,
    stale.filter((link) => waited.has(link.id)),
  )
  for (const link of stale) waited.add(link.id)
  if (stale.length > 0) for (const name of await absorbStored(hub, target, stale)) woken.add(name)

  await meetDemands(hub, target, steps, waited, also)

  const settled = steps.flatMap((step) => (step.kind === 'settle' ? [step] : []))
  const moved = new Map(settled.flatMap((s) => (s.base === null ? [] : [[s.settlement.id, s.base] as const])))
  await withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      const cut = await lockCut(
        tx,
        settled.map((s) => s.settlement.id),
      )
      await updateLinks(
        tx,
        due.flatMap((l) =>
          moved.has(l.id) && !cut.has(l.id)
            ? [{ ...l, base: moved.get(l.id) ?? l.base, wake: 0 as const }]
            : [],
        ),
      )
      await settleLinks(
        tx,
        settled.flatMap((s) => (cut.has(s.settlement.id) ? [] : [s.settlement])),
      )
      await closeItems(tx, overBy(due, settled), 'nothing is left to settle', hub.clock.now())
    }),
  )

  const writes = steps.flatMap((step) => (step.kind === 'write' ? [step] : []))
  if (writes.length === 0) return woken
  // Opt-outs first, and each kind by itself: a slow profile update never holds one up.
  const groups = [
    writes.filter((s) => s.write.op === 'consent'),
    writes.filter((s) => s.write.op !== 'consent'),
  ]
  for (const group of groups) {
    for (let i = 0; i < group.length && !hub.stopping.aborted; i += push.batchMax) {
      const batch = group.slice(i, i + push.batchMax)
      for (const name of await sendBatch(hub, target, push, batch, due, run)) woken.add(name)
      hub.progress({ kind: 'sent', target, sent: run.counts['sent'] ?? 0, waiting: null })
    }
  }
  return woken
}

/** The items of links that have nothing to send: what the remote refused once, and conflicts. */
function overBy(
  due: readonly Link[],
  settled: readonly Extract<PushStep, { kind: 'settle' }>[],
): readonly string[] {
  const refused = new Set(due.filter((link) => link.problem !== null).map((link) => link.id))
  return settled.flatMap(({ settlement: { id, problem }, agreed = [] }) => [
    ...agreed,
    ...(problem === undefined && refused.has(id) ? rejectedKeys(id) : []),
  ])
}

async function planWave(
  hub: Hub,
  target: Target,
  push: Push,
  due: readonly Link[],
  forbidden: ReadonlySet<What> = new Set(),
): Promise<readonly PushStep[]> {
  const found = await loadRecords(
    hub.session.q,
    target.stream.record,
    due.map((link) => link.recordId),
  )
  const now = await standing(hub.session.q, target, due, found)
  const { records } = now
  const refs = await resolveRefs(
    hub,
    hub.session.q,
    target,
    due.flatMap((link) => (link.observed === null ? [] : [link.observed])),
    [...records.values()].map((record) => record.fields),
  )
  const twins = await twinsOf(hub.session.q, target, now.links, records)
  return now.links.flatMap((link) => {
    const record = records.get(link.recordId)
    const twin = twins.get(link.id)
    return record === undefined
      ? []
      : [planMerged(target.stream, push, link, record, refs, hub.uuid(), forbidden, twin)]
  })
}

/** Plans links again from what was last seen of their objects. What the guard holds of it holds up no opt-out. */
async function absorbStored(hub: Hub, target: Target, links: readonly Link[]): Promise<ReadonlySet<string>> {
  // What is held of it must not stop the push, opt-outs least of all.
  const run = openRun(hub, target, 'hints')
  try {
    return (await ending(run, () => absorb(hub, target, lastSeenOf(links), run, { force: true }))).woken
  } catch (error) {
    if (!(error instanceof HeldError)) throw error
    return new Set()
  }
}

/** A link that cannot be taken in as it stands waits for the next observation instead of going round. */
async function giveUpOn(hub: Hub, links: readonly Link[]): Promise<void> {
  const notBefore = hub.clock.now() + REFERENCE_WAIT_MS
  await postponeLinks(
    hub.session.q,
    links.map((link) => ({ id: link.id, notBefore, problem: 'its last observation could not be taken in' })),
  )
}

/** Makes what the waiting links refer to; what cannot be made yet is waited for. */
async function meetDemands(
  hub: Hub,
  target: Target,
  steps: readonly PushStep[],
  waited: Set<number>,
  also: ReadonlySet<number>,
): Promise<void> {
  const waiting = steps.flatMap((step) => (step.kind === 'wait' ? [step] : []))
  if (waiting.length === 0) return
  const demands = Map.groupBy(
    waiting.flatMap((step) => step.demands),
    (demand) => demand.stream,
  )
  for (const [name, wanted] of demands) {
    const other = hub.targets.find(
      (t) => t.stream.connection === target.stream.connection && t.stream.name === name,
    )
    if (other === undefined || other.id === target.id || also.has(other.id)) continue
    await demandLinks(
      hub.session.q,
      other.id,
      wanted.map((demand) => demand.recordId),
    )
    await pushStream(hub, other, new Set([...also, target.id]))
  }
  const hopeless = waiting.filter((step) => waited.has(step.link.id))
  for (const step of waiting) waited.add(step.link.id)
  await postponeLinks(
    hub.session.q,
    hopeless.map((step) => ({
      id: step.link.id,
      notBefore: hub.clock.now() + Math.min(REFERENCE_WAIT_MS, backoffMs(step.link.attempts)),
      problem: `waits for ${step.demands.map((d) => `${d.stream} of record ${d.recordId}`).join(', ')}`,
    })),
  )
}

async function sendBatch(
  hub: Hub,
  target: Target,
  push: Push,
  planned: readonly Extract<PushStep, { kind: 'write' }>[],
  due: readonly Link[],
  run: RunLog,
): Promise<ReadonlySet<string>> {
  const links = new Map(due.map((link) => [link.id, link]))
  run.count({ sent: planned.length })
  if (hub.preview) {
    run.count(countOps(planned.map((step) => step.write)))
    await run.spend(
      'out',
      hub.session.q,
      planned.flatMap((step) => step.harm ?? []),
    )
    const answered = planned.map(({ write, base }): Answered => {
      const observation = pretend(write, links.get(write.linkId))
      return { row: write, base, outcome: { kind: 'applied', observation } }
    })
    return keepOutcomes(hub, target, answered, run)
  }
  const runId = await run.id()
  const batch = await withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      await mustBeCurrent(hub, tx)
      return openBatch(tx, planned, runId, hub.clock.now())
    }),
  )
  if (batch.length === 0) return new Set()
  const outcomes = await push.send(
    await hub.io(target.stream.connection),
    batch.map((step) => toWrite(step.write, links)),
  )
  const woken = await keepOutcomes(
    hub,
    target,
    batch.map((step, i) => ({ row: step.write, base: step.base, outcome: outcomes[i] ?? LOST })),
    run,
  )
  const done = batch.flatMap(({ harm }, i) =>
    harm === null || !COUNTS.has(outcomes[i]?.kind ?? '') ? [] : [harm],
  )
  await run.spend('out', hub.session.q, done)
  await saveCounts(hub, run)
  return woken
}

/** What was done, or may have been. */
const COUNTS: ReadonlySet<string> = new Set(['applied', 'uncertain'])

const LOST: Outcome = { kind: 'uncertain', message: 'the connector gave no outcome' }

/** Returns the writes that may be sent: whoever was erased since they were planned is left out. */
async function openBatch(
  q: Query,
  planned: readonly Extract<PushStep, { kind: 'write' }>[],
  runId: number,
  at: number,
): Promise<readonly Extract<PushStep, { kind: 'write' }>[]> {
  const cut = await lockCut(
    q,
    planned.map((step) => step.write.linkId),
  )
  const batch = cut.size === 0 ? planned : planned.filter((step) => !cut.has(step.write.linkId))
  await openWrites(
    q,
    batch.map((step) => step.write),
    runId,
    at,
  )
  const creating = batch.filter((step) => step.write.op === 'create').map((step) => step.write.linkId)
  if (creating.length > 0) await q`update links set state = 'creating' where id = any(${creating})`
  return batch
}

function countOps(writes: readonly Pick<NewOutboxRow, 'op'>[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { op } of writes) counts[`write_${op}`] = (counts[`write_${op}`] ?? 0) + 1
  return counts
}

/** Takes down what a wave sends. */
async function planWrites(
  hub: Hub,
  planning: Planning,
  target: Target,
  steps: readonly PushStep[],
  due: readonly Link[],
): Promise<void> {
  const ids = due.map((link) => link.recordId)
  const records = await loadRecords(hub.session.q, target.stream.record, ids)
  planning.draft(pushLines(planning, target, steps, new Map(due.map((link) => [link.id, link])), records))
  await planning.keep()
}
