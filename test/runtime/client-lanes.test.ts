import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MeteredRequest } from '../../src/connectors/connector.ts'
import { openLanes } from '../../src/runtime/client/lanes.ts'
import { failureFrom, ORIGIN, START, testClock, vendor, world, type Answer } from './client-world.ts'

const ok = () => Response.json({})
const never = new AbortController().signal
const LOW = { priority: 'low' } as const

/** Counted by mailbox, the first part of the path; a read of a message costs 20. */
const meter = ({ url }: MeteredRequest) => {
  const [, key = '', what] = url.pathname.split('/')
  return { key, units: what === 'message' ? 20 : 1 }
}
const metered = (limits: Parameters<typeof openLanes>[0], answer: Answer = ok) =>
  world(answer, { connector: vendor({ limits, meter }) })

const maxUnits = (sends: readonly { at: number; units: number }[], windowMs: number) =>
  Math.max(
    ...sends.map(({ at: from }) =>
      sends.filter(({ at }) => at >= from && at < from + windowMs).reduce((sum, { units }) => sum + units, 0),
    ),
  )

describe('a meter', () => {
  it('has units counted, whatever their mixture, and most of each window used', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 60, maxLength: 120 }),
        async (costs) => {
          const clock = testClock()
          const lane = openLanes([{ permits: 100, windowMs: 60_000 }], clock).of('a')
          const sends: { at: number; units: number }[] = []
          await Promise.all(
            costs.map(async (units) => {
              const place = await lane.enter({ units, isLow: false }, never)
              sends.push({ at: clock.now(), units })
              place.ticket.replied()
              place.free()
            }),
          )
          expect(sends.map(({ units }) => units)).toEqual(costs)
          expect(maxUnits(sends, 60_000)).toBeLessThanOrEqual(100)
          const total = costs.reduce((sum, units) => sum + units, 0)
          // The dearest next one may leave 59 of 100 unused.
          const laps = total / 41 + 1
          expect((sends.at(-1)?.at ?? 0) - START).toBeLessThan(laps * 60_000 * 1.26)
        },
      ),
      { numRuns: 20, seed: 3 },
    )
  })

  it('keeps the limits of one mailbox from holding up another', async () => {
    const { io, seen } = metered([{ permits: 40, windowMs: 60_000 }, { concurrent: 1 }])
    const full = Promise.all([1, 2, 3].map(() => io.fetch(`${ORIGIN}/ann/message`)))
    await Promise.all([io.fetch(`${ORIGIN}/bob/message`), io.fetch(`${ORIGIN}/bob/message`)])
    expect(seen.map(({ at }) => at - START)).toEqual([0, 0, 0, 0])
    await full
    expect(seen.at(-1)?.url).toContain('/ann/')
    expect((seen.at(-1)?.at ?? 0) - START).toBeGreaterThanOrEqual(60_000)
  })

  it('lets a request through that costs more than a whole window, alone', async () => {
    const { io, seen } = metered([{ permits: 10, windowMs: 60_000 }])
    await Promise.all([io.fetch(`${ORIGIN}/ann/message`), io.fetch(`${ORIGIN}/ann/look`)])
    expect(seen.map(({ at }) => at - START >= 60_000)).toEqual([false, true])
  })

  it('is told whom the request acts for, where it is an application that acts', async () => {
    const asked: (string | null)[] = []
    const { io } = world(
      ({ url }) => (url.endsWith('/token') ? Response.json({ access_token: 'a' }) : ok()),
      {
        secrets: { clientId: 'c', clientSecret: 'hush-hush' },
        connector: vendor({
          auth: {
            kind: 'oauth2',
            grants: ['client'],
            authorizeUrl: ORIGIN,
            tokenUrl: `${ORIGIN}/token`,
            scopes: [],
            rotates: false,
          },
          meter: ({ user }) => (asked.push(user), { key: user ?? '', units: 1 }),
        }),
      },
    )
    await io.as('ann@example.com').fetch(ORIGIN)
    await io.fetch(ORIGIN)
    expect(asked).toEqual(['ann@example.com', null])
  })
})

