import { dealsDue } from '../../store/mail/replies.ts'
import { loadRecords } from '../../store/records.ts'
import { wakePush } from '../../store/wake.ts'
import { following } from '../changes.ts'
import { iso, type Hub } from '../hub.ts'
import { withRaces } from '../races.ts'
import { openRun } from '../run.ts'
import { refreshSteps } from './facts.ts'

const BATCH = 200

/** Marks deals whose next step became late with the day that ended, and their contacts. */
export async function noteOverdue(hub: Hub): Promise<void> {
  const today = iso(hub.clock.now()).slice(0, 10)
  const run = openRun(hub, null, 'edit')
  for (let after = 0; ; ) {
    const from = after
    const last = await withRaces(hub, () =>
      hub.session.begin(async (tx) => {
        const ids = await dealsDue(tx, today, from, BATCH)
        if (ids.length === 0) return null
        const deals = await loadRecords(tx, 'deal', ids)
        const contacts = [...deals.values()].flatMap(({ fields: { contact } }) =>
          typeof contact === 'number' ? [contact] : [],
        )
        const due = { deals: ids, contacts: [...new Set(contacts)] }
        await wakePush(tx, await refreshSteps(following(hub, tx, await run.id()), due))
        return ids.at(-1) ?? null
      }),
    )
    if (last === null) break
    after = last
  }
  await run.end(null)
}
