/** Words that begin a family name: "van der Berg", "de la Cruz". */
const PARTICLES = new Set(
  (
    'van von vom zu zum zur der den ter ten te tot de del della dello degli di da dal dos das do du des ' +
    'la le lo las los el al bin binti ibn ben abu af av aus dem y e'
  ).split(' '),
)
const SUFFIX = /^(?:jr|sr|ii|iii|iv|phd|md|esq)\.?$/i

/** Splits a full name at a guess: "Lee, Ann" and "Ann Lee" are {Ann, Lee}. `full` has single spaces and no others. */
export function splitName(full: string): { givenName: string | null; familyName: string | null } {
  const comma = full.indexOf(',')
  const family = full.slice(0, comma).trim()
  const given = full.slice(comma + 1).trim()
  if (comma > 0 && family !== '' && given !== '' && !SUFFIX.test(given) && !given.includes(','))
    return { givenName: given, familyName: family }
  const words = full.split(' ')
  if (words.length === 1) return { givenName: full, familyName: null }
  const at = familyStart(words)
  return { givenName: words.slice(0, at).join(' ') || null, familyName: words.slice(at).join(' ') }
}

/** Where the family name begins: at the first particle with a word on both sides, else at the last proper word. */
function familyStart(words: readonly string[]): number {
  const isParticle = (word: string) => PARTICLES.has(word.toLowerCase())
  const first = words[0] ?? ''
  // "van der Berg" without a given name; "Van Morrison" is somebody called Van.
  if (isParticle(first) && first === first.toLowerCase()) return 0
  const particle = words.findIndex((word, i) => i > 0 && i < words.length - 1 && isParticle(word))
  if (particle > 0) return particle
  const isSuffixed = words.length > 2 && SUFFIX.test(words.at(-1) ?? '')
  return isSuffixed ? words.length - 2 : words.length - 1
}
