import { isObject, same, type Json, type JsonObject } from './json.ts'
import type { FieldName, Fields, Source } from './model.ts'

/**
 * What settles an edit on both sides.
 * `owner`: only this source's edits count, others are put back. `newest`: the later edit, where the remote states its
 * time. `prefer`: the source named first. `union`: members added or removed on either side (sets only). `ask`: a
 * person, in the inbox; until then each side keeps its own.
 */
export type Policy =
  | { readonly kind: 'owner'; readonly source: Source }
  | { readonly kind: 'newest' }
  | { readonly kind: 'prefer'; readonly order: readonly Source[] }
  | { readonly kind: 'union' }
  | { readonly kind: 'ask' }

/** What a lens sees in a remote object: nothing said, a value (`null` is an empty one), or something it cannot read. */
export type Reading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'invalid'; readonly problem: string; readonly raw: Json }

export const ABSENT: Reading = { kind: 'absent' }

/**
 * One pair of places that are held in agreement: hub fields and a spot in the remote object. It is the unit of
 * change: fields of one lens move together. The value of a lens over one field is the field's value; over several
 * fields it is an object by field name.
 *
 * Laws, up to the remote's canonical form: get(put(v, r)) = v, and put(get(r), r) changes nothing.
 * After Foster et al., "Combinators for bidirectional tree transformations" (TOPLAS 2007).
 */
export type Lens = {
  /** Unique within a mapping; an admin reads it in plans and messages. */
  readonly key: string
  readonly fields: readonly FieldName[]
  readonly direction: 'both' | 'in' | 'out'
  readonly policy: Policy
  /**
   * Values are sets: edits are merged member by member. The first member is the primary one; where a remote's order
   * means nothing, `get` must give a stable one (sorted).
   */
  readonly set: boolean
  /** An expression over the whole record, for lenses that only write; `fields` is then empty. */
  compute?(fields: Fields): Json
  get(body: Json): Reading
  /** The merge patch that makes `body` (null: a new object) say `value`. */
  put(value: Json, body: Json | null): JsonObject
}

/** The lens' value on the hub's side; undefined where no field of it was ever said. */
export function hubValue(lens: Lens, fields: Fields): Json | undefined {
  if (lens.compute !== undefined) return lens.compute(fields)
  const [only, ...rest] = lens.fields
  if (only !== undefined && rest.length === 0) return fields[only]
  const known = lens.fields.filter((field) => fields[field] !== undefined)
  return known.length === 0 ? undefined : Object.fromEntries(lens.fields.map((f) => [f, fields[f] ?? null]))
}

/** The hub fields that a lens value stands for. */
export function spread(lens: Lens, value: Json): Fields {
  const [only, ...rest] = lens.fields
  if (only !== undefined && rest.length === 0) return { [only]: value }
  return Object.fromEntries(lens.fields.map((f) => [f, isObject(value) ? (value[f] ?? null) : null]))
}

/** The form in which `hubValue` gives this value back once it is in the record: all fields named, null where empty. */
export function canonical(lens: Lens, value: Json): Json {
  return lens.fields.length < 2 ? value : (hubValue(lens, spread(lens, value)) ?? value)
}

/** What the lens sees in a remote object, in the form the hub compares. */
export function read(lens: Lens, body: Json): Reading {
  const reading = lens.get(body)
  return reading.kind === 'value' ? { kind: 'value', value: canonical(lens, reading.value) } : reading
}

/** Later patches win; objects are merged, everything else is replaced. */
export function mergePatches(a: JsonObject, b: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const before = merged[key]
    merged[key] = isObject(before) && isObject(value) ? mergePatches(before, value) : value
  }
  return merged
}

/** The part of a patch that would change `body`; null when nothing would. */
export function effective(patch: JsonObject, body: Json): JsonObject | null {
  const rest: Record<string, Json> = {}
  for (const [key, value] of Object.entries(patch)) {
    const before = isObject(body) ? body[key] : undefined
    if (isObject(value) && isObject(before)) {
      const inner = effective(value, before)
      if (inner !== null) rest[key] = inner
    } else if (!same(value, before)) rest[key] = value
  }
  return Object.keys(rest).length === 0 ? null : rest
}
