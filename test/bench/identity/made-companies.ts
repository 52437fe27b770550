import {
  abbreviated,
  FAMILY,
  FORMS,
  KINDS,
  pick,
  rareName,
  slip,
  STREETS,
  town,
  TRADES,
  type Chance,
} from './vocabulary.ts'

export const COMPANY_COLUMNS = [
  'truth',
  'name',
  'website',
  'phone',
  'street',
  'city',
  'state',
  'postal_code',
] as const
type Company = Record<(typeof COMPANY_COLUMNS)[number], string>

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
const digits = (length: number, chance: Chance): string =>
  Array.from({ length }, () => Math.floor(chance() * 10)).join('')

/**
 * Companies as lists hold them: legal forms that come and go, slips, words left out, several firms of one founder's
 * name in different trades, firms that share a building.
 */
export function* madeCompanies(rows: number, duplicates: number, chance: Chance): Generator<Company> {
  let truth = 0
  let made = 0
  while (made < rows) {
    const founder = capital(chance() < 0.9 ? rareName(chance) : pick(FAMILY, chance))
    const place = {
      street: `${1 + Math.floor(chance() * 300)} ${pick(STREETS, chance)} ${pick(KINDS, chance)}`,
      ...town(chance),
    }
    const firms = chance() < 0.2 ? 2 : 1
    for (let n = 0; n < firms && made < rows; n++) {
      const isNeighbour = chance() < 0.5
      const name =
        isNeighbour || n === 0
          ? `${n === 0 ? founder : capital(rareName(chance))} ${capital(pick(TRADES, chance))}`
          : `${founder} ${capital(pick(TRADES, chance))}`
      const at =
        n === 0 || isNeighbour
          ? place
          : {
              street: `${1 + Math.floor(chance() * 300)} ${pick(STREETS, chance)} ${pick(KINDS, chance)}`,
              ...town(chance),
            }
      const one: Company = {
        truth: String(++truth),
        name: `${name} ${pick(FORMS, chance)}`.trim(),
        website: `${name.toLowerCase().replace(/[^a-z]/g, '')}${chance() < 0.2 ? digits(1, chance) : ''}.${pick(['com', 'net', 'co.uk', 'de'], chance)}`,
        phone: digits(10, chance),
        street: at.street,
        city: at.city,
        state: at.state,
        postal_code: at.postcode,
      }
      made++
      yield hidden(one, chance)
      for (
        let copies = chance() * 100 < duplicates ? 1 + Math.floor(chance() * 2) : 0;
        copies > 0 && made < rows;
        copies--
      ) {
        made++
        yield hidden(changed(one, chance), chance)
      }
    }
  }
}

function changed(one: Company, chance: Chance): Company {
  const copy = { ...one }
  const maybe = (share: number, change: () => void): void => {
    if (chance() < share) change()
  }
  maybe(
    0.5,
    () =>
      (copy.name =
        `${copy.name.replace(/ (Inc|Ltd|LLC|GmbH|PLC|Corp\.|S\.A\.)$/, '')} ${pick(FORMS, chance)}`.trim()),
  )
  maybe(0.15, () => (copy.name = slip(copy.name, chance)))
  maybe(0.12, () => (copy.name = copy.name.split(' ')[0] ?? copy.name))
  maybe(0.1, () => (copy.name = `The ${copy.name}`))
  maybe(0.3, () => (copy.website = `https://www.${copy.website}/`))
  maybe(0.12, () => (copy.website = copy.website.replace(/\.[a-z.]+\/?$/, '.org')))
  maybe(0.3, () => (copy.phone = digits(10, chance)))
  maybe(0.15, () => {
    const { city, state, postcode } = town(chance)
    Object.assign(copy, {
      street: `${1 + Math.floor(chance() * 300)} ${pick(STREETS, chance)} ${pick(KINDS, chance)}`,
      city,
      state,
      postal_code: postcode,
    })
  })
  maybe(
    0.3,
    () => (copy.street = copy.street.replace(/ (\w+)$/, (_, kind: string) => ` ${abbreviated(kind)}`)),
  )
  return copy
}

const EMPTY: Readonly<Partial<Record<keyof Company, number>>> = {
  website: 0.35,
  phone: 0.35,
  street: 0.3,
  city: 0.15,
  state: 0.3,
  postal_code: 0.25,
}
function hidden(one: Company, chance: Chance): Company {
  const copy = { ...one }
  for (const column of COMPANY_COLUMNS) if (chance() < (EMPTY[column] ?? 0)) copy[column] = ''
  return copy
}
