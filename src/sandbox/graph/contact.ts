import type { Instant, Json, JsonObject } from '../../core/json.ts'
import type { Feed } from './feed.ts'
import type { ItemIds } from './mint.ts'

export type Contact = {
  readonly kind: 'contact'
  readonly key: number
  ids: ItemIds
  folder: ContactFolder
  /** Graph's own property names; what is not set is absent. */
  fields: Readonly<Record<string, Json>>
  /** Single-value extended properties by their id. */
  extended: ReadonlyMap<string, string>
  readonly createdAt: Instant
  modifiedAt: Instant
  version: number
}

export type ContactFolder = {
  readonly key: number
  readonly ids: ItemIds
  readonly displayName: string
  readonly parentId: string
  readonly feed: Feed<Contact>
}

export const CONTACT_TEXTS = [
  'assistantName',
  'birthday',
  'businessHomePage',
  'companyName',
  'department',
  'displayName',
  'fileAs',
  'generation',
  'givenName',
  'initials',
  'jobTitle',
  'manager',
  'middleName',
  'mobilePhone',
  'nickName',
  'officeLocation',
  'personalNotes',
  'profession',
  'spouseName',
  'surname',
  'title',
  'yomiCompanyName',
  'yomiGivenName',
  'yomiSurname',
] as const
export const CONTACT_LISTS = [
  'businessPhones',
  'homePhones',
  'imAddresses',
  'children',
  'categories',
] as const
export const CONTACT_ADDRESSES = ['businessAddress', 'homeAddress', 'otherAddress'] as const
/** What the store knows only a few of: https://learn.microsoft.com/en-us/graph/api/resources/contact */
export const CONTACT_MOST: Readonly<Record<string, number>> = {
  emailAddresses: 3,
  businessPhones: 2,
  homePhones: 2,
}

export const CONTACT_PROPERTIES: ReadonlySet<string> = new Set([
  'id',
  'changeKey',
  'createdDateTime',
  'lastModifiedDateTime',
  'parentFolderId',
  'emailAddresses',
  'singleValueExtendedProperties',
  ...CONTACT_TEXTS,
  ...CONTACT_LISTS,
  ...CONTACT_ADDRESSES,
])

export function contactFields(fields: Readonly<Record<string, Json>>): JsonObject {
  return {
    ...Object.fromEntries(CONTACT_TEXTS.map((name) => [name, fields[name] ?? null])),
    ...Object.fromEntries(CONTACT_LISTS.map((name) => [name, fields[name] ?? []])),
    ...Object.fromEntries(CONTACT_ADDRESSES.map((name) => [name, fields[name] ?? {}])),
    emailAddresses: fields['emailAddresses'] ?? [],
  }
}
