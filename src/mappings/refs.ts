import { isEmpty, type Json } from '../core/json.ts'
import { ABSENT, type Lens, type Reading } from '../core/lens.ts'
import type { Fields, RecordKind } from '../core/model.ts'
import type { HubRef, RefBy, Refs, RemoteRef } from '../core/stream.ts'
import { EMPTY, invalid, readAs, scalarText, shown, type EmptyForm } from './codec.ts'
import { domain } from './codecs/domain.ts'
import { email } from './codecs/email.ts'
import { text } from './codecs/text.ts'
import { patchPlace, readPlace, type Place } from './path.ts'

/** A field that holds another record. Its lens exists once the references of a page are answered. */
export type RefField = {
  readonly kind: 'ref'
  readonly frame: Pick<Lens, 'key' | 'fields' | 'direction' | 'policy' | 'set'>
  remoteRef(body: Json): RemoteRef | undefined
  hubRef(fields: Fields): HubRef | undefined
  lens(refs: Refs): Lens
}

type RefParts = {
  readonly frame: RefField['frame']
  readonly place: Place
  readonly record: RecordKind
  readonly by: RefBy
  readonly empty: EmptyForm
}

export function refField({ frame, place, record, by, empty }: RefParts): RefField {
  const field = frame.fields[0] ?? ''
  const keyOf = (body: Json): Reading => {
    const raw = readPlace(place, body)
    return raw === undefined ? ABSENT : readKey(raw, by)
  }
  const remoteRef = (body: Json): RemoteRef | undefined => {
    const reading = keyOf(body)
    return reading.kind === 'value' && typeof reading.value === 'string'
      ? { record, by, key: reading.value }
      : undefined
  }
  return {
    kind: 'ref',
    frame,
    remoteRef,
    hubRef(fields) {
      const id = fields[field]
      return typeof id === 'number' ? { record, by, id } : undefined
    },
    lens: (refs) => ({
      ...frame,
      get(body) {
        const reading = keyOf(body)
        if (reading.kind !== 'value' || typeof reading.value !== 'string') return reading
        const id = refs.toId({ record, by, key: reading.value })
        return id === undefined ? ABSENT : readAs(id)
      },
      put(value, body) {
        const ref = body === null ? undefined : remoteRef(body)
        if (isEmpty(value))
          return body !== null && ref === undefined ? {} : patchPlace(place, empty, body === null)
        if (typeof value !== 'number' || (ref !== undefined && refs.toId(ref) === value)) return {}
        const key = refs.toKey({ record, by, id: value })
        return key === undefined ? {} : patchPlace(place, key, body === null)
      },
    }),
  }
}

const EMAIL = email()
const DOMAIN = domain()
const TEXT = text()

/** The key in the form it is kept under in the hub. */
function readKey(raw: Json, by: RefBy): Reading {
  if (by === 'email') return EMAIL.get(raw)
  if (by === 'domain') return DOMAIN.get(raw)
  if (by === 'name') return TEXT.get(raw)
  const key = scalarText(raw)?.trim()
  if (raw === null || key === '') return EMPTY
  const isKey = key !== undefined && key.length <= 255 && (by !== 'id' || /^[1-9]\d{0,15}$/.test(key))
  return isKey ? readAs(key) : invalid(raw, `${shown(raw)} is not the id of a record. Write its number.`)
}
