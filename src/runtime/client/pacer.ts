import type { Instant } from '../../core/json.ts'
import type { Clock } from '../clock.ts'

export type RateWindow = { readonly permits: number; readonly windowMs: number }

/** Leave to send one request now. Call `replied` when its headers came, or when it failed. */
export type Ticket = { replied(): void }

/** Holds requests back so that the vendor never counts more than `permits` in any `windowMs`. First come, first served. */
export type Pacer = {
  /** Rejects with the signal's reason when it aborts while waiting. */
  take(signal: AbortSignal): Promise<Ticket>
  /** Lets nothing pass before `until`. */
  hold(until: Instant): void
  /** The vendor refused for the rate: keep more distance for a while. */
  widen(): void
}

/** How much of a window is given up at most to requests that arrive later than they usually do. */
const HEADROOM = 0.03
const WIDEST_HEADROOM = 0.25
/** At each refusal, and back again with each request: some thousands undo a refusal. */
const WIDENING = 4
const NARROWING = 0.9998
/** Given up in any case: a quicker one than all so far may come. */
const LEAST_HEADROOM = 0.01
/** Windows up to this long are sent evenly; in longer ones a short burst should not wait. */
const EVEN_MS = 10_000
/** Of a window: how far the even schedule may lag (a busy process) and still be caught up with. */
const CATCH_UP = 0.05
/** The vendor's clock and ours each count in whole milliseconds. */
const ROUNDING_MS = 1

type Send = { readonly at: Instant; takenMs: number | null }

/**
 * Request n + `permits` leaves `windowMs` after request n *arrived*. We know when n left and when its answer came; by
 * how much that took longer than the quickest ever is the most by which n can have been late. Quick or steady
 * networks thus cost next to nothing; the head-room bounds what a slow vendor costs, as its working time looks like
 * lateness. The first lap has more of it, as its connections are still being opened.
 */
export function openPacer(windows: readonly RateWindow[], clock: Clock): Pacer {
  const laps = windows.map((window) => openLap(window, clock.now()))
  let quickestMs = Number.POSITIVE_INFINITY
  let headroom = HEADROOM
  let heldUntil: Instant = 0
  let tail: Promise<unknown> = Promise.resolve()

  async function wait(signal: AbortSignal): Promise<Ticket> {
    for (;;) {
      signal.throwIfAborted()
      const now = clock.now()
      const earliest = laps.reduce((at, lap) => Math.max(at, lap.earliest(quickestMs, headroom)), heldUntil)
      if (earliest <= now) return send(now)
      await clock.sleep(Math.ceil(earliest - now), signal)
    }
  }

  function send(now: Instant): Ticket {
    const sent: Send = { at: now, takenMs: null }
    for (const lap of laps) lap.add(sent)
    headroom = Math.max(HEADROOM, headroom * NARROWING)
    return {
      replied() {
        if (sent.takenMs !== null) return
        sent.takenMs = clock.now() - sent.at
        quickestMs = Math.min(quickestMs, sent.takenMs)
      },
    }
  }

  return {
    take(signal) {
      const turn = tail.then(() => wait(signal))
      tail = turn.catch(() => undefined)
      return turn
    },
    hold(until) {
      heldUntil = Math.max(heldUntil, until)
    },
    widen() {
      headroom = Math.min(WIDEST_HEADROOM, headroom * WIDENING)
    },
  }
}

/** The last `permits` requests of one window, and its even schedule. */
function openLap({ permits, windowMs }: RateWindow, openedAt: Instant) {
  const ring: Send[] = []
  const gapMs = windowMs <= EVEN_MS ? windowMs / permits : 0
  let count = 0
  let slot = openedAt - gapMs

  return {
    earliest(quickestMs: number, headroom: number): Instant {
      const oldest = ring[count % permits]
      if (oldest === undefined) return slot + gapMs
      const share = count < 2 * permits ? WIDEST_HEADROOM : headroom
      const lateMs = oldest.takenMs === null ? Number.POSITIVE_INFINITY : oldest.takenMs - quickestMs
      const freeAt =
        oldest.at + windowMs + ROUNDING_MS + Math.min(lateMs + windowMs * LEAST_HEADROOM, windowMs * share)
      return Math.max(slot + gapMs, freeAt)
    },
    add(sent: Send): void {
      ring[count % permits] = sent
      count += 1
      slot = Math.max(slot + gapMs, sent.at - windowMs * CATCH_UP)
    },
  }
}
