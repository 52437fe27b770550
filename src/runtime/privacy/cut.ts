import type { RemoteErasure } from '../../core/privacy.ts'
import { blankWritesByKey } from '../../store/erase-rows.ts'
import { erasureOf, lockErasure, noteErasure } from '../../store/erasures.ts'
import { lockCut } from '../../store/link-work.ts'
import type { Link } from '../../store/links.ts'
import { closeWrites, type NewOutboxRow, type OutboxState } from '../../store/outbox.ts'
import { addTombstones } from '../../store/tombstones.ts'
import type { Query } from '../../store/database.ts'
import type { Outcome } from '../../connectors/connector.ts'
import type { Hub, Target } from '../hub.ts'
import { objectDigest } from './digests.ts'
import { comingOf } from './remotes.ts'

/** An erasure has ended the link, and taken out whatever it said. */
export const isCut = (link: Pick<Link, 'state' | 'remoteId'>): boolean =>
  link.state === 'gone' && link.remoteId === null

/** Whether an erasure has ended one of the links since they were read. Holds them until the transaction ends. */
export async function cutMeanwhile(q: Query, read: ReadonlyMap<number, Link>): Promise<boolean> {
  const cut = await lockCut(q, [...read.keys()])
  return [...cut].some((id) => {
    const link = read.get(id)
    return link !== undefined && !isCut(link)
  })
}

const STATES: Readonly<Record<Outcome['kind'], OutboxState>> = {
  applied: 'applied',
  stale: 'stale',
  rejected: 'rejected',
  retry: 'abandoned',
  uncertain: 'uncertain',
}

/**
 * The answers to writes whose record was erased while they were on their way. Nothing of them is kept but that they
 * ended; an object that one has made is erased at the vendor too.
 */
export async function keepErased(
  hub: Hub,
  q: Query,
  target: Target,
  answers: readonly { readonly row: NewOutboxRow; readonly outcome: Outcome }[],
): Promise<void> {
  if (answers.length === 0) return
  await closeWrites(
    q,
    answers.map(({ row, outcome }) => ({ key: row.key, state: STATES[outcome.kind], outcome: {} })),
    hub.clock.now(),
  )
  // A create of which nobody knows is still looked up by what it sent.
  const ended = answers.filter(({ row, outcome }) => row.op !== 'create' || outcome.kind !== 'uncertain')
  await blankWritesByKey(
    q,
    ended.map(({ row }) => row.key),
  )
  for (const { row, outcome } of ended) if (row.op === 'create') await noteMade(hub, q, target, row, outcome)
}

async function noteMade(
  hub: Hub,
  q: Query,
  target: Target,
  row: NewOutboxRow,
  outcome: Outcome,
): Promise<void> {
  const known = await erasureOf(q, row.recordId)
  const erasure = known === undefined ? undefined : await lockErasure(q, known.id)
  if (erasure === undefined) return
  const made =
    outcome.kind === 'applied' && outcome.observation.kind === 'present' ? outcome.observation : null
  const rest = erasure.remotes.filter((one) => one.remoteId !== comingOf(row.key))
  if (made === null) {
    await noteErasure(q, erasure.id, { ...erasure, remotes: rest })
    return
  }
  const aliases = target.resource.aliases?.(made.body) ?? []
  const hash = await hub.mailHash()
  await addTombstones(
    q,
    erasure.id,
    'object',
    [made.id, ...aliases].map((id) => objectDigest(hash, target.label, id)),
  )
  const canErase = target.resource.push?.erase !== undefined
  const next: RemoteErasure = {
    stream: target.label,
    remoteId: made.id,
    state: canErase ? 'pending' : 'by hand',
    problem: canErase ? null : 'made while the person was erased; delete it there',
    attempts: 0,
  }
  await noteErasure(q, erasure.id, { ...erasure, remotes: [...rest, next] })
  await q`select graphile_worker.add_job('erasures', job_key := 'erasures')`
}
