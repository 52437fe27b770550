import type { Context } from 'hono'
import { GoogleError, invalid } from './errors.ts'

/** Parameters that every method takes: https://cloud.google.com/apis/docs/system-parameters */
const SYSTEM = ['alt', 'fields', 'key', 'prettyPrint', 'quotaUser', 'callback', '$.xgafv']

/** Google refuses what it does not know, instead of passing over it. */
export function knowing(c: Context, known: readonly string[]): URLSearchParams {
  const query = new URL(c.req.url).searchParams
  for (const name of query.keys()) {
    if (known.includes(name) || SYSTEM.includes(name)) continue
    const message = `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter. Field '${name}' could not be found in request message.`
    throw new GoogleError(400, 'invalid', 'INVALID_ARGUMENT', message)
  }
  return query
}

/** `max` caps what is asked for, without a word. */
export function countIn(query: URLSearchParams, max: number, preset: number, name = 'maxResults'): number {
  const given = query.get(name)
  if (given === null) return preset
  if (!/^\d+$/.test(given)) throw invalid(`Invalid value at '${name}' (TYPE_UINT32), "${given}"`)
  return Number(given) === 0 ? preset : Math.min(Number(given), max)
}

export function optional(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) ?? undefined
}
