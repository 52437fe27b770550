/**
 * How alike two short texts are. All of these are symmetric, and 1 (or 0 edits) only for equal texts.
 */

/** Jaro-Winkler: 0 to 1, kinder to texts that begin alike (Winkler 1990; prefix scale 0.1, at most 4 letters). */
export function jaroWinkler(a: string, b: string): number {
  if (a === b) return 1
  const jaro = jaroOf(a, b)
  if (jaro < 0.7) return jaro
  let prefix = 0
  while (prefix < 4 && prefix < a.length && a.charCodeAt(prefix) === b.charCodeAt(prefix)) prefix++
  return jaro + prefix * 0.1 * (1 - jaro)
}

function jaroOf(one: string, two: string): number {
  // The shorter goes first, so that the greedy pairing below does not depend on the order of the arguments.
  const [a, b] = one.length < two.length || (one.length === two.length && one < two) ? [one, two] : [two, one]
  if (a.length === 0) return 0
  const reach = Math.max(0, Math.floor(b.length / 2) - 1)
  const taken: boolean[] = []
  const inA: number[] = []
  for (let i = 0; i < a.length; i++) {
    const code = a.charCodeAt(i)
    const last = Math.min(b.length - 1, i + reach)
    for (let j = Math.max(0, i - reach); j <= last; j++) {
      if (taken[j] === true || b.charCodeAt(j) !== code) continue
      taken[j] = true
      inA.push(code)
      break
    }
  }
  if (inA.length === 0) return 0
  let at = 0
  let moved = 0
  for (let j = 0; j < b.length; j++) {
    if (taken[j] !== true) continue
    if (b.charCodeAt(j) !== inA[at]) moved++
    at++
  }
  const common = inA.length
  return (common / a.length + common / b.length + (common - moved / 2) / common) / 3
}

/**
 * Edits between two texts, where two letters that changed places are one edit (optimal string alignment). Counts up
 * to `most` and then says `most + 1`: far apart is all the same.
 */
export function edits(a: string, b: string, most: number): number {
  if (a === b) return 0
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
      let cost = Math.min((row[j - 1] ?? 0) + (same ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1)
      if (i > 1 && j > 1 && crossed(a, b, i, j)) cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      next.push(cost)
      if (cost < least) least = cost
    }
    if (least > most) return most + 1
    before = row
    row = next
  }
  return Math.min(row[b.length] ?? 0, most + 1)
}

const crossed = (a: string, b: string, i: number, j: number): boolean =>
  a.charCodeAt(i - 1) === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === b.charCodeAt(j - 1)

/** A slip of the pen: one edit in a short text, two in one of eight letters or more. */
export function isSlip(a: string, b: string): boolean {
  const shorter = Math.min(a.length, b.length)
  if (shorter < 3) return false
  const most = shorter >= 8 ? 2 : 1
  return edits(a, b, most) <= most
}

const NUMBER = /\p{Nd}+/gu

/** "Guest 1" and "Guest 12": numbers tell things of one name apart, so another one is no slip. */
export function areNumberedApart(a: string, b: string): boolean {
  const one = a.match(NUMBER)
  if (one === null) return false
  const two = b.match(NUMBER)
  return two !== null && plain(one) !== plain(two)
}

/** "07" is 7. */
const plain = (numbers: readonly string[]): string =>
  numbers.map((number) => number.replace(/^0+(?=.)/, '')).join(' ')
