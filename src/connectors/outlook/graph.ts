import { Client, type Context, type GraphRequest, ResponseType } from '@microsoft/microsoft-graph-client'
import type { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import { failureOf, type Io, VendorError } from '../connector.ts'
import { sendable } from '../vendor-words.ts'
import { GRAPH, originOf } from './settings.ts'
import { page } from './wire.ts'

/** One request; `to` is a path below `/v1.0`, or a link that `askPage` gave, which is followed as it is. */
export type Call = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly to: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: JsonObject
  /** For `If-Match`. */
  readonly version?: string | null
  readonly pageSize?: number
  /** Leaves room for others. */
  readonly low?: boolean
}

/**
 * Ids that stay when a message moves, on every request: a link made without it would bring the other ids.
 * https://learn.microsoft.com/en-us/graph/outlook-immutable-id
 */
const IMMUTABLE = 'IdType="ImmutableId"'

/** Sends and parses. A 2xx reply that is not what it should be (HTML, cut short) is thrown as `malformed`. */
export async function ask<T>(io: Io, call: Call, schema: z.ZodType<T>): Promise<T> {
  const text = new TextDecoder().decode(await bytes(io, call))
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw malformed(call, 'it is not JSON.')
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw malformed(call, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

/** A page of a list. `next` goes on with it, `done` says where its next round begins; one is null, or both. */
export type Listed = {
  readonly value: readonly unknown[]
  readonly next: string | null
  readonly done: string | null
}

export async function askPage(io: Io, call: Call): Promise<Listed> {
  const { value, ...links } = await ask(io, call, page)
  const origin = originOf(io)
  const link = (given: string | undefined) => (given === undefined ? null : linkOf(given, origin, call))
  return { value, next: link(links['@odata.nextLink']), done: link(links['@odata.deltaLink']) }
}

/**
 * A page of messages. Their texts come along, so one page may be more than can be taken in at once: then it is asked for
 * in smaller ones, as one long text must not hold up the mailbox.
 */
export async function gently<T>(ask: (pageSize: number) => Promise<T>, pageSize: number): Promise<T> {
  for (const size of [pageSize, FEW]) {
    try {
      return await ask(size)
    } catch (error) {
      if (failureOf(error)?.kind !== 'malformed') throw error
    }
  }
  return ask(1)
}
const FEW = 5

/** A page of delta, which says in any case how to go on. */
export async function askDelta(io: Io, call: Call): Promise<Listed & { readonly link: string }> {
  const read = await askPage(io, call)
  const link = read.next ?? read.done
  if (link === null) throw malformed(call, 'it has neither a nextLink nor a deltaLink.')
  return { ...read, link }
}

/** Sends; the body as it came. */
export async function bytes(io: Io, call: Call): Promise<Uint8Array> {
  const response = await send(io, call)
  try {
    return new Uint8Array(await response.arrayBuffer())
  } catch (error) {
    if (failureOf(error) !== null) throw error
    throw malformed(call, 'it broke off.')
  }
}

/**
 * Through the SDK with one middleware of ours: its handlers for retries, redirects and tokens are left out, as the
 * runtime owns them. The SDK wraps what a middleware throws and loses its cause, so the failure is kept here.
 */
async function send(io: Io, call: Call): Promise<Response> {
  const origin = originOf(io)
  const link = isLink(call.to) ? call.to : null
  let failure: unknown = null
  const execute = async (context: Context) => {
    const given: unknown = context.request
    const built = new URL(typeof given === 'string' ? given : '')
    try {
      const { body } = context.options ?? {}
      context.response = await io.fetch(`${origin}${link ?? `${built.pathname}${built.search}`}`, {
        method: call.method,
        headers: headersOf(call),
        ...(typeof body === 'string' ? { body } : {}),
        ...(call.low === true ? { priority: 'low' } : {}),
      })
    } catch (error) {
      failure = error
      throw error
    }
  }
  // Built anew for each request: it keeps nothing between connections.
  const client = Client.initWithMiddleware({ baseUrl: `${GRAPH}/`, middleware: { execute } })
  const request = client.api(link === null ? call.to : '/').responseType(ResponseType.RAW)
  for (const [name, value] of Object.entries(call.query ?? {}))
    request.query({ [name]: name === '$select' ? value : encodeURIComponent(value) })
  try {
    const response: unknown = await sent(request, call)
    if (response instanceof Response) return response
  } catch (error) {
    throw failure ?? error
  }
  throw malformed(call, 'there is none.')
}

function sent(request: GraphRequest, call: Call): Promise<unknown> {
  const body = sendable(call.body ?? {})
  switch (call.method) {
    case 'GET':
      return request.get()
    case 'POST':
      return request.post(body)
    case 'PATCH':
      return request.patch(body)
    case 'DELETE':
      return request.delete()
  }
}

function headersOf(call: Call): Record<string, string> {
  const prefer = call.pageSize === undefined ? IMMUTABLE : `${IMMUTABLE}, odata.maxpagesize=${call.pageSize}`
  return {
    prefer,
    accept: 'application/json',
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(call.version ? { 'if-match': call.version } : {}),
  }
}

/**
 * A link as path and query, exactly as given. It carries its own address, and a token would go there: only Graph's own
 * host will do.
 */
function linkOf(given: string, origin: string, call: Call): string {
  const url = URL.canParse(given) ? new URL(given) : null
  const own = url === null ? '' : given.slice(url.origin.length)
  if (url !== null && (url.origin === GRAPH || url.origin === origin) && isLink(own)) return own
  throw malformed(call, 'its link to the next page leads to another host.')
}

const isLink = (to: string) => to.startsWith('/v1.0/')

function malformed(call: Call, problem: string): VendorError {
  const where = isLink(call.to) ? 'a next page' : call.to
  return new VendorError({
    kind: 'malformed',
    committed: call.method === 'GET' ? 'no' : 'unknown',
    message: `Outlook's answer to ${call.method} ${where} cannot be read: ${problem}`,
  })
}

export const CONCURRENT = 4
