import type { Push } from '../connectors/connector.ts'
import { closeWrites, openOf, retryWrites, type OutboxRow } from '../store/outbox.ts'
import { closeItems } from '../store/inbox.ts'
import { lockCut } from '../store/link-work.ts'
import { settleLinks } from '../store/links.ts'
import { absorb } from './absorb.ts'
import type { Hub, Target } from './hub.ts'
import { uncertainKey } from './item-keys.ts'
import { linksById } from './link-lookup.ts'
import { backoffMs, keepOutcomes } from './outcomes.ts'
import { isCut } from './privacy/cut.ts'
import { withRaces } from './races.ts'
import { toCreate } from './writes.ts'
import type { RunLog } from './run.ts'

const BATCH = 200
/** Where only a look-up can tell, the vendor gets this long to show what it made. */
const SETTLE_MS = 120_000
const RESENDS = 5

/**
 * Settles writes whose outcome nobody knows, left by a crash or a lost answer. A create is looked up; where it is not
 * found it is sent again under its own key while the vendor still knows that key, else given up for a new one. Other
 * writes state what should be, so their object is fetched and the link planned again.
 * Only the holder of the connection may call this: a `sending` row of its own process would look abandoned.
 */
export async function recover(
  hub: Hub,
  target: Target,
  push: Push,
  run: RunLog,
): Promise<ReadonlySet<string>> {
  const woken = new Set<string>()
  const open = await openOf(hub.session.q, target.id, BATCH)
  if (open.length === 0) return woken
  const creates = open.filter((row) => row.op === 'create')
  const others = open.filter((row) => row.op !== 'create')
  run.count({ recovered: open.length })
  if (creates.length > 0)
    for (const name of await recoverCreates(hub, target, push, creates, run)) woken.add(name)
  if (others.length > 0) for (const name of await recoverUpdates(hub, target, others, run)) woken.add(name)
  return woken
}

async function recoverCreates(
  hub: Hub,
  target: Target,
  push: Push,
  creates: readonly OutboxRow[],
  run: RunLog,
): Promise<ReadonlySet<string>> {
  const io = await hub.io(target.stream.connection)
  const now = hub.clock.now()
  const found = await push.find(io, creates.map(toCreate))
  const known = creates.flatMap((row, i) => {
    const observation = found[i]
    return observation?.kind === 'present'
      ? [{ row, base: {}, outcome: { kind: 'applied', observation } as const }]
      : []
  })
  const woken = new Set(await keepOutcomes(hub, target, known, run))
  const missing = await withoutErased(
    hub,
    target,
    creates.filter((_, i) => found[i]?.kind !== 'present'),
    run,
  )

  const ripe = missing.filter((row) => row.attempts === 1 || now >= row.triedAt + backoffMs(row.attempts))
  const resend = ripe.filter((row) => sameKeyIsSafe(push, row, now))
  const giveUp = ripe.filter((row) => !sameKeyIsSafe(push, row, now) && now >= row.triedAt + SETTLE_MS)
  if (resend.length > 0) {
    await retryWrites(
      hub.session.q,
      resend.map((row) => row.key),
      now,
    )
    const outcomes = await push.send(io, resend.map(toCreate))
    const answered = resend.flatMap((row, i) => {
      const outcome = outcomes[i]
      return outcome === undefined ? [] : [{ row, base: {}, outcome }]
    })
    for (const name of await keepOutcomes(hub, target, answered, run)) woken.add(name)
  }
  if (giveUp.length > 0) {
    await withRaces(hub, () =>
      hub.session.begin(async (tx) => {
        const cut = await lockCut(
          tx,
          giveUp.map((row) => row.linkId),
        )
        const given = giveUp.filter((row) => !cut.has(row.linkId))
        await closeWrites(
          tx,
          given.map((row) => ({ key: row.key, state: 'abandoned', outcome: { message: 'never arrived' } })),
          now,
        )
        // Due again, under a new key: `wake` of the row was never settled.
        await closeItems(tx, given.map(uncertainKey), 'it never arrived, and is sent anew', now)
        await settleLinks(
          tx,
          given.map((row) => ({ id: row.linkId, wake: 0, state: 'pending' as const })),
        )
      }),
    )
  }
  return woken
}

/**
 * The creates whose record was not erased meanwhile. Those of erased people are never sent again; where the vendor had
 * time to show what it made and shows nothing, they never arrived, and nothing of them is kept.
 */
async function withoutErased(
  hub: Hub,
  target: Target,
  creates: readonly OutboxRow[],
  run: RunLog,
): Promise<readonly OutboxRow[]> {
  const links = await linksById(
    hub.session.q,
    creates.map((row) => row.linkId),
  )
  const isErased = ({ linkId }: OutboxRow): boolean => {
    const link = links.get(linkId)
    return link !== undefined && isCut(link)
  }
  const over = creates.filter((row) => isErased(row) && hub.clock.now() >= row.triedAt + SETTLE_MS)
  const outcome = { kind: 'retry', message: 'never arrived', at: null } as const
  await keepOutcomes(
    hub,
    target,
    over.map((row) => ({ row, base: {}, outcome })),
    run,
  )
  return creates.filter((row) => !isErased(row))
}

function sameKeyIsSafe(push: Push, row: OutboxRow, now: number): boolean {
  switch (push.dedupe.kind) {
    case 'upsert':
      return true
    case 'key':
      return row.attempts < RESENDS && now < row.createdAt + push.dedupe.keyLivesMs
    case 'lookup':
      return false
  }
}

async function recoverUpdates(
  hub: Hub,
  target: Target,
  rows: readonly OutboxRow[],
  run: RunLog,
): Promise<ReadonlySet<string>> {
  const ids = [...new Set(rows.flatMap((row) => row.remoteId ?? []))]
  const seen = await target.resource.fetch(await hub.io(target.stream.connection), ids)
  const { woken } = await absorb(hub, target, seen, run, { force: true })
  const links = await linksById(
    hub.session.q,
    rows.map((row) => row.linkId),
  )
  await withRaces(hub, () =>
    hub.session.begin(async (tx) => {
      await closeWrites(
        tx,
        rows.map((row) => ({
          key: row.key,
          state: 'stale',
          outcome: { message: 'looked up and planned again' },
        })),
        hub.clock.now(),
      )
      await closeItems(tx, rows.map(uncertainKey), 'the object was looked up', hub.clock.now())
      // The link is still due; only its waiting time ends.
      await settleLinks(
        tx,
        [...links.values()].map((link) => ({ id: link.id, wake: link.settled })),
      )
    }),
  )
  return woken
}
