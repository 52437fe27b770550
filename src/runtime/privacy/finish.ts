import type { RemoteErasure } from '../../core/privacy.ts'
import { failureOf, type Outcome } from '../../connectors/connector.ts'
import { withoutAddresses } from '../../connectors/vendor-words.ts'
import {
  lockErasure,
  noteErasure,
  readErasure,
  unfinishedErasures,
  type Erasure,
} from '../../store/erasures.ts'
import type { Hub, Target } from '../hub.ts'
import { isComing } from './remotes.ts'

const AT_ONCE = 100

/** Asks the vendors for all that is open. What fails stays open and is tried again by the housekeeping, or by hand. */
export async function finishErasures(hub: Hub): Promise<void> {
  for (let after = 0; ; ) {
    const page = await unfinishedErasures(hub.db.sql, after, AT_ONCE)
    const last = page.at(-1)
    if (last === undefined) return
    for (const id of page) {
      if (hub.stopping.aborted) return
      await finishErasure(hub, id)
    }
    after = last
  }
}

const isOpen = (one: RemoteErasure): boolean =>
  (one.state === 'pending' || one.state === 'failed') && !isComing(one.remoteId)

/**
 * Erases at the vendors what an erasure left for them. An object that is gone is done; where nobody knows what came of
 * a call, the object is looked up. Asking twice is harmless. Undefined where there is no such erasure.
 */
export async function finishErasure(hub: Hub, id: number): Promise<Erasure | undefined> {
  const erasure = await readErasure(hub.db.sql, id)
  if (erasure === undefined) return undefined
  const open = Map.groupBy(erasure.remotes.filter(isOpen), (one) => one.stream)
  for (const [stream, objects] of open) {
    const target = hub.targets.find((t) => t.label === stream)
    const ids = objects.flatMap((one) => one.remoteId ?? [])
    const problems = target === undefined ? null : await eraseAt(hub, target, ids)
    await noteOutcomes(hub, id, stream, ids, problems)
  }
  return readErasure(hub.db.sql, id)
}

/** Why each object is still there; null where it is gone. */
async function eraseAt(
  hub: Hub,
  target: Target,
  ids: readonly string[],
): Promise<readonly (string | null)[]> {
  const { push } = target.resource
  if (push?.erase === undefined)
    return ids.map(() => 'its connector cannot delete it any more; delete it there')
  try {
    const io = await hub.io(target.stream.connection)
    const outcomes = await push.erase(io, ids)
    const unclear = ids.filter((_, i) => outcomes[i]?.kind !== 'applied')
    const now = unclear.length === 0 ? [] : await target.resource.fetch(io, unclear)
    const gone = new Set(now.flatMap((seen) => (seen.kind === 'absent' ? [seen.id] : [])))
    return ids.map((one, i) => (gone.has(one) ? null : problemOf(outcomes[i])))
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null) hub.log.warn({ stream: target.label }, 'an erasure could not be asked for')
    const message = failure?.message ?? (error instanceof Error ? error.message : 'it failed')
    return ids.map(() => message)
  }
}

function problemOf(outcome: Outcome | undefined): string | null {
  switch (outcome?.kind) {
    case 'applied':
      return null
    case 'rejected':
    case 'retry':
    case 'uncertain':
      return outcome.message
    case 'stale':
      return 'it changed meanwhile'
    case undefined:
      return 'the connector gave no outcome'
  }
}

async function noteOutcomes(
  hub: Hub,
  id: number,
  stream: string,
  ids: readonly string[],
  problems: readonly (string | null)[] | null,
): Promise<void> {
  await hub.session.begin(async (tx) => {
    const erasure = await lockErasure(tx, id)
    if (erasure === undefined) return
    const remotes = erasure.remotes.map((one): RemoteErasure => {
      const i = one.stream === stream && isOpen(one) ? ids.indexOf(one.remoteId ?? '') : -1
      if (i < 0) return one
      const problem =
        problems === null ? 'the configuration has no such stream any more' : (problems[i] ?? null)
      const attempts = one.attempts + 1
      return problem === null
        ? { ...one, state: 'done', remoteId: null, problem: null, attempts }
        : // A vendor may name whom it could not erase.
          { ...one, state: 'failed', problem: withoutAddresses(problem), attempts }
    })
    await noteErasure(tx, id, { counts: erasure.counts, remotes })
  })
}

/** A person has done by hand what was asked of them, at one stream or at all. Returns how many objects that were. */
export async function doneByHand(hub: Hub, id: number, stream: string | null): Promise<number | null> {
  return hub.session.begin(async (tx) => {
    const erasure = await lockErasure(tx, id)
    if (erasure === undefined) return null
    const isMeant = (one: RemoteErasure) =>
      (one.state === 'by hand' || one.state === 'failed') && (stream === null || one.stream === stream)
    const remotes = erasure.remotes.map(
      (one): RemoteErasure => (isMeant(one) ? { ...one, state: 'done', remoteId: null, problem: null } : one),
    )
    await noteErasure(tx, id, { counts: erasure.counts, remotes })
    return erasure.remotes.filter(isMeant).length
  })
}
