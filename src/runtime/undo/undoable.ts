import type { Query } from '../../store/database.ts'
import { causesOf } from '../../store/run-changes.ts'
import { historyBegins } from '../../store/retention.ts'
import { readRun, type Run } from '../../store/runs.ts'
import type { Hub } from '../hub.ts'

export type Refused = {
  readonly kind: 'refused'
  /** `missing`: there is no such run. `conflict`: not now, or not any more. `never`: no undo takes this back. */
  readonly code: 'missing' | 'conflict' | 'never'
  readonly message: string
}

const refused = (code: Refused['code'], message: string): Refused => ({ kind: 'refused', code, message })

/** Whoever undoes a run holds this lock meanwhile. */
export const undoLock = (run: number): string => `concord undo ${run}`

/** A run without a stream is short; one that stands for longer was left by a process that died. */
const SHORT_MS = 15 * 60_000
const CAUSES = 10

/** The run, where it may be taken back; with the undo of it that was begun and not finished. */
export async function undoableRun(
  hub: Hub,
  id: number,
): Promise<{ readonly kind: 'undoable'; readonly run: Run; readonly begun: Run | null } | Refused> {
  const q = hub.db.sql
  const run = await readRun(q, id)
  if (run === undefined) return refused('missing', `There is no run ${id}. Fix: \`concord runs\` lists them.`)
  if (run.kind === 'erase')
    return refused('never', `Run ${id} erased a person's data; nothing is left to bring back.`)
  const kept = hub.configuration.retention.historyMs === null ? null : await historyBegins(q)
  if (kept !== null && run.startedAt < kept)
    return refused(
      'never',
      `Run ${id} began before ${new Date(kept).toISOString().slice(0, 10)}, and the history of that time is not kept any more (\`retention: history\`): nothing tells what it changed.`,
    )
  if (run.kind === 'push') return refused('never', await pushMessage(q, run))
  const begun = run.undoneBy === null ? undefined : await readRun(q, run.undoneBy)
  if (begun?.state === 'done') return refused('conflict', await undoneMessage(q, run, begun))
  const back = begun === undefined ? null : await takenBackBy(q, begun)
  if (begun !== undefined && back !== null)
    return refused(
      'conflict',
      `The undo of run ${id} stopped half-way, in run ${begun.id}, and was taken back in run ${back.id}. Fix: \`concord undo ${back.id}\`; then \`concord undo ${id}\` goes on.`,
    )
  if (run.state === 'running' && (await isAlive(hub, run)))
    return refused(
      'conflict',
      `Run ${id} is still under way. Fix: undo it when it has ended (\`concord runs show ${id}\`).`,
    )
  return { kind: 'undoable', run, begun: begun ?? null }
}

/** The undo of a run, unless that was taken back itself. */
async function takenBackBy(q: Query, run: Run): Promise<Run | null> {
  const undo = run.undoneBy === null ? undefined : await readRun(q, run.undoneBy)
  return undo === undefined || (await takenBackBy(q, undo)) !== null ? null : undo
}

async function undoneMessage(q: Query, run: Run, undo: Run): Promise<string> {
  const by = undo.by === null ? '' : ` by ${undo.by}`
  const again = undo.undoneBy === null ? undefined : await readRun(q, undo.undoneBy)
  if (again?.state !== 'done')
    return `Run ${run.id} was undone already, in run ${undo.id}${by}. Fix: \`concord undo ${undo.id}\` brings it back.`
  return `Run ${run.id} was undone in run ${undo.id}${by}, and that was taken back in run ${again.id}. Fix: \`concord undo ${again.id}\`.`
}

/** A run of writes only carried out what others decided. */
async function pushMessage(q: Query, run: Run): Promise<string> {
  const causes = await causesOf(q, run.id, CAUSES)
  const told = causes.map((cause) => `run ${cause.run} (${cause.kind}, ${cause.records} of its records)`)
  const fix =
    told.length === 0
      ? 'Nothing in the history tells what it carried out.'
      : `It carried out ${told.join(', ')}. Fix: undo the one that was wrong, for instance \`concord undo ${causes[0]?.run}\`; the systems are told by themselves.`
  return `Run ${run.id} only sent to ${run.stream ?? 'a system'} what the hub held. ${fix}`
}

/** Whether a process still works on a run: it holds the connection then, or the run that it undoes. */
async function isAlive(hub: Hub, run: Run): Promise<boolean> {
  if (run.undoes !== null) return isLocked(hub, undoLock(run.undoes))
  const connection = run.stream?.split('/')[0]
  return connection === undefined || run.kind === 'edit'
    ? hub.clock.now() - run.startedAt < SHORT_MS
    : isLocked(hub, `concord connection ${connection}`)
}

async function isLocked(hub: Hub, name: string): Promise<boolean> {
  const [row] = await hub.db.sql.begin(
    (tx) => tx<{ free: boolean }[]>`select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as free`,
  )
  return row?.free === false
}
