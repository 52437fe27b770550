import { beginRun, endRun, type Counts } from '../../store/runs.ts'
import type { Hub } from '../hub.ts'

/** One pass over a mailbox: what it counted. Written down at its first page that holds anything. */
export type MailRun = {
  id(): Promise<number | null>
  count(counts: Counts): void
  readonly counts: Counts
  end(problem: string | null): Promise<void>
}

export function openMailRun(hub: Hub, streamId: number | null): MailRun {
  const counts: Record<string, number> = {}
  const startedAt = hub.clock.now()
  let id: Promise<number> | null = null
  return {
    counts,
    async id() {
      if (hub.preview) return null
      id ??= beginRun(hub.db.beside, streamId, 'mail', startedAt)
      return id
    },
    count(more) {
      for (const [name, n] of Object.entries(more)) if (n !== 0) counts[name] = (counts[name] ?? 0) + n
    },
    async end(problem) {
      if (id === null) return
      const state = problem === null ? 'done' : 'failed'
      await endRun(hub.session.q, await id, state, counts, problem, hub.clock.now())
    },
  }
}
