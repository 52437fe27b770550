import { MATCHED_KINDS, type MatchedKind } from '../../core/duplicates.ts'
import type { RecordId } from '../../core/model.ts'
import type { Tx } from '../../store/database.ts'
import { lockMatching } from '../../store/matching.ts'
import { matchingWaits, pairsWait } from '../../store/matching-pairs.ts'
import { queueMatchStep, wakePush } from '../../store/wake.ts'
import type { Hub } from '../hub.ts'
import { withRaces } from '../races.ts'
import { ending, openRun, type RunLog } from '../run.ts'
import { matchChunk } from './chunk.ts'
import { comparerOf, type Comparer } from './comparer.ts'
import { askAboutPairs, sumKey } from './items.ts'
import { mergeAlike, type Linked } from './link.ts'

/** Records compared in one transaction. */
const CHUNK = 500

export type MatchOptions = {
  /** At most about so many records; the rest is left to a job. */
  readonly limit?: number
  /** These records alone, and only where nobody else compares records now: a caller waits for the answer. */
  readonly only?: { readonly kind: MatchedKind; readonly ids: readonly RecordId[] }
}

/**
 * Compares who is new or changed with the others: merges by rule what a stream's `link` threshold allows, and asks in
 * the inbox about what reaches `ask`. Works off the whole queue unless told otherwise. Returns the connections that
 * have work now.
 */
export async function matchWaiting(hub: Hub, options: MatchOptions = {}): Promise<ReadonlySet<string>> {
  const waits = await matchingWaits(hub.session.q)
  if (!waits.records && !waits.pairs) return new Set()
  const run = openRun(hub, null, 'merge')
  const woken = await ending(run, () => drain(hub, options, run))
  if (isHurried(options) && (await matchingWaits(hub.session.q)).records) await queueMatchStep(hub.session.q)
  return woken
}

/** Somebody waits for it. */
const isHurried = ({ only, limit }: MatchOptions): boolean => only !== undefined || limit !== undefined

async function drain(hub: Hub, options: MatchOptions, run: RunLog): Promise<ReadonlySet<string>> {
  const hurried = isHurried(options)
  let room = options.limit ?? Number.POSITIVE_INFINITY
  const woken = new Set<string>()
  const startedAt = hub.clock.now()
  let merged = 0
  for (const kind of KINDS) {
    if (options.only !== undefined && options.only.kind !== kind) continue
    const comparer = await comparerOf(hub, kind)
    while (!hub.stopping.aborted && room > 0) {
      const some = {
        limit: Math.min(CHUNK, room),
        only: options.only?.ids ?? null,
        isHurried: hurried,
        merged,
      }
      const done = await compareSome(hub, comparer, run, some)
      room -= done.records
      merged += done.merged
      run.count({ merged: done.merged })
      for (const name of done.woken) woken.add(name)
      // Who was merged is compared once more.
      if (done.records < some.limit && done.merged === 0) break
    }
    if (!(await pairsWait(hub.session.q, kind, sumKey(kind)))) continue
    await withRaces(hub, () =>
      hub.session.begin(async (tx) => {
        if (await isAlone(hub, tx, kind, hurried)) await askAboutPairs(hub, tx, kind, startedAt)
      }),
    )
  }
  return woken
}

/** Companies first: the people of two that become one are alike then. */
const KINDS = MATCHED_KINDS.toReversed()

/** A plan is rolled back: it holds nobody up, and what it overlooks does no harm. */
const isAlone = async (hub: Hub, tx: Tx, kind: MatchedKind, isHurried: boolean): Promise<boolean> =>
  hub.preview || lockMatching(tx, kind, !isHurried)

type Some = {
  readonly limit: number
  readonly only: readonly RecordId[] | null
  readonly isHurried: boolean
  /** Merged so far. */
  readonly merged: number
}
type Done = Linked & { readonly records: number }
const NOTHING: Done = { records: 0, merged: 0, woken: new Set() }

/** Compares some records in one transaction: none where none waits, or somebody else is at it and nobody should wait. */
async function compareSome(hub: Hub, comparer: Comparer, run: RunLog, some: Some): Promise<Done> {
  return withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      if (!(await isAlone(hub, tx, comparer.kind, some.isHurried))) return NOTHING
      const chunk = await matchChunk(hub, tx, comparer, some.limit, some.only)
      const linked = await mergeAlike(hub, tx, comparer, chunk, run, some.merged)
      await wakePush(tx, linked.woken)
      return { records: chunk.records, ...linked }
    }),
  )
}
