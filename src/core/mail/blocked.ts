import { domainOf, isWithin, plainAddress, plainDomain } from './address.ts'
import { addressForms } from './people.ts'
import { DEFAULT_RULES } from './rules.ts'

/** Whoever blocks an address means its owner: tags and dots are counted out, whatever the rules say about matching. */
const EVERY_FORM = { ...DEFAULT_RULES, plusTags: true, dots: true }

/** The entry of the rule `blocked` that an address falls under, as it is written there; null where none does. */
export function blockedBy(addresses: readonly string[], blocked: readonly string[]): string | null {
  if (blocked.length === 0) return null
  const forms = new Set(addresses.flatMap((address) => addressForms(address, EVERY_FORM)))
  const domains = new Set([...forms].map(domainOf).filter((domain) => domain !== ''))
  return blocked.find((entry) => isHit(entry, forms, domains)) ?? null
}

function isHit(entry: string, forms: ReadonlySet<string>, domains: ReadonlySet<string>): boolean {
  const plain = plainAddress(entry)
  if (plain.indexOf('@') > 0 && !plain.startsWith('*@'))
    return addressForms(plain, EVERY_FORM).some((form) => forms.has(form))
  const parent = plainDomain(plain.replace(/^\*@/, ''))
  return [...domains].some((domain) => isWithin(domain, parent))
}
