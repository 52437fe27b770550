import {
  FAMILY,
  GIVEN,
  KINDS,
  pick,
  pickCommon,
  rareName,
  SHORT,
  slip,
  town,
  type Chance,
} from './vocabulary.ts'

/** Rows of a shape; `truth` says who is who. */
export type Shape = {
  readonly columns: readonly string[]
  readonly rows: (count: number, chance: Chance) => Generator<Readonly<Record<string, string>>>
}
type Row = Record<string, string>

const digits = (length: number, chance: Chance): string =>
  Array.from({ length }, () => Math.floor(chance() * 10)).join('')
const familyName = (chance: Chance): string =>
  chance() < 0.3 ? pickCommon(FAMILY, chance) : rareName(chance)

/** Rows of one entity after another, shuffled within a window so that doubles do not stand side by side. */
function* scattered(rows: Iterable<Row>, chance: Chance): Generator<Row> {
  const held: Row[] = []
  for (const row of rows) {
    held.push(row)
    if (held.length < 3_000) continue
    const at = Math.floor(chance() * held.length)
    const [out] = held.splice(at, 1)
    if (out !== undefined) yield out
  }
  while (held.length > 0) {
    const [out] = held.splice(Math.floor(chance() * held.length), 1)
    if (out !== undefined) yield out
  }
}

const HEAVY = [
  'given_name',
  'surname',
  'street_number',
  'address_1',
  'address_2',
  'suburb',
  'postcode',
  'state',
]
const HEAVY_FIELDS = [...HEAVY, 'date_of_birth']

/**
 * As the generator of the febrl sets has them: two in five originals, up to `most` further rows of one, few more often
 * than many, with up to three errors a field and ten a row.
 */
function* heavyRows(count: number, most: number, chance: Chance): Generator<Row> {
  let made = 0
  for (let truth = 1; made < count; truth++) {
    const { city, postcode, state } = town(chance)
    const one: Row = {
      truth: String(truth),
      given_name: chance() < 0.6 ? pickCommon(GIVEN, chance) : rareName(chance),
      surname: familyName(chance),
      street_number: String(1 + Math.floor(300 * chance() ** 2)),
      address_1: `${rareName(chance)} ${pick(KINDS, chance)}`,
      address_2: chance() < 0.5 ? `${rareName(chance)} ${pick(['park', 'village', 'farm'], chance)}` : '',
      suburb: city,
      postcode,
      state,
      date_of_birth: new Date(Date.UTC(1900, 0, 1 + Math.floor(chance() * 36_500)))
        .toISOString()
        .slice(0, 10)
        .replaceAll('-', ''),
    }
    made++
    yield one
    const copies = chance() < 0.75 ? 1 + Math.floor(most * chance() ** 1.5) : 0
    for (let n = 0; n < copies && made < count; n++) {
      made++
      yield corrupted(one, chance)
    }
  }
}

function corrupted(one: Row, chance: Chance): Row {
  const copy = { ...one }
  const touched = new Map<string, number>()
  for (let left = 1 + Math.floor(chance() * 10); left > 0; left--) {
    const field = pick(HEAVY_FIELDS, chance)
    const times = touched.get(field) ?? 0
    if (times >= 3) continue
    touched.set(field, times + 1)
    const text = copy[field] ?? ''
    const kind = chance()
    if (kind < 0.7) copy[field] = /^\d+$/.test(text) ? wrongDigit(text, chance) : slip(text, chance)
    else if (kind < 0.82) copy[field] = ''
    else if (kind < 0.9) copy[field] = /^\d+$/.test(text) ? digits(text.length, chance) : rareName(chance)
    else if (kind < 0.95) {
      const at = Math.floor(chance() * text.length)
      copy[field] = `${text.slice(0, at)} ${text.slice(at)}`.trim()
    } else [copy['given_name'], copy['surname']] = [copy['surname'] ?? '', copy['given_name'] ?? '']
  }
  return copy
}

