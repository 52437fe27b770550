import type { StripeState } from './state.ts'
import { type Deliver, flushWebhooks } from './webhooks.ts'

/** Delivers webhooks as they arise, for the demo. A failed one is tried again after each pause. Returns a stop. */
export function autoDeliver(
  state: StripeState,
  send: typeof fetch = fetch,
  pausesMs: readonly number[] = [1_000, 5_000],
): () => void {
  const timers = new Set<NodeJS.Timeout>()
  const deliver: Deliver = async ({ url, headers, body }) => {
    const reply = await send(url, { method: 'POST', headers, body })
    return reply.ok
  }
  const flush = (round: number): void => {
    const pauseMs = round === 0 ? 0 : pausesMs[round - 1]
    if (pauseMs === undefined) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      void run(round)
    }, pauseMs)
    timers.add(timer)
  }
  const run = async (round: number): Promise<void> => {
    await flushWebhooks(state, deliver)
    if (state.pendingWebhooks.length > 0 && state.onWebhook !== null) flush(round + 1)
  }
  state.onWebhook = () => flush(0)
  return () => {
    state.onWebhook = null
    for (const timer of timers) clearTimeout(timer)
  }
}
