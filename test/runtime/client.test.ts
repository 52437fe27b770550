import { describe, expect, it } from 'vitest'
import { failureFrom, networkError, ORIGIN, START, testClock, world } from './client-world.ts'

const ok = () => Response.json({ ok: true })
const status = (code: number, headers: Record<string, string> = {}) =>
  new Response('no', { status: code, headers })
const KEYED = { method: 'POST', body: 'a=1', headers: { 'Idempotency-Key': 'k1' } }

describe('io.fetch', () => {
  it.each([
    ['a string', `${ORIGIN}/a?b=1`, { method: 'PATCH', body: '{"x":1}' }],
    ['a URL', new URL(`${ORIGIN}/a?b=1`), { method: 'PATCH', body: '{"x":1}' }],
    ['a Request', new Request(`${ORIGIN}/a?b=1`, { method: 'PATCH', body: '{"x":1}' }), undefined],
  ])('takes %s', async (_, input, init) => {
    const { io, seen } = world(ok)
    expect(await (await io.fetch(input, init)).json()).toEqual({ ok: true })
    expect(seen).toMatchObject([{ method: 'PATCH', url: `${ORIGIN}/a?b=1`, body: '{"x":1}' }])
  })

  it.each([204, 304])('resolves for %d, without a body', async (code) => {
    const { io } = world(() => new Response(null, { status: code }))
    const response = await io.fetch(ORIGIN)
    expect([response.status, await response.text()]).toEqual([code, ''])
  })

  it('throws what the connector makes of any other reply', async () => {
    const { io } = world(() => status(404))
    expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ kind: 'missing' })
  })
})

describe('retries', () => {
  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])(
    'repeats a %s after a 5xx and a lost connection',
    async (method) => {
      const { io, stats } = world((_, count) => {
        if (count === 1) return new Response(null, { status: 502 })
        if (count === 2) throw networkError('ECONNRESET')
        return new Response(null, { status: 204 })
      })
      expect((await io.fetch(ORIGIN, { method })).status).toBe(204)
      expect(stats).toEqual({ requests: 3, throttled: 0, retries: 2 })
    },
  )

  it.each(['POST', 'PATCH'])('does not repeat a %s without a key: its outcome is unknown', async (method) => {
    const lost = world(() => Promise.reject(networkError('ECONNRESET')))
    const failure = await failureFrom(lost.io.fetch(ORIGIN, { method, body: 'a' }))
    expect(failure).toMatchObject({ kind: 'unavailable', committed: 'unknown' })
    const replied = world(() => status(503))
    await failureFrom(replied.io.fetch(ORIGIN, { method, body: 'a' }))
    expect([lost.seen.length, replied.seen.length]).toEqual([1, 1])
  })

  it('repeats a keyed POST after a lost connection, with the same key and body', async () => {
    const { io, seen } = world((_, count) => {
      if (count === 1) throw networkError('ECONNRESET')
      return ok()
    })
    await io.fetch(ORIGIN, KEYED)
    expect(seen.map((s) => [s.headers.get('idempotency-key'), s.body])).toEqual([
      ['k1', 'a=1'],
      ['k1', 'a=1'],
    ])
  })

  it('does not repeat a keyed POST after a 5xx reply, which the vendor would only replay', async () => {
    const { io, seen } = world(() => status(500))
    expect(await failureFrom(io.fetch(ORIGIN, KEYED))).toMatchObject({ committed: 'unknown' })
    expect(seen).toHaveLength(1)
  })

  it('repeats any method that surely never left', async () => {
    const { io, seen } = world((_, count) => {
      if (count < 3) throw networkError('ECONNREFUSED')
      return ok()
    })
    await io.fetch(ORIGIN, { method: 'POST', body: 'a' })
    expect(seen).toHaveLength(3)
  })

  it('gives up after four attempts, with full jitter between them', async () => {
    const { io, seen, clock } = world(() => status(503), { random: () => 1 })
    expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ kind: 'unavailable', committed: 'no' })
    expect(seen).toHaveLength(4)
    expect(clock.slept).toEqual([250, 500, 1000])
  })

  it('does not repeat what the vendor rejects', async () => {
    const { io, seen } = world(() => status(400))
    expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ kind: 'rejected' })
    expect(seen).toHaveLength(1)
  })

  it.each(['ECONNREFUSED', 'throttled', 'stopped'])(
    'stays unsure of a keyed POST whose first reply was lost, when the second try ends as %s',
    async (end) => {
      const stop = new AbortController()
      const { io } = world(
        (_, count) => {
          if (count === 1 && end === 'stopped') stop.abort()
          if (count === 1) throw networkError('ECONNRESET')
          if (end === 'throttled') return status(429, { 'retry-after': '3600' })
          throw networkError(end)
        },
        { signal: stop.signal },
      )
      expect(await failureFrom(io.fetch(ORIGIN, KEYED))).toMatchObject({
        kind: 'unavailable',
        committed: 'unknown',
      })
    },
  )
})

