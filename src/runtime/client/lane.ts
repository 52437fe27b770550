import type { Instant } from '../../core/json.ts'
import type { Clock } from '../clock.ts'
import { lowShare, openPacer, type Load, type RateWindow, type Ticket } from './pacer.ts'

/** One of the places for requests that run at once, with leave to send the first. */
export type Place = {
  readonly ticket: Ticket
  /** Leave to send another from the same place: a redirect. Goes before everybody who has no place yet. */
  again(signal: AbortSignal): Promise<Ticket>
  free(): void
}

/**
 * Where the requests of one key stand in line: first come, first served, but those of low priority only when nobody
 * else does. Nobody holds a place while waiting for leave, so a low request never keeps another from a place it does
 * not use.
 */
export type Lane = {
  /** Rejects with the signal's reason when it aborts first. */
  enter(load: Load, signal: AbortSignal): Promise<Place>
  hold(until: Instant): void
  widen(): void
  /** Whether nobody waits, runs, or counts any longer. */
  isIdle(): boolean
}

type Waiter = {
  readonly load: Load
  readonly placed: boolean
  admit(ticket: Ticket): void
  fail(error: Error): void
}
export type LaneLimits = { readonly windows: readonly RateWindow[]; readonly concurrent: number }

/** Windows are forgotten only when the vendor has surely forgotten them as well. */
const MEMORY = 2
const LEAST_MEMORY_MS = 60_000

export function openLane({ windows, concurrent }: LaneLimits, clock: Clock): Lane {
  const pacer = openPacer(windows, clock)
  const memoryMs = Math.max(LEAST_MEMORY_MS, ...windows.map(({ windowMs }) => MEMORY * windowMs))
  const lines = { placed: [] as Waiter[], usual: [] as Waiter[], low: [] as Waiter[] }
  const running = { all: 0, low: 0 }
  let alarm: { readonly at: Instant; readonly off: AbortController } | null = null
  let forgetAt: Instant = 0

  const lineOf = ({ placed, load }: Pick<Waiter, 'placed' | 'load'>) =>
    placed ? lines.placed : load.isLow ? lines.low : lines.usual
  const first = () => lines.placed[0] ?? lines.usual[0] ?? lines.low[0]
  const hasPlace = ({ placed, load }: Waiter) =>
    placed || (running.all < concurrent && (!load.isLow || running.low < lowShare(concurrent)))

  /** Lets go whoever may, and sets the alarm for who may next. */
  function advance(): void {
    for (let next = first(); next !== undefined && hasPlace(next); next = first()) {
      const at = pacer.earliest(next.load)
      if (at > clock.now()) return wakeAt(at)
      lineOf(next).shift()
      next.admit(pacer.send(next.load))
    }
    sleepOn()
  }

  function sleepOn(): void {
    alarm?.off.abort()
    alarm = null
  }

  function wakeAt(at: Instant): void {
    if (alarm !== null && alarm.at <= at) return
    sleepOn()
    const mine = { at, off: new AbortController() }
    alarm = mine
    clock.sleep(Math.ceil(at - clock.now()), mine.off.signal).then(
      () => {
        if (alarm !== mine) return
        alarm = null
        advance()
      },
      (error: unknown) => {
        if (alarm !== mine) return
        alarm = null
        // Not our own doing: whoever waits for this clock would wait for ever.
        const waiting = Object.values(lines).flatMap((line) => line.splice(0))
        for (const waiter of waiting) waiter.fail(toError(error))
      },
    )
  }

  function wait(load: Load, placed: boolean, signal: AbortSignal): Promise<Ticket> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(toError(signal.reason))
      const line = lineOf({ load, placed })
      const waiter: Waiter = {
        load,
        placed,
        admit(ticket) {
          signal.removeEventListener('abort', giveUp)
          if (!placed) count(load, 1)
          resolve(ticket)
        },
        fail(error) {
          signal.removeEventListener('abort', giveUp)
          reject(error)
        },
      }
      const giveUp = () => {
        line.splice(line.indexOf(waiter), 1)
        reject(toError(signal.reason))
        advance()
      }
      signal.addEventListener('abort', giveUp, { once: true })
      line.push(waiter)
      advance()
    })
  }

  function count({ isLow }: Load, by: 1 | -1): void {
    running.all += by
    if (isLow) running.low += by
  }

  return {
    async enter(load, signal) {
      const ticket = await wait(load, false, signal)
      let isFree = false
      return {
        ticket,
        again: (still) => wait(load, true, still),
        free() {
          if (isFree) return
          isFree = true
          count(load, -1)
          forgetAt = Math.max(forgetAt, clock.now() + memoryMs)
          advance()
        },
      }
    },
    hold(until) {
      pacer.hold(until)
      forgetAt = Math.max(forgetAt, until)
    },
    widen: () => pacer.widen(),
    isIdle: () => running.all === 0 && first() === undefined && clock.now() >= forgetAt,
  }
}

const toError = (reason: unknown) => (reason instanceof Error ? reason : new Error('Stopped'))
