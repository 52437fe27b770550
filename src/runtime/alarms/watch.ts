import { alarmsOf } from '../../core/alarms/alarms.ts'
import { WATCHED, type Alarm } from '../../core/alarms/kinds.ts'
import { clearAlarms, lockAlarms, raiseAlarms, raisedAlarms, tell } from '../../store/alarms.ts'
import { wakeAlerts } from '../../store/alert-deliveries.ts'
import type { Hub } from '../hub.ts'
import { gatherFacts } from './facts.ts'

export type Watched = { readonly raised: number; readonly cleared: number; readonly reminded: number }

/**
 * Looks at how everything stands, raises what is new, takes back what is over, and reminds of what lasts: in one
 * transaction, and in one process at a time, so that each of these is told once.
 */
export async function watchAlarms(hub: Hub): Promise<Watched> {
  return hub.db.sql.begin(async (tx): Promise<Watched> => {
    await lockAlarms(tx)
    const now = hub.clock.now()
    const wanted = alarmsOf(await gatherFacts(hub, tx), hub.configuration.alerts)
    const keys = new Set(wanted.map(({ key }) => key))
    const over = (await raisedAlarms(tx, WATCHED)).filter(({ key }) => !keys.has(key))
    const raised = await raiseAlarms(tx, wanted, now)
    const cleared = await clearAlarms(
      tx,
      over.map(({ key }) => key),
      now,
    )
    const reminded = await remind(hub, tx)
    if (raised + cleared + reminded > 0) await wakeAlerts(tx)
    return { raised, cleared, reminded }
  })
}

async function remind(hub: Hub, tx: Parameters<typeof tell>[0]): Promise<number> {
  const { remindMs } = hub.configuration.alerts
  if (remindMs === null) return 0
  const now = hub.clock.now()
  const byRound = Map.groupBy(await raisedAlarms(tx), ({ since }) => Math.floor((now - since) / remindMs))
  let told = 0
  for (const [round, alarms] of byRound) if (round > 0) told += await tell(tx, alarms, 'reminder', now, round)
  return told
}

/** Raises an alarm outside of the watch, and has it told. */
export async function raise(hub: Hub, alarm: Alarm): Promise<void> {
  await hub.db.sql.begin(async (tx) => {
    if ((await raiseAlarms(tx, [alarm], hub.clock.now())) > 0) await wakeAlerts(tx)
  })
}

/** Takes such an alarm back; nothing where it was not raised. */
export async function clear(hub: Hub, key: string): Promise<void> {
  await hub.db.sql.begin(async (tx) => {
    if ((await clearAlarms(tx, [key], hub.clock.now())) > 0) await wakeAlerts(tx)
  })
}