describe('the network', () => {
  it.each([
    ['ECONNREFUSED', 'POST', 'no'],
    ['ENOTFOUND', 'POST', 'no'],
    ['EAI_AGAIN', 'POST', 'no'],
    ['ECONNRESET', 'POST', 'unknown'],
    ['ECONNRESET', 'PUT', 'unknown'],
    ['ECONNRESET', 'GET', 'no'],
  ])('%s on a %s: committed is %s', async (code, method, committed) => {
    const { io } = world(() => Promise.reject(networkError(code)))
    const failure = await failureFrom(io.fetch(ORIGIN, { method }))
    expect(failure).toMatchObject({ kind: 'unavailable', committed })
    expect(failure.message).toContain(code)
  })

  it('treats a time-out like a lost connection', async () => {
    const { io } = world(() => Promise.reject(new DOMException('too slow', 'TimeoutError')))
    expect(await failureFrom(io.fetch(ORIGIN, { method: 'POST' }))).toMatchObject({ committed: 'unknown' })
  })

  it('does not wait longer than its time limit, even where the transport hangs', async () => {
    const { io } = world(() => new Promise<Response>(() => undefined), { timeoutMs: 5 })
    const failure = await failureFrom(io.fetch(ORIGIN, { method: 'POST' }))
    expect(failure).toMatchObject({ kind: 'unavailable', committed: 'unknown' })
    expect(failure.message).toContain('5 ms')
  })

  it('treats a body that is cut off like a lost connection', async () => {
    const cut = () => {
      let sent = 0
      return new Response(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            if (sent++ === 0) controller.enqueue(new TextEncoder().encode('{"half'))
            else controller.error(networkError('UND_ERR_SOCKET'))
          },
        }),
      )
    }
    const { io, seen } = world((_, count) => (count === 1 ? cut() : ok()))
    expect(await (await io.fetch(ORIGIN)).json()).toEqual({ ok: true })
    expect(seen).toHaveLength(2)
    const post = world(cut)
    expect(await failureFrom(post.io.fetch(ORIGIN, { method: 'POST' }))).toMatchObject({
      committed: 'unknown',
    })
  })

  it('refuses a body above 64 MB, before it is all in memory', async () => {
    let sent = 0
    const huge = () =>
      new Response(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            sent += 2 ** 20
            controller.enqueue(new Uint8Array(2 ** 20))
          },
        }),
      )
    const { io, seen } = world(huge)
    const failure = await failureFrom(io.fetch(ORIGIN))
    expect(failure).toMatchObject({ kind: 'malformed', committed: 'no' })
    expect(failure.message).toContain('64 MB')
    expect([seen.length, sent < 70 * 2 ** 20]).toEqual([1, true])
  })
})

describe('a vendor that asks to wait', () => {
  it.each([
    ['seconds', '3'],
    ['an HTTP date', new Date(START + 3000).toUTCString()],
  ])('is waited for when it names %s, whatever the method', async (_, text) => {
    const { io, seen, stats } = world((__, count) =>
      count === 1 ? status(429, { 'retry-after': text }) : ok(),
    )
    await io.fetch(ORIGIN, { method: 'POST', body: 'a' })
    expect(seen.map(({ at }) => at - START)).toEqual([0, 3000])
    expect(stats).toEqual({ requests: 2, throttled: 1, retries: 1 })
  })

  it('holds back the other requests of the connection too', async () => {
    const { io, seen } = world((_, count) => (count === 1 ? status(429, { 'retry-after': '3' }) : ok()))
    const first = io.fetch(`${ORIGIN}/first`)
    await new Promise(setImmediate)
    await Promise.all([first, io.fetch(`${ORIGIN}/second`)])
    expect(seen.slice(1).map(({ at }) => at - START)).toEqual([3000, 3000])
  })

  it('is not waited for beyond 20 seconds: the pause is kept, and the call fails at once', async () => {
    const { io, seen, paused, clock } = world(() => status(429, { 'retry-after': '21' }))
    const failure = await failureFrom(io.fetch(ORIGIN))
    expect(failure).toMatchObject({ kind: 'throttled', retryAt: START + 21_000 })
    expect([paused, clock.slept, seen.length]).toEqual([[START + 21_000], [], 1])
  })

  it('is not waited for beyond 20 seconds in sum', async () => {
    const { io, seen, paused } = world(() => status(429, { 'retry-after': '8' }))
    await failureFrom(io.fetch(ORIGIN))
    expect(seen.map(({ at }) => at - START)).toEqual([0, 8000, 16_000])
    expect(paused).toEqual([START + 24_000])
  })

  it('gets no request while paused, and one after it', async () => {
    const { io, seen, clock } = world((_, count) =>
      count === 1 ? status(429, { 'retry-after': '60' }) : ok(),
    )
    await failureFrom(io.fetch(ORIGIN))
    expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ kind: 'throttled', retryAt: START + 60_000 })
    expect(seen).toHaveLength(1)
    await clock.sleep(60_000)
    expect((await io.fetch(ORIGIN)).status).toBe(200)
  })
})

