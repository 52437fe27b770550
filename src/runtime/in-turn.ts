import { setImmediate as nextTurn } from 'node:timers/promises'

type Starts = readonly (() => Promise<unknown>)[]
type Results<S extends Starts> = { -readonly [K in keyof S]: Awaited<ReturnType<S[K]>> }

/**
 * Runs the parts of one transaction without waiting for each other's answers. Each leaves before the next is put into
 * words, so PostgreSQL works on the first while the second is written down. Throws what failed first in time (what
 * fails after it says only that the transaction is aborted), and only once every part has ended: one that went on after
 * the roll-back would write outside of the transaction.
 */
export async function inTurn<S extends Starts>(...starts: S): Promise<Results<S>> {
  const failures: unknown[] = []
  const running: Promise<unknown>[] = []
  for (const start of starts) {
    running.push(start().catch((error: unknown) => failures.push(error)))
    await nextTurn()
  }
  const results: unknown = await Promise.all(running)
  if (failures.length > 0) throw failures[0]
  // Built above, one result for each start: a loop over a tuple cannot keep its type.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return results as Results<S>
}
