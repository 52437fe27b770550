import { splitName } from '../name.ts'
import { prepareAddress, type PreparedAddress } from './prepare-address.ts'
import { birthDigits, domainOf, emailOf, localPartOf, phoneDigits, unique } from './prepare-contact.ts'
import { organisationWords } from './organisation.ts'
import { fold, known, wordsOf } from './text.ts'
import type { Subject, Traits } from './traits.ts'

/**
 * A record made ready to be compared, once. Plain JSON, so that it may be stored and read back. Empty text and empty
 * lists mean unknown.
 */
export type Prepared = PreparedAddress & {
  readonly subject: Subject
  /** Folded, words apart: "mary ann". */
  readonly given: string
  /** Folded, particles and suffixes left out: "van der Berg" is "berg". */
  readonly family: string
  /** Normal form: lower case, without a tag, Gmail's dots left out. */
  readonly emails: readonly string[]
  /** The part before the @, with nothing but letters and digits. */
  readonly locals: readonly string[]
  /** The last nine digits at most: the national number, whatever stands before it. */
  readonly phones: readonly string[]
  /** Of the record itself and of its addresses; those of free-mail providers are nobody's. */
  readonly domains: readonly string[]
  /** The telling words of the firm's name, in one text. */
  readonly organisation: string
  /** YYYYMMDD, or ----MMDD where the year is unknown. */
  readonly birth: string
  readonly title: string
}

/** Never fails: what cannot be read is unknown. `isNobodys`: a domain's addresses say nothing about an employer. */
export function prepare(subject: Subject, traits: Traits, isNobodys: (domain: string) => boolean): Prepared {
  const names = subject === 'person' ? namesOf(traits) : { given: '', family: '' }
  const emails = unique((traits.emails ?? []).map(emailOf))
  const domains = [...(traits.domains ?? []).map(domainOf), ...emails.map(domainOf)]
  const firm = subject === 'company' ? (traits.organisation ?? traits.fullName) : traits.organisation
  return {
    subject,
    ...names,
    emails,
    locals: unique(emails.map(localPartOf)),
    phones: unique((traits.phones ?? []).map(phoneDigits)),
    domains: unique(domains.filter((domain) => !isNobodys(domain))),
    organisation: known(firm) === '' ? '' : organisationWords(firm).join(' '),
    birth: subject === 'person' ? birthDigits(traits.birthDate) : '',
    title: subject === 'person' ? known(traits.jobTitle) : '',
    ...prepareAddress(traits),
  }
}

const TITLES = new Set(
  'mr mrs ms miss mx dr prof professor sir dame rev herr frau monsieur madame mme dipl ing'.split(' '),
)
const PARTICLES = new Set(
  'van von vom zu zum zur der den ter ten te de del della dello degli di da dal dos das do du des la le los el al bin ibn af av'.split(
    ' ',
  ),
)
const SUFFIXES = new Set('jr sr ii iii iv phd md esq junior senior'.split(' '))

type Names = { readonly given: string; readonly family: string }

function namesOf({ givenName, familyName, fullName }: Traits): Names {
  const given = known(givenName)
  const family = known(familyName)
  if (given !== '' && family !== '') return { given: givenOf(given), family: familyOf(family) }
  // A whole name in one of the two fields shows itself only by its comma.
  const whole =
    known(fullName) === '' ? [givenName, familyName].find((text) => text?.includes(',')) : fullName
  if (whole === undefined) return { given: givenOf(given), family: familyOf(family) }
  const words = whole.split(/\s+/).filter((word) => word !== '' && !TITLES.has(fold(word)))
  const split = splitName(words.join(' '))
  const splitGiven = known(split.givenName ?? '')
  const splitFamily = known(split.familyName ?? '')
  return {
    given: givenOf(given === '' || given === known(whole) ? splitGiven : given),
    family: familyOf(family === '' || family === known(whole) ? splitFamily : family),
  }
}

const without = (text: string, ...sets: readonly ReadonlySet<string>[]): string => {
  const words = wordsOf(text)
  if (words.length < 2) return text
  const kept = words.filter((word) => !sets.some((set) => set.has(word)))
  return kept.length === 0 ? text : kept.join(' ')
}
const givenOf = (text: string): string => without(text, TITLES, SUFFIXES)
const familyOf = (text: string): string => without(text, PARTICLES, SUFFIXES)

/** The same person written by their first name alone: "mary" of "mary ann". */
export const firstWord = (text: string): string => {
  const end = text.indexOf(' ')
  return end < 0 ? text : text.slice(0, end)
}
