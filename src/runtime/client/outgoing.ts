import type { Fetch } from '../../connectors/connector.ts'

/** A request that can be sent more than once: its body is in memory. */
export type Outgoing = {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer> | null
  /** Asked for with `credentials: 'omit'`: a download link that is signed by itself. */
  readonly anonymous: boolean
  /** False for `redirect: 'error'`: a redirect is then a failure. */
  readonly follows: boolean
  /** Gives way to others. */
  readonly isLow: boolean
  /** The caller's own wish to stop. */
  readonly signal: AbortSignal | null
}

/**
 * Reads whatever the standard `fetch` takes. The priority is in `init` only: a `Request` does not tell its own.
 * Throws a `TypeError` for what no `fetch` takes; without its cause, which may quote a header or a URL with a secret.
 */
export async function outgoing(...[input, init]: Parameters<Fetch>): Promise<Outgoing> {
  const request = standardRequest(input, init)
  return {
    method: request.method.toUpperCase(),
    url: new URL(request.url),
    headers: request.headers,
    body: request.body === null ? null : new Uint8Array(await request.arrayBuffer()),
    anonymous: request.credentials === 'omit',
    follows: request.redirect === 'follow',
    isLow: init?.priority === 'low',
    signal: init?.signal ?? (input instanceof Request ? input.signal : null),
  }
}

function standardRequest(input: string | URL | Request, init?: RequestInit): Request {
  try {
    return new Request(input, { ...init, signal: null })
  } catch {
    throw new TypeError(
      'A request is not valid: look for user info in its URL, and for line breaks in its headers or credentials.',
    )
  }
}

export const isRead = (method: string) => method === 'GET' || method === 'HEAD'

/** Sending it twice does what sending it once does: https://www.rfc-editor.org/rfc/rfc9110#idempotent.methods */
export const isIdempotent = (method: string) => isRead(method) || method === 'PUT' || method === 'DELETE'

/** The vendor recognises a repetition. */
export const isKeyed = (request: Outgoing) => (request.headers.get('idempotency-key') ?? '') !== ''
