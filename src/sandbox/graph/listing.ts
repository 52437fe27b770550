import type { Context } from 'hono'
import type { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import { badRequest } from './errors.ts'
import type { Span } from './ordered.ts'
import { preferencesOf, type Query, readQuery } from './query.ts'

const PAGE = 10
const PAGE_MAX = 1_000

/** A page of a list. It goes on by `$skip`, so what comes or goes meanwhile shifts what the next page has. */
export async function answerList<T>(
  c: Context,
  items: Span<T>,
  view: (item: T, query: Query) => JsonObject | Promise<JsonObject>,
): Promise<Response> {
  const url = new URL(c.req.url)
  const query = readQuery(withoutFilter(url))
  const prefer = preferencesOf(c)
  if (query.top !== null && (query.top < 1 || query.top > PAGE_MAX))
    throw badRequest(
      `The limit of '${PAGE_MAX}' for Top query has been exceeded. The value from the incoming request is '${query.top}'.`,
    )
  const size = query.top ?? Math.min(prefer.maxPageSize ?? PAGE, PAGE_MAX)
  const end = query.skip + size
  const value: JsonObject[] = []
  for (const item of items.slice(query.skip, end)) value.push(await view(item, query))
  if (end < items.length) url.searchParams.set('$skip', String(end))
  const body = {
    '@odata.context': `${url.origin}/v1.0/$metadata`,
    ...(query.count ? { '@odata.count': items.length } : {}),
    ...(end < items.length ? { '@odata.nextLink': url.href } : {}),
    value,
  }
  return c.json(body, 200, applied(prefer.applied))
}

/** Who lists has filtered: collections differ in what they can be filtered by. */
export function withoutFilter({ searchParams }: URL): URLSearchParams {
  const rest = new URLSearchParams(searchParams)
  rest.delete('$filter')
  return rest
}

export function applied(preferences: readonly string[]): Record<string, string> {
  return preferences.length > 0 ? { 'preference-applied': preferences.join(', ') } : {}
}

export async function bodyAs<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await c.req.text()
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw badRequest(
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    )
  }
  const read = schema.safeParse(given)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw badRequest(
    `Invalid value for property '${issue?.path.join('.') ?? ''}': ${issue?.message ?? ''}`,
    'RequestBodyRead',
  )
}
