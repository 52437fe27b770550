const CODES: Readonly<Record<string, string>> = {
  b: '1',
  f: '1',
  p: '1',
  v: '1',
  w: '1',
  c: '2',
  g: '2',
  j: '2',
  k: '2',
  q: '2',
  s: '2',
  x: '2',
  z: '2',
  d: '3',
  t: '3',
  l: '4',
  m: '5',
  n: '5',
  r: '6',
}
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^(?:kn|gn|pn)/, 'n'],
  [/^wr/, 'r'],
  [/^ps/, 's'],
  [/^(?:ch|c(?![eiy])|q)/, 'k'],
  [/^(?:ph|v)/, 'f'],
  [/^(?:j|g(?=[ei]))/, 'j'],
  [/^(?:z|c|x)/, 's'],
  [/ph/g, 'f'],
  [/gh/g, 'h'],
  [/sch/g, 's'],
]

/**
 * How a word sounds, in at most five letters: Soundex with the usual misspellings of English, German and French
 * beginnings made equal first ("Catherine" and "Kathryn", "Philip" and "Filip"). Words of other scripts stand for
 * themselves.
 */
export function soundOf(word: string): string {
  if (!/^[a-z]+$/.test(word)) return word.slice(0, 5)
  let text = word
  for (const [spelling, sound] of SPELLINGS) text = text.replace(spelling, sound)
  let code = /^[aeiouy]/.test(text) ? 'a' : text.slice(0, 1)
  let last = CODES[text.slice(0, 1)] ?? ''
  for (let i = 1; i < text.length && code.length < 5; i++) {
    const letter = text.charAt(i)
    const digit = CODES[letter] ?? ''
    if (digit !== '' && digit !== last) code += digit
    // A vowel parts two equal sounds; h and w do not.
    if (letter !== 'h' && letter !== 'w') last = digit
  }
  return code
}
