import type { Source } from '../../core/model.ts'
import { beginRun, endRun } from '../../store/runs.ts'
import type { Hub } from '../hub.ts'

/** A run that is written down at its first change: what is refused is none. */
export async function inRun<Result extends { readonly kind: string }>(
  hub: Hub,
  kind: 'merge' | 'unmerge',
  by: Source,
  work: (runId: () => Promise<number>) => Promise<Result>,
): Promise<Result> {
  const startedAt = hub.clock.now()
  const begun: Promise<number>[] = []
  const runId = () => {
    const [known] = begun
    if (known !== undefined) return known
    const run = beginRun(hub.db.beside, null, kind, startedAt, { by })
    begun.push(run)
    return run
  }
  const done = `${kind}d`
  let state: 'done' | 'failed' = 'failed'
  let count = 0
  try {
    const result = await work(runId)
    state = 'done'
    count = result.kind === done ? 1 : 0
    return result
  } finally {
    for (const run of begun)
      await endRun(hub.session.q, await run, state, { [done]: count }, null, hub.clock.now())
  }
}
