/**
 * A reply that never arrives.
 *
 * Middleware cannot cut a connection by itself, so it answers with a marked response, and whoever carries
 * the response to the caller turns the mark into the real thing: `sandboxFetch` rejects with a TimeoutError,
 * `serveSandbox` destroys the socket. A caller never sees the mark.
 */
const MARK = 'x-sandbox-lost-reply'

export function lostReply(): Response {
  return new Response(null, { status: 504, headers: { [MARK]: '1' } })
}

export function isLostReply(response: Response): boolean {
  return response.headers.has(MARK)
}
