import { AT, ATTRIBUTE_NAMES, MISSING, type Agreement } from './attributes.ts'
import { compareAddress } from './compare-address.ts'
import {
  compareBirth,
  compareDomains,
  compareEmails,
  compareOrganisations,
  comparePhones,
} from './compare-contact.ts'
import { compareNames } from './compare-name.ts'
import type { Prepared } from './prepare.ts'
import { jaroWinkler } from './similarity.ts'

const NOTHING_KNOWN: readonly number[] = ATTRIBUTE_NAMES.map(() => MISSING)

/** How far two records agree, attribute by attribute. Symmetric. What one of them does not state is no evidence. */
export function compare(a: Prepared, b: Prepared): Agreement {
  const levels = NOTHING_KNOWN.slice()
  if (a.subject === 'person') {
    const names = compareNames(a, b)
    levels[AT.given] = names.given
    levels[AT.family] = names.family
    levels[AT.nameOrder] = names.order
    levels[AT.birth] = compareBirth(a.birth, b.birth)
    levels[AT.title] = compareTitles(a.title, b.title)
  }
  levels[AT.email] = compareEmails(a, b)
  levels[AT.phone] = comparePhones(a.phones, b.phones)
  // One address, or one but for a slip, implies the domain.
  const oneAddress = levels[AT.email] === 0 || levels[AT.email] === 1
  if (!oneAddress) levels[AT.domain] = compareDomains(a, b)
  const sameDomain = levels[AT.domain] === 0 || oneAddress
  levels[sameDomain ? AT.organisationWithin : AT.organisation] = compareOrganisations(
    a.organisation,
    b.organisation,
  )
  compareAddress(a, b, levels)
  return levels
}

function compareTitles(a: string, b: string): number {
  if (a === '' || b === '') return MISSING
  if (a === b) return 0
  return jaroWinkler(a, b) >= 0.85 ? 1 : 2
}
