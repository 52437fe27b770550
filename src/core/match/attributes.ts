/**
 * What two records are compared by, and how far they may agree, best level first; the last one is "differs". The
 * order is that of an `Agreement`.
 *
 * What follows from what came before it is judged given that: `cityWithin` is the city of two records whose postal
 * codes agree, `city` of two whose codes differ or are unknown. A pair has one of them, so the city of an agreeing
 * postal code, which agrees for strangers as well, is not counted twice (the chain rule of probability).
 */
export const ATTRIBUTES = {
  given: {
    label: 'first name',
    levels: ['exact', 'slip', 'nickname', 'part', 'initial', 'similar', 'differs'],
  },
  family: { label: 'surname', levels: ['exact', 'slip', 'part', 'similar', 'differs'] },
  nameOrder: { label: 'order of names', levels: ['straight', 'swapped'] },
  birth: { label: 'birth date', levels: ['exact', 'slip', 'two of three', 'near', 'differs'] },
  email: { label: 'email', levels: ['exact', 'slip', 'same before the @', 'similar', 'differs'] },
  phone: { label: 'phone', levels: ['exact', 'slip', 'differs'] },
  organisation: { label: 'company', levels: ['exact', 'slip', 'part', 'similar', 'differs'] },
  organisationWithin: { label: 'company', levels: ['exact', 'slip', 'part', 'similar', 'differs'] },
  domain: { label: 'domain', levels: ['exact', 'similar', 'differs'] },
  street: { label: 'street', levels: ['exact', 'slip', 'differs'] },
  houseNumber: { label: 'house number', levels: ['exact', 'slip', 'differs'] },
  houseNumberWithin: { label: 'house number', levels: ['exact', 'slip', 'differs'] },
  unit: { label: 'address line 2', levels: ['exact', 'slip', 'differs'] },
  postalCode: { label: 'postal code', levels: ['exact', 'slip', 'differs'] },
  city: { label: 'city', levels: ['exact', 'slip', 'differs'] },
  cityWithin: { label: 'city', levels: ['exact', 'slip', 'differs'] },
  region: { label: 'region', levels: ['exact', 'differs'] },
  regionWithin: { label: 'region', levels: ['exact', 'differs'] },
  country: { label: 'country', levels: ['exact', 'differs'] },
  title: { label: 'job title', levels: ['exact', 'similar', 'differs'] },
} as const satisfies Readonly<Record<string, { readonly label: string; readonly levels: readonly string[] }>>

export type Attribute = keyof typeof ATTRIBUTES

export const ATTRIBUTE_NAMES: readonly Attribute[] = [
  'given',
  'family',
  'nameOrder',
  'birth',
  'email',
  'phone',
  'organisation',
  'organisationWithin',
  'domain',
  'street',
  'houseNumber',
  'houseNumberWithin',
  'unit',
  'postalCode',
  'city',
  'cityWithin',
  'region',
  'regionWithin',
  'country',
  'title',
]

/** Where each attribute stands in an `Agreement`. */
export const AT: Readonly<Record<Attribute, number>> = {
  given: 0,
  family: 1,
  nameOrder: 2,
  birth: 3,
  email: 4,
  phone: 5,
  organisation: 6,
  organisationWithin: 7,
  domain: 8,
  street: 9,
  houseNumber: 10,
  houseNumberWithin: 11,
  unit: 12,
  postalCode: 13,
  city: 14,
  cityWithin: 15,
  region: 16,
  regionWithin: 17,
  country: 18,
  title: 19,
}

/** The level of agreement by attribute, in the order of ATTRIBUTE_NAMES: 0 is the best, MISSING is no evidence. */
export type Agreement = readonly number[]
export const MISSING = -1
