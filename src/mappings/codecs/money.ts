import { isObject, type Json } from '../../core/json.ts'
import type { Reading } from '../../core/lens.ts'
import {
  codecFrom,
  EMPTY,
  invalid,
  readAs,
  shown,
  type Codec,
  type Defaults,
  type EmptyForm,
} from '../codec.ts'
import { choose } from '../nearest.ts'
import { currencyCodes, currencyOf, currencyOfSymbol, minorDigits } from './currency.ts'
import { decimalOf, minorUnits, printMinor } from './decimal.ts'

export type MoneyOptions = {
  /** `major` (the default): 1234.56 or text. `minor`: whole cents, yen or fils. */
  readonly unit?: 'major' | 'minor' | undefined
  /** The decimal separator of the remote's text; found out where nothing is said. */
  readonly decimal?: '.' | ',' | undefined
  /** The currency of amounts that do not name theirs; the hub's own where nothing is said. */
  readonly currency?: string | undefined
}

/**
 * {amount: whole minor units, currency: ISO 4217}. The remote has either one text that may name its currency
 * ("1.234,56 €"), or the two parts {amount, currency}.
 */
export function money(
  options: MoneyOptions,
  defaults: Defaults,
  inParts: boolean,
  empty: EmptyForm = '',
): Codec {
  const { unit = 'major', decimal } = options
  const fallback = options.currency ?? defaults.currency
  return codecFrom({
    name: 'money',
    samples: [
      { amount: 123_456, currency: 'EUR' },
      { amount: -50, currency: 'USD' },
      { amount: 1_000, currency: 'JPY' },
      { amount: 1_234, currency: 'KWD' },
    ],
    empty: inParts ? { amount: empty } : empty,
    read(raw) {
      const amount = isObject(raw) ? (raw['amount'] ?? null) : raw
      const named = isObject(raw) ? (raw['currency'] ?? null) : null
      if (amount === null || amount === '') return EMPTY
      const currency = typeof named === 'string' && named.trim() !== '' ? currencyOf(named) : null
      if (currency === undefined || (named !== null && typeof named !== 'string'))
        return invalid(raw, unknownCurrency(named))
      return unit === 'minor'
        ? readMinor(raw, amount, currency ?? fallback)
        : readMajor(raw, amount, currency, { fallback, fixed: options.currency, decimal })
    },
    write: (value) => (isObject(value) ? print(value, unit, decimal, inParts, options.currency) : value),
  })
}

function unknownCurrency(named: Json): string {
  const said = typeof named === 'string' ? named.trim().toUpperCase().slice(0, 20) : ''
  return `${shown(named)} is not an ISO 4217 currency. ${said.length < 2 ? 'Write one such as EUR.' : hint(said)}`
}

function hint(said: string): string {
  const help = choose(said, currencyCodes())
  return help.startsWith('Did') ? help : 'Write one such as EUR.'
}

function readMinor(raw: Json, amount: Json, currency: string): Reading {
  const units = typeof amount === 'string' && /^\s*-?\d{1,16}\s*$/.test(amount) ? Number(amount) : amount
  return typeof units === 'number' && Number.isSafeInteger(units)
    ? readAs({ amount: units === 0 ? 0 : units, currency })
    : invalid(
        raw,
        `${shown(amount)} is not a whole number of minor units of ${currency}. Use unit: major for 12.34.`,
      )
}

const PLACED = /^([^\d\s.,'’()+−-]{0,4})\s*(.*?)\s*([^\d\s.,'’()+−-]{0,4})$/s

type Reader = {
  readonly fallback: string
  readonly fixed: string | undefined
  readonly decimal: '.' | ',' | undefined
}

function readMajor(raw: Json, amount: Json, named: string | null, reader: Reader): Reading {
  const { fallback, fixed, decimal } = reader
  if (typeof amount === 'number') return readNumber(raw, amount, named ?? fallback)
  if (typeof amount !== 'string' || amount.length > 100)
    return invalid(raw, `${shown(amount)} is not an amount.`)
  const sign = /^\s*([-−])\s*(?=\D)/.exec(amount)
  const placed = PLACED.exec(sign === null ? amount.trim() : amount.slice(sign[0].length).trim())
  const mark = placed?.[1] !== '' ? placed?.[1] : placed[3]
  if (placed === null || (placed[1] !== '' && placed[3] !== ''))
    return invalid(raw, `${shown(amount)} is not an amount. Write it as 1234.56 EUR.`)
  const stated =
    mark === undefined || mark === '' ? null : (currencyOfSymbol(mark, named ?? fallback) ?? currencyOf(mark))
  if (stated === undefined) return invalid(raw, unknownCurrency(mark ?? ''))
  if (stated !== null && named !== null && stated !== named)
    return invalid(
      raw,
      `${shown(amount)} says ${stated}, but its currency field says ${named}. Correct one of them.`,
    )
  const currency = named ?? stated ?? fallback
  const known = named ?? stated ?? fixed
  const number = decimalOf(placed[2] ?? '', decimal, known === undefined ? undefined : minorDigits(known))
  if ('fault' in number)
    return invalid(raw, `${shown(amount)} is not a clear amount: ${number.fault}. ${FIX}`)
  const units = minorUnits({ ...number, negative: number.negative || sign !== null }, minorDigits(currency))
  return units === undefined ? invalid(raw, tooFine(amount, currency)) : readAs({ amount: units, currency })
}

const FIX = 'Write it as 1234.56, or set decimal: "." or "," for this field.'

function tooFine(amount: Json, currency: string): string {
  return `${shown(amount)} has more decimals than ${currency} (${minorDigits(currency)}), or is too large. Round it there.`
}

/** A JSON number: its shortest decimal form, less the noise of binary fractions (0.1 + 0.2). */
function readNumber(raw: Json, amount: number, currency: string): Reading {
  const scaled = amount * 10 ** minorDigits(currency)
  const units = Math.round(scaled)
  const isNoise = Math.abs(scaled - units) <= Math.max(1e-6, Math.abs(scaled) * 1e-14)
  return Number.isSafeInteger(units) && isNoise
    ? readAs({ amount: units === 0 ? 0 : units, currency })
    : invalid(raw, tooFine(amount, currency))
}

function print(
  value: { readonly [key: string]: Json },
  unit: 'major' | 'minor',
  decimal: '.' | ',' | undefined,
  inParts: boolean,
  fixed: string | undefined,
): Json {
  const { amount, currency } = value
  if (typeof amount !== 'number' || typeof currency !== 'string') return ''
  const written = unit === 'minor' ? amount : printMajor(amount, currency, decimal)
  if (inParts) return { amount: written, currency }
  return currency === fixed ? written : `${written} ${currency}`
}

function printMajor(amount: number, currency: string, decimal: '.' | ',' | undefined): string {
  const digits = minorDigits(currency)
  const written = printMinor(amount, digits, decimal)
  // "1.234" may be read as thousands; with four decimals nobody can.
  return digits === 3 && decimal === undefined ? `${written}0` : written
}
