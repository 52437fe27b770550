import type { Instant } from '../core/json.ts'

const SECONDS = /^\d+(\.\d+)?$/
/** An HTTP date names a month; `Date.parse` alone would also take `5` or `2 minutes`. */
const DATE = /^[A-Za-z]{3,9},? .*\d{2}:\d{2}:\d{2}/

/**
 * When a `Retry-After` header lets us come back; null where there is none that can be read. Never before `now`.
 * Both forms of https://www.rfc-editor.org/rfc/rfc9110#field.retry-after: seconds (some vendors send fractions) and
 * an HTTP date.
 */
export function retryAfter(headers: Headers, now: Instant): Instant | null {
  const text = headers.get('retry-after')?.trim() ?? ''
  if (SECONDS.test(text)) return now + Math.ceil(Number(text) * 1000)
  const at = DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(now, at)
}
