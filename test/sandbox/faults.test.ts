import { Hono } from 'hono'
import { afterEach, describe, expect, test } from 'vitest'
import { faultMiddleware, sandboxFetch, type Fault, type FaultSwitch } from '../../src/sandbox/faults.ts'
import { idSource } from '../../src/sandbox/ids.ts'
import { concurrencyLimit, rateLimit } from '../../src/sandbox/rate-limit.ts'
import { serveSandbox, type ServedSandbox } from '../../src/sandbox/serve.ts'

/** A vendor that counts what it committed. */
function countingVendor(fault: Fault | null) {
  const faults: FaultSwitch = { plan: () => fault, fired: new Map() }
  const vendor = { commits: 0, slept: 0, faults, app: new Hono() }
  const sleep = async (ms: number): Promise<void> => {
    vendor.slept += ms
  }
  vendor.app.use(faultMiddleware(faults, sleep))
  vendor.app.post('/things', (c) => {
    vendor.commits += 1
    return c.json({ id: 1, name: 'a thing' }, 201, { 'x-vendor': 'yes' })
  })
  return vendor
}

const post = { method: 'POST', body: '{}' }

describe('faults in the same process', () => {
  test('no fault: the reply passes untouched', async () => {
    const vendor = countingVendor(null)
    const response = await sandboxFetch(vendor.app)('http://vendor/things', post)
    expect([response.status, await response.json()]).toEqual([201, { id: 1, name: 'a thing' }])
    expect(vendor.faults.fired.size).toBe(0)
  })

  test('a status is answered before anything happened, with its headers and body', async () => {
    const headers = { 'retry-after': '7' }
    const vendor = countingVendor({ kind: 'status', status: 429, headers, body: 'slow down' })
    const response = await sandboxFetch(vendor.app)('http://vendor/things', post)
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7'])
    expect(await response.text()).toBe('slow down')
    expect([vendor.commits, vendor.faults.fired.get('status')]).toEqual([0, 1])
  })

  test('after-commit: the vendor did it, and says it did not', async () => {
    const vendor = countingVendor({ kind: 'after-commit', status: 502 })
    const response = await sandboxFetch(vendor.app)('http://vendor/things', post)
    expect([response.status, await response.text(), vendor.commits]).toEqual([502, '', 1])
    expect(response.headers.get('x-vendor')).toBeNull()
  })

  test.each([
    ['timeout-before', 0],
    ['timeout-after-commit', 1],
  ] as const)('%s rejects with a TimeoutError after %i commits', async (kind, commits) => {
    const vendor = countingVendor({ kind })
    const call = sandboxFetch(vendor.app)('http://vendor/things', post)
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(vendor.commits).toBe(commits)
  })

  test('html: a 200 that is no JSON, and nothing happened', async () => {
    const vendor = countingVendor({ kind: 'html' })
    const response = await sandboxFetch(vendor.app)('http://vendor/things', post)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect([response.status, vendor.commits]).toEqual([200, 0])
  })

  test('truncated: committed, but the JSON is cut', async () => {
    const vendor = countingVendor({ kind: 'truncated' })
    const response = await sandboxFetch(vendor.app)('http://vendor/things', post)
    expect([response.status, vendor.commits]).toEqual([201, 1])
    await expect(response.json()).rejects.toThrow(SyntaxError)
  })

  test('slow: waits on the given clock, then answers', async () => {
    const vendor = countingVendor({ kind: 'slow', ms: 30_000 })
    const response = await sandboxFetch(vendor.app)('http://vendor/things', post)
    expect([response.status, vendor.slept, vendor.commits]).toEqual([201, 30_000, 1])
  })

  test('an aborted call rejects with the reason of the abort', async () => {
    const vendor = countingVendor(null)
    const signal = AbortSignal.abort(new Error('stopped'))
    await expect(sandboxFetch(vendor.app)('http://vendor/things', { ...post, signal })).rejects.toThrow(
      'stopped',
    )
    expect(vendor.commits).toBe(0)
  })
})

describe('faults over HTTP', () => {
  let served: ServedSandbox | null = null
  afterEach(() => served?.close())

  test.each([
    ['timeout-before', 0],
    ['timeout-after-commit', 1],
  ] as const)('%s destroys the socket after %i commits', async (kind, commits) => {
    const vendor = countingVendor({ kind })
    served = await serveSandbox(vendor.app)
    await expect(fetch(`${served.url}/things`, post)).rejects.toThrow('fetch failed')
    expect(vendor.commits).toBe(commits)

    vendor.faults.plan = null
    expect((await fetch(`${served.url}/things`, post)).status).toBe(201)
  })

  test('a truncated body arrives whole as HTTP, cut as JSON', async () => {
    served = await serveSandbox(countingVendor({ kind: 'truncated' }).app)
    const response = await fetch(`${served.url}/things`, post)
    await expect(response.json()).rejects.toThrow(SyntaxError)
  })

  test('closing does not wait for requests that hang', async () => {
    const arrived = Promise.withResolvers<void>()
    const app = new Hono().get('/hang', () => {
      arrived.resolve()
      return new Promise<Response>(() => {})
    })
    served = await serveSandbox(app)
    const hanging = fetch(`${served.url}/hang`).catch((error: unknown) => error)
    await arrived.promise
    await served.close()
    served = null
    expect(await hanging).toMatchObject({ message: 'fetch failed' })
  })
})

describe('limits', () => {
  test('a sliding window admits again as soon as the oldest request leaves it', async () => {
    let now = 0
    const limit = rateLimit({ now: () => now, permits: 2, windowMs: 1000 })
    const app = new Hono().use(limit).get('/', (c) => c.text('ok'))
    const statusAt = async (at: number): Promise<number> => {
      now = at
      return (await app.request('/')).status
    }
    expect([await statusAt(0), await statusAt(600), await statusAt(999)]).toEqual([200, 200, 429])
    expect([await statusAt(1000), await statusAt(1001)]).toEqual([200, 429])
    expect([limit.allowed, limit.refused]).toEqual([3, 2])
  })

  test('a refusal says how many seconds to wait', async () => {
    const app = new Hono()
      .use(rateLimit({ now: () => 0, permits: 0, windowMs: 2500 }))
      .get('/', (c) => c.text('ok'))
    expect((await app.request('/')).headers.get('retry-after')).toBe('3')
  })

  test('only so many requests run at the same time', async () => {
    const limit = concurrencyLimit({ max: 2 })
    const gate = Promise.withResolvers<void>()
    const app = new Hono().use(limit).get('/', async (c) => {
      await gate.promise
      return c.text('ok')
    })
    const request = async (): Promise<Response> => app.request('/')
    const running = [request(), request(), request()]
    expect((await running[2])?.status).toBe(429)
    gate.resolve()
    expect((await Promise.all(running)).map((response) => response.status)).toEqual([200, 200, 429])
    expect((await app.request('/')).status).toBe(200)
    expect([limit.allowed, limit.refused]).toEqual([3, 1])
  })
})

test('the same seed gives the same ids', () => {
  const ids = () => idSource(() => 0.5)
  expect(ids().hex(6)).toBe('888888')
  expect(ids().uuid()).toBe('88888888-8888-8888-8888-888888888888')
})
