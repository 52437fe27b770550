import type { Attribute } from './attributes.ts'
import type { Bond } from './model.ts'

/** By attribute: how often the same one, and how often two strangers, reach each level. Made to sum to 1 when used. */
type Levels = Readonly<Record<Attribute, readonly [m: readonly number[], u: readonly number[]]>>
export type Chances = { readonly levels: Levels; readonly bonds: readonly Bond[] }

const PLACE: Pick<
  Levels,
  | 'street'
  | 'houseNumber'
  | 'houseNumberWithin'
  | 'unit'
  | 'postalCode'
  | 'city'
  | 'cityWithin'
  | 'region'
  | 'regionWithin'
  | 'country'
> = {
  street: [
    [0.75, 0.1, 0.15],
    [0.0005, 0.001, 0.9985],
  ],
  houseNumber: [
    [0.8, 0.06, 0.14],
    [0.012, 0.08, 0.908],
  ],
  houseNumberWithin: [
    [0.9, 0.04, 0.06],
    [0.1, 0.15, 0.75],
  ],
  unit: [
    [0.7, 0.1, 0.2],
    [0.01, 0.02, 0.97],
  ],
  postalCode: [
    [0.78, 0.08, 0.14],
    [0.002, 0.01, 0.988],
  ],
  city: [
    [0.7, 0.1, 0.2],
    [0.03, 0.005, 0.965],
  ],
  cityWithin: [
    [0.87, 0.09, 0.04],
    [0.8, 0.1, 0.1],
  ],
  region: [
    [0.9, 0.1],
    [0.2, 0.8],
  ],
  regionWithin: [
    [0.97, 0.03],
    [0.94, 0.06],
  ],
  country: [
    [0.97, 0.03],
    [0.6, 0.4],
  ],
}

const HOUSEHOLD: Bond['u'] = {
  family: [0.75, 0.03, 0.02, 0.02, 0.18],
  // Twins.
  birth: [0.02, 0.003, 0.005, 0.012, 0.96],
  phone: [0.4, 0.01, 0.59],
  email: [0.03, 0.005, 0.01, 0.005, 0.95],
  street: [0.9, 0.06, 0.04],
  houseNumber: [0.9, 0.04, 0.06],
  houseNumberWithin: [0.96, 0.02, 0.02],
  unit: [0.85, 0.1, 0.05],
  postalCode: [0.92, 0.05, 0.03],
  city: [0.9, 0.06, 0.04],
  region: [0.95, 0.05],
  country: [0.99, 0.01],
}

const COLLEAGUES: Bond['u'] = {
  organisation: [0.88, 0.04, 0.03, 0.02, 0.03],
  domain: [0.92, 0.02, 0.06],
  phone: [0.3, 0.02, 0.68],
  email: [0.01, 0.003, 0.002, 0.005, 0.98],
  street: [0.75, 0.05, 0.2],
  houseNumber: [0.75, 0.05, 0.2],
  unit: [0.5, 0.1, 0.4],
  postalCode: [0.75, 0.05, 0.2],
  city: [0.8, 0.05, 0.15],
  region: [0.9, 0.1],
  country: [0.97, 0.03],
}

export const PERSON: Chances = {
  levels: {
    given: [
      [0.78, 0.07, 0.05, 0.03, 0.02, 0.02, 0.03],
      [0.01, 0.002, 0.003, 0.002, 0.004, 0.01, 0.969],
    ],
    family: [
      [0.84, 0.07, 0.02, 0.02, 0.05],
      [0.004, 0.002, 0.001, 0.008, 0.985],
    ],
    nameOrder: [
      [0.97, 0.03],
      [0.7, 0.3],
    ],
    birth: [
      [0.84, 0.08, 0.04, 0.01, 0.03],
      [0.0001, 0.001, 0.004, 0.01, 0.985],
    ],
    email: [
      [0.6, 0.06, 0.04, 0.03, 0.27],
      [0.00005, 0.0001, 0.0005, 0.002, 0.99735],
    ],
    phone: [
      [0.65, 0.04, 0.31],
      [0.0001, 0.0005, 0.9994],
    ],
    organisation: [
      [0.6, 0.06, 0.08, 0.04, 0.22],
      [0.003, 0.0005, 0.002, 0.005, 0.9895],
    ],
    organisationWithin: [
      [0.75, 0.06, 0.08, 0.04, 0.07],
      [0.7, 0.06, 0.08, 0.04, 0.12],
    ],
    domain: [
      [0.65, 0.03, 0.32],
      [0.003, 0.001, 0.996],
    ],
    title: [
      [0.5, 0.2, 0.3],
      [0.02, 0.05, 0.93],
    ],
    ...PLACE,
  },
  bonds: [
    { name: 'household', share: 0.3e-4, u: HOUSEHOLD },
    { name: 'colleagues', share: 2e-4, u: COLLEAGUES },
    { name: 'family firm', share: 0.05e-4, u: { ...COLLEAGUES, ...HOUSEHOLD } },
  ],
}

export const COMPANY: Chances = {
  levels: {
    // People's attributes: no company has them.
    given: PERSON.levels.given,
    family: PERSON.levels.family,
    nameOrder: PERSON.levels.nameOrder,
    birth: PERSON.levels.birth,
    title: PERSON.levels.title,
    email: [
      [0.5, 0.05, 0.02, 0.03, 0.4],
      [0.00005, 0.0001, 0.0005, 0.002, 0.99735],
    ],
    phone: [
      [0.6, 0.04, 0.36],
      [0.0001, 0.0005, 0.9994],
    ],
    organisation: [
      [0.66, 0.12, 0.1, 0.06, 0.06],
      [0.0005, 0.0002, 0.002, 0.006, 0.9913],
    ],
    organisationWithin: [
      [0.66, 0.12, 0.1, 0.06, 0.06],
      [0.35, 0.05, 0.2, 0.1, 0.3],
    ],
    domain: [
      [0.75, 0.08, 0.17],
      [0.0003, 0.0003, 0.9994],
    ],
    ...PLACE,
  },
  bonds: [
    {
      // Firms in one building.
      name: 'neighbours',
      share: 0.3e-4,
      u: {
        street: [0.9, 0.06, 0.04],
        houseNumber: [0.85, 0.05, 0.1],
        unit: [0.2, 0.1, 0.7],
        postalCode: [0.95, 0.03, 0.02],
        city: [0.95, 0.03, 0.02],
        region: [0.98, 0.02],
        country: [0.99, 0.01],
        houseNumberWithin: [0.9, 0.04, 0.06],
        phone: [0.02, 0.02, 0.96],
      },
    },
  ],
}
