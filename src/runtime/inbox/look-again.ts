import { failureOf } from '../../connectors/connector.ts'
import type { Source } from '../../core/model.ts'
import { quarantined, quarantinedIds, readItem, type InboxItem } from '../../store/inbox.ts'
import { markSweep } from '../../store/streams.ts'
import { queueSync, wakePush } from '../../store/wake.ts'
import { absorb } from '../absorb.ts'
import { mayWrite, waitsForPlan } from '../approval.ts'
import { holding } from '../hold.ts'
import type { Hub, Target } from '../hub.ts'
import { recover } from '../recover.ts'
import { ending, HeldError, openRun, type RunLog } from '../run.ts'
import { reportRows } from '../unreadable.ts'
import { closes, no, settleItem, stays, type ActionResult, type Settled } from './settle.ts'

const CHUNK = 200

/** Asks the vendor now what became of a write. */
export const lookUp = (hub: Hub, id: number, by: Source): Promise<ActionResult> =>
  settleItem(hub, id, 'look-up', by, async (item) => {
    const target = hub.targets.find((t) => t.id === item.streamId)
    const push = target?.push ?? null
    if (target === undefined || push === null)
      return no(`The stream of item ${id} is not configured any more.`)
    // What never arrived is sent again.
    if (!(await mayWrite(hub, target))) return no(`${waitsForPlan(target.label)}.`)
    return vendorAsked(hub, target, async () => {
      const run = openRun(hub, target, 'push', {}, { by })
      await wakePush(hub.db.sql, await ending(run, () => recover(hub, target, push, run)))
      const now = await readItem(hub.db.sql, id)
      return now?.state === 'done'
        ? closes(`looked up by ${by}: ${now.resolution ?? ''}`, `${target.label} was asked: it is known now.`)
        : stays(
            `${target.label} was asked, and does not show yet what became of it. It is asked again at the next sync.`,
          )
    })
  })

/** Reads again what could not be read. What shows no id is read again by a sweep. */
export const replayUnreadable = (hub: Hub, id: number, by: Source): Promise<ActionResult> =>
  settleItem(hub, id, 'replay', by, async (item) => replay(hub, item, by))

async function replay(hub: Hub, item: InboxItem, by: Source): Promise<Settled> {
  const target = hub.targets.find((t) => t.id === item.streamId)
  if (target === undefined)
    return no(
      'These are not the rows of a stream. Fix: messages are read again at the next sync of their mailbox.',
    )
  if (!(await mayWrite(hub, target))) return no(`${waitsForPlan(target.label)}.`)
  return vendorAsked(hub, target, async () => {
    const before = (await quarantined(hub.db.sql, target.id, 1)).count
    const run = openRun(hub, target, 'hints', {}, { by })
    await ending(run, () => readAgain(hub, target, run))
    await reportRows(hub, target)
    const { count } = await quarantined(hub.db.sql, target.id, 1)
    if (count === 0) return closes(`read again by ${by}`, `All ${before} could be read now.`)
    await markSweep(hub.db.sql, target.id, true)
    await queueSync(hub.db.sql, target.stream.connection, true)
    return stays(
      `${Math.max(0, before - count)} of ${before} could be read now; a sweep looks at the other ${count} again.`,
    )
  })
}

async function readAgain(hub: Hub, target: Target, run: RunLog): Promise<void> {
  const io = await hub.io(target.stream.connection)
  for (let after = ''; ; ) {
    const ids = await quarantinedIds(hub.db.sql, target.id, after, CHUNK)
    const last = ids.at(-1)
    if (last === undefined) return
    after = last
    try {
      const { woken } = await absorb(hub, target, await target.resource.fetch(io, ids), run, { force: true })
      await wakePush(hub.db.sql, woken)
    } catch (error) {
      if (!(error instanceof HeldError)) throw error
      return
    }
  }
}

/** A vendor that cannot be asked now is no mistake of whoever asked. */
async function vendorAsked(hub: Hub, target: Target, work: () => Promise<Settled>): Promise<Settled> {
  try {
    return await holding(hub, [target.stream.connection], work)
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null) throw error
    return no(`${target.stream.connection} cannot be asked now: ${failure.message}`)
  }
}
