import { isObject, type Json } from './json.ts'
import type { Money } from './model.ts'

/**
 * Active currencies of ISO 4217 list one by minor-unit digits, without fund, metal and testing codes.
 * https://www.six-group.com/en/products-services/financial-information/data-standards.html
 */
const DIGITS: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP ' +
    'CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES ' +
    'KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK ' +
    'NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB ' +
    'TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG',
  3: 'BHD IQD JOD KWD LYD OMR TND',
}
const BY_CODE: ReadonlyMap<string, number> = new Map(
  Object.entries(DIGITS).flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, Number(digits)])),
)

/** How many digits of an amount stand behind the point: 2 for EUR, 0 for JPY; undefined for no active currency. */
export function minorDigits(currency: string): number | undefined {
  return BY_CODE.get(currency.toUpperCase())
}

/** `1,234.56 EUR`; the bare minor units where the currency is unknown: `123456 (minor units) XYZ`. */
export function formatMoney(money: Money): string {
  const currency = money.currency.toUpperCase()
  const digits = minorDigits(currency)
  if (digits === undefined || !Number.isSafeInteger(money.amount))
    return `${money.amount} (minor units) ${currency}`
  const all = String(Math.abs(money.amount)).padStart(digits + 1, '0')
  const whole = all.slice(0, all.length - digits).replace(/\B(?=(\d{3})+$)/g, ',')
  const fraction = digits === 0 ? '' : `.${all.slice(-digits)}`
  return `${money.amount < 0 ? '-' : ''}${whole}${fraction} ${currency}`
}

/** A `money` field's value; undefined where it is empty or something else. */
export function moneyOf(value: Json | undefined): Money | undefined {
  if (!isObject(value)) return undefined
  const { amount, currency } = value
  return typeof amount === 'number' && typeof currency === 'string' ? { amount, currency } : undefined
}

/**
 * An amount in whole minor units cut by shares, so that the parts add up to it exactly: largest remainder, the later
 * one on a tie; where the shares do not add up to 1, the last part takes the rest.
 */
export function splitAmount(amount: number, shares: readonly number[]): readonly number[] {
  const exact = shares.map((share) => amount * share)
  const parts = exact.map((part) => Math.floor(part + 1e-6))
  const remainder = (i: number) => (exact[i] ?? 0) - (parts[i] ?? 0)
  const first = parts.map((_, i) => i).toSorted((a, b) => remainder(b) - remainder(a) || b - a)
  let rest = amount - parts.reduce((sum, part) => sum + part, 0)
  for (const i of first) {
    if (rest <= 0 || remainder(i) < 1e-6) break
    parts[i] = (parts[i] ?? 0) + 1
    rest--
  }
  return parts.map((part, i) => (i === parts.length - 1 ? part + rest : part))
}
