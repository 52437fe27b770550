import { isObject, type Json, type JsonObject } from '../core/json.ts'
import { isEmpty } from '../core/json.ts'

/** Property names from the outside in: `merge_fields.FNAME` is ['merge_fields', 'FNAME']. */
export type Path = readonly string[]

/** Splits at dots; a segment in double quotes may hold dots itself. Undefined where a segment is empty or unclosed. */
export function parsePath(text: string): Path | undefined {
  const segments: string[] = []
  let rest = text
  for (;;) {
    const found = /^(?:"([^"]+)"|([^".]+))(?:\.(?=.)|$)/s.exec(rest)
    const segment = found?.[1] ?? found?.[2]
    if (found === null || segment === undefined) return undefined
    segments.push(segment)
    if (found[0].length === rest.length) return segments
    rest = rest.slice(found[0].length)
  }
}

/** Where in a remote object a lens looks: one spot, or several that make up one value. */
export type Place =
  | { readonly kind: 'one'; readonly path: Path }
  | { readonly kind: 'parts'; readonly parts: readonly (readonly [name: string, path: Path])[] }

export function placePaths(place: Place): readonly Path[] {
  return place.kind === 'one' ? [place.path] : place.parts.map(([, path]) => path)
}

/** What stands at the place; undefined where nothing does. Parts come as one object by part name. */
export function readPlace(place: Place, body: Json): Json | undefined {
  if (place.kind === 'one') return readPath(place.path, body)
  let found: Record<string, Json> | undefined
  for (const [name, path] of place.parts) {
    const part = readPath(path, body)
    if (part === undefined) continue
    found ??= {}
    found[name] = part
  }
  return found
}

export function readPath(path: Path, body: Json): Json | undefined {
  let at: Json | undefined = body
  for (const segment of path) {
    if (!isObject(at) || !Object.hasOwn(at, segment)) return undefined
    at = at[segment]
  }
  return at
}

/** The merge patch that puts `written` at the place. A new object is not told about parts that are empty. */
export function patchPlace(place: Place, written: Json, isNew: boolean): JsonObject {
  if (place.kind === 'one') return patchPath(place.path, written)
  const patch: Record<string, Json> = {}
  for (const [name, path] of place.parts) {
    const part = isObject(written) ? written[name] : undefined
    if (part !== undefined && !(isNew && isEmpty(part))) setPath(patch, path, part)
  }
  return patch
}

export function patchPath(path: Path, written: Json): JsonObject {
  const patch: Record<string, Json> = {}
  setPath(patch, path, written)
  return patch
}

function setPath(patch: Record<string, Json>, path: Path, written: Json): void {
  const [first, ...rest] = path
  if (first === undefined) return
  if (rest.length === 0) {
    patch[first] = written
    return
  }
  const before = patch[first]
  const inner: Record<string, Json> = isObject(before) ? { ...before } : {}
  setPath(inner, rest, written)
  patch[first] = inner
}
