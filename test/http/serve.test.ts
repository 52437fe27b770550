import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serveHttp, type Serving } from '../../src/http/serve.ts'
import { memoryLog, openApi, type Api } from './support.ts'

let api: Api
let serving: Serving
beforeEach(async () => {
  api = await openApi()
  serving = await serveHttp({ hub: api.world.hub }, { host: '127.0.0.1', port: 0, log: memoryLog().log })
})
afterEach(async () => {
  await serving.close()
  await api.close()
})

describe('the probes', () => {
  test('a hub that can work is alive and ready', async () => {
    expect(await (await api.app.request('/healthz')).json()).toEqual({ status: 'ok' })
    const ready = await api.app.request('/readyz')
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }])
  })

  test('work that no worker takes makes it not ready; work behind a running job does not', async () => {
    const { sql } = api.world.db
    await sql`select graphile_worker.add_job('push', '{}', queue_name := 'connection:a', run_at := now() - interval '1 hour')`
    const stuck = await api.app.request('/readyz')
    expect([stuck.status, await stuck.json()]).toEqual([
      503,
      {
        status: 'not ready',
        reasons: ['One job waits for more than 10 minutes. Fix: see that `concord worker` runs.'],
      },
    ])
    await sql`select graphile_worker.add_job('sync', '{}', queue_name := 'connection:a')`
    await sql`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'w' where task_id =
      (select id from graphile_worker._private_tasks where identifier = 'sync')`
    expect((await api.app.request('/readyz')).status).toBe(200)
  })

  test('an older database makes it not ready', async () => {
    await api.world.db.sql`delete from drizzle.__drizzle_migrations`
    const old = await api.app.request('/readyz')
    expect([old.status, await old.text()]).toEqual([503, expect.stringContaining('concord migrate')])
  })

  test('a database that is gone makes it not ready, but alive', async () => {
    await api.world.db.close()
    const gone = await api.app.request('/readyz')
    expect([gone.status, await gone.json()]).toEqual([
      503,
      { status: 'not ready', reasons: ['The database does not answer.'] },
    ])
    expect((await api.app.request('/healthz')).status).toBe(200)
  })

  test('what fails inside is answered without its cause, which the log has', async () => {
    await api.world.db.close()
    const { status, body, headers } = await api.call('GET', '/api/contacts')
    expect([status, body['title']]).toEqual([500, 'Something went wrong in Concord'])
    expect(body['detail']).toContain(String(headers.get('x-request-id')))
    expect(JSON.stringify(body)).not.toContain('CONNECTION')
    expect(api.logged.join('')).toContain('CONNECTION')
  })
})

describe('the server', () => {
  test('answers over a socket, and says 413 to a body that is too large', async () => {
    expect((await fetch(`${serving.url}/healthz`)).status).toBe(200)
    const large = await fetch(`${serving.url}/webhooks/stripe`, {
      method: 'POST',
      body: 'x'.repeat(2_000_000),
    })
    expect(large.status).toBe(413)
  })

  test('stops while idle connections are kept alive', async () => {
    const agent = new Agent({ keepAlive: true })
    await new Promise<void>((resolve, reject) => {
      request(`${serving.url}/healthz`, { agent }, (response) => {
        response.resume().once('end', resolve)
      })
        .once('error', reject)
        .end()
    })
    const startedAt = performance.now()
    await serving.close()
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    await expect(fetch(`${serving.url}/healthz`)).rejects.toThrow('fetch failed')
    agent.destroy()
  })

  test('answers what runs before it stops', async () => {
    const { sql } = api.world.db
    const lock = await sql.reserve()
    await lock`begin`
    await lock`lock table api_tokens in access exclusive mode`
    const running = fetch(`${serving.url}/api/contacts`, {
      headers: { authorization: `Bearer ${api.token}` },
    })
    await wait(100)
    const closing = serving.close()
    await lock`commit`
    lock.release()
    expect((await running).status).toBe(200)
    await closing
  })

  test('a request that is broken off harms nobody', async () => {
    const { port, hostname } = new URL(serving.url)
    const socket = connect(Number(port), hostname)
    socket.write('POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{')
    await wait(50)
    socket.destroy()
    await wait(50)
    expect((await fetch(`${serving.url}/readyz`)).status).toBe(200)
  })

  test('a port that is taken is named with what to do', async () => {
    const port = Number(new URL(serving.url).port)
    await expect(
      serveHttp({ hub: api.world.hub }, { host: '127.0.0.1', port, log: memoryLog().log }),
    ).rejects.toThrow(`Cannot listen on 127.0.0.1:${port}. Something else listens there.`)
  })
})
