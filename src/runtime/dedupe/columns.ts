import type { Subject, Traits } from '../../core/match/traits.ts'
import { edits } from '../../core/match/similarity.ts'
import { DedupeInputError } from './input-error.ts'

export type TraitName = keyof Traits

/** Names of an attribute, the usual one first; as in headers, lower case with underscores. */
const NAMES: Readonly<Record<TraitName, string>> = {
  givenName:
    'given_name first_name firstname given givenname first forename fname name_first prenom vorname nome nombre',
  familyName:
    'surname last_name lastname family_name familyname family last lname sname name_last nom nachname cognome apellido',
  fullName:
    'full_name name fullname person_name contact contact_name display_name customer_name client_name person',
  organisation:
    'company organisation organization company_name organisation_name organization_name org employer firm business ' +
    'business_name account account_name firma entreprise legal_name trade_name',
  emails:
    'email emails email_address e_mail mail mail_address email_1 email1 email_2 email2 work_email home_email primary_email',
  phones:
    'phone phones phone_number telephone tel mobile cell mobile_phone cell_phone telephone_number phone_1 phone1 phone_2 ' +
    'phone2 work_phone home_phone telefon phone_home phone_work mobile_number contact_number',
  domains: 'domain domains website web url homepage web_site company_domain email_domain',
  jobTitle: 'job_title jobtitle position role job occupation',
  birthDate: 'date_of_birth dob birth_date birthdate birthday date_birth born geburtsdatum',
  street:
    'address_1 street address address1 address_line_1 address_line1 addr1 addr line1 line_1 street_address street_name street1 strasse addressline1',
  houseNumber: 'street_number house_number housenumber street_no house_no building_number number hausnummer',
  unit: 'address_2 address2 address_line_2 address_line2 addr2 line2 line_2 unit apartment apt suite flat street2 addressline2',
  city: 'city suburb town locality place municipality city_name ort stadt ville birth_place',
  region: 'state region province county state_province territory state_code bundesland',
  postalCode: 'postcode postal_code zip zip_code zipcode post_code postalcode postcode_fake plz cp',
  country: 'country country_code country_name nation land',
}
type ListName = 'emails' | 'phones' | 'domains'
const isList = (trait: TraitName): trait is ListName =>
  trait === 'emails' || trait === 'phones' || trait === 'domains'
const isTrait = (name: string): name is TraitName => Object.hasOwn(NAMES, name)
const TRAITS: readonly TraitName[] = Object.keys(NAMES).filter(isTrait)

const BY_NAME: ReadonlyMap<string, TraitName> = new Map(
  TRAITS.flatMap((trait) =>
    [trait.toLowerCase(), ...NAMES[trait].split(' ')].map((name) => [name, trait] as const),
  ),
)
/** What an attribute is called in options and messages. */
export const usualName = (trait: TraitName): string => NAMES[trait].split(' ')[0] ?? trait
export const USUAL_NAMES: readonly string[] = TRAITS.map(usualName)

const plain = (name: string): string =>
  name
    .trim()
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '')

/** Which cells of a row hold what. Lists may be spread over several columns. */
export type Columns = readonly { readonly trait: TraitName; readonly at: number; readonly header: string }[]

function traitNamed(name: string, subject: Subject): TraitName | undefined {
  const trait = BY_NAME.get(plain(name)) ?? BY_NAME.get(plain(name).replaceAll('_', ''))
  return subject === 'company' && trait === 'fullName' ? 'organisation' : trait
}

/**
 * The columns that a header names, or those that `spec` says: `attribute=column`, comma-separated; a column by the
 * attribute's own name needs no `=`. Throws DedupeInputError.
 */
export function columnsOf(header: readonly string[], spec: string | null, subject: Subject): Columns {
  const columns = spec === null ? guessed(header, subject) : spelledOut(header, spec, subject)
  if (columns.length > 0) return columns
  throw new DedupeInputError(
    `No column could be told from the header: ${header.join(', ').slice(0, 300)}`,
    `Name them: --columns given_name=COLUMN,surname=COLUMN; known are ${USUAL_NAMES.join(', ')}.`,
  )
}

