import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Hono } from 'hono'
import { isLostReply } from './lost-reply.ts'

export type ServedSandbox = { readonly url: string; close(): Promise<void> }

/**
 * Serves a sandbox on 127.0.0.1; port 0 takes a free one. `close` does not wait for idle keep-alive
 * connections, nor for requests that hang: it destroys them.
 */
export async function serveSandbox(app: Hono, port = 0): Promise<ServedSandbox> {
  const server = createAdaptorServer({
    overrideGlobalObjects: false,
    fetch: async (request, env) => {
      const response = await app.fetch(request, env)
      if (!isLostReply(response)) return response
      destroySocket(env)
      return RESPONSE_ALREADY_SENT
    },
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The sandbox has no TCP address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}

function destroySocket(env: object): void {
  if (hasHttp1(env)) env.incoming.socket.destroy()
}

function hasHttp1(env: object): env is HttpBindings {
  return 'incoming' in env
}
