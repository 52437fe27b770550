import type { Dice } from './dice.ts'
import { phoneNumber } from './phones.ts'
import {
  COMPANY_FIRST,
  COMPANY_KIND,
  COMPANY_SECOND,
  COUNTRIES,
  INDUSTRIES,
  MAILBOXES,
  TITLES,
  type Country,
} from './words.ts'

export type Firm = {
  readonly id: string
  readonly name: string
  readonly domain: string
  readonly country: Country
  readonly industry: string
  readonly employees: number
  readonly phone: string | null
}

export type Person = {
  readonly id: string
  readonly given: string
  /** What friends say, and forms. */
  readonly nickname: string | null
  readonly family: string
  readonly email: string
  readonly phone: string | null
  readonly title: string
  readonly firm: Firm | null
  readonly country: Country
  readonly mail: 'subscribed' | 'unsubscribed' | 'cleaned' | 'pending' | 'archived'
  /** The systems that know this person. */
  readonly known: { readonly mailchimp: boolean; readonly stripe: boolean; readonly csv: boolean }
}

/** So many people, the first ones, are known everywhere and take mail: the stories need them, however small the company. */
export const REGULARS = 12

/** Phone numbers, each given out once. */
function phoneBook() {
  const used = new Map<string, number>()
  return (country: Country): string | null => {
    const n = used.get(country.code) ?? 0
    used.set(country.code, n + 1)
    return phoneNumber(country.code, n)
  }
}

export function makeFirmsAndPeople(
  dice: Dice,
  counts: { readonly firms: number; readonly people: number },
): { readonly firms: readonly Firm[]; readonly people: readonly Person[] } {
  const nextPhone = phoneBook()
  const names = new Set<string>()
  const firms = Array.from({ length: counts.firms }, (_, i): Firm => {
    const country = dice.weighted(COUNTRIES)
    const name = firmName(dice, names)
    return {
      id: `f-${String(i + 1).padStart(5, '0')}`,
      name,
      domain: `${ascii(name)}.example`,
      country,
      industry: dice.pick(INDUSTRIES),
      employees: Math.ceil(4 * 1.9 ** (dice.next() * 9)),
      phone: dice.chance(0.7) ? nextPhone(country) : null,
    }
  })
  const taken = new Map<string, number>()
  const people = Array.from({ length: counts.people }, (_, i) => {
    const firm =
      i < REGULARS || dice.chance(0.78)
        ? (firms[i < REGULARS ? i % firms.length : dice.below(firms.length)] ?? null)
        : null
    return person(dice, i, firm, taken, nextPhone)
  })
  return { firms, people }
}

function firmName(dice: Dice, taken: Set<string>): string {
  for (;;) {
    const name = `${dice.pick(COMPANY_FIRST)}${dice.pick(COMPANY_SECOND)} ${dice.pick(COMPANY_KIND)}`
    if (taken.has(name)) continue
    taken.add(name)
    return name
  }
}

function person(
  dice: Dice,
  index: number,
  firm: Firm | null,
  taken: Map<string, number>,
  nextPhone: (country: Country) => string | null,
): Person {
  const regular = index < REGULARS
  const country = firm !== null && dice.chance(0.9) ? firm.country : dice.weighted(COUNTRIES)
  const [given = '', nickname = null] = dice.pick(country.given).split('/')
  const family = dice.pick(country.families)
  const domain = firm !== null && dice.chance(0.85) ? firm.domain : dice.pick(MAILBOXES)
  return {
    id: `c-${String(index + 1).padStart(6, '0')}`,
    given,
    nickname,
    family,
    email: address(dice, given, family, domain, taken),
    phone: regular || dice.chance(0.68) ? nextPhone(country) : null,
    title: dice.pick(TITLES),
    firm,
    country,
    mail: regular ? 'subscribed' : dice.weighted(MAIL),
    known: regular ? { mailchimp: true, stripe: true, csv: true } : dice.weighted(KNOWN),
  }
}

const MAIL = [
  ['subscribed', 86],
  ['unsubscribed', 7],
  ['cleaned', 3],
  ['pending', 3],
  ['archived', 1],
] as const

const known = (mailchimp: boolean, stripe: boolean, csv: boolean): Person['known'] => ({
  mailchimp,
  stripe,
  csv,
})
const KNOWN: readonly [readonly [Person['known'], number], ...(readonly [Person['known'], number])[]] = [
  [known(true, false, false), 26],
  [known(false, false, true), 22],
  [known(true, false, true), 30],
  [known(false, true, false), 3],
  [known(true, true, false), 3],
  [known(false, true, true), 4],
  [known(true, true, true), 12],
]

/** Never the same twice: the second of a name gets a number. */
function address(
  dice: Dice,
  given: string,
  family: string,
  domain: string,
  taken: Map<string, number>,
): string {
  const [first, last] = [ascii(given), ascii(family)]
  const local = dice.weighted([
    [`${first}.${last}`, 7],
    [`${first.slice(0, 1)}.${last}`, 2],
    [`${first}${last}`, 1],
  ])
  const whole = `${local}@${domain}`
  const n = (taken.get(whole) ?? 0) + 1
  taken.set(whole, n)
  return n === 1 ? whole : `${local}${n}@${domain}`
}

/** Lower case, letters and digits only, as in addresses. */
export function ascii(text: string): string {
  return text
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
}
