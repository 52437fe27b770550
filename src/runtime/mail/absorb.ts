import postgres from 'postgres'
import type { BadRow } from '../../connectors/connector.ts'
import type { Sighting } from '../../connectors/mail.ts'
import type { Tx } from '../../store/database.ts'
import { quarantine, release } from '../../store/inbox.ts'
import { knownSightings } from '../../store/mail/sightings.ts'
import { RaceError } from '../change.ts'
import type { Hub } from '../hub.ts'
import { withRaces } from '../races.ts'
import type { Box } from './box.ts'
import { judge } from './judge.ts'
import type { MailRun } from './run.ts'
import { settlePage } from './settle.ts'

export type MailBatch = { readonly sightings: readonly Sighting[]; readonly bad: readonly BadRow[] }

/**
 * Takes one page of a mailbox into the hub: each message ends as logged, filtered with its reason, or quarantined, in
 * one transaction with the cursor (through `also`) and with a number of statements that does not depend on the number
 * of messages. Returns the connections that have work now.
 */
export async function absorbMail(
  hub: Hub,
  box: Box,
  batch: MailBatch,
  run: MailRun,
  also?: (tx: Tx) => Promise<void>,
): Promise<ReadonlySet<string>> {
  const latest = [...new Map(batch.sightings.map((seen) => [seen.id, seen])).values()]
  const hash = await hub.mailHash()
  const work = () =>
    hub.session.begin(async (tx) => {
      const count: Record<string, number> = {}
      const badIds = batch.bad.flatMap((row) => row.id ?? [])
      const known = new Map(
        (await knownSightings(tx, box.id, [...latest.map((seen) => seen.id), ...badIds])).map((row) => [
          row.remoteId,
          row,
        ]),
      )
      const judged = latest.map((seen) => judge(box, seen, known.get(seen.id), hash))
      const bad = [
        ...batch.bad.map((row) => ({ where: row.where, id: row.id, problem: row.problem })),
        ...judged.flatMap((one) =>
          one.kind === 'bad' ? [{ where: `message ${one.id}`, id: one.id, problem: one.problem }] : [],
        ),
      ]
      const isEmpty = judged.length === 0 && bad.length === 0
      const woken = isEmpty
        ? new Set<string>()
        : await settlePage({ hub, tx, box, hash, known, count, runId: await run.id() }, judged, badIds)
      if (!isEmpty) {
        // Of unreadable mail only its place is kept: what it says may be private.
        const places = bad.map(({ where, id, problem }) => ({ place: where, remoteId: id, problem, raw: '' }))
        await release(
          tx,
          box.id,
          judged.flatMap((one) => (one.kind === 'bad' ? [] : [one.id])),
        )
        await quarantine(tx, box.id, places, hub.clock.now())
      }
      await also?.(tx)
      return { woken, count }
    })
  const { woken, count } = await withRaces(hub, () => work().catch(asRace))
  run.count(count)
  return woken
}

const UNIQUE_VIOLATION = '23505'

/** A key that somebody else has taken meanwhile is known at the next try. */
function asRace(error: unknown): never {
  if (error instanceof postgres.PostgresError && error.code === UNIQUE_VIOLATION)
    throw new RaceError('another transaction has written the same', { cause: error })
  throw error
}
