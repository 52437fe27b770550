import type { Instant } from '../../core/json.ts'

export type RateWindow = { readonly permits: number; readonly windowMs: number }

/** What a request takes of the limits. */
export type Load = {
  /** Permits of each window; a window smaller than that is taken whole. */
  readonly units: number
  /** Four fifths of each window are the most that low requests take together. */
  readonly isLow: boolean
}

/** Leave to send one request now. Call `replied` when its headers came, or when it failed. */
export type Ticket = { replied(): void }

/** Says when a request may leave so that the vendor never counts more than `permits` in any `windowMs`. */
export type Pacer = {
  /** When a request may leave, if no other leaves before. */
  earliest(load: Load): Instant
  /** Counts a request that leaves now. */
  send(load: Load): Ticket
  /** Lets nothing pass before `until`. */
  hold(until: Instant): void
  /** The vendor refused for the rate: keep more distance for a while. */
  widen(): void
}

/** What requests of low priority may take of a limit. */
const LOW_SHARE = 0.8
export const lowShare = (limit: number): number => Math.max(1, Math.floor(limit * LOW_SHARE))

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
/** How far the vendor's count may lag behind ours. */
type Lag = { quickestMs: number; headroom: number }

/**
 * What comes `permits` units after a request leaves `windowMs` after that request *arrived*. We know when it left and
 * when its answer came; by how much that took longer than the quickest ever is the most by which it can have been late.
 * Quick or steady networks thus cost next to nothing; the head-room bounds what a slow vendor costs, as its working time
 * looks like lateness. The first lap has more of it, as its connections are still being opened.
 */
export function openPacer(windows: readonly RateWindow[], clock: { now(): Instant }): Pacer {
  const lag: Lag = { quickestMs: Number.POSITIVE_INFINITY, headroom: HEADROOM }
  const openedAt = clock.now()
  const all = windows.map((window) => openLap(window, openedAt, lag))
  const low = windows.map(({ permits, windowMs }) =>
    openLap({ permits: lowShare(permits), windowMs }, openedAt, lag),
  )
  const lapsOf = ({ isLow }: Load) => (isLow ? [...all, ...low] : all)
  let heldUntil: Instant = 0

  return {
    earliest: (load) => lapsOf(load).reduce((at, lap) => Math.max(at, lap.earliest(load.units)), heldUntil),
    send(load) {
      const sent: Send = { at: clock.now(), takenMs: null }
      for (const lap of lapsOf(load)) lap.add(sent, load.units)
      lag.headroom = Math.max(HEADROOM, lag.headroom * NARROWING)
      return {
        replied() {
          if (sent.takenMs !== null) return
          sent.takenMs = clock.now() - sent.at
          lag.quickestMs = Math.min(lag.quickestMs, sent.takenMs)
        },
      }
    },
    hold(until) {
      heldUntil = Math.max(heldUntil, until)
    },
    widen() {
      lag.headroom = Math.min(WIDEST_HEADROOM, lag.headroom * WIDENING)
    },
  }
}

/** The last requests of one window that make up its `permits`, and its even schedule. */
function openLap({ permits, windowMs }: RateWindow, openedAt: Instant, lag: Lag) {
  const sends: { readonly send: Send; readonly units: number }[] = []
  const gapMs = windowMs <= EVEN_MS ? windowMs / permits : 0
  let first = 0
  /** Units of `sends` from `first` on. */
  let held = 0
  let passed = 0
  let evenAt = openedAt
  const fit = (units: number) => Math.min(Math.max(units, 0), permits)

  function freeAt({ at, takenMs }: Send): Instant {
    const share = passed < 2 * permits ? WIDEST_HEADROOM : lag.headroom
    const lateMs = takenMs === null ? Number.POSITIVE_INFINITY : takenMs - lag.quickestMs
    return at + windowMs + ROUNDING_MS + Math.min(lateMs + windowMs * LEAST_HEADROOM, windowMs * share)
  }

  return {
    earliest(wanted: number): Instant {
      const units = fit(wanted)
      if (units === 0) return openedAt
      let at = evenAt
      let left = held
      for (let i = first; left + units > permits; i++) {
        const oldest = sends[i]
        if (oldest === undefined) break
        at = Math.max(at, freeAt(oldest.send))
        left -= oldest.units
      }
      return at
    },
    add(send: Send, wanted: number): void {
      const units = fit(wanted)
      if (units === 0) return
      sends.push({ send, units })
      held += units
      passed += units
      evenAt = Math.max(evenAt, send.at - windowMs * CATCH_UP) + gapMs * units
      for (let oldest = sends[first]; oldest !== undefined; oldest = sends[first]) {
        if (held - oldest.units < permits) break
        held -= oldest.units
        first += 1
      }
      if (first <= sends.length / 2) return
      sends.splice(0, first)
      first = 0
    },
  }
}
