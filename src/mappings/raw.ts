import { RECORD_KINDS, type RecordKind } from '../core/model.ts'

/* Reads of what a file holds before its shape is known. */

export function keysOf(root: unknown): readonly string[] {
  return typeof root === 'object' && root !== null && !Array.isArray(root) ? Object.keys(root) : []
}

export function at(root: unknown, key: string): unknown {
  return typeof root === 'object' && root !== null ? Reflect.get(root, key) : undefined
}

export function textAt(root: unknown, key: string): string | undefined {
  const value = at(root, key)
  return typeof value === 'string' ? value : undefined
}

export const kindOf = (value: unknown): RecordKind | undefined => RECORD_KINDS.find((kind) => kind === value)

export function kindsOf(rawStreams: unknown): Record<string, RecordKind> {
  const kinds: Record<string, RecordKind> = {}
  for (const name of keysOf(rawStreams)) {
    const kind = kindOf(at(at(rawStreams, name), 'record'))
    if (kind !== undefined) kinds[name] = kind
  }
  return kinds
}
