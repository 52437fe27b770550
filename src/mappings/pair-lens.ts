import { isEmpty, same, type Json } from '../core/json.ts'
import { ABSENT, type Lens, type Reading } from '../core/lens.ts'
import { EMPTY, isList, readAs, type Codec } from './codec.ts'
import { patchPlace, readPlace, type Place } from './path.ts'

/** What a lens is, whatever it reads and writes. */
export type Frame = Pick<Lens, 'key' | 'fields' | 'direction' | 'policy' | 'set'>

/** A hub value and a place at the remote, held in agreement through a codec. */
export function pairLens(
  frame: Frame,
  place: Place,
  codec: Codec,
  single: boolean,
  missing: 'absent' | 'empty',
): Lens {
  const isMulti = frame.fields.length > 1
  const nothing: Reading = isMulti ? readAs(Object.fromEntries(frame.fields.map((f) => [f, null]))) : EMPTY
  const unsaid = missing === 'empty' ? nothing : ABSENT
  return {
    ...frame,
    get(body) {
      const raw = readPlace(place, body)
      if (raw === undefined) return unsaid
      const reading = codec.get(raw)
      if (reading.kind !== 'value') return reading
      if (reading.value === null) return nothing
      return single ? readAs([reading.value]) : reading
    },
    put(value, body) {
      if (body !== null) {
        const raw = readPlace(place, body)
        if (raw === undefined && isEmpty(value)) return {}
        const now = raw === undefined ? ABSENT : codec.get(raw)
        if (now.kind === 'value' && agree(now.value, value, single)) return {}
      }
      const said = single && isList(value) ? (value[0] ?? null) : value
      return patchPlace(place, codec.put(said), body === null)
    },
  }
}

/**
 * A remote with room for one member agrees with the set that holds it: an address people subscribed with is never
 * switched because the hub lists another one first.
 */
function agree(now: Json, value: Json, single: boolean): boolean {
  if (isEmpty(now) || isEmpty(value)) return isEmpty(now) && isEmpty(value)
  return single && isList(value) ? value.includes(now) : same(now, value)
}
