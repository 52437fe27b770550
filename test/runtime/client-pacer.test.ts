import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openLane } from '../../src/runtime/client/lane.ts'
import { START, testClock, type TestClock } from './client-world.ts'

const never = new AbortController().signal
const ONE = { units: 1, isLow: false }

/** Only the pace, as any number may run at once. */
function openPace(window: { permits: number; windowMs: number }, clock: TestClock) {
  const lane = openLane({ windows: [window], concurrent: Number.POSITIVE_INFINITY }, clock)
  const take = async (signal: AbortSignal) => (await lane.enter(ONE, signal)).ticket
  return { take, widen: () => lane.widen() }
}

/** When a vendor saw each of `count` requests that wanted to go as soon as they may. */
async function arrivals(
  window: { permits: number; windowMs: number },
  count: number,
  delayMs: () => number,
): Promise<number[]> {
  const clock = testClock()
  const pacer = openPace(window, clock)
  const arrived: number[] = []
  await Promise.all(
    Array.from({ length: count }, async () => {
      const ticket = await pacer.take(never)
      await clock.sleep(delayMs())
      arrived.push(clock.now())
      await clock.sleep(delayMs())
      ticket.replied()
    }),
  )
  return arrived.sort((a, b) => a - b)
}

const tooEarly = (times: readonly number[], { permits, windowMs }: { permits: number; windowMs: number }) =>
  times.filter((at, i) => at - (times[i - permits] ?? Number.NEGATIVE_INFINITY) < windowMs).length

describe('the pacer', () => {
  it('is never counted above the limit by a vendor at a distance, and uses 95 % of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 40 }),
        fc.constantFrom(1000, 2000, 10_000),
        fc.integer({ min: 0, max: 200 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        async (permits, windowMs, farMs, chances) => {
          const window = { permits, windowMs }
          const jitterMs = windowMs * 0.01
          const next = () => Math.round(farMs + jitterMs * (chances.next().value ?? 0))
          const times = await arrivals(window, permits * 12, next)
          expect(tooEarly(times, window)).toBe(0)
          const [first, last] = [times[permits * 2] ?? 0, times.at(-1) ?? 0]
          const share = ((permits * 10 - 1) * windowMs) / permits / (last - first)
          expect(share).toBeGreaterThanOrEqual(0.95)
        },
      ),
      { numRuns: 30, seed: 7 },
    )
  })

  it('lets a burst through at once where the window is long', async () => {
    const times = await arrivals({ permits: 50, windowMs: 3_600_000 }, 50, () => 0)
    expect(times.at(-1)).toBe(START)
  })

  it('sends evenly where the window is short, so that a fresh start does not exceed it', async () => {
    const times = await arrivals({ permits: 4, windowMs: 1000 }, 4, () => 0)
    expect(times.map((at) => at - START)).toEqual([0, 250, 500, 750])
  })

  it('keeps more distance after the vendor refused', async () => {
    const clock = testClock()
    const pacer = openPace({ permits: 1, windowMs: 1000 }, clock)
    const apart = async () => {
      const before = clock.now()
      await pacer.take(never)
      return clock.now() - before
    }
    for (let i = 0; i < 3; i++) await apart()
    const usual = await apart()
    pacer.widen()
    expect(await apart()).toBeGreaterThan(usual)
  })

  it('gives up its place when told to stop', async () => {
    const clock = testClock()
    const pacer = openPace({ permits: 1, windowMs: 1000 }, clock)
    await pacer.take(never)
    await expect(pacer.take(AbortSignal.abort())).rejects.toThrow('abort')
    await pacer.take(never)
    expect(clock.now() - START).toBeLessThan(1500)
  })
})
