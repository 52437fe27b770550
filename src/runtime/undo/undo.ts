import type { Source } from '../../core/model.ts'
import type { Tx } from '../../store/database.ts'
import { keepUnsent } from '../../store/link-work.ts'
import { beginRun, endRun, noteRun, reopenRun, type Run } from '../../store/runs.ts'
import { wakePush } from '../../store/wake.ts'
import { RaceError } from '../change.ts'
import { applyChanges } from '../changes.ts'
import type { Hub } from '../hub.ts'
import { liveChanges } from '../merge/load.ts'
import { withRaces } from '../races.ts'
import { allowHeld, reviveLinks, type Touched } from '../../store/run-changes.ts'
import { optOutAgain } from './consent.ts'
import { decideChunk } from './decide.ts'
import type { Undoing } from './draft.ts'
import type { Decided } from './line.ts'
import { undoMerges } from './merges.ts'
import { undoableRun, undoLock, type Refused } from './undoable.ts'
import { inOrder, touchedChunks } from './walk.ts'

export type Undone = {
  readonly kind: 'undone'
  /** The run of the undo, which can be undone itself. */
  readonly run: number
  /** Records by what happened to them: archived, restored, updated, spared, opted out, merges. */
  readonly counts: Readonly<Record<string, number>>
  /** Connections that have writes waiting now. */
  readonly woken: ReadonlySet<string>
}

export type UndoProgress = (done: number) => void

/**
 * Takes back what a run did, chunk by chunk, each in a transaction of its own. What stopped in the middle is taken up
 * where it stood by asking again; done twice, nothing is done twice. One process undoes a run at a time.
 */
export async function undoRun(
  hub: Hub,
  id: number,
  by: Source,
  progress: UndoProgress = () => undefined,
): Promise<Undone | Refused> {
  return alone(hub, id, async () => {
    const found = await undoableRun(hub, id)
    if (found.kind === 'refused') return found
    const { run, begun } = found
    const undoRun =
      begun?.id ?? (await beginRun(hub.db.sql, null, 'undo', hub.clock.now(), { by, undoes: id }))
    if (begun !== null) await reopenRun(hub.db.sql, begun.id)
    const before = Object.entries(begun?.counts ?? {}).filter(([name]) => !STAYS.has(name))
    const counts: Record<string, number> = Object.fromEntries(before)
    try {
      const woken = await carryOut(hub, run, { run, undoRun, by }, counts, progress)
      await endRun(hub.db.sql, undoRun, 'done', counts, null, hub.clock.now())
      return { kind: 'undone', run: undoRun, counts, woken }
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      await endRun(hub.db.sql, undoRun, 'failed', counts, problem, hub.clock.now())
      throw error
    }
  })
}

/** What stays is met again by an undo that goes on, and counted then. */
const STAYS = new Set(['untouched', 'spared', 'mergesLeft'])

/** A session-level lock, so that a process that dies lets go. */
async function alone(hub: Hub, id: number, work: () => Promise<Undone | Refused>): Promise<Undone | Refused> {
  const session = await hub.db.actions.reserve()
  const name = undoLock(id)
  try {
    const [row] = await session<{ held: boolean }[]>`
      select pg_try_advisory_lock(hashtextextended(${name}, 0)) as held`
    if (row?.held !== true)
      return {
        kind: 'refused',
        code: 'conflict',
        message: `Run ${id} is being undone by somebody else right now. Fix: \`concord runs\` shows how far it is.`,
      }
    try {
      return await work()
    } finally {
      await session`select pg_advisory_unlock(hashtextextended(${name}, 0))`
    }
  } finally {
    session.release()
  }
}

async function carryOut(
  hub: Hub,
  run: Run,
  work: Undoing & { readonly undoRun: number },
  counts: Record<string, number>,
  progress: UndoProgress,
): Promise<ReadonlySet<string>> {
  const woken = new Set<string>()
  const note = (names: Iterable<string>) => {
    for (const name of names) woken.add(name)
  }
  const count = (more: Readonly<Record<string, number>>) => {
    for (const [name, n] of Object.entries(more)) if (n !== 0) counts[name] = (counts[name] ?? 0) + n
  }
  const merges = await undoMerges(hub, run.id, work)
  count({ merges: merges.count, mergesLeft: merges.refused })
  note(merges.woken)
  // Opt-outs first, here as everywhere.
  const consent = await optOutAgain(hub, run.id, work.undoRun, work.by)
  count({ optedOut: consent.optedOut })
  note(consent.woken)
  let done = 0
  for await (const chunk of touchedChunks(hub, run.id)) {
    if (hub.stopping.aborted) throw new Error(`stopped; \`concord undo ${run.id}\` goes on`)
    const result = await withRaces(hub, () => applyChunk(hub, work, chunk, counts))
    count(result.counts)
    note(result.woken)
    done += chunk.length
    progress(done)
  }
  return woken
}

type ChunkDone = { readonly counts: Readonly<Record<string, number>>; readonly woken: ReadonlySet<string> }

async function applyChunk(
  hub: Hub,
  work: Undoing & { readonly undoRun: number },
  chunk: readonly Touched[],
  counts: Readonly<Record<string, number>>,
): Promise<ChunkDone> {
  return hub.session.begin(async (tx) => {
    const decided = await decideChunk(hub, tx, work, chunk, 'lock')
    const busy = decided.filter((one) => one.change !== null)
    await withdraw(tx, busy)
    const woken = new Set<string>()
    for (const [kind, mine] of Map.groupBy(
      inOrder(busy.map(({ line, change }) => ({ kind: line.kind, change }))),
      (one) => one.kind,
    )) {
      const given = mine.flatMap(({ change }) => change ?? [])
      const changes = await liveChanges(tx, kind, given)
      for (const name of await applyChanges(hub, tx, kind, changes, work.undoRun, work.by, 'always'))
        woken.add(name)
    }
    for (const name of await reviveLinks(
      tx,
      busy.flatMap((one) => one.revive),
    ))
      woken.add(name)
    await allowHeld(
      tx,
      busy.flatMap((one) => one.allow),
      work.by,
      hub.clock.now(),
    )
    await wakePush(tx, woken)
    const more = countsOf(decided)
    const total = Object.fromEntries(
      [...new Set([...Object.keys(counts), ...Object.keys(more)])].map((name) => [
        name,
        (counts[name] ?? 0) + (more[name] ?? 0),
      ]),
    )
    // In the same transaction, so that what is taken up again does not count twice.
    await noteRun(tx, work.undoRun, total)
    return { counts: more, woken }
  })
}

/** Invoices that go back are sent to nobody any more, not even by a push that has planned it. */
async function withdraw(tx: Tx, busy: readonly Decided[]): Promise<void> {
  const invoices = busy.flatMap(({ line: { kind, op, id } }) =>
    kind === 'invoice' && op === 'archive' ? [id] : [],
  )
  const unsent = await keepUnsent(tx, invoices)
  if (unsent.size < invoices.length) throw new RaceError('an invoice was sent meanwhile')
}

const NAMES = { archive: 'archived', restore: 'restored', update: 'updated', none: 'untouched' } as const

function countsOf(decided: readonly Decided[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { line } of decided) {
    const name = NAMES[line.op]
    counts[name] = (counts[name] ?? 0) + 1
    if (line.spared.length > 0) counts['spared'] = (counts['spared'] ?? 0) + 1
  }
  return counts
}