function wrongDigit(text: string, chance: Chance): string {
  const at = Math.floor(chance() * text.length)
  return `${text.slice(0, at)}${digits(1, chance)}${text.slice(at + 1)}`
}

/**
 * People of the past as catalogues have them: some ten rows a person, few fields, titles, other forms of a name, the
 * first of January where only the year is known, half of the cells empty or wrong.
 */
function* historicalRows(count: number, chance: Chance): Generator<Row> {
  let made = 0
  for (let truth = 1; made < count; truth++) {
    const place = town(chance)
    const given = pickCommon(GIVEN, chance)
    const born = new Date(Date.UTC(1600 + Math.floor(chance() * 320), 0, 1 + Math.floor(chance() * 365)))
    const one: Row = {
      truth: String(truth),
      first_name: given,
      surname: familyName(chance),
      dob: born.toISOString().slice(0, 10),
      birth_place: place.city,
      postcode: `${place.city.slice(0, 2)}${Math.floor(chance() * 30)} ${digits(1, chance)}${rareName(chance).slice(0, 2)}`,
      occupation: pick(
        ['politician', 'writer', 'cricketer', 'painter', 'officer', 'cleric', 'botanist'],
        chance,
      ),
    }
    const rows = 1 + Math.floor(20 * chance())
    for (let n = 0; n < rows && made < count; n++) {
      made++
      yield n === 0 ? one : retold(one, chance)
    }
  }
}

function retold(one: Row, chance: Chance): Row {
  const copy = { ...one }
  const maybe = (share: number, change: () => void): void => {
    if (chance() < share) change()
  }
  const [given = '', family = '', dob = ''] = [one['first_name'], one['surname'], one['dob']]
  maybe(0.1, () => (copy['first_name'] = SHORT[given] ?? given))
  maybe(0.06, () => (copy['first_name'] = `${given} ${pick(GIVEN, chance)}`))
  maybe(0.05, () => (copy['first_name'] = `sir ${given}`))
  maybe(0.12, () => (copy['first_name'] = slip(given, chance)))
  maybe(0.15, () => (copy['surname'] = slip(family, chance)))
  maybe(0.05, () => (copy['surname'] = rareName(chance)))
  maybe(0.2, () => (copy['dob'] = `${dob.slice(0, 4)}-01-01`))
  maybe(0.15, () => (copy['dob'] = slip(dob, chance).replaceAll(/[a-z]/g, '1')))
  maybe(0.15, () => (copy['birth_place'] = town(chance).city))
  maybe(
    0.3,
    () => (copy['postcode'] = `${(copy['postcode'] ?? '').slice(0, -2)}${rareName(chance).slice(0, 2)}`),
  )
  maybe(
    0.1,
    () => (copy['postcode'] = `${town(chance).city.slice(0, 2)}${digits(1, chance)} ${digits(1, chance)}xx`),
  )
  maybe(0.05, () => (copy['first_name'] = ''))
  maybe(0.04, () => (copy['surname'] = ''))
  maybe(0.3, () => (copy['dob'] = ''))
  maybe(0.25, () => (copy['birth_place'] = ''))
  maybe(0.25, () => (copy['postcode'] = ''))
  maybe(0.4, () => (copy['occupation'] = ''))
  return copy
}

export const SHAPES = {
  heavy: {
    columns: ['truth', ...HEAVY_FIELDS],
    rows: (count, chance) => scattered(heavyRows(count, 5, chance), chance),
  },
  heaviest: {
    columns: ['truth', ...HEAVY_FIELDS],
    rows: (count, chance) => scattered(heavyRows(count, 10, chance), chance),
  },
  historical: {
    columns: ['truth', 'first_name', 'surname', 'dob', 'birth_place', 'postcode', 'occupation'],
    rows: (count, chance) => scattered(historicalRows(count, chance), chance),
  },
} as const satisfies Readonly<Record<string, Shape>>
