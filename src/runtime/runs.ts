import { causesOf, changesOf, openItemsOf, sentBy, tallyOf, type RunChange } from '../store/run-changes.ts'
import { listRuns, readRun, type Run } from '../store/runs.ts'
import type { Hub } from './hub.ts'

export type { RunChange } from '../store/run-changes.ts'
export type { Run } from '../store/runs.ts'

/** What one run came to. */
export type RunStory = {
  readonly run: Run
  /** Rows of history, by kind of record and what happened. */
  readonly changed: Awaited<ReturnType<typeof tallyOf>>
  /** Writes to vendors, by stream, op and outcome. */
  readonly sent: Awaited<ReturnType<typeof sentBy>>
  /** Of a run of writes: the runs whose changes it carried out. */
  readonly causes: Awaited<ReturnType<typeof causesOf>>
  /** What of its stream waits for a person. */
  readonly waiting: readonly { readonly id: number; readonly kind: string; readonly title: string }[]
  readonly first: readonly RunChange[]
}

const FIRST = 10
const CAUSES = 10

/** Null where there is no such run. */
export async function runStory(hub: Hub, id: number): Promise<RunStory | null> {
  const q = hub.db.sql
  const run = await readRun(q, id)
  if (run === undefined) return null
  const [changed, sent, causes, waiting, first] = await Promise.all([
    tallyOf(q, id),
    sentBy(q, id),
    run.kind === 'push' ? causesOf(q, id, CAUSES) : [],
    run.streamId === null || run.state !== 'held' ? [] : openItemsOf(q, run.streamId, 'mass_change'),
    changesOf(q, id, 0, FIRST),
  ])
  return { run, changed, sent, causes, waiting, first }
}

/** A page of what a run changed; null where there is no such run. `next` is where the following page starts. */
export async function runChanges(
  hub: Hub,
  id: number,
  after: number,
  limit: number,
): Promise<{ readonly changes: readonly RunChange[]; readonly next: number | null } | null> {
  if ((await readRun(hub.db.sql, id)) === undefined) return null
  const found = await changesOf(hub.db.sql, id, after, limit + 1)
  const changes = found.slice(0, limit)
  return { changes, next: found.length > limit ? (changes.at(-1)?.id ?? null) : null }
}

/** Latest first; `next` is where the following page starts. */
export async function runsBefore(
  hub: Hub,
  before: number | undefined,
  limit: number,
  connection?: string,
): Promise<{ readonly runs: readonly Run[]; readonly next: number | null }> {
  const found = await listRuns(hub.db.sql, limit + 1, connection, before)
  const runs = found.slice(0, limit)
  return { runs, next: found.length > limit ? (runs.at(-1)?.id ?? null) : null }
}
