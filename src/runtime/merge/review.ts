import type { JsonObject } from '../../core/json.ts'
import type { MergedKind } from '../../core/survivorship.ts'
import type { Configuration } from '../../core/stream.ts'
import { fingerprint } from '../../mappings/shape.ts'
import { noteRules, rulesFingerprint } from '../../store/findings.ts'
import { rootsAfter } from '../../store/facets.ts'
import { wakePush } from '../../store/wake.ts'
import { shows, type Change } from '../change.ts'
import { following } from '../changes.ts'
import type { Hub } from '../hub.ts'
import { withRaces } from '../races.ts'
import { ending, openRun, type RunLog } from '../run.ts'
import { newerVersion } from '../superseded.ts'
import { titleOf } from '../title.ts'
import { changesAgain, workOutAgain } from './again.ts'

const BATCH = 500
const SAMPLES = 3
const KINDS: readonly MergedKind[] = ['contact', 'company']
const SOURCE = 'rule:survivorship'
const RULE = 'the rules of survivorship are others now'
/** Stands in the place of the fingerprint while records are worked out: whatever rules follow, they are looked at again. */
const UNDER_WAY = 'under way'

const fingerprintOf = ({ survivorship }: Configuration): string => fingerprint([survivorship])

/**
 * Works merged records out anew where the rules of survivorship are others than those they were worked out by. In
 * chunks, each in a transaction of its own; what was done before a crash, or by another process at the same time, is
 * found to be right already. `daily` looks also where the rules are known, and heals what an old process wrote. Returns
 * how many records show a difference.
 */
export async function reviewMerged(hub: Hub, when: 'changed' | 'daily' = 'changed'): Promise<number> {
  const rules = fingerprintOf(hub.configuration)
  const known = await rulesFingerprint(hub.session.q, 'survivorship')
  if (known === rules && when === 'changed') return 0
  if (known !== rules) await noteRules(hub.session.q, UNDER_WAY, hub.clock.now(), 'survivorship')
  const run = openRun(hub, null, 'edit', {}, { by: SOURCE })
  let changed = 0
  await ending(run, async () => {
    const isWhole = await eachChunk(hub, run, (done) => {
      changed += done
      run.count({ updated: done })
    })
    if (isWhole) await noteRules(hub.session.q, rules, hub.clock.now(), 'survivorship')
  })
  return changed
}

/** False where it stops before the end: whoever takes up the new version, or works on after this stop, begins anew. */
async function eachChunk(hub: Hub, run: RunLog, count: (changed: number) => void): Promise<boolean> {
  for (let after = 0; ; ) {
    const ids = await rootsAfter(hub.session.q, after, BATCH)
    const last = ids.at(-1)
    if (last === undefined) return true
    for (const kind of KINDS) {
      const done = await chunk(hub, kind, ids, () => run.id())
      if (done === null) return false
      count(done)
    }
    after = last
  }
}

/** Null where these rules are no longer the ones to work by, or the process stops. */
async function chunk(
  hub: Hub,
  kind: MergedKind,
  ids: readonly number[],
  runId: () => Promise<number>,
): Promise<number | null> {
  return withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      if (hub.stopping.aborted || (await newerVersion(hub, tx)) !== null) return null
      // The run is written down only where there is something to do.
      if ((await changesAgain(hub, tx, kind, ids, RULE, 'read')).length === 0) return 0
      const { changed, woken } = await workOutAgain(
        following(hub, tx, await runId()),
        kind,
        ids,
        SOURCE,
        RULE,
      )
      await wakePush(tx, woken)
      return changed
    }),
  )
}

/** What other rules come to, over the records merged so far. */
export type MergedForeseen = {
  readonly records: number
  readonly samples: readonly { readonly title: string; readonly changes: JsonObject }[]
}

/** Counts what the rules of another configuration change about merged records; nothing is written. */
export async function foreseeMerged(hub: Hub, after: Configuration): Promise<MergedForeseen> {
  const samples: MergedForeseen['samples'][number][] = []
  let records = 0
  if (fingerprintOf(hub.configuration) === fingerprintOf(after)) return { records, samples }
  const next: Hub = { ...hub, configuration: { ...hub.configuration, survivorship: after.survivorship } }
  const { q } = hub.session
  for (let last = 0; ; ) {
    const ids = await rootsAfter(q, last, BATCH)
    const end = ids.at(-1)
    if (end === undefined) return { records, samples }
    for (const kind of KINDS) {
      const all = await changesAgain(next, q, kind, ids, RULE, 'read')
      const shown = all.map((one) => one.change).filter(shows)
      records += shown.length
      for (const change of shown.slice(0, SAMPLES - samples.length)) samples.push(sampleOf(change))
    }
    last = end
  }
}

const sampleOf = ({ before, after, why }: Change): MergedForeseen['samples'][number] => ({
  title: titleOf(after),
  changes: Object.fromEntries(
    Object.entries(why).map(([field, { value }]) => [
      field,
      { before: before?.fields[field] ?? null, after: value },
    ]),
  ),
})
