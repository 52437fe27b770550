import { unreachable } from '../core/json.ts'
import { isSet, type FieldName, type FieldType } from '../core/model.ts'
import type { Codec, Defaults, EmptyForm } from './codec.ts'
import { address } from './codecs/address.ts'
import { boolean } from './codecs/boolean.ts'
import { country, countryOf } from './codecs/country.ts'
import { currencyCodes, currencyOf } from './codecs/currency.ts'
import { ambiguous, date, monthday } from './codecs/date.ts'
import { domain } from './codecs/domain.ts'
import { email } from './codecs/email.ts'
import { instant } from './codecs/instant.ts'
import { integer } from './codecs/integer.ts'
import { lines } from './codecs/lines.ts'
import { list } from './codecs/list.ts'
import { money } from './codecs/money.ts'
import { name } from './codecs/name.ts'
import { phone } from './codecs/phone.ts'
import { picklist } from './codecs/picklist.ts'
import { text } from './codecs/text.ts'
import { choose } from './nearest.ts'
import { isProse } from './normalise.ts'
import type { Report } from './problem.ts'
import type { CodecName, CodecOptions } from './schema.ts'

/** Every codec but `ref`, which needs the answers of a page. */
export type ValueCodecOptions = Exclude<CodecOptions, { name: 'ref' }>

/** The codec of a field that names none. */
export function usualCodec(type: FieldType): ValueCodecOptions {
  if (typeof type === 'object') return { name: 'integer' }
  switch (type) {
    case 'emails':
      return { name: 'email' }
    case 'phones':
      return { name: 'phone' }
    case 'domains':
      return { name: 'domain' }
    case 'tags':
      return { name: 'list' }
    case 'consent':
      return { name: 'text' }
    default:
      return { name: type }
  }
}

/** The codecs that give what a field of this type holds; custom fields hold any text. */
export function fittingCodecs(field: FieldName, type: FieldType): readonly CodecName[] {
  if (typeof type === 'object') return ['ref']
  switch (type) {
    case 'text':
      return field.startsWith('custom.')
        ? ['text', 'picklist', 'boolean', 'country', 'date', 'monthday', 'email', 'phone', 'domain']
        : ['text', 'picklist']
    case 'consent':
      return ['text', 'picklist']
    case 'emails':
      return ['email', 'list']
    case 'phones':
      return ['phone', 'list']
    case 'domains':
      return ['domain', 'list']
    case 'tags':
      return ['text', 'picklist', 'list']
    default:
      return [type]
  }
}

export type CodecPlace = {
  readonly field: FieldName
  readonly type: FieldType
  readonly inParts: boolean
  readonly empty: EmptyForm | undefined
  readonly defaults: Defaults
}

/** Builds a codec; what its options contradict is reported by option. */
export function buildCodec(options: ValueCodecOptions, place: CodecPlace, report: Report): Codec {
  const { empty, defaults } = place
  switch (options.name) {
    case 'text':
      return text({ multiline: isProse(place.field), ...given(options) }, empty)
    case 'email':
      return email(empty)
    case 'domain':
      return domain(empty)
    case 'phone':
      return phone(countryOption(options.country, defaults.country, report), empty)
    case 'date':
      if (ambiguous(options.formats ?? []))
        report(['formats'], 'these formats read 03/04/2026 as two different days', 'Keep one of them.')
      return date(options.formats, empty)
    case 'monthday':
      return monthday(options.format, empty)
    case 'instant':
      return instant(options, empty)
    case 'money':
      return moneyCodec(options, place, report)
    case 'name':
      return name(empty)
    case 'country':
      return country(options.as, empty)
    case 'picklist':
      return picklist(options, empty)
    case 'list':
      return list(itemCodec(place), options, empty)
    case 'boolean':
      if (options.yes !== undefined && options.yes === options.no)
        report(['no'], 'yes and no are written the same', 'Give them different texts.')
      return boolean(options, empty)
    case 'address':
      return address(options.country, empty)
    case 'lines':
      return lines(options)
    case 'integer':
      return integer(empty)
    default:
      return unreachable(options)
  }
}

function given(options: { readonly max?: number | undefined; readonly multiline?: boolean | undefined }) {
  return options.multiline === undefined ? { max: options.max } : options
}

function moneyCodec(
  options: Extract<ValueCodecOptions, { name: 'money' }>,
  { inParts, empty, defaults }: CodecPlace,
  report: Report,
): Codec {
  if (options.unit === 'minor' && !inParts)
    report([], 'minor units need to know their currency', 'Write remote: {amount: <path>, currency: <path>}.')
  const currency = options.currency === undefined ? undefined : currencyOf(options.currency)
  if (options.currency !== undefined && currency === undefined)
    report(
      ['currency'],
      `"${options.currency}" is not an ISO 4217 currency`,
      choose(options.currency, currencyCodes()),
    )
  return money({ ...options, currency }, defaults, inParts, empty)
}

function countryOption(said: string | undefined, fallback: string, report: Report): string {
  if (said === undefined) return fallback
  const code = said.length === 2 ? countryOf(said) : undefined
  if (code === undefined)
    report(['country'], `"${said}" is not an ISO 3166-1 country code`, 'Write one such as DE.')
  return code ?? fallback
}

/** One member of a set. */
function itemCodec({ type, defaults }: CodecPlace): Codec {
  if (!isSet(type)) return text()
  switch (type) {
    case 'emails':
      return email()
    case 'phones':
      return phone(defaults.country)
    case 'domains':
      return domain()
    default:
      return text()
  }
}
