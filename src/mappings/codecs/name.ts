import { isObject, type Json } from '../../core/json.ts'
import { splitName } from '../../core/name.ts'
import { codecFrom, invalid, readAs, scalarText, shown, type Codec, type EmptyForm } from '../codec.ts'
import { cleanText } from './text.ts'

/** Full name ↔ {givenName, familyName}. Not exact: where one part ends is a guess once both are one text. */
export function name(empty: EmptyForm = ''): Codec {
  return codecFrom({
    name: 'name',
    exact: false,
    samples: [{ givenName: 'Ann', familyName: 'Lee' }],
    empty,
    read(raw) {
      const said = scalarText(raw)
      if (said === undefined) return invalid(raw, `${shown(raw)} is not a name: it is not text.`)
      if (said.length > 1_000)
        return invalid(said, `${shown(said)} is a name of ${said.length} characters. Shorten it there.`)
      const full = cleanText(said)
      return readAs(full === '' ? null : splitName(full))
    },
    write: (value) => (isObject(value) ? joined(value['givenName'], value['familyName']) : ''),
  })
}

function joined(given: Json | undefined, family: Json | undefined): string {
  const parts = [given, family].map((part) => (typeof part === 'string' ? part : ''))
  return parts.join(' ').trim()
}
