import type { z } from 'zod'
import { failureOf, type Io, VendorError } from '../connector.ts'
import { sendable } from '../vendor-words.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Account } from './settings.ts'

/** One request; `path` follows `/3.0`. */
export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: JsonObject
}

export async function request(io: Io, account: Account, call: Call): Promise<Response> {
  const query = new URLSearchParams(call.query)
  const url = `${account.baseUrl}/3.0${call.path}${query.size > 0 ? `?${query.toString()}` : ''}`
  return io.fetch(url, {
    method: call.method,
    headers: {
      authorization: account.authorization,
      accept: 'application/json',
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(sendable(call.body)) }),
  })
}

/** Sends and parses. A 2xx reply that is not what it should be (HTML, cut short) is thrown as `malformed`. */
export async function ask<T>(io: Io, account: Account, call: Call, schema: z.ZodType<T>): Promise<T> {
  return parseReply(await bodyText(await request(io, account, call), call), call, schema)
}

export function parseReply<T>(text: string, call: Pick<Call, 'method' | 'path'>, schema: z.ZodType<T>): T {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw malformed(call, `not JSON: ${text.slice(0, 80)}`, cause)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw malformed(call, `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(), parsed.error)
}

export async function bodyText(response: Response, call: Pick<Call, 'method' | 'path'>): Promise<string> {
  try {
    return await response.text()
  } catch (cause) {
    if (failureOf(cause) !== null) throw cause
    throw malformed(call, 'the reply broke off', cause)
  }
}

/** Whether a call that got no usable answer may have been carried out. */
export function committed(method: string): 'no' | 'unknown' {
  return method === 'GET' || method === 'HEAD' ? 'no' : 'unknown'
}

export function malformed(
  call: Pick<Call, 'method' | 'path'>,
  problem: string,
  cause?: unknown,
): VendorError {
  const message = `Mailchimp's answer to ${call.method} ${call.path} cannot be read: ${problem}`
  return new VendorError({ kind: 'malformed', committed: committed(call.method), message }, { cause })
}

/** As many as the vendor lets one user have open; `io.fetch` shares them out. */
export const CONCURRENT = 10