describe('a vendor that throttles one mailbox', () => {
  const busy: Answer = ({ url }, count) =>
    url.includes('/ann/') && count === 1
      ? new Response('', { status: 429, headers: { 'retry-after': '5' } })
      : ok()

  it('holds up that mailbox alone', async () => {
    const { io, seen } = metered([], busy)
    const ann = io.fetch(`${ORIGIN}/ann/look`)
    await new Promise(setImmediate)
    await Promise.all([io.fetch(`${ORIGIN}/bob/look`), ann, io.fetch(`${ORIGIN}/ann/look`)])
    const at = (who: string) => seen.filter(({ url }) => url.includes(who)).map((one) => one.at - START)
    expect([at('ann'), at('bob')]).toEqual([[0, 5000, 5000], [0]])
  })

  it('for long pauses it in this process only; the connection goes on', async () => {
    const { io, seen, paused, clock } = metered([], ({ url }) =>
      url.includes('/ann/') && clock.now() < START + 600_000
        ? new Response('', { status: 429, headers: { 'retry-after': '600' } })
        : ok(),
    )
    expect(await failureFrom(io.fetch(`${ORIGIN}/ann/look`))).toMatchObject({ retryAt: START + 600_000 })
    const failure = await failureFrom(io.fetch(`${ORIGIN}/ann/look`))
    expect(failure).toMatchObject({ kind: 'throttled', retryAt: START + 600_000 })
    expect(failure.message).toContain('(ann)')
    await io.fetch(`${ORIGIN}/bob/look`)
    expect([seen.length, paused]).toEqual([2, []])
    await clock.sleep(600_000)
    expect((await io.fetch(`${ORIGIN}/ann/look`)).status).toBe(200)
  })

  it('and the key of the whole connection pauses all that count against it, beyond the process', async () => {
    const { io, paused } = metered(
      [],
      () => new Response('', { status: 429, headers: { 'retry-after': '600' } }),
    )
    await failureFrom(io.fetch(`${ORIGIN}/`))
    expect(paused).toEqual([START + 600_000])
  })
})

