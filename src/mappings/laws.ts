import { isEmpty, same, type Json } from '../core/json.ts'
import { mergePatches } from '../core/lens.ts'
import type { Field } from './lens.ts'

/**
 * Tries a two-way mapping with sample values: what is written must be read back the same, and writing what was read
 * must change nothing. Says what fails; null where the laws hold.
 */
export function brokenLaw(field: Field): string | null {
  if (field.kind !== 'pair' || field.lens.direction !== 'both') return null
  const { lens, codec, single } = field
  for (const sample of codec.samples) {
    const value: Json = single ? [sample] : sample
    const body = mergePatches({}, lens.put(value, null))
    const reading = lens.get(body)
    const back = reading.kind === 'value' ? reading.value : undefined
    if (codec.exact && !same(back, value)) return `${told(value)} comes back as ${told(back)}`
    if (back !== undefined && !isEmpty(lens.put(back, body)))
      return `writing back ${told(back)} would change it`
  }
  return null
}

function told(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
