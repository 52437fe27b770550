import { isList, isObject, same, type Json, type JsonObject } from '../core/json.ts'
import type { Base } from '../core/plan.ts'

/**
 * A base as it is kept. Mostly both sides say the same, and that is written once, as a list of one:
 * `{"givenName": ["Ada"]}` for `{"givenName": {"hub": "Ada", "remote": "Ada"}}`.
 */
export function packed(base: Base): JsonObject {
  const kept: Record<string, Json> = {}
  for (const [lens, pair] of Object.entries(base)) {
    const { hub, remote } = pair
    kept[lens] = hub !== undefined && remote !== undefined && same(hub, remote) ? [hub] : pair
  }
  return kept
}

export function unpacked(kept: JsonObject): Base {
  const base: Record<string, { hub?: Json; remote?: Json }> = {}
  for (const [lens, said] of Object.entries(kept)) {
    if (isList(said)) base[lens] = { hub: said[0] ?? null, remote: said[0] ?? null }
    else if (isObject(said)) base[lens] = said
  }
  return base
}
