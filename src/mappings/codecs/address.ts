import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { codecFrom, invalid, readAs, shown, type Codec, type EmptyForm } from '../codec.ts'
import { nearest } from '../nearest.ts'
import { country, type CountryForm } from './country.ts'
import { text } from './text.ts'

export const ADDRESS_PARTS = ['line1', 'line2', 'city', 'region', 'postalCode', 'country'] as const

/** Both lines in one text, as Outlook has it; stands in place of line1 and line2. */
export const STREET = 'street'

/** The parts of one postal address, which change together: half of an old address and half of a new one is none. */
export function address(form: CountryForm = 'alpha2', empty: EmptyForm = ''): Codec {
  const plain = text({}, empty)
  const countries = country(form, empty)
  const codecOf = (part: string) => (part === 'country' ? countries : plain)
  return codecFrom({
    name: 'address',
    samples: [
      { line1: '1 High St', line2: 'Flat 2', city: 'Bonn', region: 'NW', postalCode: '53111', country: 'DE' },
    ],
    empty: Object.fromEntries([...ADDRESS_PARTS, STREET].map((part) => [part, empty])),
    read(raw) {
      if (!isObject(raw))
        return invalid(raw, `${shown(raw)} is not an address. Map its parts: line1, city, country.`)
      const parts: Record<string, Json> = {}
      for (const [part, said] of Object.entries(withLines(raw))) {
        if (!isPart(part)) return invalid(raw, unknownPart(part))
        const reading = codecOf(part).get(said)
        if (reading.kind === 'invalid') return invalid(raw, `the address cannot be read: ${reading.problem}`)
        if (reading.kind === 'value' && reading.value !== null) parts[part] = reading.value
      }
      return readAs(Object.keys(parts).length === 0 ? null : parts)
    },
    write(value) {
      const parts = isObject(value) ? value : {}
      const lines = [parts['line1'], parts['line2']].flatMap((line) =>
        typeof line === 'string' && line !== '' ? [line] : [],
      )
      return {
        ...Object.fromEntries(ADDRESS_PARTS.map((part) => [part, codecOf(part).put(parts[part] ?? null)])),
        [STREET]: lines.length === 0 ? empty : lines.join('\n'),
      }
    },
  })
}

/** A street's first line, and what is left of it. */
function withLines(raw: JsonObject): JsonObject {
  const { [STREET]: street, ...parts } = raw
  if (street === undefined || 'line1' in parts || 'line2' in parts) return parts
  if (typeof street !== 'string') return { ...parts, line1: street }
  const [line1 = '', ...more] = street
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return { ...parts, line1, line2: more.join(', ') }
}

const isPart = (part: string): boolean => ADDRESS_PARTS.some((known) => known === part)

function unknownPart(part: string): string {
  const meant = nearest(part, ADDRESS_PARTS)
  const hint = meant === undefined ? `The parts are ${ADDRESS_PARTS.join(', ')}.` : `Did you mean "${meant}"?`
  return `an address has no part ${shown(part)}. ${hint}`
}
