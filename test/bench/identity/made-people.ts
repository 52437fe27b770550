import {
  abbreviated,
  FAMILY,
  FORMS,
  GIVEN,
  KINDS,
  pick,
  pickCommon,
  rareName,
  SHORT,
  slip,
  STREETS,
  town,
  TRADES,
  type Chance,
} from './vocabulary.ts'

export const PEOPLE_COLUMNS = [
  'truth',
  'first_name',
  'last_name',
  'email',
  'phone',
  'company',
  'address_1',
  'city',
  'state',
  'zip',
  'date_of_birth',
] as const
type Person = Record<(typeof PEOPLE_COLUMNS)[number], string>

/**
 * People as a sales team's lists hold them, with what is hard about them: families that share a name, an address and a
 * phone, colleagues that share a firm, a domain and a switchboard, nicknames, initials, slips, moved and married
 * people, empty cells. `duplicates`: how many of a hundred have a second (some a third or fourth) row.
 */
export function* madePeople(rows: number, duplicates: number, chance: Chance): Generator<Person> {
  const firms = Array.from({ length: Math.max(3, Math.floor(rows / 12)) }, () => firm(chance))
  let made = 0
  let truth = 0
  while (made < rows) {
    const household = home(chance)
    const taken = new Set<string>()
    const members = chance() < 0.25 ? 2 + Math.floor(chance() * 3) : 1
    for (let n = 0; n < members && made < rows; n++) {
      const one = person(household, pick(firms, chance), String(++truth), chance)
      // Father and son of one name are rare.
      if (taken.has(one.first_name) && chance() < 0.95) continue
      taken.add(one.first_name)
      const copies = chance() * 100 < duplicates ? 1 + Math.floor(chance() ** 3 * 4) : 0
      made++
      yield hidden(one, chance)
      for (let copy = 0; copy < copies && made < rows; copy++) {
        made++
        yield hidden(changed(one, firms, chance), chance)
      }
    }
  }
}

const digits = (length: number, chance: Chance): string =>
  Array.from({ length }, () => Math.floor(chance() * 10)).join('')
const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
const ascii = (text: string): string => text.normalize('NFKD').replace(/[^a-z]/g, '')

type Firm = { readonly name: string; readonly domain: string; readonly phone: string }
function firm(chance: Chance): Firm {
  const name = `${capital(rareName(chance))} ${capital(pick(TRADES, chance))}`
  return {
    name: `${name} ${pick(FORMS, chance)}`.trim(),
    domain: `${name.toLowerCase().replaceAll(' ', '')}.com`,
    phone: digits(10, chance),
  }
}

type Home = { readonly family: string; readonly phone: string; readonly street: string } & ReturnType<
  typeof town
>
function home(chance: Chance): Home {
  return {
    family: chance() < 0.5 ? pickCommon(FAMILY, chance) : rareName(chance),
    phone: digits(10, chance),
    street: `${1 + Math.floor(chance() * 400)} ${pick(STREETS, chance)} ${pick(KINDS, chance)}`,
    ...town(chance),
  }
}

const birthDate = (chance: Chance): string =>
  new Date(Date.UTC(1940 + Math.floor(chance() * 65), 0, 1 + Math.floor(chance() * 365)))
    .toISOString()
    .slice(0, 10)

/** At a free-mail provider the short addresses are taken: there a number makes each the address of one person. */
function emailOf(given: string, family: string, domain: string, chance: Chance): string {
  const [first, last] = [ascii(given), ascii(family)]
  return `${pick([`${first}.${last}`, `${first.slice(0, 1)}${last}`, `${first}${digits(2, chance)}`, `${first}_${last}${digits(1, chance)}`], chance)}${FREE.includes(domain) ? digits(6, chance) : ''}@${domain}`
}

const FREE = ['gmail.com', 'hotmail.com', 'yahoo.com']

function person(household: Home, employer: Firm, truth: string, chance: Chance): Person {
  const given = pickCommon(GIVEN, chance)
  const isAtWork = chance() < 0.6
  return {
    truth,
    first_name: given,
    last_name: household.family,
    email: emailOf(given, household.family, isAtWork ? employer.domain : pick(FREE, chance), chance),
    phone: chance() < 0.5 ? digits(10, chance) : isAtWork ? employer.phone : household.phone,
    company: isAtWork ? employer.name : '',
    address_1: household.street,
    city: household.city,
    state: household.state,
    zip: household.postcode,
    date_of_birth: birthDate(chance),
  }
}

/** The same person in another list. */
function changed(one: Person, firms: readonly Firm[], chance: Chance): Person {
  const copy = { ...one }
  const maybe = (share: number, change: () => void): void => {
    if (chance() < share) change()
  }
  maybe(0.2, () => (copy.first_name = SHORT[one.first_name] ?? one.first_name))
  maybe(0.05, () => (copy.first_name = `${one.first_name.slice(0, 1)}.`))
  maybe(0.12, () => (copy.first_name = slip(copy.first_name, chance)))
  maybe(0.12, () => (copy.last_name = slip(copy.last_name, chance)))
  maybe(0.03, () => (copy.last_name = rareName(chance)))
  maybe(0.04, () => ([copy.first_name, copy.last_name] = [copy.last_name, copy.first_name]))
  maybe(
    0.35,
    () =>
      (copy.email = emailOf(
        one.first_name,
        one.last_name,
        pick([...FREE, pick(firms, chance).domain], chance),
        chance,
      )),
  )
  maybe(0.08, () => (copy.email = slip(one.email, chance)))
  maybe(0.3, () => (copy.phone = digits(10, chance)))
  maybe(
    0.3,
    () => (copy.phone = `+1 (${one.phone.slice(0, 3)}) ${one.phone.slice(3, 6)}-${one.phone.slice(6)}`),
  )
  maybe(0.3, () => (copy.company = copy.company.replace(/ (Inc|Ltd|LLC|GmbH|PLC|Corp\.|S\.A\.)$/, '')))
  maybe(0.15, () => Object.assign(copy, moved(chance)))
  maybe(0.25, () => (copy.address_1 = shortened(copy.address_1)))
  maybe(0.08, () => (copy.city = slip(copy.city, chance)))
  maybe(0.05, () => (copy.zip = slip(copy.zip, chance)))
  maybe(0.1, () => (copy.date_of_birth = slip(copy.date_of_birth, chance)))
  return copy
}

function moved(chance: Chance): Partial<Person> {
  const { street, city, state, postcode } = home(chance)
  return { address_1: street, city, state, zip: postcode }
}

const shortened = (street: string): string => {
  const words = street.split(' ')
  return [...words.slice(0, -1), abbreviated(words.at(-1) ?? '')].join(' ')
}

const EMPTY: Readonly<Partial<Record<keyof Person, number>>> = {
  first_name: 0.04,
  email: 0.25,
  phone: 0.35,
  company: 0.2,
  address_1: 0.3,
  city: 0.2,
  state: 0.3,
  zip: 0.25,
  date_of_birth: 0.6,
}

/** With the cells left empty that lists leave empty. */
function hidden(one: Person, chance: Chance): Person {
  const copy = { ...one }
  for (const column of PEOPLE_COLUMNS) if (chance() < (EMPTY[column] ?? 0)) copy[column] = ''
  return { ...copy, first_name: capital(copy.first_name), last_name: capital(copy.last_name) }
}
