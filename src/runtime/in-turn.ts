import { setImmediate as nextTurn } from 'node:timers/promises'

type Started = readonly (() => Promise<unknown>)[]
type Results<T extends Started> = { -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> }

/**
 * Starts statements one after the other without waiting for their answers, and lets each leave before the next is put
 * into words: PostgreSQL works on the first one while the second is written down.
 */
export async function inTurn<T extends Started>(...starts: T): Promise<Results<T>> {
  const running: Promise<unknown>[] = []
  for (const start of starts) {
    const answer = start()
    // Told by the whole, once it is awaited.
    answer.catch(() => undefined)
    running.push(answer)
    await nextTurn()
  }
  const results: unknown = await Promise.all(running)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return results as Results<T>
}
