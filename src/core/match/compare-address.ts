import { AT, MISSING } from './attributes.ts'
import type { PreparedAddress } from './prepare-address.ts'
import { edits, isSlip, jaroWinkler } from './similarity.ts'
import { joined } from './text.ts'

/** Fills in the levels of an address, each given those before it: code, city, region; street, house number. */
export function compareAddress(a: PreparedAddress, b: PreparedAddress, levels: number[]): void {
  const postal = comparePostalCodes(a.postalCode, b.postalCode)
  levels[AT.postalCode] = postal
  const city = compareWords(a.city, b.city)
  levels[postal === 0 ? AT.cityWithin : AT.city] = city
  levels[postal === 0 || city === 0 ? AT.regionWithin : AT.region] = compareRegions(a.region, b.region)
  levels[AT.country] = a.country === '' || b.country === '' ? MISSING : a.country === b.country ? 0 : 1
  const { street, unit } = compareLines(a, b)
  levels[AT.street] = street
  levels[AT.unit] = unit
  levels[street === 0 ? AT.houseNumberWithin : AT.houseNumber] = compareNumbers(a.houseNumber, b.houseNumber)
}

/** The two lines of an address, crosswise where people filled them in the other way round. */
function compareLines(
  a: PreparedAddress,
  b: PreparedAddress,
): { readonly street: number; readonly unit: number } {
  const street = compareWords(a.street, b.street)
  const unit = compareWords(a.unit, b.unit)
  if (street === 0 || street === 1 || unit === 0) return { street, unit }
  const one = compareWords(a.street, b.unit)
  const two = compareWords(a.unit, b.street)
  const good = (level: number) => level === 0 || level === 1
  if (!good(one) && !good(two)) return { street, unit }
  if ((one === 2 || two === 2) && street !== 2) return { street, unit }
  const both = good(one) && good(two)
  return both
    ? { street: Math.min(one, two), unit: Math.max(one, two) }
    : { street: good(one) ? one : two, unit: MISSING }
}

/** Words of a place or a street: the same, a slip apart (also a wrong blank), or different. */
export function compareWords(a: string, b: string): number {
  if (a === '' || b === '') return MISSING
  const [one, two] = [joined(a), joined(b)]
  if (one === two) return 0
  if (isSlip(one, two)) return 1
  return jaroWinkler(one, two) >= 0.93 ? 1 : 2
}

function comparePostalCodes(a: string, b: string): number {
  if (a === '' || b === '') return MISSING
  if (a === b) return 0
  // "12345-6789" and "12345".
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a]
  if (shorter.length >= 5 && longer.length >= 9 && longer.startsWith(shorter)) return 0
  return edits(a, b, 1) <= 1 ? 1 : 2
}

/** "QLD" and "Queensland" do not agree as text; only what is written in one way is compared. */
function compareRegions(a: string, b: string): number {
  if (a === '' || b === '') return MISSING
  if (a === b) return 0
  return a.length <= 3 === b.length <= 3 ? 1 : MISSING
}

function compareNumbers(a: string, b: string): number {
  if (a === '' || b === '') return MISSING
  if (a === b) return 0
  if (a.replace(/\D/g, '') === b.replace(/\D/g, '')) return 1
  return Math.max(a.length, b.length) > 1 && edits(a, b, 1) <= 1 ? 1 : 2
}
