import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Logger } from 'pino'
import type { Hub } from '../runtime/hub.ts'
import { createApp } from './app.ts'

/** A client that sends its request slower than this is let go. */
const REQUEST_MS = 30_000
/** What still runs after this is cut off at a stop. */
const GRACE_MS = 10_000
const LOOK_MS = 25

export type ServeOptions = { readonly host: string; readonly port: number; readonly log: Logger }
export type Serving = {
  readonly url: string
  /** Requests from now on are answered by this hub; those under way by the one they began with. */
  use(hub: Hub): void
  close(): Promise<void>
}

/** Port 0 takes a free one. `close` takes no more requests and resolves when the running ones are answered. */
export async function serveHttp(
  booted: { readonly hub: Hub },
  { host, port, log }: ServeOptions,
): Promise<Serving> {
  let app = createApp({ hub: booted.hub, log })
  const answer = getRequestListener((request, env) => app.fetch(request, env))
  const limits = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }
  const server = createServer(limits, (request, response) => void answer(request, response))
  await listening(server, host, port)
  const bound = server.address()
  const at = typeof bound === 'object' && bound !== null ? bound.port : port
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${at}`
  log.info({ url }, 'listening')
  let closed: Promise<void> | null = null
  return {
    url,
    use(hub) {
      app = createApp({ hub, log })
    },
    close: () => (closed ??= stop(server)),
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
    server.listen(port, host, () => resolve())
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const fixes: Readonly<Record<string, string>> = {
    EADDRINUSE: 'Something else listens there. Fix: stop it, or choose another port.',
    EACCES: 'Ports below 1024 need special rights. Fix: choose a higher port.',
    EADDRNOTAVAIL: 'This machine has no such address. Fix: use 127.0.0.1, or 0.0.0.0 for every address.',
  }
  const why = fixes[error.code ?? ''] ?? error.message
  return new Error(`Cannot listen on ${host}:${port}. ${why}`, { cause: error })
}

/** Kept-alive sockets fall idle only when their last answer is out, so idle ones are closed again and again. */
function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const sweep = setInterval(() => server.closeIdleConnections(), LOOK_MS)
    const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS)
    server.close(() => {
      clearInterval(sweep)
      clearTimeout(cut)
      resolve()
    })
  })
}
