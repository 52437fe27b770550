import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import type { JsonObject } from '../core/json.ts'
import { jsonFault } from './json-fault.ts'
import { problem } from './problem.ts'

const MAX_BYTES = 1024 * 1024
/** The deepest value of a record is a deal's line: an object in a list. */
const MAX_DEPTH = 12

export const limitBody = bodyLimit({
  maxSize: MAX_BYTES,
  onError: (c) => problem(c, 413, 'A request may have at most 1 MB.', {}, { connection: 'close' }),
})

const jsonObject = z.record(z.string(), z.json())

/** The object a request brings, or the answer that says what is wrong with it. */
export async function readObject(
  c: Context,
): Promise<{ readonly object: JsonObject } | { readonly refused: Response }> {
  const refuse = (detail: string) => ({ refused: problem(c, 400, detail) })
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    const said = type === undefined ? 'has no content type' : `says it is ${type}`
    return {
      refused: problem(c, 415, `The request ${said}. Send JSON with "Content-Type: application/json".`),
    }
  }
  const text = decode(await c.req.arrayBuffer())
  if (text === null) return refuse('The body is not UTF-8 text. Send JSON in UTF-8.')
  const parsed = parse(text)
  if (!parsed.ok) {
    const fault = jsonFault(text)
    const where = fault === null ? '' : ` at line ${fault.line}, column ${fault.column}`
    return refuse(`The body is not JSON: it breaks off${where}.`)
  }
  if (deeper(parsed.value, MAX_DEPTH)) return refuse(`The body is nested deeper than ${MAX_DEPTH} levels.`)
  const object = jsonObject.safeParse(parsed.value)
  if (!object.success) return refuse('The body must be one JSON object: {"field": value, ...}.')
  return { object: object.data }
}

function decode(bytes: ArrayBuffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

function parse(text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return { ok: false }
  }
}

function deeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => deeper(inner, levels - 1))
}
