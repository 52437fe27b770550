import type { Json } from '../core/json.ts'
import { jsonText } from './json-text.ts'

/*
 * Rows travel as columns: arrays, and JSON one value a line. `unnest` takes those in less than half the time that
 * `jsonb_to_recordset` or COPY need for the same rows (docs/performance.md). PostgreSQL's text holds no NUL, so it is
 * dropped. A column without any value is an empty array: `unnest` fills up with nulls.
 */

type Values = readonly (Json | undefined)[]

const isNothing = (value: Json | undefined) => value === null || value === undefined

/** An array as PostgreSQL reads it from text: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function arrayOf(values: Values, written: (value: Json) => string): string {
  if (values.every(isNothing)) return '{}'
  return `{${values.map((v) => (v === null || v === undefined ? 'null' : written(v))).join(',')}}`
}

const withoutNul = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '') : text)
const textOf = (value: Json): string => withoutNul(typeof value === 'string' ? value : JSON.stringify(value))
const NEEDS_ESCAPE = /["\\]/
const inQuotes = (text: string): string =>
  NEEDS_ESCAPE.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`
const quoted = (value: Json): string => inQuotes(textOf(value))

/** For `$1::text[]`. */
export const texts = (values: Values): string => arrayOf(values, quoted)

/** For `$1::bigint[]` or `$1::int[]`. */
export const numbers = (values: Values): string => arrayOf(values, (value) => String(Number(value)))

/** Lists of text, for `$1::text[]` and a cast of each element to `text[]`. */
export const lists = (values: Values): string =>
  arrayOf(values, (list) => inQuotes(`{${(Array.isArray(list) ? list : [list]).map(quoted).join(',')}}`))

/** Any JSON, for `LINES('$1')` and a cast of each element to `json` or `jsonb`. JSON's text holds no line break. */
export function lines(values: Values): string {
  return values.map((value) => jsonText(value ?? null)).join('\n')
}

/** The elements of what `lines` made: null where the value was null. */
export const LINES = (parameter: string): string => `string_to_array(${parameter}, E'\\n', 'null')`
