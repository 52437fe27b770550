import { fold } from './text.ts'

/** Without blanks and repeats, in a fixed order, at most ten: nobody has more ways to be reached. */
export const unique = (values: readonly string[]): readonly string[] =>
  values.length < 2
    ? values.filter((value) => value !== '')
    : [...new Set(values)].filter(Boolean).toSorted().slice(0, 10)

const ADDRESS = /^[^\s@<>",;]+@[^\s@<>",;]+$/
/** What people fill in where a form insists on an address. */
const NOBODY = new Set(
  'na no none noone nomail noemail noreply donotreply nobody unknown null test x xx xxx'.split(' '),
)
const NO_DOTS = new Set(['gmail.com', 'googlemail.com'])

/** Lower case, without "mailto:" and without a tag (+…); Gmail's dots left out. Blank where it is no address. */
export function emailOf(text: string): string {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(/^mailto:/, '')
    .replace(/^.*<([^<>]+)>$/, '$1')
    .slice(0, 254)
  if (!ADDRESS.test(bare)) return ''
  const at = bare.lastIndexOf('@')
  const domain = bare.slice(at + 1) === 'googlemail.com' ? 'gmail.com' : bare.slice(at + 1)
  const plus = bare.slice(0, at).indexOf('+')
  const local = plus > 0 ? bare.slice(0, plus) : bare.slice(0, at)
  if (NOBODY.has(local.replace(/[._-]/g, ''))) return ''
  return `${NO_DOTS.has(domain) ? local.replaceAll('.', '') : local}@${domain}`
}

export const localPartOf = (email: string): string =>
  fold(email.slice(0, Math.max(0, email.lastIndexOf('@')))).replaceAll(' ', '')

/** "https://www.acme.com/about" and "info@acme.com" are "acme.com". */
export function domainOf(text: string): string {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/^.*@/, '')
    .replace(/^www\d?\./, '')
    .replace(/[/?#:].*$/, '')
  return /^[^\s.]+(?:\.[^\s.]+)+$/.test(bare) ? bare.slice(0, 253) : ''
}

/** The last nine digits of a number, which leave out country code and trunk prefix. Blank under six digits. */
export function phoneDigits(text: string): string {
  const digits = text
    .replace(/(?:ext|x|#|durchwahl|poste)\.?\s*\d+\s*$/i, '')
    .replace(/\(0\)/, '')
    .replace(/\D/g, '')
    .replace(/^0+/, '')
  if (digits.length < 6 || /^(\d)\1+$/.test(digits) || '1234567890'.startsWith(digits)) return ''
  return digits.slice(-9)
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const two = (text: string | undefined): string => (text ?? '').padStart(2, '0')

/** YYYYMMDD of a date as people write it; ----MMDD where no year is given. Blank where it is none. */
export function birthDigits(text: string | undefined): string {
  const digits = dateDigits(text)
  return NO_DATE.has(digits) ? '' : digits
}
/** Where computers begin and end to count, and what people fill in. */
const NO_DATE = new Set(
  '00000000 00010101 11111111 18000101 19000101 19010101 19700101 99991231 99999999'.split(' '),
)

function dateDigits(text: string | undefined): string {
  const plain = (text ?? '')
    .trim()
    .toLowerCase()
    .replace(/[t ]\d{1,2}:\d{2}.*$/, '')
  if (plain === '') return ''
  if (/^\d{8}$/.test(plain))
    return /^(?:1[89]|20)/.test(plain) ? plain : plain.slice(4) + plain.slice(2, 4) + plain.slice(0, 2)
  const parts = plain.split(/[^a-z0-9]+/).filter(Boolean)
  const [a, b, c] = parts.map((part) => monthOf(part))
  if (parts.length === 2 && a !== undefined && b !== undefined) return shortDate(a, b)
  if (a === undefined || b === undefined || c === undefined) return ''
  if (/^\d{4}$/.test(a)) return `${a}${two(b)}${two(c)}`
  const year = /^\d{4}$/.test(c) ? c : /^\d{2}$/.test(c) ? (Number(c) > 30 ? `19${c}` : `20${c}`) : ''
  if (year === '' || !/^\d{1,2}$/.test(a) || !/^\d{1,2}$/.test(b)) return ''
  // Day first, unless the second number cannot be a month or the first was a month's name.
  const monthFirst = Number(b) > 12 || (/^[a-z]/.test(parts[0] ?? '') && Number(a) <= 12)
  return monthFirst ? `${year}${two(a)}${two(b)}` : `${year}${two(b)}${two(a)}`
}

/** "03-14" of a birthday without a year. */
const shortDate = (a: string, b: string): string =>
  /^\d{1,2}$/.test(a) && /^\d{1,2}$/.test(b) ? `----${two(a)}${two(b)}` : ''

/** A month's name as its number; ordinals ("3rd") as numbers. */
function monthOf(part: string): string | undefined {
  const digits = /^(\d+)(?:st|nd|rd|th)?$/.exec(part)?.[1]
  if (digits !== undefined) return digits
  const month = MONTHS.indexOf(part.slice(0, 3))
  return month < 0 ? undefined : two(String(month + 1))
}
