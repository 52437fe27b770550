import { MISSING } from './attributes.ts'
import { compareGiven } from './compare-name.ts'
import { GENERIC } from './organisation.ts'
import { firstWord, type Prepared } from './prepare.ts'
import { areNumberedApart, edits, isSlip, jaroWinkler } from './similarity.ts'
import { joined, wordsOf } from './text.ts'

/** The best level over all pairs of two sets. */
function best(
  a: readonly string[],
  b: readonly string[],
  level: (one: string, two: string) => number,
): number {
  let found = MISSING
  for (const one of a) {
    for (const two of b) {
      const here = level(one, two)
      if (here !== MISSING && (found === MISSING || here < found)) found = here
    }
  }
  return found
}

const SHORTEST_LOCAL = 5

/**
 * An address whose local part is built from the names says nothing that the names do not say: two of those that agree
 * before the @ are no evidence at all, and "s.lee@" is no slip of "i.lee@" where Sam and Ida have them.
 */
export function compareEmails(a: Prepared, b: Prepared): number {
  const level = best(a.emails, b.emails, emailLevel)
  if (level < 1 || level > 3) return level
  const named = (one: Prepared) => one.given !== '' || one.family !== ''
  const built = (one: Prepared) => one.locals.some((local) => isBuiltFrom(local, one))
  if (level === 1) return built(a) && built(b) && haveTwoNames(a, b) ? MISSING : level
  return named(a) && named(b) && (built(a) || built(b)) ? MISSING : level
}

/** Neither the same, nor a slip, a short form or a part of it. */
const haveTwoNames = (a: Prepared, b: Prepared): boolean => compareGiven(a.given, b.given) >= 5

function emailLevel(a: string, b: string): number {
  if (a === b) return 0
  const [one, two] = [beforeAt(a), beforeAt(b)]
  // "ann.lee4" and "ann_lee7" are two people of one name at one provider, and no slip.
  const sameLetters = lettersOf(one) === lettersOf(two)
  if (isSlip(a, b) && (one === two || !sameLetters)) return 1
  if (one === two && one.length >= SHORTEST_LOCAL) return 2
  if (one.length >= SHORTEST_LOCAL && two.length >= SHORTEST_LOCAL) {
    if (a.slice(one.length) === b.slice(two.length) ? edits(one, two, 2) <= 2 : isSlip(one, two)) return 3
  }
  return 4
}
const lettersOf = (text: string): string => text.replace(/[^\p{L}]/gu, '')
const beforeAt = (email: string): string => email.slice(0, email.lastIndexOf('@'))

function isBuiltFrom(local: string, { given, family }: Prepared): boolean {
  const [first, last] = [firstWord(given), joined(family)]
  const bare = local.replace(/\d+$/, '')
  return (last.length > 2 && bare.includes(last)) || (first.length > 2 && bare.startsWith(first))
}

export function comparePhones(a: readonly string[], b: readonly string[]): number {
  return best(a, b, (one, two) => {
    if (one === two) return 0
    const [shorter, longer] = one.length < two.length ? [one, two] : [two, one]
    if (shorter.length >= 7 && longer.endsWith(shorter)) return 0
    return shorter.length >= 7 && edits(one, two, 1) <= 1 ? 1 : 2
  })
}

/** "acme.com" and "acme.de" of two firms called Acme say no more than their name does. */
export function compareDomains(a: Prepared, b: Prepared): number {
  const level = best(a.domains, b.domains, domainLevel)
  return level === 1 && isNamed(a) && isNamed(b) ? MISSING : level
}
function domainLevel(one: string, two: string): number {
  if (one === two) return 0
  return nameOfDomain(one) === nameOfDomain(two) || isSlip(one, two) ? 1 : 2
}
/** Whether its domain is its name. */
function isNamed({ organisation, domains }: Prepared): boolean {
  const name = joined(organisation)
  return (
    name.length > 2 &&
    domains.some((domain) => {
      const own = nameOfDomain(domain).replace(/[^\p{L}\p{N}]/gu, '')
      return own.startsWith(name) || isSlip(own, name)
    })
  )
}
/** "acme.co.uk" and "acme.shop" are both "acme"; "mail.acme.com" is, too. */
function nameOfDomain(domain: string): string {
  const parts = domain
    .split('.')
    .slice(0, -1)
    .filter((part) => part.length > 3)
  return parts.at(-1) ?? domain
}

export function compareOrganisations(a: string, b: string): number {
  if (a === '' || b === '') return MISSING
  const [one, two] = [joined(a), joined(b)]
  if (one === two) return 0
  if (areNumberedApart(one, two)) return 4
  if (isSlip(one, two)) return 1
  const shared = overlap(a, b)
  if (shared >= 0.99) return 2
  return shared >= 0.5 || jaroWinkler(one, two) >= 0.92 ? 3 : 4
}

/**
 * The share of the shorter name's words that the longer one has too, slips forgiven; words that many firms use count
 * a quarter. "Acme" in "Acme Industries" is whole, "Acme Industries" and "Apex Industries" share little.
 */
function overlap(a: string, b: string): number {
  const [few, many] = [wordsOf(a), wordsOf(b)].toSorted(
    (x, y) => x.length - y.length || (x.join() < y.join() ? -1 : 1),
  )
  if (few === undefined || many === undefined) return 0
  let whole = 0
  let shared = 0
  let telling = false
  for (const word of few) {
    const weight = GENERIC.has(word) ? 0.25 : Math.min(1, word.length / 4)
    const isShared = many.some((other) => other === word || (word.length > 4 && isSlip(word, other)))
    whole += weight
    if (!isShared) continue
    shared += weight
    if (!GENERIC.has(word) && word.length > 2) telling = true
  }
  return telling ? shared / whole : 0
}

/** Dates of eight digits. A birthday without a year is judged by what both state. */
export function compareBirth(a: string, b: string): number {
  if (a === '' || b === '') return MISSING
  const yearless = a.startsWith('-') || b.startsWith('-')
  const [one, two] = yearless ? [a.slice(4), b.slice(4)] : [a, b]
  if (one === two) return yearless ? 2 : 0
  if (yearless) return edits(one, two, 1) <= 1 ? 3 : 4
  if (edits(one, two, 1) <= 1) return 1
  const [year, month, day] = [
    a.slice(0, 4) === b.slice(0, 4),
    a.slice(4, 6) === b.slice(4, 6),
    a.slice(6) === b.slice(6),
  ]
  if (year && a.slice(4, 6) === b.slice(6) && a.slice(6) === b.slice(4, 6)) return 1
  if (Number(year) + Number(month) + Number(day) === 2) return 2
  const near = Math.abs(dayNumber(a) - dayNumber(b)) <= 62 || edits(one, two, 2) <= 2
  return near ? 3 : 4
}
const dayNumber = (date: string): number =>
  Number(date.slice(0, 4)) * 365 + Number(date.slice(4, 6)) * 30 + Number(date.slice(6))
