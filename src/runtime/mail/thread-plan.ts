import type { RecordId } from '../../core/model.ts'
import type { Hash } from '../../store/mail/key.ts'

export type ThreadPlan = {
  /** The thread of each message. */
  readonly threads: ReadonlyMap<RecordId, RecordId>
  /** Ids met for the first time, with their thread. */
  readonly ids: readonly { readonly id: Hash; readonly thread: RecordId }[]
  /** Threads that turn out to be one. */
  readonly joins: readonly { readonly from: RecordId; readonly to: RecordId }[]
}

/**
 * Which threads new messages belong to. Whoever names the same Message-ID, its own or another's, is in one thread; a
 * thread is named by the least record id that ever named it, whatever the order the messages come in.
 */
export function planThreads(
  messages: readonly { readonly id: RecordId; readonly related: readonly Hash[] }[],
  known: ReadonlyMap<Hash, RecordId>,
): ThreadPlan {
  const parents = new Map<RecordId, RecordId>()
  const root = (thread: RecordId): RecordId => {
    let at = thread
    for (let up = parents.get(at); up !== undefined; up = parents.get(at)) at = up
    return at
  }
  const join = (a: RecordId, b: RecordId) => {
    const [low, high] = [root(a), root(b)].toSorted((x, y) => x - y)
    if (low !== undefined && high !== undefined && low !== high) parents.set(high, low)
  }
  const met = new Map(known)
  for (const { id, related } of messages) {
    for (const hash of related) {
      const thread = met.get(hash)
      if (thread === undefined) met.set(hash, id)
      else join(thread, id)
    }
  }
  const old = [...new Set(known.values())]
  return {
    threads: new Map(messages.map(({ id }) => [id, root(id)])),
    ids: [...met].filter(([hash]) => !known.has(hash)).map(([id, thread]) => ({ id, thread: root(thread) })),
    joins: old.filter((thread) => root(thread) !== thread).map((from) => ({ from, to: root(from) })),
  }
}
