import type { FieldName, RecordKind } from '../model.ts'

/** The values one field may hold, as an admin listed them, with what else people write for each. */
export type Picklist = {
  readonly record: RecordKind
  readonly field: FieldName
  readonly values: readonly { readonly value: string; readonly synonyms: readonly string[] }[]
  /** A value that is not listed stays as it is, stays and is asked about, or becomes a listed one. */
  readonly unknown: 'keep' | 'inbox' | { readonly map: string }
}

/**
 * What a choice is told by: case, accents, spaces and punctuation do not count, "&" is "and". "+" and "#" stay: C, C++
 * and C# are three. Text of nothing but punctuation stands for itself.
 */
export function foldChoice(text: string): string {
  const folded = text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll('&', 'and')
    .replace(/[^\p{L}\p{N}+#]/gu, '')
  return folded === '' ? text.trim().toLowerCase() : folded
}

export type Choice =
  | { readonly kind: 'listed'; readonly value: string }
  /** `value` is what the policy makes of it. */
  | { readonly kind: 'unknown'; readonly value: string }

/** Reads choices of one list. A value that is listed reads as itself, so that reading twice changes nothing. */
export type Chooser = {
  readonly list: Picklist
  readonly choose: (said: string) => Choice
}

export function chooserOf(list: Picklist): Chooser {
  const listed = new Map<string, string>()
  for (const { value, synonyms } of list.values)
    for (const word of [value, ...synonyms]) {
      const key = foldChoice(word)
      if (!listed.has(key)) listed.set(key, value)
    }
  const { unknown } = list
  return {
    list,
    choose(said) {
      const value = listed.get(foldChoice(said))
      if (value !== undefined) return { kind: 'listed', value }
      return { kind: 'unknown', value: typeof unknown === 'object' ? unknown.map : said }
    },
  }
}

/** Choosers by kind and field. */
export type Choosers = ReadonlyMap<string, Chooser>

export const choosersOf = (lists: readonly Picklist[]): Choosers =>
  new Map(lists.map((list) => [fieldKey(list.record, list.field), chooserOf(list)]))

export const fieldKey = (kind: RecordKind, field: FieldName): string => `${kind} ${field}`
