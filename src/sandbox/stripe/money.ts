import { invalid } from './errors.ts'

// https://docs.stripe.com/currencies#special-cases: two decimals on the wire, but no fraction in fact.
const WHOLE_ONLY = new Set(['isk', 'ugx'])
// https://docs.stripe.com/currencies#three-decimal: the last digit must be 0.
const THREE_DECIMAL = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd'])
const KNOWN = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()))

export function checkedCurrency(code: string, param = 'currency'): string {
  const lower = code.toLowerCase()
  if (!KNOWN.has(lower))
    throw invalid(`Invalid currency: ${lower}. Stripe does not support this currency.`, { param })
  return lower
}

/** Amounts are integers in the currency's smallest unit. */
export function checkAmount(amount: number, currency: string, param: string): void {
  const step = WHOLE_ONLY.has(currency) ? 100 : THREE_DECIMAL.has(currency) ? 10 : 1
  if (amount % step === 0) return
  throw invalid(`Invalid amount for ${currency}: must be evenly divisible by ${step}`, {
    code: 'parameter_invalid_integer',
    param,
  })
}

/** unit price (a decimal number of minor units) × quantity, rounded half away from zero. */
export function lineAmount(unitAmountDecimal: string, quantity: number): number {
  const unit = scaled(unitAmountDecimal.replace('-', ''))
  const count = scaled(String(quantity))
  const scale = unit.scale * count.scale
  const product = unit.digits * count.digits
  const rounded = Number((product * 2n + scale) / (scale * 2n))
  return unitAmountDecimal.startsWith('-') ? -rounded : rounded
}

function scaled(decimal: string): { digits: bigint; scale: bigint } {
  const [whole = '0', fraction = ''] = decimal.split('.')
  return { digits: BigInt(whole + fraction), scale: 10n ** BigInt(fraction.length) }
}
