const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
}
const SPECIAL = /[ßæœøłđðþı]/g
const LONGEST = 200
const PLAIN = /^[a-z0-9 ]*$/

/**
 * Text as it is compared: lower case, without diacritics and punctuation, single spaces. Letters of other scripts
 * stay. "O'Brien" is "obrien", "Jean-Luc" is "jean luc". At most 200 letters: nothing longer is a name.
 */
export function fold(text: string | undefined): string {
  if (text === undefined) return ''
  const lower = text.slice(0, LONGEST).toLowerCase()
  if (PLAIN.test(lower)) return lower.replace(/ +/g, ' ').trim()
  return lower
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(SPECIAL, (letter) => LETTERS[letter] ?? letter)
    .replace(/['’‘`´.]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

export const joined = (text: string): string => (text.includes(' ') ? text.replaceAll(' ', '') : text)
export const wordsOf = (text: string): readonly string[] => (text === '' ? [] : text.split(' '))

const NOTHING = new Set([
  'na',
  'n a',
  'none',
  'null',
  'nil',
  'nan',
  'unknown',
  'unk',
  'undefined',
  'not available',
  'not known',
  'not provided',
  'not specified',
  'not stated',
  'not given',
  'not applicable',
  'no data',
  'missing',
  'unbekannt',
  'keine angabe',
  'inconnu',
  'inconnue',
  'desconocido',
  'sconosciuto',
  'no name',
  'tbd',
  'tbc',
  'x',
  'xx',
  'xxx',
  'test',
  'anonymous',
  'empty',
  'blank',
])

/** Folded text, or nothing where people wrote that they do not know. */
export function known(text: string | undefined): string {
  const folded = fold(text)
  return NOTHING.has(folded) ? '' : folded
}