describe('low priority', () => {
  it('takes four fifths of a window at most', async () => {
    const { io, seen } = metered([{ permits: 10, windowMs: 60_000 }])
    const low = Promise.all(Array.from({ length: 9 }, () => io.fetch(`${ORIGIN}/ann/low`, LOW)))
    await new Promise(setImmediate)
    expect(seen).toHaveLength(8)
    await Promise.all([io.fetch(`${ORIGIN}/ann/usual`), io.fetch(`${ORIGIN}/ann/usual`)])
    expect(seen.map(({ at }) => at - START)).toEqual(Array.from({ length: 10 }, () => 0))
    await low
  })

  it('never stands in line before others of its key', async () => {
    const { io, seen } = metered([{ permits: 5, windowMs: 60_000 }])
    const low = Array.from({ length: 20 }, () => io.fetch(`${ORIGIN}/ann/low`, LOW))
    await new Promise(setImmediate)
    const usual = Array.from({ length: 6 }, () => io.fetch(`${ORIGIN}/ann/usual`))
    await Promise.all([...low, ...usual])
    const order = seen.map(({ url }) => (url.endsWith('low') ? 'l' : 'u')).join('')
    expect(order).toBe(`llll${'u'.repeat(6)}${'l'.repeat(16)}`)
  })

  it('delays the others by no more than its share, however many it is', async () => {
    const span = async (flood: number) => {
      const { io, seen } = metered([{ permits: 10, windowMs: 1000 }])
      const low = Array.from({ length: flood }, () => io.fetch(`${ORIGIN}/ann/low`, LOW))
      await new Promise(setImmediate)
      await Promise.all(Array.from({ length: 30 }, () => io.fetch(`${ORIGIN}/ann/usual`)))
      const last = Math.max(...seen.filter(({ url }) => url.endsWith('usual')).map(({ at }) => at))
      await Promise.all(low)
      return last - START
    }
    const [alone, flooded, drowned] = [await span(0), await span(50), await span(500)]
    // At most the window that the low ones had begun.
    expect(flooded).toBeLessThanOrEqual(alone + 1000)
    expect(drowned).toBe(flooded)
  })

  it('leaves a place free, but for where there is only one', async () => {
    const release: (() => void)[] = []
    const slow = () => new Promise<Response>((resolve) => release.push(() => resolve(ok())))
    for (const [concurrent, most] of [
      [4, 3],
      [2, 1],
      [1, 1],
    ] as const) {
      release.length = 0
      const { io, seen } = metered([{ concurrent }], slow)
      const low = Array.from({ length: 6 }, () => io.fetch(`${ORIGIN}/ann/low`, LOW))
      await new Promise(setImmediate)
      expect(seen).toHaveLength(most)
      const usual = io.fetch(`${ORIGIN}/ann/usual`)
      while (seen.length < 7) {
        release.shift()?.()
        await new Promise(setImmediate)
      }
      for (const one of release.splice(0)) one()
      await Promise.all([...low, usual])
      expect(seen.findIndex(({ url }) => url.endsWith('usual'))).toBe(most)
    }
  })

  it('holds no place while it waits for its share of a window', async () => {
    const clock = { now: () => START, sleep: () => new Promise<void>(() => undefined) }
    const lane = openLanes([{ permits: 5, windowMs: 60_000 }, { concurrent: 1 }], clock).of('ann')
    for (let i = 0; i < 4; i++) (await lane.enter({ units: 1, isLow: true }, never)).free()
    const order: string[] = []
    void lane.enter({ units: 1, isLow: true }, never).then(() => order.push('low'))
    await lane.enter({ units: 1, isLow: false }, never)
    order.push('usual')
    expect(order).toEqual(['usual'])
  })

  it('goes on by itself when nobody else does, and ends its wait when told to', async () => {
    const stop = new AbortController()
    const { io, seen } = metered([{ permits: 5, windowMs: 60_000 }])
    const low = Array.from({ length: 12 }, () => io.fetch(`${ORIGIN}/ann/low`, LOW))
    const ended = failureFrom(io.fetch(`${ORIGIN}/ann/low`, { ...LOW, signal: stop.signal }))
    stop.abort()
    expect(await ended).toMatchObject({ kind: 'unavailable', committed: 'no' })
    await Promise.all(low)
    expect(seen).toHaveLength(12)
    expect((seen.at(-1)?.at ?? 0) - START).toBeGreaterThan(120_000)
  })

  it('follows a redirect from the place it has', async () => {
    const { io, seen } = metered([{ concurrent: 1 }, { permits: 10, windowMs: 60_000 }], ({ url }) =>
      url.endsWith('/from') ? new Response(null, { status: 302, headers: { location: '/ann/to' } }) : ok(),
    )
    await Promise.all([
      io.fetch(`${ORIGIN}/ann/from`, LOW),
      io.fetch(`${ORIGIN}/ann/usual`),
      io.fetch(`${ORIGIN}/ann/usual`),
    ])
    expect(seen.map(({ url }) => url.slice(ORIGIN.length + 5))).toEqual(['from', 'to', 'usual', 'usual'])
  })
})

describe('lanes', () => {
  it('are forgotten once nothing of them counts any longer', async () => {
    const clock = testClock()
    const lanes = openLanes([{ permits: 2, windowMs: 60_000 }], clock)
    for (let i = 0; i < 5_000; i++) {
      const place = await lanes.of(`mailbox ${i}`).enter({ units: 1, isLow: false }, never)
      place.ticket.replied()
      place.free()
      await clock.sleep(1000)
    }
    // Two windows, and the minute between two looks.
    expect(lanes.size).toBeLessThanOrEqual(182)
  })

  it('are not forgotten while somebody waits in them, or their pause lasts', async () => {
    const clock = testClock()
    const lanes = openLanes([{ concurrent: 1 }], clock)
    const place = await lanes.of('runs').enter({ units: 1, isLow: false }, never)
    lanes.of('paused').paused.until = START + 86_400_000
    lanes.of('held').hold(START + 86_400_000)
    const before = ['runs', 'paused', 'held'].map((key) => lanes.of(key))
    await clock.sleep(3_600_000)
    lanes.of('another')
    expect(['runs', 'paused', 'held'].map((key) => lanes.of(key))).toEqual(before)
    expect(lanes.of('runs')).toBe(before[0])
    place.free()
  })

  it('end all waiting when the clock itself fails', async () => {
    const clock = { now: () => START, sleep: () => Promise.reject(new Error('the clock broke')) }
    const lane = openLanes([{ permits: 1, windowMs: 60_000 }], clock).of('')
    await lane.enter({ units: 1, isLow: false }, never)
    await expect(lane.enter({ units: 1, isLow: false }, never)).rejects.toThrow('the clock broke')
  })
})
