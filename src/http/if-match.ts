import type { Context } from 'hono'
import { problem } from './problem.ts'

/**
 * The version an edit is for; none: whatever it is now. A weak tag counts too: proxies that compress make strong ones
 * weak, and versions are exact either way. https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1
 */
export function ifMatch(c: Context): { readonly version?: number } | Response {
  const header = c.req.header('if-match')?.trim()
  if (header === undefined || header === '*') return {}
  const [, version] = /^(?:W\/)?"(\d{1,9})"$/.exec(header) ?? []
  if (version === undefined) {
    return problem(
      c,
      400,
      'If-Match must be the one ETag that the record was read with, as in If-Match: "3".',
    )
  }
  return { version: Number(version) }
}
