import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** An error as Graph words it: https://learn.microsoft.com/en-us/graph/errors */
export class GraphError extends Error {
  readonly status: ContentfulStatusCode
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

export type Trace = { readonly requestId: string; readonly clientRequestId: string; readonly at: number }

export function errorResponse({ status, code, message, headers }: GraphError, trace: Trace): Response {
  const innerError = {
    date: new Date(trace.at).toISOString().slice(0, 19),
    'request-id': trace.requestId,
    'client-request-id': trace.clientRequestId,
  }
  return new Response(JSON.stringify({ error: { code, message, innerError } }), {
    status,
    headers: { 'content-type': 'application/json', 'request-id': trace.requestId, ...headers },
  })
}

export const badRequest = (message: string, code = 'BadRequest'): GraphError =>
  new GraphError(400, code, message)

export const itemNotFound = (): GraphError =>
  new GraphError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.')

export const folderNotFound = (): GraphError =>
  new GraphError(404, 'ErrorFolderNotFound', 'The specified folder could not be found in the store.')

export const noSuchPath = (segment: string): GraphError =>
  badRequest(`Resource not found for the segment '${segment}'.`)

export const accessDenied = (): GraphError =>
  new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.')

export const staleChangeKey = (): GraphError =>
  new GraphError(
    412,
    'ErrorIrresolvableConflict',
    'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.',
  )
