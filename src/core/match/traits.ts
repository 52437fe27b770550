import { isObject, type Json } from '../json.ts'
import type { Fields } from '../model.ts'

export type Subject = 'person' | 'company'

/**
 * What is known of somebody, as people wrote it: no normal form is asked for. A missing key means unknown, and so
 * does blank text. Lists hold any number of values of equal rank.
 */
export type Traits = {
  readonly givenName?: string
  readonly familyName?: string
  /** Where given and family name are not apart: "Lee, Ann", "Dr. Ann Lee". */
  readonly fullName?: string
  /** A person's employer, or a company's own name. */
  readonly organisation?: string
  readonly emails?: readonly string[]
  readonly phones?: readonly string[]
  readonly domains?: readonly string[]
  readonly jobTitle?: string
  /** `YYYY-MM-DD`, `YYYYMMDD`, `DD/MM/YYYY`, `MM/DD/YYYY` or, of unknown year, `MM-DD`. */
  readonly birthDate?: string
  /** With or without the house number. */
  readonly street?: string
  readonly houseNumber?: string
  /** The second line of an address: flat, building, property. */
  readonly unit?: string
  readonly city?: string
  readonly region?: string
  readonly postalCode?: string
  readonly country?: string
}

const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined
const texts = (value: Json | undefined): readonly string[] | undefined => {
  const list = Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
  return list.length === 0 ? undefined : list
}

/** What a hub record tells. Deals, activities and invoices are nobody. */
export function traitsOf(kind: 'contact' | 'company', fields: Fields): Traits {
  const address = isObject(fields['address']) ? fields['address'] : {}
  const all: { readonly [K in keyof Traits]-?: Traits[K] | undefined } = {
    givenName: text(fields['givenName']),
    familyName: text(fields['familyName']),
    fullName: undefined,
    organisation: text(fields[kind === 'company' ? 'name' : 'companyName']),
    emails: texts(fields['emails']),
    phones: texts(fields['phones']),
    domains: texts(fields['domains']),
    jobTitle: text(fields['jobTitle']),
    birthDate: text(fields['birthday']),
    street: text(address['line1']),
    houseNumber: undefined,
    unit: text(address['line2']),
    city: text(address['city']),
    region: text(address['region']),
    postalCode: text(address['postalCode']),
    country: text(address['country']),
  }
  const traits: Traits = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return traits
}

export const subjectOf = (kind: 'contact' | 'company'): Subject => (kind === 'contact' ? 'person' : 'company')
