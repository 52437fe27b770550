import { chooserFor, textsOf } from '../core/governance/findings.ts'
import type { Refusal } from '../core/governance/refusals.ts'
import { NO_GOVERNANCE, type Governance } from '../core/governance/rules.ts'
import { isObject, type Json } from '../core/json.ts'
import {
  CATALOG,
  fieldType,
  isDerived,
  type FieldName,
  type Fields,
  type FieldType,
  type RecordKind,
} from '../core/model.ts'
import { codecFrom, invalid, readAs, shown, type Codec, type Defaults } from './codec.ts'
import { address } from './codecs/address.ts'
import { date, monthday } from './codecs/date.ts'
import { domain } from './codecs/domain.ts'
import { email } from './codecs/email.ts'
import { instant } from './codecs/instant.ts'
import { integer } from './codecs/integer.ts'
import { lines } from './codecs/lines.ts'
import { list } from './codecs/list.ts'
import { money } from './codecs/money.ts'
import { phone } from './codecs/phone.ts'
import { text } from './codecs/text.ts'
import { governed } from './governed.ts'
import { choose } from './nearest.ts'

export type Normalised =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'invalid'; readonly problem: string }

/**
 * The canonical form of a value that a person or the API writes into a hub field. Empty text and empty lists become
 * null. Derived fields, unknown fields and unreadable values are refused, with what to do instead.
 */
export function normalise(
  kind: RecordKind,
  field: FieldName,
  value: Json,
  defaults: Defaults,
  governance: Governance = NO_GOVERNANCE,
): Normalised {
  const type = fieldType(kind, field)
  if (type === undefined) {
    const [message, fix] = unknownField(kind, field)
    return { kind: 'invalid', problem: `${message}. ${fix}` }
  }
  if (isDerived(kind, field))
    return { kind: 'invalid', problem: `${field} is computed by the hub and cannot be written.` }
  const reading = governed(hubCodec(field, type, defaults), kind, [field], governance).get(value)
  switch (reading.kind) {
    case 'value':
      return reading
    case 'absent':
      return { kind: 'invalid', problem: `${field}: ${shown(value)} is not complete. Send the whole value.` }
    case 'invalid':
      return { kind: 'invalid', problem: `${field}: ${reading.problem}` }
  }
}

/**
 * Values that people or the API bring into a record and that a picklist would ask about: whoever writes one is there to
 * be asked at once. What the record holds already may stay.
 */
export function unlisted(
  kind: RecordKind,
  before: Fields | null,
  given: Fields,
  governance: Governance,
): readonly Refusal[] {
  return Object.entries(given).flatMap(([field, value]): Refusal[] => {
    const chooser = chooserFor(governance, kind, field)
    if (chooser === undefined || chooser.list.unknown !== 'inbox') return []
    const held = textsOf(before?.[field] ?? null)
    const strange = textsOf(value).find(
      (said) => !held.includes(said) && chooser.choose(said).kind === 'unknown',
    )
    if (strange === undefined) return []
    const known = chooser.list.values.map((one) => one.value)
    return [{ field, message: `${field}: ${shown(strange)} is not on its list. ${choose(strange, known)}` }]
  })
}

export function unknownField(kind: RecordKind, field: FieldName): readonly [message: string, fix: string] {
  const names = Object.keys(CATALOG[kind])
  const help = choose(field, names)
  const custom = field.startsWith('custom.')
    ? 'After "custom." stand letters, digits and "_", at most 63, a letter first.'
    : `${help} A field of your own is named custom.<name>.`
  return [`${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind} has no field "${field}"`, custom]
}

const PROSE: ReadonlySet<string> = new Set(['memo', 'nextStep'])

/** Whether the line breaks of a text field are kept. */
export function isProse(field: FieldName): boolean {
  return PROSE.has(field) || field.startsWith('custom.')
}

/** Reads hub values, and what people write for them: the canonical form is a fixed point of `get`. */
export function hubCodec(field: FieldName, type: FieldType, defaults: Defaults): Codec {
  if (typeof type === 'object') return RECORD_ID
  switch (type) {
    case 'text':
    case 'consent':
      return isProse(field) ? PROSE_TEXT : TEXT
    case 'integer':
      return INTEGER
    case 'date':
      return DATE
    case 'monthday':
      return MONTHDAY
    case 'instant':
      return INSTANT
    case 'emails':
      return EMAILS
    case 'phones':
      return list(phone(defaults.country))
    case 'domains':
      return DOMAINS
    case 'tags':
      return TAGS
    case 'address':
      return ADDRESS
    case 'money':
      return hubMoney(defaults)
    case 'lines':
      return LINES
  }
}

const TEXT = text()
const PROSE_TEXT = text({ multiline: true })
const INTEGER = integer()
const DATE = date()
const MONTHDAY = monthday()
const EMAILS = list(email())
const DOMAINS = list(domain())
const TAGS = list(text())
const ADDRESS = address()
const LINES = lines()

/** A number is minor units, as the hub keeps it; text is what people write. A bare number may be either. */
function hubMoney(defaults: Defaults): Codec {
  const kept = money({ unit: 'minor' }, defaults, true)
  const typed = money({}, defaults, true)
  return {
    ...kept,
    get(raw) {
      if (typeof raw === 'number')
        return invalid(raw, `${raw} may be whole units or minor ones. ${MONEY_FIX}`)
      return isObject(raw) && typeof raw['amount'] === 'number' ? kept.get(raw) : typed.get(raw)
    },
  }
}

const MONEY_FIX = 'Write "12.34 EUR", or {"amount": 1234, "currency": "EUR"} in minor units.'

/** The hub keeps milliseconds; people write ISO times. */
const INSTANT = codecFrom({
  name: 'instant',
  samples: [0],
  read: (raw) => instant({ unit: typeof raw === 'number' ? 'ms' : 'iso' }).get(raw),
  write: (value) => value,
})

const RECORD_ID = codecFrom({
  name: 'ref',
  samples: [1],
  read(raw) {
    const id = typeof raw === 'string' && /^[1-9]\d{0,15}$/.test(raw.trim()) ? Number(raw) : raw
    return typeof id === 'number' && Number.isSafeInteger(id) && id > 0
      ? readAs(id)
      : invalid(raw, `${shown(raw)} is not a record id. Write the positive number of the record.`)
  },
  write: (value) => value,
})
