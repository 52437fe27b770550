import { known, wordsOf } from './text.ts'
import type { Traits } from './traits.ts'

export type PreparedAddress = {
  /** Without the house number, abbreviations written out: "main street". */
  readonly street: string
  readonly houseNumber: string
  readonly unit: string
  readonly city: string
  readonly region: string
  readonly postalCode: string
  readonly country: string
}

const WRITTEN_OUT: Readonly<Record<string, string>> = {
  st: 'street',
  str: 'street',
  strasse: 'street',
  ave: 'avenue',
  av: 'avenue',
  rd: 'road',
  dr: 'drive',
  ln: 'lane',
  ct: 'court',
  crt: 'court',
  pl: 'place',
  blvd: 'boulevard',
  bd: 'boulevard',
  cres: 'crescent',
  cr: 'crescent',
  cct: 'circuit',
  cir: 'circle',
  hwy: 'highway',
  pkwy: 'parkway',
  pde: 'parade',
  tce: 'terrace',
  ter: 'terrace',
  sq: 'square',
  gr: 'grove',
  gv: 'grove',
  cl: 'close',
  apt: 'apartment',
  fl: 'floor',
  ste: 'suite',
  bldg: 'building',
  mt: 'mount',
  ft: 'fort',
  hts: 'heights',
  n: 'north',
  s: 'south',
  e: 'east',
  w: 'west',
}
const writtenOut = (text: string): string =>
  wordsOf(text)
    .map((word) => WRITTEN_OUT[word] ?? word)
    .join(' ')

/** Nothing but noughts is no number. */
const filledIn = (text: string): string => (/^0+$/.test(text) ? '' : text)

/** A house number before the street ("12a High Street"), or behind it ("Hauptstr. 5"). */
const BEFORE = /^(\d+ ?[a-z]?) (?=\D)(.{3,})$/
const BEHIND = /^(\D{3,}) (\d+ ?[a-z]?)$/

export function prepareAddress(traits: Traits): PreparedAddress {
  const number = filledIn(known(traits.houseNumber).replaceAll(' ', ''))
  const line = known(traits.street?.replace(/str(?:\.|(?=\s*\d))/i, 'strasse '))
  const found = number === '' ? numbered(line) : { number, street: line }
  return {
    street: writtenOut(found.street),
    houseNumber: found.number,
    unit: writtenOut(known(traits.unit)),
    city: known(traits.city),
    region: known(traits.region),
    postalCode: filledIn(known(traits.postalCode).replaceAll(' ', '')),
    country: known(traits.country),
  }
}

function numbered(line: string): { readonly number: string; readonly street: string } {
  const before = BEFORE.exec(line)
  if (before !== null) return { number: (before[1] ?? '').replaceAll(' ', ''), street: before[2] ?? '' }
  const behind = BEHIND.exec(line)
  if (behind !== null) return { number: (behind[2] ?? '').replaceAll(' ', ''), street: behind[1] ?? '' }
  return { number: '', street: line }
}
