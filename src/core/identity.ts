import { isEmpty, textsIn, type Json } from './json.ts'
import type { Fields, RecordId, RecordKind } from './model.ts'

/**
 * A key that finds a record. `email` and `domain` are strong: at most one record holds one. A `phone` may be a
 * switchboard, so several records may hold it and it decides only beside an agreeing name. Vendor ids are keys too,
 * but those live on the links.
 */
export type KeyKind = 'email' | 'phone' | 'domain'
export type Key = { readonly kind: KeyKind; readonly value: string }
export const STRONG: Readonly<Record<KeyKind, boolean>> = { email: true, domain: true, phone: false }

/** The keys a record holds by its own fields. Values are already in normal form (the codecs saw to it). */
export function keysOf(kind: RecordKind, fields: Fields): readonly Key[] {
  if (kind !== 'contact' && kind !== 'company') return []
  const strong: KeyKind = kind === 'contact' ? 'email' : 'domain'
  return [
    ...textsIn(fields[kind === 'contact' ? 'emails' : 'domains']).map((value) => ({ kind: strong, value })),
    ...textsIn(fields['phones']).map((value) => ({ kind: 'phone' as const, value })),
  ]
}

export type Candidate = { readonly id: RecordId; readonly key: Key; readonly fields: Fields }

export type Match =
  | { readonly kind: 'none' }
  | { readonly kind: 'match'; readonly id: RecordId; readonly by: Key }
  /** Keys point at several records: `id` is the one the strongest key names, the others look like duplicates. */
  | {
      readonly kind: 'several'
      readonly id: RecordId
      readonly by: Key
      readonly others: readonly RecordId[]
    }

const fold = (value: Json | undefined): string =>
  typeof value === 'string' ? value.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim() : ''

/** Two people may be one where no name part that both state contradicts. At least the family name must be stated. */
function namesAgree(a: Fields, b: Fields): boolean {
  const agree = (field: string) => isEmpty(a[field]) || isEmpty(b[field]) || fold(a[field]) === fold(b[field])
  const known = (field: string) => !isEmpty(a[field]) && !isEmpty(b[field])
  return known('familyName') ? agree('familyName') && agree('givenName') : known('name') && agree('name')
}

/**
 * Which record an unlinked remote object is, by keys alone. `order` is the stream's `match:` list; the first kind
 * with a hit decides, strong kinds before weak ones: a strong key belongs to one record, whatever a phone suggests.
 * Same result for every order of `candidates`.
 */
export function matchByKeys(
  fields: Fields,
  candidates: readonly Candidate[],
  order: readonly KeyKind[],
): Match {
  const usable = candidates
    .filter((c) => order.includes(c.key.kind) && (STRONG[c.key.kind] || namesAgree(fields, c.fields)))
    .toSorted(
      (a, b) =>
        Number(STRONG[b.key.kind]) - Number(STRONG[a.key.kind]) ||
        order.indexOf(a.key.kind) - order.indexOf(b.key.kind) ||
        a.id - b.id ||
        (a.key.value < b.key.value ? -1 : 1),
    )
  const first = usable[0]
  if (first === undefined) return { kind: 'none' }
  const others = [...new Set(usable.map((c) => c.id))].filter((id) => id !== first.id)
  if (others.length === 0) return { kind: 'match', id: first.id, by: first.key }
  const rivals = usable.some((c) => c.id !== first.id && c.key.kind === first.key.kind)
  // Two people behind one phone number: a guess would melt them into one.
  if (rivals && !STRONG[first.key.kind]) return { kind: 'none' }
  return { kind: 'several', id: first.id, by: first.key, others }
}
