import type { Json } from '../core/json.ts'

type Storable = Json | undefined | readonly Storable[] | { readonly [key: string]: Storable }

/**
 * JSON as PostgreSQL takes it: `jsonb` holds no NUL and no half of a surrogate pair, and one of them refuses the whole
 * statement. NULs are dropped, halves become U+FFFD. https://www.postgresql.org/docs/current/datatype-json.html
 */
export function jsonText(value: Storable): string {
  const text = JSON.stringify(value)
  // Only these escapes can be harmful, and hardly any text has one: the rest is not walked through again.
  return text.includes('\\u0000') || text.includes('\\ud') ? JSON.stringify(sound(value)) : text
}

function sound(value: Storable): Storable {
  if (typeof value === 'string') return soundText(value)
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return value.map(sound)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [soundText(key), sound(item)]))
}

const soundText = (text: string): string => text.replaceAll('\u0000', '').toWellFormed()
const isList = (value: Storable): value is readonly Storable[] => Array.isArray(value)
