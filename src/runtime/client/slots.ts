import PQueue from 'p-queue'

/** So many at once, first come first served. */
export type Slots = {
  /** Waits for a slot; call what it returns to free it. Rejects with the signal's reason when it aborts first. */
  take(signal: AbortSignal): Promise<() => void>
}

/** p-queue without its interval options sets no timer, so an injected clock stays in charge. */
export function openSlots(concurrent: number): Slots {
  const queue = new PQueue({ concurrency: concurrent })
  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        const giveUp = () => reject(toError(signal.reason))
        if (signal.aborted) return giveUp()
        signal.addEventListener('abort', giveUp, { once: true })
        void queue.add(() => {
          signal.removeEventListener('abort', giveUp)
          // p-queue's own signal would also drop tasks that run, and a running request is to finish.
          return signal.aborted ? undefined : new Promise<void>((free) => resolve(free))
        })
      }),
  }
}

const toError = (reason: unknown) => (reason instanceof Error ? reason : new Error('Stopped'))
