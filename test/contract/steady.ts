import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import path from 'node:path'
import type { Sent } from './record.ts'

const require = createRequire(import.meta.url)
const FORMS = ['form-object', 'query-object', 'form-array', 'query-array'].map(
  (what) => `--validator-${what}-format=brackets`,
)

/** A server made of a vendor's description by somebody else: it answers 400, naming the field, to what does not fit. */
export async function serveDescription(file: string, how: 'brackets' | 'as described') {
  const port = await freePort()
  const folder = path.dirname(require.resolve('@stdy/cli/package.json'))
  const flags = how === 'brackets' ? FORMS : []
  const child = spawn(
    process.execPath,
    [path.join(folder, 'steady.js'), '-p', String(port), '-q', ...flags, file],
    {
      stdio: 'ignore',
    },
  )
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = `http://127.0.0.1:${port}`
  await answering(url)
  return {
    /** Null: it fits. */
    async refusal({ method, path: at, query, contentType, body }: Sent): Promise<string | null> {
      const reply = await fetch(`${url}${at}${query === '' ? '' : `?${query}`}`, {
        method,
        headers: {
          authorization: 'Bearer any',
          ...(contentType === null ? {} : { 'content-type': contentType }),
        },
        ...(body === '' ? {} : { body }),
      })
      const text = await reply.text()
      return reply.status >= 400 ? `${method} ${at}: ${reply.status} ${text.slice(0, 300)}` : null
    },
    async close() {
      child.kill()
      await exited
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    )
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('The server of the description does not answer')
}
