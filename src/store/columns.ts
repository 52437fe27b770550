import type { Json } from '../core/json.ts'
import { jsonText } from './json-text.ts'

/*
 * Rows travel as columns: arrays, and JSON one value a line. `unnest` takes those in less than half the time that
 * `jsonb_to_recordset` or COPY need for the same rows (docs/performance.md). PostgreSQL's text holds no NUL, so it is
 * dropped. A column without any value is an empty array: `unnest` fills up with nulls.
 */

type Values = readonly (Json | undefined)[]
type Column<T> = readonly (T | null)[]

const isNothing = (value: Json | undefined) => value === null || value === undefined
const someOf = <T>(values: Values, read: (value: Json) => T): Column<T> =>
  values.every(isNothing) ? [] : values.map((v) => (v === null || v === undefined ? null : read(v)))

const withoutNul = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '') : text)
const textOf = (value: Json): string => withoutNul(typeof value === 'string' ? value : JSON.stringify(value))

/** For `$1::text[]`. */
export const texts = (values: Values): Column<string> => someOf(values, textOf)

/** For `$1::bigint[]` or `$1::int[]`. */
export const numbers = (values: Values): Column<number> => someOf(values, Number)

/** Lists of text, for `$1::text[]` and a cast of each element to `text[]`. */
export const lists = (values: Values): Column<string> =>
  someOf(values, (list) => `{${(Array.isArray(list) ? list : [list]).map(quoted).join(',')}}`)

const quoted = (item: Json): string => `"${textOf(item).replace(/["\\]/g, '\\$&')}"`

/** Any JSON, for `LINES('$1')` and a cast of each element to `json` or `jsonb`. JSON's text holds no line break. */
export function lines(values: Values): string {
  return values.map((value) => jsonText(value ?? null)).join('\n')
}

/** The elements of what `lines` made: null where the value was null. */
export const LINES = (parameter: string): string => `string_to_array(${parameter}, E'\\n', 'null')`
