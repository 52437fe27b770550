import { Writable } from 'node:stream'
import { pino, type Logger } from 'pino'
import { expect } from 'vitest'
import type { Json } from '../../src/core/json.ts'
import { createApp } from '../../src/http/app.ts'
import { createToken } from '../../src/store/api-tokens.ts'
import { openWorld, type World, type WorldOptions } from '../support/world.ts'

type Body = { readonly [name: string]: unknown }
export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
  readonly text: string
}

export type Api = {
  readonly world: World
  readonly app: ReturnType<typeof createApp>
  readonly token: string
  /** Every line that was logged, as text. */
  readonly logged: string[]
  /** A call with the token; an object is sent as JSON, text as it is. */
  call(method: string, path: string, body?: Json, headers?: Record<string, string>): Promise<Answer>
  close(): Promise<void>
}

export function memoryLog(): { readonly log: Logger; readonly logged: string[] } {
  const logged: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(chunk.toString())
      done()
    },
  })
  return { log: pino({ level: 'trace' }, stream), logged }
}

/** The API over a hub of its own with sandbox vendors. */
export async function openApi(options: WorldOptions = {}): Promise<Api> {
  const world = await openWorld(options)
  const { log, logged } = memoryLog()
  const app = createApp({ hub: world.hub, log })
  const { token } = await createToken(world.db.sql, 'crm-import')
  return {
    world,
    app,
    token,
    logged,
    async call(method, path, body, headers = {}) {
      const sent = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
      const response = await app.request(path, {
        method,
        body: sent,
        headers: {
          authorization: `Bearer ${token}`,
          ...(sent === null ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      })
      return answerOf(response)
    },
    close: () => world.close(),
  }
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  if (response.status >= 400) expect(response.headers.get('content-type')).toBe('application/problem+json')
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : {}, text }
}
