import { closeItems } from '../../store/inbox.ts'
import { glance } from '../../store/links.ts'
import { ripeMerges } from '../../store/merges-waiting.ts'
import { loadRecords } from '../../store/records.ts'
import { wakePush } from '../../store/wake.ts'
import { following } from '../changes.ts'
import type { Hub, Target } from '../hub.ts'
import { withRaces } from '../races.ts'
import type { RunLog } from '../run.ts'
import { isMergedKind } from './facets.ts'
import { followRemoteMerges } from './remote.ts'

/** So many a pass; the next one goes on. */
const MOST = 500

/**
 * Merges at a remote that were asked about, as nobody knew the object that is left: followed once it is here, and not
 * asked about any more where the record was archived or merged by then. One query where nothing is to be done.
 */
export async function followLateMerges(hub: Hub, target: Target, run: RunLog): Promise<ReadonlySet<string>> {
  const kind = target.stream.record
  if (!isMergedKind(kind)) return new Set()
  if ((await ripeMerges(hub.session.q, target.id, kind, 1)).length === 0) return new Set()
  return withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      const waiting = await ripeMerges(tx, target.id, kind, MOST)
      const links = await glance(
        tx,
        target.id,
        waiting.map((one) => one.into),
      )
      const here = new Set(links.flatMap((link) => (link.state === 'linked' ? link.remoteId : [])))
      const records = await loadRecords(
        tx,
        kind,
        waiting.map((one) => one.recordId),
        'lock',
      )
      const settled = waiting.filter((one) => records.get(one.recordId)?.archived !== false)
      const ready = waiting.filter((one) => !settled.includes(one) && here.has(one.into))
      const at = hub.clock.now()
      const keys = (some: typeof waiting) => some.map((one) => one.key)
      await closeItems(tx, keys(settled), 'the record is archived or merged', at)
      if (ready.length === 0) return new Set<string>()
      const away = new Map(ready.map((one) => [one.from, one.into]))
      const runId = hub.preview ? null : await run.id()
      const woken = await followRemoteMerges(following(hub, tx, runId), target, away)
      await closeItems(tx, keys(ready), 'the object that is left is here', at)
      await wakePush(tx, woken)
      return woken
    }),
  )
}
