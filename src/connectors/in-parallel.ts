import PQueue from 'p-queue'

/**
 * Runs `act` over all items, `width` at once; results in order. After a failure nothing more is begun, what runs is
 * waited for, and the first failure is thrown.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  act: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const queue = new PQueue({ concurrency: width })
  const failures: unknown[] = []
  const results = await Promise.allSettled(
    items.map((item) =>
      queue.add(async () => {
        if (failures.length > 0) throw failures[0]
        try {
          return await act(item)
        } catch (error) {
          failures.push(error)
          throw error
        }
      }),
    ),
  )
  return results.map((result) => {
    if (result.status === 'rejected') throw failures[0]
    return result.value
  })
}
