/** A decimal number as its digits, without any rounding: 1,234.50 is {digits: '123450', scale: 2}. */
export type Decimal = { readonly negative: boolean; readonly digits: string; readonly scale: number }
export type DecimalReading = Decimal | { readonly fault: string }

const GROUPS = /^\d{1,3}(?:[.,'’ ]\d{3})+$/

/**
 * Reads an amount whose separators are not known. One separator before exactly three digits may be either kind, so
 * it is refused unless `decimal` names it, `minorDigits` is 0 (then nothing stands behind a decimal separator), or
 * the number itself settles it.
 */
export function decimalOf(
  said: string,
  decimal: '.' | ',' | undefined,
  minorDigits: number | undefined,
): DecimalReading {
  const bracketed = /^\((.*)\)$/.exec(said)?.[1]
  const unsigned = (bracketed ?? said).replace(/^[-−+]|[-−]$/, '').trim()
  const negative = bracketed !== undefined || /^[-−]|[-−]$/.test(said)
  const number = unsigned.replace(/[\u00a0\u2007\u2009\u202f]/g, ' ')
  if (!/^[\d.,'’ ]*\d[\d.,'’ ]*$/.test(number) || number.length > 40) return { fault: 'it is not a number' }
  const at = decimalAt(number, decimal, minorDigits)
  if (typeof at !== 'number') return at
  const whole = number.slice(0, at)
  const fraction = number.slice(at + 1)
  if (!/^\d*$/.test(fraction)) return { fault: 'its separators do not make a number' }
  if (whole !== '' && !/^\d+$/.test(whole) && !isGrouped(whole))
    return { fault: 'its thousands are not grouped by three' }
  return { negative, digits: whole.replace(/\D/g, '') + fraction, scale: fraction.length }
}

/** One kind of separator, every three digits. */
function isGrouped(whole: string): boolean {
  return GROUPS.test(whole) && new Set(whole.replace(/\d/g, '').replace('’', "'")).size === 1
}

/** The index of the decimal separator; the length of the text where there is none. */
function decimalAt(
  number: string,
  decimal: '.' | ',' | undefined,
  minorDigits: number | undefined,
): number | { readonly fault: string } {
  const dots = number.split('.').length - 1
  const commas = number.split(',').length - 1
  if (decimal !== undefined) {
    const at = number.indexOf(decimal)
    return at === -1 ? number.length : at
  }
  if (dots + commas === 0) return number.length
  const last = Math.max(number.lastIndexOf('.'), number.lastIndexOf(','))
  if (dots > 0 && commas > 0) return last
  if (dots + commas > 1) return number.length
  const behind = number.length - last - 1
  const before = number.slice(0, last)
  const isClear = behind !== 3 || before === '' || before === '0' || /^0\d|^\d{4,}|[ '’]/.test(before)
  if (isClear) return last
  if (minorDigits === 0) return number.length
  const mark = number[last] ?? ''
  return { fault: `"${mark}" may separate thousands or decimals` }
}

/** Whole minor units; undefined where the number is finer than that or too large to be exact. */
export function minorUnits(number: Decimal, minorDigits: number): number | undefined {
  const surplus = number.scale - minorDigits
  const cut = surplus > 0 ? number.digits.slice(0, -surplus) : number.digits + '0'.repeat(-surplus)
  if (surplus > 0 && /[1-9]/.test(number.digits.slice(-surplus))) return undefined
  const amount = Number(cut === '' ? '0' : cut)
  if (!Number.isSafeInteger(amount)) return undefined
  return number.negative && amount !== 0 ? -amount : amount
}

/** 1234.56 with `mark` between; no thousands separators. */
export function printMinor(amount: number, minorDigits: number, mark: '.' | ',' = '.'): string {
  const digits = String(Math.abs(amount)).padStart(minorDigits + 1, '0')
  const sign = amount < 0 ? '-' : ''
  if (minorDigits === 0) return sign + digits
  return `${sign}${digits.slice(0, -minorDigits)}${mark}${digits.slice(-minorDigits)}`
}
