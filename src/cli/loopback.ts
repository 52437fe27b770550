import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Authorisation } from '../runtime/authorise.ts'
import { CliError, EXIT, failure } from './exit.ts'

const PATH = '/oauth/callback'
const WAIT_MS = 10 * 60_000

/**
 * Has a person allow access in a browser, and takes the answer in at a port of this machine alone:
 * https://www.rfc-editor.org/rfc/rfc8252#section-7.3. `port` 0 takes a free one. What is not the answer to our question
 * is turned away, and waited on.
 */
export async function allowedInBrowser<T>(options: {
  readonly port: number
  readonly stopping: AbortSignal
  begin(redirectUri: string): Authorisation
  tell(url: string): void
  finish(authorisation: Authorisation, redirected: URL): Promise<T>
}): Promise<T> {
  const server = createServer()
  const waiting = new AbortController()
  try {
    const redirectUri = await listening(server, options.port)
    const authorisation = options.begin(redirectUri)
    const answered = answerOf(server, redirectUri, authorisation)
    options.tell(authorisation.url)
    const { at, response } = await Promise.race([answered, givenUp(options.stopping, waiting.signal)])
    try {
      const allowed = await options.finish(authorisation, at)
      answer(response, 200, 'Concord has what it needs. You may close this window.')
      return allowed
    } catch (error) {
      answer(response, 400, 'That did not work. Concord says why where the command was run.')
      throw error
    }
  } finally {
    waiting.abort()
    server.close()
    server.closeIdleConnections()
  }
}

type Answered = { readonly at: URL; readonly response: ServerResponse }

/** The first request that is the answer. */
function answerOf(server: Server, redirectUri: string, authorisation: Authorisation): Promise<Answered> {
  return new Promise((resolve) => {
    let isAnswered = false
    server.on('request', (request, response) => {
      const at = addressOf(request, redirectUri)
      if (at === null || isAnswered) return answer(response, 404, 'There is nothing at this address.')
      if (!authorisation.isAnswer(at))
        return answer(
          response,
          400,
          'This is not the answer to what Concord asked. Open the address it shows.',
        )
      isAnswered = true
      resolve({ at, response })
    })
  })
}

/** Rejects when nobody comes, or the command is stopped; silent once `over` aborts. */
function givenUp(stopping: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(
      () =>
        reject(
          failure('Nobody allowed access within ten minutes. Nothing was saved.', 'Run the command again.'),
        ),
      WAIT_MS,
    )
    const stop = () => reject(new CliError(EXIT.stopped, 'Nothing was done.'))
    stopping.addEventListener('abort', stop, { once: true, signal: over })
    over.addEventListener('abort', () => clearTimeout(timer), { once: true })
    if (stopping.aborted) stop()
  })
}

function listening(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${portOf(server.address())}${PATH}`))
  })
}

const portOf = (address: AddressInfo | string | null): number =>
  address === null || typeof address === 'string' ? 0 : address.port

function addressOf({ method, url = '' }: IncomingMessage, redirectUri: string): URL | null {
  if (method !== 'GET' || !URL.canParse(url, redirectUri)) return null
  const at = new URL(url, redirectUri)
  return at.pathname === PATH ? at : null
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    connection: 'close',
  })
  response.end(`${text}\n`)
}
