import { gmail, type gmail_v1 } from '@googleapis/gmail'
import type { z } from 'zod'
import { failureOf, type Io, VendorError } from '../connector.ts'
import { baseUrlOf } from './settings.ts'

/** `low`: the runtime leaves a part of every limit to requests without it. */
export type Priority = 'auto' | 'low'

/**
 * The SDK over `io.fetch`, made anew for every call: it keeps nothing between connections. Its retries are off, it is
 * given no credentials (the runtime adds the token), and it hands over texts, so that one that is no JSON is found.
 *
 * Whatever `io.fetch` throws comes out of the SDK in the `cause` of its own error, where `failureOf` finds it.
 */
export function gmailFor(io: Io, priority: Priority): gmail_v1.Gmail {
  const rootUrl = baseUrlOf(io.settings)
  return gmail({
    version: 'v1',
    retry: false,
    responseType: 'text',
    fetchImplementation: plain(io.fetch, priority),
    ...(rootUrl === null ? {} : { rootUrl }),
  })
}

/** The SDK also puts proxies, agents and options of its own into the request; only what makes it one is sent on. */
function plain(fetch: Io['fetch'], priority: Priority): Io['fetch'] {
  return (input, init) => {
    const { method, headers, body } = init ?? {}
    return fetch(input, {
      method: method ?? 'GET',
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined || body === null ? {} : { body }),
      ...(priority === 'low' ? { priority } : {}),
    })
  }
}

/** Sends and parses. A 2xx reply that is not what it should be (HTML, cut short) is thrown as `malformed`. */
export async function ask<T>(
  method: string,
  call: Promise<{ readonly data: unknown }>,
  schema: z.ZodType<T>,
): Promise<T> {
  const { data } = await call
  return parseReply(method, typeof data === 'string' ? data : '', schema)
}

export function parseReply<T>(method: string, text: string, schema: z.ZodType<T>): T {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw malformed(method, `not JSON, ${text.length} characters`, cause)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw malformed(method, `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(), parsed.error)
}

function malformed(method: string, problem: string, cause: unknown): VendorError {
  const message = `Google's answer to ${method} cannot be read: ${problem}`
  return new VendorError({ kind: 'malformed', committed: 'no', message }, { cause })
}

export function isMissing(error: unknown): boolean {
  return failureOf(error)?.kind === 'missing'
}
