import {
  addHarm,
  allowanceAt,
  changeKey,
  countHarm,
  guard,
  recentHarm,
  total,
  withRecent,
  type Harm,
  type HarmfulChange,
} from '../core/guard.ts'
import type { Query } from '../store/database.ts'
import { heldCounts, heldOf, noteHeld } from '../store/held.ts'
import { population } from '../store/links.ts'
import { markHeld, markSweep, noteHarm, readStream, type Side } from '../store/streams.ts'
import type { Hub, Target } from './hub.ts'

/** What becomes of harmful changes. */
export type Judged = {
  /** `stop`: nothing of the page is written. */
  readonly kind: 'go' | 'stop'
  /** A person let them through. */
  readonly approved: readonly HarmfulChange[]
  /** A person refused them. */
  readonly rejected: readonly HarmfulChange[]
  /** They wait, while the rest goes on. */
  readonly withheld: readonly HarmfulChange[]
  /** Nobody was asked about these: there are few enough. */
  readonly counted: readonly HarmfulChange[]
}

export const HARMLESS: Judged = { kind: 'go', approved: [], rejected: [], withheld: [], counted: [] }

/** The guard of one run: what it has let through, whether it has stopped. */
export type Gate = {
  readonly heldSides: ReadonlySet<Side>
  /** Sides that went on only because an approved plan had counted their harm. */
  readonly allowances: ReadonlySet<Side>
  judge(side: Side, q: Query, changes: readonly HarmfulChange[]): Promise<Judged>
  /** Keeps what goes through, in its transaction. */
  spend(side: Side, q: Query, changes: readonly HarmfulChange[]): Promise<void>
  /** Lists what was held: beside the page's transaction, which is rolled back. */
  hold(side: Side, q: Query, changes: readonly HarmfulChange[]): Promise<void>
}

export function openGate(hub: Hub, target: Target, compares: boolean, startedAt: number): Gate {
  const heldSides = new Set<Side>()
  const allowances = new Set<Side>()
  return {
    heldSides,
    allowances,
    async judge(side, q, changes) {
      if (changes.length === 0) return HARMLESS
      const [row, counts, listed] = await Promise.all([
        readStream(q, target.id),
        heldCounts(q, target.id, side),
        heldOf(
          q,
          target.id,
          side,
          changes.map((change) => change.recordId),
        ),
      ])
      const known = new Map(listed.map((one) => [changeKey(one), one]))
      const verdictOn = (change: HarmfulChange) => {
        const one = known.get(changeKey(change))
        return one?.stamp === change.stamp ? one.verdict : null
      }
      const approved = changes.filter((change) => verdictOn(change) === 'approved')
      const rejected = changes.filter((change) => verdictOn(change) === 'rejected')
      const open = changes.filter((change) => !['approved', 'rejected'].includes(verdictOn(change) ?? ''))
      const isWaiting = total(counts.undecided) > 0
      const before = recentHarm(row.harmed?.[side] ?? [], startedAt, isWaiting)
      const people = await population(q, target.id)
      const passes = (harm: Harm) => {
        if (guard(harm, people, target.stream.guard).kind === 'pass') return true
        const allowance = allowanceAt(row.approved?.[side], startedAt)
        if (guard(harm, people, target.stream.guard, allowance).kind === 'hold') return false
        allowances.add(side)
        return true
      }
      const go = (withheld: readonly HarmfulChange[]): Judged => ({
        kind: 'go',
        approved,
        rejected,
        withheld,
        counted: open.filter((change) => !withheld.includes(change)),
      })
      if (hub.preview) {
        // A plan shows all that nobody has refused; that it would be held is said beside.
        const harm = countHarm(open)
        hub.planning?.guarded(target.id, side, harm, !passes(addHarm(before, harm)))
        return { ...HARMLESS, approved, rejected, counted: open }
      }
      // Taken out one by one, a mass change that is held would go through after all.
      if (side === 'in' && !compares && isWaiting) return go(open)
      if (isWaiting && (side === 'out' || total(counts.decided) > 0)) {
        const waits = (change: HarmfulChange) => known.get(changeKey(change))?.verdict === null
        const fresh = open.filter((change) => !waits(change))
        const all = addHarm(addHarm(counts.undecided, counts.decided), countHarm(fresh))
        return go(passes(addHarm(before, all)) ? open.filter(waits) : open)
      }
      if (passes(addHarm(before, countHarm(open)))) return go([])
      return side === 'out' ? go(open) : { ...HARMLESS, kind: 'stop', approved, rejected, withheld: open }
    },
    async spend(side, q, changes) {
      if (changes.length === 0) return
      const more = countHarm(changes)
      const { harmed, held } = await readStream(q, target.id)
      const when = { at: hub.clock.now(), startedAt, isHeld: held }
      await noteHarm(q, target.id, side, withRecent(harmed?.[side] ?? [], more, when))
    },
    async hold(side, q, changes) {
      if (changes.length === 0) return
      const isFirst = !heldSides.has(side)
      heldSides.add(side)
      await noteHeld(q, target.id, side, changes, hub.clock.now())
      if (!isFirst) return
      await markHeld(q, target.id)
      // Whatever was held is met again by comparing everything.
      if (side === 'in') await markSweep(q, target.id, true)
    },
  }
}
