import type { Attribute } from './attributes.ts'
import { rootsOfName } from './nicknames.ts'
import { soundOf } from './phonetic.ts'
import { firstWord, type Prepared } from './prepare.ts'
import { joined, wordsOf } from './text.ts'
import { GENERIC } from './organisation.ts'

/**
 * Families of blocking keys, by the first letter of a key, with what sharing one says already: learning leaves those
 * attributes out of the pairs that the family made.
 */
export const KEY_FAMILIES = {
  e: ['email', 'domain'],
  l: ['email'],
  p: ['phone'],
  n: ['given', 'family', 'nameOrder'],
  b: ['birth'],
  f: ['family', 'nameOrder', 'birth'],
  g: ['given', 'nameOrder', 'birth'],
  a: ['houseNumber', 'houseNumberWithin', 'postalCode', 'city', 'cityWithin', 'region', 'regionWithin'],
  t: ['street', 'houseNumber', 'houseNumberWithin'],
  c: ['family', 'nameOrder', 'postalCode', 'city', 'cityWithin', 'region', 'regionWithin'],
  q: ['given', 'nameOrder', 'postalCode', 'city', 'cityWithin', 'region', 'regionWithin'],
  u: ['family', 'nameOrder', 'city', 'cityWithin', 'region', 'regionWithin'],
  v: ['given', 'nameOrder', 'city', 'cityWithin', 'region', 'regionWithin'],
  x: ['given', 'family', 'nameOrder'],
  y: ['given', 'family', 'nameOrder', 'birth'],
  o: ['family', 'nameOrder', 'organisation', 'organisationWithin', 'domain'],
  i: ['given', 'nameOrder', 'organisation', 'organisationWithin', 'domain'],
  w: ['domain'],
  k: ['organisation', 'organisationWithin'],
  z: ['organisation', 'organisationWithin', 'postalCode', 'city', 'cityWithin', 'region', 'regionWithin'],
} as const satisfies Readonly<Record<string, readonly Attribute[]>>
export type KeyFamily = keyof typeof KEY_FAMILIES

const isFamily = (letter: string): letter is KeyFamily => Object.hasOwn(KEY_FAMILIES, letter)
export function familyOf(key: string): KeyFamily {
  const letter = key.slice(0, 1)
  if (!isFamily(letter)) throw new Error(`"${key}" is no blocking key`)
  return letter
}

const LONGEST = 40

/**
 * Records that share a key are compared. Several families, so that a slip in one field still meets in another; sorted,
 * without repeats, at most 40 letters each.
 */
export function blockingKeys(record: Prepared): readonly string[] {
  const keys = record.subject === 'person' ? personKeys(record) : companyKeys(record)
  const all = [...keys, ...sharedKeys(record)].filter((key) => key !== '').map((key) => key.slice(0, LONGEST))
  return [...new Set(all)].toSorted()
}

/** A key of parts, or none where a part is unknown. */
const key = (family: KeyFamily, ...parts: readonly string[]): string =>
  parts.includes('') ? '' : `${family}${parts.join('|')}`

/** The sound of a given name, and of what it is short for: "lisa" and "llisa" as well as "lisa" and "elizabeth". */
function soundsOfGiven(given: string): readonly string[] {
  const first = firstWord(given)
  if (first === '') return []
  const roots = rootsOfName(first)
  return [...new Set([first, joined(given), ...roots].map(soundOf))].slice(0, 4)
}

function personKeys(record: Prepared): readonly string[] {
  const { birth, postalCode, city, organisation, domains } = record
  const given = soundsOfGiven(record.given)
  const family =
    record.family === ''
      ? []
      : [...new Set([soundOf(joined(record.family)), ...wordsOf(record.family).map(soundOf)])].slice(0, 3)
  const month = birth.startsWith('-') ? '' : birth.slice(0, 6)
  const firms = [firstTelling(organisation), ...domains].filter(Boolean).slice(0, 3)
  return [
    ...given.flatMap((one) => family.map((two) => key('n', ...[one, two].toSorted()))),
    key('b', birth),
    // Either name may stand in the other's place.
    ...[...family, ...given].flatMap((sound) => [key('f', sound, month), key('f', sound, birth.slice(4))]),
    ...family.flatMap((sound) => [key('c', sound, postalCode), key('u', sound, soundOf(joined(city)))]),
    ...given.map((sound) => key('q', sound, postalCode)),
    ...(statesLittle(record) ? looseKeys(record, given, family) : []),
    ...firms.flatMap((firm) => [
      ...family.map((sound) => key('o', sound, firm)),
      ...given.map((sound) => key('i', sound, firm)),
    ]),
  ]
}

/** Only names and a date or a town: whoever has a slip in one of them shares little else. */
const statesLittle = ({ emails, phones, postalCode, street }: Prepared): boolean =>
  emails.length + phones.length === 0 && postalCode === '' && street === ''

function looseKeys(record: Prepared, given: readonly string[], family: readonly string[]): readonly string[] {
  const [first, last] = [joined(record.given), joined(record.family)]
  const year = record.birth.startsWith('-') ? '' : record.birth.slice(0, 4)
  const town = soundOf(joined(record.city))
  return [
    ...given.map((sound) => key('v', sound, town)),
    ...[...given, ...family].map((sound) => key('y', sound, year)),
    key('x', '^', ...[first.slice(0, 3), last.slice(0, 3)].toSorted()),
    key('x', '$', ...[first.slice(-3), last.slice(-3)].toSorted()),
  ]
}

const firstTelling = (organisation: string): string => {
  const words = wordsOf(organisation)
  return (words.find((word) => word.length > 2 && !GENERIC.has(word)) ?? words[0] ?? '').slice(0, 6)
}

function companyKeys({ organisation, domains, city, postalCode }: Prepared): readonly string[] {
  const words = wordsOf(organisation)
  const telling = words.filter((word) => word.length > 2 && !GENERIC.has(word))
  const sounds = (telling.length > 0 ? telling : words).slice(0, 4).map(soundOf)
  return [
    ...domains.map((domain) => key('w', domain)),
    ...domains.map((domain) => key('k', (domain.split('.')[0] ?? '').slice(0, 8))),
    key('k', joined(organisation).slice(0, 8)),
    ...sounds.flatMap((one, i) => sounds.slice(i + 1).map((two) => key('k', ...[one, two].toSorted()))),
    ...sounds.flatMap((sound) => [key('z', sound, soundOf(joined(city))), key('z', sound, postalCode)]),
  ]
}

function sharedKeys({
  emails,
  locals,
  phones,
  postalCode,
  houseNumber,
  street,
  unit,
}: Prepared): readonly string[] {
  const lines = [street, unit].map((line) => joined(line).slice(0, 6))
  return [
    ...emails.map((email) => key('e', email)),
    ...locals.filter((local) => local.length > 3).map((local) => key('l', local)),
    ...phones.map((phone) => key('p', phone.slice(-7))),
    key('a', postalCode, houseNumber),
    ...lines.map((line) => key('t', line, houseNumber)),
    ...lines.map((line) => key('t', line, postalCode)),
  ]
}
