import { isEmpty, type Json } from '../core/json.ts'
import { ABSENT, type Reading } from '../core/lens.ts'

/**
 * Translates one value between a remote's form and the hub's canonical form.
 *
 * An exact codec obeys, for every canonical `v` and every readable `r`: get(put(v)) = v, and put(get(r)) says the
 * same as r. A codec that is not exact (a full name) loses detail once and then stays put: put after get is
 * idempotent.
 */
export type Codec = {
  readonly name: string
  readonly exact: boolean
  /** Canonical values; every mapping is tried with them before it is accepted. */
  readonly samples: readonly Json[]
  /** Empty text, null and an empty list read as the value null. */
  get(raw: Json): Reading
  put(value: Json): Json
}

/** Where the hub stands: what a phone number without a country and an amount without a currency mean. */
export type Defaults = {
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  /** ISO 4217. */
  readonly currency: string
}

/** What a remote is told where the hub has no value. */
export type EmptyForm = '' | null

type Parts = {
  readonly name: string
  readonly exact?: false
  readonly samples: readonly Json[]
  /** What is written for null: '' where nothing else is said. */
  readonly empty?: Json
  /** Is never asked about an empty value. */
  readonly read: (raw: Json) => Reading
  readonly write: (value: Json) => Json
}

export function codecFrom(parts: Parts): Codec {
  const { name, exact = true, samples, empty = '', read, write } = parts
  return {
    name,
    exact,
    samples,
    get: (raw) => (isBlank(raw) ? EMPTY : read(raw)),
    put: (value) => (isEmpty(value) ? empty : write(value)),
  }
}

function isBlank(raw: Json): boolean {
  if (raw === null) return true
  if (typeof raw === 'string') return raw.trim() === ''
  return Array.isArray(raw) && raw.length === 0
}

export const EMPTY: Reading = { kind: 'value', value: null }
export const SILENT: Reading = ABSENT

export function readAs(value: Json): Reading {
  return { kind: 'value', value }
}

/** `problem` names the value and what to do; of a very long value only the beginning is kept. */
export function invalid(raw: Json, problem: string): Reading {
  return { kind: 'invalid', problem, raw: typeof raw === 'string' ? cut(raw, 200) : raw }
}

/** A value as it is named in messages. */
export function shown(raw: Json): string {
  return typeof raw === 'string' ? `"${cut(raw, 60)}"` : cut(JSON.stringify(raw), 60)
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max).toWellFormed()}…`
}

/** Text of a scalar; undefined for lists and objects. */
export function scalarText(raw: Json): string | undefined {
  if (typeof raw === 'string') return raw
  return typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : undefined
}

/** Narrows to a list; `Array.isArray` would answer `any[]`. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}
