import { MISSING } from './attributes.ts'
import { areTwoNames, isNickname } from './nicknames.ts'
import { firstWord, type Prepared } from './prepare.ts'
import { areNumberedApart, isSlip, jaroWinkler } from './similarity.ts'
import { joined, wordsOf } from './text.ts'

export type NameLevels = { readonly given: number; readonly family: number; readonly order: number }
type Named = Pick<Prepared, 'given' | 'family'>

/** Below this two names that are not a slip apart are two names. */
const SIMILAR = 0.85
const DIFFERS_GIVEN = 6
const DIFFERS_FAMILY = 4

/** Names in their places, or crosswise where that agrees and the places do not ("Hall, Isla" and "Isla Hall"). */
export function compareNames(a: Named, b: Named): NameLevels {
  const given = compareGiven(a.given, b.given)
  const family = compareFamily(a.family, b.family)
  const straight = {
    given,
    family,
    order: given <= 1 && family <= 1 && given >= 0 && family >= 0 ? 0 : MISSING,
  }
  if (given === 0 || family === 0) return straight
  if (given !== DIFFERS_GIVEN && family !== DIFFERS_FAMILY) return straight
  return crossed(a, b) ?? straight
}

function crossed(a: Named, b: Named): NameLevels | null {
  const one = compareGiven(a.given, b.family)
  const two = compareGiven(a.family, b.given)
  const both = one !== MISSING && two !== MISSING
  const agrees = (level: number) => level === 0 || level === 1
  if (both) {
    if (!(agrees(one) && agrees(two)) && !(one === 0 && two === 2) && !(one === 2 && two === 0)) return null
    return { given: Math.max(one, two), family: Math.min(one, two), order: 1 }
  }
  // One name against one: which is which does not show, so it counts as a surname that is all there is.
  const only = one === MISSING ? two : one
  return only === 0 || only === 1 ? { given: MISSING, family: only, order: MISSING } : null
}

export function compareGiven(a: string, b: string): number {
  if (a === '' || b === '') return MISSING
  const [one, two] = [joined(a), joined(b)]
  if (one === two) return 0
  if (areNumberedApart(one, two)) return DIFFERS_GIVEN
  const [first, second] = [firstWord(a), firstWord(b)]
  if (first === second && first.length > 1) return 3
  if (one.length === 1 || two.length === 1) return one.charAt(0) === two.charAt(0) ? 4 : DIFFERS_GIVEN
  if (isNickname(first, second) || isNickname(one, two)) return 2
  if (areTwoNames(one, two)) return isSlip(one, two) ? 5 : DIFFERS_GIVEN
  if (isSlip(one, two)) return 1
  if (first.length === 1 || second.length === 1) {
    if (sharesWord(a, b)) return 3
    return first.charAt(0) === second.charAt(0) ? 4 : DIFFERS_GIVEN
  }
  if (sharesWord(a, b)) return 3
  return jaroWinkler(one, two) >= SIMILAR ? 5 : DIFFERS_GIVEN
}

export function compareFamily(a: string, b: string): number {
  if (a === '' || b === '') return MISSING
  const [one, two] = [joined(a), joined(b)]
  if (one === two) return 0
  if (areNumberedApart(one, two)) return DIFFERS_FAMILY
  if (one.length === 1 || two.length === 1) return one.charAt(0) === two.charAt(0) ? 3 : DIFFERS_FAMILY
  if (isSlip(one, two)) return 1
  if (sharesWord(a, b)) return 2
  return jaroWinkler(one, two) >= SIMILAR ? 3 : DIFFERS_FAMILY
}

/** "Smith-Jones" and "Smith": a word of three letters or more in both. */
function sharesWord(a: string, b: string): boolean {
  if (!a.includes(' ') && !b.includes(' ')) return false
  const words = wordsOf(b)
  return wordsOf(a).some((word) => word.length > 2 && words.includes(word))
}
