import type { Context } from 'hono'
import { z } from 'zod'
import { isKnownConnection } from '../runtime/connect.ts'
import type { Hub } from '../runtime/hub.ts'
import { problem } from './problem.ts'

/**
 * The query of a request in a schema's form, or the answer that says what is wrong with it. A parameter nobody knows
 * is refused: a filter with a typing error would otherwise list everything.
 */
export function readQuery<T extends z.ZodObject>(
  c: Context,
  schema: T,
): { readonly query: z.infer<T> } | { readonly refused: Response } {
  const given = c.req.queries()
  const problems = Object.keys(given).flatMap((name) => {
    if (name in schema.shape) {
      const [value, ...more] = given[name] ?? []
      if (more.length > 0) return [{ field: name, message: `Give ${name} once.` }]
      // PostgreSQL takes no text with it.
      return value?.includes('\0') === true
        ? [{ field: name, message: `${name} has a character that no text has (NUL). Leave it out.` }]
        : []
    }
    const known = Object.keys(schema.shape).join(', ')
    return [{ field: name, message: `There is no parameter "${name}" here. Known are ${known}.` }]
  })
  const read = schema.safeParse(c.req.query())
  if (problems.length === 0 && read.success) return { query: read.data }
  const wrong = (read.error?.issues ?? []).map((issue) => ({
    field: issue.path.join('.'),
    message: issue.message,
  }))
  const all = [...problems, ...wrong]
  return {
    refused: problem(c, 400, all.map((p) => p.message).join(' '), { problems: all }),
  }
}

/** The answer to a filter by a connection that is not known; null where it is, or none is named. */
export async function unknownConnection(
  c: Context,
  hub: Hub,
  name: string | null | undefined,
): Promise<Response | null> {
  if (name === null || name === undefined) return null
  if (await isKnownConnection(hub, name)) return null
  const configured = hub.configuration.connections.map((one) => one.name)
  return problem(c, 400, `connection is "${name}", which is not known. Known are ${configured.join(', ')}.`)
}

/** A whole number in a query, within bounds. */
export function whole(name: string, min: number, max: number) {
  const message = `${name} must be a whole number from ${min} to ${max}.`
  return z
    .string()
    .regex(/^\d{1,16}$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
}
