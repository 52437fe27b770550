import { isObject, type Json } from '../../core/json.ts'
import { codecFrom, invalid, readAs, shown, type Codec, type EmptyForm } from '../codec.ts'
import { nearest } from '../nearest.ts'
import { country, type CountryForm } from './country.ts'
import { text } from './text.ts'

export const ADDRESS_PARTS = ['line1', 'line2', 'city', 'region', 'postalCode', 'country'] as const

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
    empty: Object.fromEntries(ADDRESS_PARTS.map((part) => [part, empty])),
    read(raw) {
      if (!isObject(raw))
        return invalid(raw, `${shown(raw)} is not an address. Map its parts: line1, city, country.`)
      const parts: Record<string, Json> = {}
      for (const [part, said] of Object.entries(raw)) {
        if (!isPart(part)) return invalid(raw, unknownPart(part))
        const reading = codecOf(part).get(said)
        if (reading.kind === 'invalid') return invalid(raw, `the address cannot be read: ${reading.problem}`)
        if (reading.kind === 'value' && reading.value !== null) parts[part] = reading.value
      }
      return readAs(Object.keys(parts).length === 0 ? null : parts)
    },
    write: (value) =>
      Object.fromEntries(
        ADDRESS_PARTS.map((part) => [
          part,
          codecOf(part).put(isObject(value) ? (value[part] ?? null) : null),
        ]),
      ),
  })
}

const isPart = (part: string): boolean => ADDRESS_PARTS.some((known) => known === part)

function unknownPart(part: string): string {
  const meant = nearest(part, ADDRESS_PARTS)
  const hint = meant === undefined ? `The parts are ${ADDRESS_PARTS.join(', ')}.` : `Did you mean "${meant}"?`
  return `an address has no part ${shown(part)}. ${hint}`
}
