import { linkAll, wakeFiltered } from '../../store/links.ts'
import { markApplied } from '../../store/streams.ts'
import { absorb } from '../absorb.ts'
import { gatesOf, listsAnew } from '../approval.ts'
import type { Hub, Target } from '../hub.ts'
import { lastSeenOf } from '../link-lookup.ts'
import type { RunLog } from '../run.ts'
import { eachLink, isTouched } from './touched.ts'

/**
 * Where a stream's mapping, filters or policies are others than those its links were last planned with, plans them
 * again: only links that this leads anywhere are written. Records that the stream has come to create at its remote get
 * their links. True where the next pass has to list everything, because other objects are let in than before. Once it
 * is through it is noted, so that a crash leaves it to the next pass.
 */
export async function replan(hub: Hub, target: Target, run: RunLog, woken: Set<string>): Promise<boolean> {
  const q = hub.session.q
  const gate = (await gatesOf(hub, target.stream.connection)).find((one) => one.id === target.id)
  if (gate === undefined || gate.appliedShape === gate.shape) return false
  const { stream } = target
  await eachLink(hub, q, target, async (chunk) => {
    const again = lastSeenOf(chunk.filter(isTouched).map(({ link }) => link))
    if (again.length > 0)
      for (const name of (await absorb(hub, target, again, run, { force: true })).woken) woken.add(name)
    if (target.push === null || stream.createAtRemote !== 'always') return
    const wanted = chunk.filter(
      ({ link, record }) => link.state === 'filtered' && !record.archived && stream.filterOut(record.fields),
    )
    await wakeFiltered(
      q,
      wanted.map(({ link }) => link.id),
    )
  })
  if (hub.stopping.aborted) return false
  if (target.push !== null && stream.createAtRemote === 'always') await linkAll(q, target.id, stream.record)
  const lists = listsAnew(gate.appliedShape, gate.shape) && stream.direction !== 'out'
  await markApplied(q, target.id, gate.shape, lists)
  return lists
}
