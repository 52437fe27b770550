import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { freePort } from '../support/port.ts'
import { type Description, named } from './description.ts'
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

/** Of each operation one request for every set of `fields`. */
export function oneOfEach(
  description: Description,
  all: readonly Sent[],
  fields: (one: Sent) => readonly string[],
): readonly Sent[] {
  const kind = (one: Sent) => `${named(description, one)} ${fields(one).join()}`
  return [...new Map(all.map((one) => [kind(one), one])).values()]
}

export async function refusals(
  server: Awaited<ReturnType<typeof serveDescription>>,
  all: readonly Sent[],
): Promise<readonly string[]> {
  const found: string[] = []
  for (const one of all) {
    const refusal = await server.refusal(one)
    if (refusal !== null) found.push(refusal)
  }
  return found
}

export const queryFields = ({ query }: Sent): readonly string[] => [...new URLSearchParams(query).keys()]

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