function guessed(header: readonly string[], subject: Subject): Columns {
  const found: { trait: TraitName; at: number; header: string }[] = []
  for (const [at, name] of header.entries()) {
    const trait = traitNamed(name, subject)
    if (trait === undefined || (!isList(trait) && found.some((one) => one.trait === trait))) continue
    found.push({ trait, at, header: name })
  }
  return found
}

function spelledOut(header: readonly string[], spec: string, subject: Subject): Columns {
  const parts = spec.split(/,(?=[^,=]*(?:=|$))|,(?=[^,=]+,)/).map((part) => part.trim())
  const found: { trait: TraitName; at: number; header: string }[] = []
  for (const part of parts.filter((one) => one !== '')) {
    const equals = part.indexOf('=')
    const attribute = equals < 0 ? part : part.slice(0, equals).trim()
    const column = equals < 0 ? part : part.slice(equals + 1).trim()
    const trait = traitNamed(attribute, subject)
    if (trait === undefined) throw unknownAttribute(attribute)
    const at = placeOf(header, column)
    if (!isList(trait) && found.some((one) => one.trait === trait))
      throw new DedupeInputError(`--columns names ${attribute} twice`, 'Give it one column.')
    found.push({ trait, at, header: header[at] ?? column })
  }
  return found
}

function unknownAttribute(attribute: string): DedupeInputError {
  const near = nearestOf(plain(attribute), USUAL_NAMES) ?? nearestOf(plain(attribute), [...BY_NAME.keys()])
  return new DedupeInputError(
    `--columns names an attribute "${attribute}" that is not known`,
    near === null
      ? `Use ${USUAL_NAMES.join(', ')}.`
      : `Did you mean ${near}? Known are ${USUAL_NAMES.join(', ')}.`,
  )
}

/** Where a column stands. Throws where there is none, or more than one of that name. */
export function placeOf(header: readonly string[], column: string): number {
  const places = (same: (name: string) => boolean) => header.flatMap((name, at) => (same(name) ? [at] : []))
  const exact = places((name) => name.trim() === column.trim())
  const found =
    exact.length > 0 ? exact : places((name) => plain(name) === plain(column) && plain(name) !== '')
  if (found.length > 1)
    throw new DedupeInputError(
      `The header has the column "${column}" ${found.length} times`,
      'Rename all but one of them.',
    )
  const at = found[0]
  if (at !== undefined) return at
  const near = nearestOf(column, header)
  throw new DedupeInputError(
    `The file has no column "${column}"`,
    `${near === null ? '' : `Did you mean "${near}"? `}Its header: ${header.join(', ').slice(0, 300)}.`,
  )
}

function nearestOf(wrong: string, known: readonly string[]): string | null {
  const most = Math.max(2, Math.floor(wrong.length / 3))
  const ranked = known
    .map((name) => ({ name, far: edits(wrong.toLowerCase(), name.toLowerCase(), most) }))
    .toSorted((a, b) => a.far - b.far)
  const best = ranked[0]
  return best !== undefined && best.far <= most ? best.name : null
}

/** What a row says. Cells that hold several addresses or numbers are taken apart. */
export function traitsOfRow(cells: readonly string[], columns: Columns): Traits {
  const texts: Partial<Record<Exclude<TraitName, ListName>, string>> = {}
  const lists: Partial<Record<ListName, readonly string[]>> = {}
  for (const { trait, at } of columns) {
    const cell = (cells[at] ?? '').trim()
    if (cell === '') continue
    if (!isList(trait)) texts[trait] = cell
    else lists[trait] = [...(lists[trait] ?? []), ...cell.split(trait === 'phones' ? /[;|]/ : /[;|,\s]+/)]
  }
  return { ...texts, ...lists }
}