describe('limits', () => {
  const maxInWindow = (times: readonly number[], windowMs: number) =>
    Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length))

  it('keeps to permits in any window, and uses at least 95 % of them', async () => {
    const { io, seen } = world(ok, { limits: [{ permits: 10, windowMs: 1000 }] })
    await Promise.all(Array.from({ length: 300 }, () => io.fetch(ORIGIN)))
    const times = seen.map(({ at }) => at)
    expect(maxInWindow(times, 1000)).toBe(10)
    expect((times.at(-1) ?? 0) - START).toBeLessThan(30_000 / 0.95)
  })

  it('keeps to several windows and to what runs at once, together', async () => {
    const clock = testClock()
    let running = 0
    let most = 0
    const slow = async () => {
      most = Math.max(most, ++running)
      await clock.sleep(900)
      running -= 1
      return ok()
    }
    const limits = [{ permits: 5, windowMs: 1000 }, { permits: 20, windowMs: 60_000 }, { concurrent: 3 }]
    const { io, seen } = world(slow, { clock, limits })
    await Promise.all(Array.from({ length: 40 }, () => io.fetch(ORIGIN)))
    const times = seen.map(({ at }) => at)
    expect(most).toBe(3)
    expect(maxInWindow(times, 1000)).toBeLessThanOrEqual(5)
    expect(maxInWindow(times, 60_000)).toBe(20)
  })
})

describe('a graceful stop', () => {
  it('lets a running request finish', async () => {
    const stop = new AbortController()
    const { io } = world(
      () => {
        stop.abort()
        return ok()
      },
      { signal: stop.signal },
    )
    expect((await io.fetch(ORIGIN)).status).toBe(200)
  })

  it('sends nothing more', async () => {
    const { io, seen } = world(ok, { signal: AbortSignal.abort() })
    expect(await failureFrom(io.fetch(ORIGIN))).toMatchObject({ kind: 'unavailable', committed: 'no' })
    expect(seen).toHaveLength(0)
  })

  it('ends the wait for a slot, for the pace and for the next attempt', async () => {
    const stop = new AbortController()
    let release = () => {}
    const held = new Promise<Response>((resolve) => {
      release = () => resolve(ok())
    })
    const slots = world(() => held, { signal: stop.signal, limits: [{ concurrent: 1 }] })
    const running = slots.io.fetch(ORIGIN)
    const queued = failureFrom(slots.io.fetch(ORIGIN))
    const paced = world(ok, {
      signal: stop.signal,
      limits: [{ permits: 1, windowMs: 3_600_000 }],
      clock: frozen(),
    })
    await paced.io.fetch(ORIGIN)
    const second = failureFrom(paced.io.fetch(ORIGIN))
    const retried = world(() => status(503), { signal: stop.signal, clock: frozen() })
    const next = failureFrom(retried.io.fetch(ORIGIN))
    await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    for (const failure of [await queued, await second, await next]) {
      expect(failure).toMatchObject({ kind: 'unavailable', committed: 'no' })
    }
    release()
    expect((await running).status).toBe(200)
    expect([slots.seen.length, paced.seen.length, retried.seen.length]).toEqual([1, 1, 1])
  })

  /** Time stands still: only an abort ends a sleep. */
  function frozen() {
    return {
      slept: [],
      now: () => START,
      sleep: (_: number, signal?: AbortSignal) =>
        new Promise<void>((__, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('aborted')))
        }),
    }
  }
})
