import { z } from 'zod'
import { isList, isObject, type Json, type JsonObject, same } from '../../core/json.ts'
import type { FieldInfo, Observation } from '../connector.ts'

/** https://learn.microsoft.com/en-us/graph/api/resources/contact */
const TEXTS = {
  displayName: 'Display name',
  givenName: 'First name',
  middleName: 'Middle name',
  surname: 'Last name',
  nickName: 'Nickname',
  title: 'Title',
  generation: 'Suffix',
  companyName: 'Company',
  department: 'Department',
  jobTitle: 'Job title',
  profession: 'Profession',
  officeLocation: 'Office',
  businessHomePage: 'Web page',
  mobilePhone: 'Mobile phone',
  birthday: 'Birthday',
  personalNotes: 'Notes',
} as const
const LISTS = {
  businessPhones: 'Business phones',
  homePhones: 'Home phones',
  categories: 'Categories',
} as const
const ADDRESSES = {
  businessAddress: 'Business address',
  homeAddress: 'Home address',
  otherAddress: 'Other address',
} as const
const PARTS = {
  street: 'street',
  city: 'city',
  state: 'state',
  postalCode: 'postal code',
  countryOrRegion: 'country',
}

export const CONTACT_FIELDS: readonly FieldInfo[] = [
  ...Object.entries({ ...TEXTS, ...LISTS }).map(([path, label]) => ({ path, label, required: false })),
  { path: 'emailAddresses', label: 'Email addresses, each with address and name', required: false },
  ...Object.entries(ADDRESSES).flatMap(([path, label]) => [
    { path, label, required: false },
    ...Object.entries(PARTS).map(([part, what]) => ({
      path: `${path}.${part}`,
      label: `${label}: ${what}`,
      required: false,
    })),
  ]),
]

export const CONTACT_SELECT = [
  'id',
  ...Object.keys(TEXTS),
  ...Object.keys(LISTS),
  'emailAddresses',
  ...Object.keys(ADDRESSES),
].join()

const word = z.string().nullable()
const words = z.array(z.string()).nullable()
const address = z.strictObject(
  Object.fromEntries(Object.keys(PARTS).map((name) => [name, word.exactOptional()])),
)
const email = z.union([z.string(), z.object({ address: z.string(), name: word.exactOptional() })])

/** What may be written: a merge patch in Graph's own names. Email addresses may be given as bare texts. */
export const contactChange = z.strictObject({
  ...Object.fromEntries(Object.keys(TEXTS).map((name) => [name, word.exactOptional()])),
  ...Object.fromEntries(Object.keys(LISTS).map((name) => [name, words.exactOptional()])),
  ...Object.fromEntries(Object.keys(ADDRESSES).map((name) => [name, address.nullable().exactOptional()])),
  emailAddresses: z.array(email).nullable().exactOptional(),
})

/**
 * A merge patch as Graph takes it: lists and addresses are replaced as a whole, so the parts and names that stay are
 * sent along, as they are in `observed`.
 */
export function contactParams(patch: JsonObject, observed: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(patch).map(([name, value]) => {
      if (name === 'emailAddresses') return [name, emailsOf(value, observed[name])]
      if (name in LISTS) return [name, value ?? []]
      if (name in ADDRESSES) return [name, addressOf(value, observed[name])]
      return [name, value]
    }),
  )
}

/** The name a person gave to an address stays with it, unless the patch gives another. */
function emailsOf(value: Json, before: Json | undefined): Json {
  const names = new Map(entriesOf(before).map(({ address: of, name }) => [of.toLowerCase(), name]))
  return entriesOf(value).map(({ address: of, name }) => {
    const kept = name ?? names.get(of.toLowerCase()) ?? null
    return kept === null ? { address: of } : { address: of, name: kept }
  })
}

function entriesOf(
  value: Json | undefined,
): readonly { readonly address: string; readonly name: string | null }[] {
  return (isList(value) ? value : []).flatMap((entry) => {
    const { address: of, name } = isObject(entry) ? entry : { address: entry, name: null }
    return typeof of === 'string' && of !== ''
      ? [{ address: of, name: typeof name === 'string' ? name : null }]
      : []
  })
}

function addressOf(value: Json | undefined, before: Json | undefined): JsonObject {
  if (!isObject(value)) return NO_ADDRESS
  return { ...NO_ADDRESS, ...(isObject(before) ? before : {}), ...value }
}
const NO_ADDRESS: JsonObject = Object.fromEntries(Object.keys(PARTS).map((name) => [name, null]))

/** What of `params` the contact does not say already. */
export function difference(params: JsonObject, body: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(params).filter(([name, value]) => {
      if (name === 'emailAddresses')
        return !same(emailsOf(value, body[name]), emailsOf(body[name] ?? null, null))
      return !same(value || null, body[name] || null)
    }),
  )
}

/** https://learn.microsoft.com/en-us/graph/api/resources/contact; its version is the ETag. */
const contactWire = z.looseObject({
  id: z.string(),
  '@odata.etag': z.string(),
  emailAddresses: z.array(z.object({ address: word.optional(), name: word.optional() }).nullable()).nullish(),
  ...Object.fromEntries(Object.keys(LISTS).map((name) => [name, z.array(word).nullish()])),
  ...Object.fromEntries(Object.keys(TEXTS).map((name) => [name, word.optional()])),
  ...Object.fromEntries(
    Object.keys(ADDRESSES).map((name) => [name, z.record(z.string(), z.unknown()).nullish()]),
  ),
})

/**
 * A contact as an observation, in one form whoever answered it: null for texts that are not set, lists without empty
 * places, all parts of an address. Null: it cannot be read.
 */
export function observe(raw: unknown): (Observation & { readonly kind: 'present' }) | null {
  const read = contactWire.safeParse(raw)
  const json = read.success ? z.record(z.string(), z.json()).safeParse(read.data) : read
  if (!read.success || !json.success) return null
  const given: JsonObject = json.data
  const body: JsonObject = {
    ...Object.fromEntries(Object.keys(TEXTS).map((name) => [name, given[name] || null])),
    ...Object.fromEntries(Object.keys(LISTS).map((name) => [name, wordsOf(given[name])])),
    emailAddresses: entriesOf(given['emailAddresses']).map(({ address: of, name }) => ({
      name,
      address: of,
    })),
    ...Object.fromEntries(Object.keys(ADDRESSES).map((name) => [name, partsOf(given[name])])),
  }
  const { id } = read.data
  return { kind: 'present', id, version: read.data['@odata.etag'], modifiedAt: null, body }
}

const wordsOf = (value: Json | undefined): Json =>
  (isList(value) ? value : []).filter((one) => typeof one === 'string' && one !== '')

function partsOf(value: Json | undefined): JsonObject {
  const given = isObject(value) ? value : {}
  return Object.fromEntries(Object.keys(PARTS).map((name) => [name, given[name] || null]))
}
