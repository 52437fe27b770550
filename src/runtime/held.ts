import { addHarm, allowanceAt, guard, recentHarm, total, type Harm } from '../core/guard.ts'
import type { JsonObject } from '../core/json.ts'
import type { Query } from '../store/database.ts'
import {
  forgetSent,
  forgetSide,
  forgetUnmet,
  heldCounts,
  heldMerges,
  heldPage,
  isListed,
  wakeHeld,
} from '../store/held.ts'
import { closeItems, openItems } from '../store/inbox.ts'
import { population } from '../store/links.ts'
import { markHeld, markSweep, readStream, type Side } from '../store/streams.ts'
import { wakePush } from '../store/wake.ts'
import type { Hub, Target } from './hub.ts'

const WHAT = { deletes: 'remove', blanks: 'empty fields of', optIns: 'opt in' } as const
export const massChangeKey = (streamId: number, side: Side): string => `mass_change:${streamId}:${side}`
const SAMPLES = 20

/** `merge 500, remove 180, empty fields of 3`. Merges count as deletes, but nothing is removed by them. */
const words = (harm: Harm, merges: number): string =>
  [
    ['merge', merges] as const,
    [WHAT.deletes, harm.deletes - merges] as const,
    [WHAT.blanks, harm.blanks] as const,
    [WHAT.optIns, harm.optIns] as const,
  ]
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ')

/** One item a stream and side sums up what waits for a verdict. */
export async function reportHeld(hub: Hub, q: Query, target: Target, side: Side): Promise<void> {
  const { undecided, decided } = await heldCounts(q, target.id, side)
  const merges = undecided.deletes > 0 ? await heldMerges(q, target.id, side) : 0
  const people = await population(q, target.id)
  const samples = await heldPage(q, target.id, side, null, SAMPLES, 'undecided')
  const verdict = guard(undecided, people, target.stream.guard)
  const where = side === 'in' ? 'in the hub' : `at ${target.stream.connection}`
  const limit =
    verdict.kind === 'hold' ? ` Up to ${verdict.allowed} in an hour are let through without asking.` : ''
  await openItems(
    q,
    [
      {
        kind: 'mass_change',
        key: massChangeKey(target.id, side),
        title: `${target.label} would ${words(undecided, merges)} of ${people} records ${where}`,
        fix: `Nothing of it was written. See each one: \`concord inbox show ID --out held.csv\`. Approve or reject all or some of them; or correct the source: the next sync looks again.${limit}`,
        detail: {
          ...undecided,
          ...(merges === 0 ? {} : { merges }),
          side,
          population: people,
          decided: { ...decided },
          samples: samples.map(
            (one): JsonObject => ({
              what: one.what,
              record: one.recordId,
              title: one.title,
              changes: one.changes,
            }),
          ),
        },
        streamId: target.id,
        recordId: null,
      },
    ],
    hub.clock.now(),
  )
}

/** Nothing waits any more: the list goes, and the item with it. */
async function letGo(hub: Hub, q: Query, target: Target, side: Side, why: string): Promise<void> {
  await forgetSide(q, target.id, side)
  await markHeld(q, target.id)
  await closeItems(q, [massChangeKey(target.id, side)], why, hub.clock.now())
}

/** The end of a pass that met every object: what it did not meet again is not held any more. */
export async function settleIn(hub: Hub, target: Target, startedAt: number): Promise<void> {
  const { q } = hub.session
  const row = await readStream(q, target.id)
  if (!row.held && !(await isListed(q, target.id, 'in'))) return
  await forgetUnmet(q, target.id, 'in', startedAt)
  const { undecided } = await heldCounts(q, target.id, 'in')
  if (total(undecided) === 0) return letGo(hub, q, target, 'in', 'a later pass went through')
  await markHeld(q, target.id)
  await markSweep(q, target.id, true)
  await reportHeld(hub, q, target, 'in')
}

/** The end of a push: approvals that were used go, and a hold whose cause is gone. */
export async function settleOut(hub: Hub, target: Target): Promise<void> {
  const { q } = hub.session
  const row = await readStream(q, target.id)
  if (!row.held && !(await isListed(q, target.id, 'out'))) return
  await forgetSent(q, target.id)
  const { undecided, decided } = await heldCounts(q, target.id, 'out')
  if (total(undecided) === 0) return letGo(hub, q, target, 'out', 'a later pass went through')
  const now = hub.clock.now()
  const before = recentHarm(row.harmed?.out ?? [], now, true)
  const verdict = guard(
    addHarm(before, undecided),
    await population(q, target.id),
    target.stream.guard,
    allowanceAt(row.approved?.out, now),
  )
  if (verdict.kind === 'hold' || total(decided) > 0) {
    await markHeld(q, target.id)
    return reportHeld(hub, q, target, 'out')
  }
  // Most of it was taken back in the hub: what is left is few enough to need nobody.
  await wakeHeld(q, target.id, 'undecided')
  await letGo(hub, q, target, 'out', 'what is left is within what the guard allows')
  await wakePush(q, [target.stream.connection])
}
