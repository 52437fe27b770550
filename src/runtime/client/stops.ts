/** For each call a signal that ends its waiting: when the client stops, or when its own caller gives up. */
export type Stops = {
  open(own: AbortSignal | null): { readonly signal: AbortSignal; release(): void }
}

/**
 * Listens to `whole` once. `AbortSignal.any` would keep some memory for each call for as long as `whole` lives, and a
 * listener for each call makes Node warn of a leak.
 */
export function openStops(whole: AbortSignal): Stops {
  const waiting = new Set<AbortController>()
  const stopAll = () => {
    for (const controller of waiting) controller.abort()
  }
  whole.addEventListener('abort', stopAll, { once: true })
  return {
    open(own) {
      const controller = new AbortController()
      const stop = () => controller.abort()
      if (whole.aborted || own?.aborted) stop()
      waiting.add(controller)
      own?.addEventListener('abort', stop, { once: true })
      const release = () => {
        waiting.delete(controller)
        own?.removeEventListener('abort', stop)
      }
      return { signal: controller.signal, release }
    },
  }
}
