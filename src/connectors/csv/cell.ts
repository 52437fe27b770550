import type { Json } from '../../core/json.ts'

/** What a cell of a spreadsheet holds, in characters; a row of longer ones could also not be read again in one page. */
export const CELL_MAX = 32_767

/** A number, or a phone number: `+49 30 1234-5`, `-12.50`, `+1 (415) 555 01 00`. It can not call a function. */
const HARMLESS = /^[+-]?(?=\D*\d)[\d\s().,/-]+$/
/** https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r]/

/**
 * A value as the text of a cell. Text that a spreadsheet would run as a formula gets an apostrophe in front, which
 * spreadsheets take for "this is text"; numbers and phone numbers stay as they are. Lists and objects become JSON.
 */
export function cellOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed()
  return FORMULA.test(text) && !HARMLESS.test(text) ? `'${text}` : text
}
